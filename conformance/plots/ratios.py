"""The error over the bound of every output, by operation and framework."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.running.selection import Selection

from .series import nothing
from .style import FRAMEWORKS, MARKERS, Plot, colour_of, head, mark, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The ends of the axis; a ratio beyond them is drawn at the end.
LEAST, LARGEST = 1e-3, 1e4
# The height of a line, in inches.
LINE = 0.125
TITLE = "Error / bound of every output"


class Spread(NamedTuple):
    """The ratios of one output of one framework.

    Attributes:
        conforming: of the results that conform.
        others: of the results that do not conform.
    """

    conforming: list[float]
    others: list[float]


def draw(report: Report, selection: Selection) -> Plot:
    """Draw the error over the bound of every output: of the worst element, or of a random sample's statistics.

    Raises:
        NothingToDraw: the report has no such result.
    """
    by_output = spreads(filter(selection.takes_result, report.results))
    if not by_output:
        raise nothing("judged output", selection)
    frameworks = list(dict.fromkeys(name for by_framework in by_output.values() for name in by_framework))
    figure = new_figure(len(by_output) * (len(frameworks) + 1) * LINE + 1.5)
    head(figure, TITLE, report)
    axes = figure.subplots()
    for position, by_framework in enumerate(by_output.values()):
        for offset, framework in enumerate(frameworks):
            if framework in by_framework:
                y = position * (len(frameworks) + 1) + offset
                _draw_spread(axes, y, by_framework[framework], _look(framework, frameworks))
    _label(axes, list(by_output), len(frameworks))
    figure.legend(handles=_handles(frameworks), loc="outside lower left", ncols=3)
    return Plot(
        figure,
        TITLE,
        "One line per framework and output: from the median to the largest error / bound of all results that conform "
        "(filled mark), and the largest of those that do not conform (hollow mark, with their number). Results beyond "
        "1, the dashed line, do not conform. Values beyond the ends of the axis are drawn at the ends.",
    )


def spreads(results: Iterable[Result]) -> dict[tuple[str, str], dict[str, Spread]]:
    """Return the ratios by operation and output, and by framework, without defaults and unjudged results."""
    by_output: dict[tuple[str, str], dict[str, Spread]] = {}
    for result in results:
        if result.is_default or not result.judged:
            continue
        for name, output in result.outputs.items():
            by_framework = by_output.setdefault((result.operation, name.partition("[")[0]), {})
            spread = by_framework.setdefault(result.framework, Spread([], []))
            (spread.conforming if output.verdict == "conforms" else spread.others).append(output.ratio)
    order = list(dict.fromkeys(operation for operation, _ in by_output))
    return dict(sorted(by_output.items(), key=lambda item: order.index(item[0][0])))


def _look(framework: str, frameworks: Sequence[str]) -> dict[str, Any]:
    others = [name for name in frameworks if name not in FRAMEWORKS]
    marker = MARKERS[list(frameworks).index(framework) % len(MARKERS)]
    return {"color": colour_of(framework, others), "marker": marker}


def _draw_spread(axes: Axes, y: float, spread: Spread, look: Mapping[str, Any]) -> None:
    if spread.conforming:
        middle, worst = (_clipped(v) for v in (statistics.median(spread.conforming), max(spread.conforming)))
        axes.plot([middle, worst], [y, y], color=look["color"], linewidth=1.6)
        axes.plot([worst], [y], markersize=4, clip_on=False, **look)
    if spread.others:
        largest = _clipped(max(v if not math.isnan(v) else math.inf for v in spread.others))
        axes.plot([largest], [y], markersize=4, markerfacecolor="none", clip_on=False, **look)
        axes.annotate(f"{len(spread.others)}", (largest, y), (5, -2.5), textcoords="offset points", fontsize=6)


def _clipped(ratio: float) -> float:
    return min(max(ratio, LEAST), LARGEST)


def _label(axes: Axes, names: Sequence[tuple[str, str]], framework_count: int) -> None:
    axes.set_xscale("log")
    axes.set_xlim(LEAST, LARGEST)
    mark(axes, 1.0)
    axes.grid(True, axis="x")
    step = framework_count + 1
    middles = [position * step + (framework_count - 1) / 2 for position in range(len(names))]
    axes.set_yticks(middles, [f"{operation}: {output}" for operation, output in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) * step - 0.5, -1)
    axes.set_xlabel("error / bound (larger and smaller values are at the ends)")


def _handles(frameworks: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    by_name = [Line2D([], [], label=name, linewidth=1.6, **_look(name, frameworks)) for name in frameworks]
    grey: dict[str, Any] = {"color": "#808080", "marker": "o"}
    conforming = Line2D([], [], label="conform: median to largest", linewidth=1.6, **grey)
    look: dict[str, Any] = {"markerfacecolor": "none", "linestyle": "none"}
    others = Line2D([], [], label="do not conform: largest, and number", **look, **grey)
    return [*by_name, conforming, others]
