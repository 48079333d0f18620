"""Error curves over all vectors of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nnconform.conformance.judging.error_curves import worst_of
from nnconform.conformance.model.report import Curve, CurveOwner
from nnconform.conformance.model.result import Point, Result
from nnconform.conformance.numbers import rounded

# Significant digits of a curve's numbers: more than a plot shows.
DIGITS = 4


def curves(results: Iterable[Result]) -> list[Curve]:
    """Return the curves of results; several implementations with the same points share one.

    Args:
        results: in the order of the report.
    """
    points: dict[tuple[str, str, str, str], dict[tuple[str, str], list[Point]]] = {}
    for result in results:
        for part, added in result.points.items():
            key = result.operation, part, result.framework, result.dtype
            points.setdefault(key, {}).setdefault((result.implementation, result.mode), []).extend(added)
    return [curve for key, by_call in points.items() for curve in _shared(*key, by_call)]


def _shared(
    operation: str, part: str, framework: str, dtype: str, by_call: dict[tuple[str, str], list[Point]]
) -> Iterator[Curve]:
    """Yield the curves of one part, each with the implementations and modes that have it."""
    shared: dict[str, tuple[tuple[tuple[float, float], ...], dict[str, list[str]]]] = {}
    for (implementation, mode), points in by_call.items():
        short = tuple((rounded(x, DIGITS), rounded(y, DIGITS)) for _, x, y in worst_of(points))
        # By its text: NaN is not equal to itself.
        shared.setdefault(repr(short), (short, {}))[1].setdefault(implementation, []).append(mode)
    for short, implementations in shared.values():
        owners = tuple(CurveOwner(name, tuple(modes)) for name, modes in implementations.items())
        yield Curve(operation, part, framework, dtype, owners, short)
