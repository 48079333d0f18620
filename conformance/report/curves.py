"""What pictures are drawn from, as the report holds it: of a random sample, and curves over all vectors of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nnconform.conformance.numbers import number

if TYPE_CHECKING:
    from nnconform.conformance.judging.error_curves import Point
    from nnconform.conformance.judging.judge import Result

# Significant digits of a curve's numbers: more than a picture shows.
DIGITS = 4

# A curve, and who has it: operation, part, framework and dtype; implementation and mode.
Curve = tuple[str, str, str, str]
Who = tuple[str, str]


def of_output(picture: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``judging.laws.sample_histogram.of_sample`` gave, with numbers that are not finite as strings."""
    row = dict(picture)
    if "law" in row:
        row["law"] = row["law"] | {"bound": number(row["law"]["bound"])}
    if "quantiles" in row:
        row["quantiles"] = [number(quantile) for quantile in row["quantiles"]]
    return row


def curves(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Return the curves that results make together, the same curve of several implementations once.

    Args:
        results: in the order of the report; each adds the points that ``judging.error_curves.of_answer`` gave.
    """
    from nnconform.conformance.judging.error_curves import worst_of

    found: dict[Curve, dict[Who, list[Point]]] = {}
    for result in results:
        for part, points in result.points.items():
            key = result.vector.operation, part, result.framework, result.vector.dtype
            found.setdefault(key, {}).setdefault((result.implementation, result.mode), []).extend(points)
    return [row for key, of in found.items() for row in _rows(key, {who: worst_of(all_) for who, all_ in of.items()})]


def _rows(key: Curve, of: Mapping[Who, Iterable[Point]]) -> list[dict[str, Any]]:
    """Return the rows of one part: one for all who have the same points."""
    operation, part, framework, dtype = key
    head = {"operation": operation, "part": part, "framework": framework, "dtype": dtype}
    rows: dict[str, dict[str, Any]] = {}
    for (implementation, mode), points in of.items():
        short = [[_short(x), _short(y)] for _, x, y in points]
        row = rows.setdefault(json.dumps(short), head | {"implementations": [], "points": short})
        _add(row["implementations"], implementation, mode)
    return list(rows.values())


def _add(implementations: list[dict[str, Any]], name: str, mode: str) -> None:
    for entry in implementations:
        if entry["name"] == name:
            entry["modes"].append(mode)
            return
    implementations.append({"name": name, "modes": [mode]})


def _short(value: float) -> float | str:
    from nnconform.conformance.judging.laws.sample_histogram import rounded

    short = rounded(value, DIGITS)
    return int(short) if short.is_integer() and abs(short) < 1e6 else number(short)
