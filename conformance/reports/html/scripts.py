"""The standalone scripts of a report's results, those that ``nnconform reproduce`` writes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from nnconform.conformance.reproducing import families, rows, script
from nnconform.conformance.reproducing.case import NothingToShow
from nnconform.conformance.suite.reading import load
from nnconform.conformance.suite.vectors import Vector

Row = Mapping[str, Any]
# One is some 2 kB, a tenth of it when compressed. The rest is left to the command.
MOST = 5_000


def written(report: Mapping[str, Any], vectors: Collection[str]) -> dict[int, str]:
    """Return scripts of results that do not conform, by their place in the report; of each kind one at least.

    Args:
        report: the JSON report.
        vectors: the ids of those that are today what they were in the report's run.
    """
    published = {vector.id: vector for vector in load()[0]}
    scripts: dict[int, str] = {}
    for place, row in _kinds_first(report["results"]):
        if len(scripts) == MOST:
            break
        if row["vector"] in vectors and (text := _script(published[row["vector"]], row)):
            scripts[place] = text
    return scripts


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
    """Return the script of a result, or "" where none can be written."""
    call = vector.operation, row["implementation"]
    try:
        if call in families.families(row["framework"]):
            return script.write(vector, rows.Chosen(row["framework"], row["implementation"], row["mode"], row)).text
    except NothingToShow:
        pass
    return ""
