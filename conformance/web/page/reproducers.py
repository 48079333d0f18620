"""The standalone scripts of a report's results, those that ``nnconform reproduce`` writes."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Hashable, Iterable

from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.reproduce import script
from nnconform.conformance.reproduce.case import NothingToShow
from nnconform.conformance.reproduce.families import families
from nnconform.conformance.reproduce.reported_calls import ReportedCall
from nnconform.conformance.vectors.reading import published
from nnconform.conformance.vectors.vector import Vector

# A script has some 2 kB, a tenth of it when compressed. The command writes the others.
MOST = 5_000
_families = functools.cache(families)


def of_report(report: Report, vectors: Collection[str]) -> dict[int, str]:
    """Return scripts of results that do not conform, by position in the report; one of each kind at least.

    Args:
        report: of a run.
        vectors: the ids of those that have not changed since the run.
    """
    results = [(n, r) for n, r in _kinds_first(report.results) if r.vector in vectors and can_be_written(r)]
    scripts = ((position, _script(_published(result.vector), result)) for position, result in results)
    return dict(itertools.islice(((position, text) for position, text in scripts if text), MOST))


@functools.cache
def _published(name: str) -> Vector:
    # A site has several reports, and a vector many results.
    vector = published(name)
    assert vector is not None
    return vector


def can_be_written(result: Result) -> bool:
    """Return whether scripts can be written for the implementation of a result."""
    return (result.operation, result.implementation) in _families(result.framework)


def _kinds_first(results: Iterable[Result]) -> list[tuple[int, Result]]:
    """Return the results that do not conform with their positions, the first of each kind before all others."""
    candidates = [(n, r) for n, r in enumerate(results) if r.verdict not in ("conforms", "unsupported")]
    first: dict[Hashable, int] = {}
    for position, result in candidates:
        first.setdefault(_kind(result), position)
    return sorted(candidates, key=lambda item: first[_kind(item[1])] != item[0])


def _kind(result: Result) -> Hashable:
    reasons = frozenset(output.dialect or output.verdict for output in result.outputs.values())
    return result.framework, result.implementation, result.mode, result.operation, result.verdict, reasons


def _script(vector: Vector, result: Result) -> str:
    """Return the script of a result; "" if there is nothing to show."""
    call = ReportedCall(result.framework, result.implementation, result.mode, result)
    try:
        return script.write(vector, call).text
    except NothingToShow:
        return ""
