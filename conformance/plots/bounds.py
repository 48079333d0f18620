"""How near outputs come to their bounds: the error over the bound by operation, output and framework."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.running.selection import Selection

from .series import nothing
from .style import FRAMEWORKS, MARKERS, Picture, colour_of, head, mark, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The least and the largest ratio that the axis has; what lies beyond stands at its end.
LEAST, LARGEST = 1e-3, 1e4
LINE = 0.125
TITLE = "Error over bound of every output"


class Spread(NamedTuple):
    """The ratios of one output of one framework.

    Attributes:
        conforming: of the results that conform.
        others: of those that do not.
    """

    conforming: list[float]
    others: list[float]


def draw(report: Report, selection: Selection) -> Picture:
    """Draw error over bound, the worst element of each result, for every output; random samples' statistics too.

    Raises:
        NothingToDraw: the report has no such result.
    """
    found = spreads(filter(selection.takes_result, report.results))
    if not found:
        raise nothing("judged output", selection)
    frameworks = list(dict.fromkeys(name for of in found.values() for name in of))
    figure = new_figure(len(found) * (len(frameworks) + 1) * LINE + 1.5)
    head(figure, TITLE, report)
    axes = figure.subplots()
    for place, of in enumerate(found.values()):
        for offset, framework in enumerate(frameworks):
            if framework in of:
                y = place * (len(frameworks) + 1) + offset
                _spread(axes, y, of[framework], _look(framework, frameworks))
    _axes(axes, list(found), len(frameworks))
    figure.legend(handles=_handles(frameworks), loc="outside lower left", ncols=3)
    return Picture(
        figure,
        TITLE,
        "A line for each framework and output: from the median to the worst ratio of error and bound over all results "
        "that conform (filled mark), and the largest ratio of those that do not (hollow mark, with their number). "
        "Beyond 1, the dashed line, a result does not conform; marks at the ends stand for what lies beyond them.",
    )


def spreads(results: Iterable[Result]) -> dict[tuple[str, str], dict[str, Spread]]:
    """Return the ratios by operation and output, and by framework; what is not judged and defaults left out."""
    found: dict[tuple[str, str], dict[str, Spread]] = {}
    for result in results:
        if result.is_default or not result.judged:
            continue
        for name, output in result.outputs.items():
            of = found.setdefault((result.operation, name.partition("[")[0]), {})
            spread = of.setdefault(result.framework, Spread([], []))
            (spread.conforming if output.verdict == "conforms" else spread.others).append(output.ratio)
    order = list(dict.fromkeys(operation for operation, _ in found))
    return dict(sorted(found.items(), key=lambda item: order.index(item[0][0])))


def _look(framework: str, frameworks: Sequence[str]) -> dict[str, Any]:
    others = [name for name in frameworks if name not in FRAMEWORKS]
    marker = MARKERS[list(frameworks).index(framework) % len(MARKERS)]
    return {"color": colour_of(framework, others), "marker": marker}


def _spread(axes: Axes, y: float, spread: Spread, look: Mapping[str, Any]) -> None:
    if spread.conforming:
        middle, worst = (_within(v) for v in (statistics.median(spread.conforming), max(spread.conforming)))
        axes.plot([middle, worst], [y, y], color=look["color"], linewidth=1.6)
        axes.plot([worst], [y], markersize=4, clip_on=False, **look)
    if spread.others:
        far = _within(max(v if not math.isnan(v) else math.inf for v in spread.others))
        axes.plot([far], [y], markersize=4, markerfacecolor="none", clip_on=False, **look)
        axes.annotate(f"{len(spread.others)}", (far, y), (5, -2.5), textcoords="offset points", fontsize=6)


def _within(ratio: float) -> float:
    return min(max(ratio, LEAST), LARGEST)


def _axes(axes: Axes, names: Sequence[tuple[str, str]], many: int) -> None:
    axes.set_xscale("log")
    axes.set_xlim(LEAST, LARGEST)
    mark(axes, 1.0)
    axes.grid(True, axis="x")
    middles = [place * (many + 1) + (many - 1) / 2 for place in range(len(names))]
    axes.set_yticks(middles, [f"{operation}: {output}" for operation, output in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) * (many + 1) - 0.5, -1)
    axes.set_xlabel("error / bound (at the ends: that or beyond)")


def _handles(frameworks: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    named = [Line2D([], [], label=name, linewidth=1.6, **_look(name, frameworks)) for name in frameworks]
    kinds = [
        Line2D([], [], color="#808080", marker="o", label="conform: median to worst", linewidth=1.6),
        Line2D(
            [],
            [],
            color="#808080",
            marker="o",
            markerfacecolor="none",
            linestyle="none",
            label="do not conform: worst, how many",
        ),
    ]
    return [*named, *kinds]
