"""What of a report is drawn: filters by framework, implementation, vector and the like."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nnconform.conformance.model.report import Curve, Report
from nnconform.conformance.running.selection import FILTERS, Selection, matches

# Operation, dtype, and part of the operation.
Panel = tuple[str, str, str]
Points = tuple[tuple[float, float], ...]
# What a curve is not drawn by: it joins vectors of several profiles.
JOINED = ("vectors", "profiles")
# Letters of a name in a legend.
LONGEST = 48


class NothingToDraw(Exception):
    """A report has nothing of what is asked for; the message says why and what to do."""


@dataclass(frozen=True)
class Series:
    """The curves of implementations that have the same ones in all panels.

    Attributes:
        framework: which.
        names: implementation and mode of each.
        curves: points (x, y) by panel.
    """

    framework: str
    names: tuple[tuple[str, str], ...]
    curves: Mapping[Panel, Points] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Who they are, in a short line: the first by name."""
        modes = list(dict.fromkeys(mode for _, mode in self.names))
        names = list(dict.fromkeys(name for name, _ in self.names))
        first = names[0] if len(names[0]) <= LONGEST else f"{names[0][: LONGEST - 3]}..."
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{self.framework}: {first}{more} ({', '.join(modes)})"

    @property
    def everyone(self) -> str:
        """Who they are, all by name."""
        return f"{self.framework}: {', '.join(f'{name} ({mode})' for name, mode in self.names)}"


def series(report: Report, operations: Sequence[str], selection: Selection) -> list[Series]:
    """Return the curves of operations by who has them; a panel is operation, dtype and part.

    Raises:
        NothingToDraw: there is none, or there is a filter that curves do not have.
    """
    if given := [FILTERS[name] for name in JOINED if getattr(selection, name)]:
        raise NothingToDraw(f"a curve joins all vectors of the run: {' and '.join(given)} cannot choose among them")
    if report.curves is None:
        raise NothingToDraw(
            "an older nnconform made the report, which has no curves; make it again with `nnconform run`"
        )
    found: dict[tuple[str, str, str], dict[Panel, Points]] = {}
    for curve in report.curves:
        if curve.operation in operations:
            for name, mode in _selected(curve, selection):
                panel = curve.operation, curve.dtype, curve.part
                found.setdefault((curve.framework, name, mode), {})[panel] = curve.points
    if not found:
        which = " or ".join(operations)
        raise NothingToDraw(f"the report has no curve of {which}{_with(selection)}; `nnconform run` makes them")
    return _joined(found)


def _with(selection: Selection) -> str:
    return f" for {selection.words}" if selection.words else ""


def nothing(what: str, selection: Selection) -> NothingToDraw:
    """Return that a report has nothing of a kind for a selection."""
    return NothingToDraw(f"the report has no {what}{_with(selection)}")


def _selected(curve: Curve, selection: Selection) -> Iterator[tuple[str, str]]:
    """Yield each selected implementation that has a curve, with its mode."""
    wanted = (
        matches(curve.operation, selection.operations)
        and matches(curve.framework, selection.frameworks)
        and matches(curve.dtype, selection.dtypes)
    )
    for name, modes in curve.implementations.items():
        if wanted and matches(name, selection.implementations):
            yield from ((name, mode) for mode in modes if matches(mode, selection.modes))


def _joined(found: Mapping[tuple[str, str, str], Mapping[Panel, Points]]) -> list[Series]:
    alike: dict[tuple[str, tuple[tuple[Panel, Points], ...]], list[tuple[str, str]]] = {}
    for (framework, name, mode), curves in found.items():
        alike.setdefault((framework, tuple(sorted(curves.items()))), []).append((name, mode))
    return [Series(framework, tuple(names), dict(curves)) for (framework, curves), names in alike.items()]


def finite(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Return x and y of the points whose y is finite."""
    kept = [(x, y) for x, y in points if math.isfinite(y)]
    return [x for x, _ in kept], [y for _, y in kept]
