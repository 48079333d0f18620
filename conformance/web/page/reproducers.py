"""The standalone scripts of a report's results, those that ``nnconform reproduce`` writes."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from nnconform.conformance.model.result import Result
from nnconform.conformance.reproduce import rows, script
from nnconform.conformance.reproduce.case import NothingToShow
from nnconform.conformance.reproduce.families import families
from nnconform.conformance.vectors.reading import load
from nnconform.conformance.vectors.vector import Vector

Row = Mapping[str, Any]
# One is some 2 kB, a tenth of it when compressed. The rest is left to the command.
MOST = 5_000
_families = functools.cache(families)


def written(report: Mapping[str, Any], vectors: Collection[str]) -> dict[int, str]:
    """Return scripts of results that do not conform, by their place in the report; of each kind one at least.

    Args:
        report: the JSON report.
        vectors: the ids of those that are today what they were in the report's run.
    """
    differing = _kinds_first(report["results"])
    wanted = [(n, row) for n, row in differing if row["vector"] in vectors and can_be_written(row)]
    written = ((place, _script(_published()[row["vector"]], row)) for place, row in wanted)
    return dict(itertools.islice(((place, text) for place, text in written if text), MOST))


@functools.cache
def _published() -> Mapping[str, Vector]:
    # Reading all vectors takes a second or two, and a site has several reports.
    return {vector.id: vector for vector in load()[0]}


def can_be_written(row: Row) -> bool:
    """Say whether scripts can be written of the implementation of a result."""
    return (row["operation"], row["implementation"]) in _families(row["framework"])


def _kinds_first(results: Iterable[Row]) -> list[tuple[int, Row]]:
    """Return the results that do not conform with their places, the first of each kind before all others."""
    differing = [(n, row) for n, row in enumerate(results) if row["verdict"] not in ("conforms", "unsupported")]
    first: dict[Any, int] = {}
    for place, row in differing:
        first.setdefault(_kind(row), place)
    return sorted(differing, key=lambda item: first[_kind(item[1])] != item[0])


def _kind(row: Row) -> Any:
    said = frozenset(output.get("dialect", output["verdict"]) for output in row["outputs"].values())
    return row["framework"], row["implementation"], row["mode"], row["operation"], row["verdict"], said


def _script(vector: Vector, row: Row) -> str:
    """Return the script of a result, or "" where there is nothing to show."""
    chosen = rows.Chosen(row["framework"], row["implementation"], row["mode"], Result.from_json(row))
    try:
        return script.write(vector, chosen).text
    except NothingToShow:
        return ""
