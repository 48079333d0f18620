"""Curves of a report by the implementations that have them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nnconform.conformance.model.report import Curve, Report
from nnconform.conformance.running.selection import FILTERS, Selection, matches

# Operation, dtype, and part of the operation.
Panel = tuple[str, str, str]
Points = tuple[tuple[float, float], ...]
# A curve joins vectors of several profiles, so that these filters cannot select one.
JOINED = ("vectors", "profiles")
# Letters of a name in a legend.
LONGEST = 48


class NothingToDraw(Exception):
    """A report has no such results or curves; the message has the reason and a next step."""


@dataclass(frozen=True)
class Series:
    """The implementations of a framework that have the same curves in all panels.

    Attributes:
        framework: by name.
        names: implementation and mode of each.
        curves: points (x, y) by panel.
    """

    framework: str
    names: tuple[tuple[str, str], ...]
    curves: Mapping[Panel, Points] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """A short line for a legend, with the name of the first implementation."""
        modes = list(dict.fromkeys(mode for _, mode in self.names))
        names = list(dict.fromkeys(name for name, _ in self.names))
        first = names[0] if len(names[0]) <= LONGEST else f"{names[0][: LONGEST - 3]}..."
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{self.framework}: {first}{more} ({', '.join(modes)})"

    @property
    def full_label(self) -> str:
        """The names of all implementations, with their modes."""
        return f"{self.framework}: {', '.join(f'{name} ({mode})' for name, mode in self.names)}"


def series(report: Report, operations: Sequence[str], selection: Selection) -> list[Series]:
    """Return the selected curves of some operations.

    Raises:
        NothingToDraw: there is none, or the selection has a filter that curves do not have.
    """
    if options := [FILTERS[name] for name in JOINED if getattr(selection, name)]:
        raise NothingToDraw(f"a curve covers all vectors of the run, so {' and '.join(options)} cannot select one")
    if report.curves is None:
        raise NothingToDraw(
            "the report is from an older nnconform and has no curves; make a new one with `nnconform run`"
        )
    curves: dict[tuple[str, str, str], dict[Panel, Points]] = {}
    for curve in report.curves:
        if curve.operation in operations:
            for name, mode in _selected(curve, selection):
                panel = curve.operation, curve.dtype, curve.part
                curves.setdefault((curve.framework, name, mode), {})[panel] = curve.points
    if not curves:
        names = " or ".join(operations)
        raise NothingToDraw(
            f"the report has no curve of {names}{_with(selection)}; `nnconform run` makes a report with more"
        )
    return _joined(curves)


def nothing(noun: str, selection: Selection) -> NothingToDraw:
    """Return the error for a selection that leaves nothing to draw."""
    return NothingToDraw(f"the report has no {noun}{_with(selection)}")


def _with(selection: Selection) -> str:
    return f" for {selection.words}" if selection.words else ""


def _selected(curve: Curve, selection: Selection) -> Iterator[tuple[str, str]]:
    """Yield the selected implementations that have a curve, with their modes."""
    selected = (
        matches(curve.operation, selection.operations)
        and matches(curve.framework, selection.frameworks)
        and matches(curve.dtype, selection.dtypes)
    )
    for owner in curve.implementations:
        if selected and matches(owner.name, selection.implementations):
            yield from ((owner.name, mode) for mode in owner.modes if matches(mode, selection.modes))


def _joined(curves: Mapping[tuple[str, str, str], Mapping[Panel, Points]]) -> list[Series]:
    """Return one series for all implementations of a framework with the same curves."""
    alike: dict[tuple[str, tuple[tuple[Panel, Points], ...]], list[tuple[str, str]]] = {}
    for (framework, name, mode), panels in curves.items():
        alike.setdefault((framework, tuple(sorted(panels.items()))), []).append((name, mode))
    return [Series(framework, tuple(names), dict(panels)) for (framework, panels), names in alike.items()]


def finite(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Return x and y of the points whose y is finite."""
    finite_points = [(x, y) for x, y in points if math.isfinite(y)]
    return [x for x, _ in finite_points], [y for _, y in finite_points]
