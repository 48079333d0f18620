"""The error curves of ELU, the batch variance and the clip scale, one panel per dtype."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nnconform.conformance.model.report import Report
from nnconform.conformance.running.selection import Selection

from .series import Panel, Series, finite, series
from .style import FRAMEWORKS, LINES, MARKERS, Plot, colour_of, head, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DTYPES = ("float64", "float32", "float16", "bfloat16")
# The heights of a panel and of a line of the legend, in inches.
PANEL, ENTRY = 2.3, 0.17
GREY = "#808080"
# A line has at most this many marks, so that it does not look like a bar.
MARKS = 60
# The ends of the axis of norm / threshold; points beyond them, up to 1e200, are drawn at the end.
LEAST_NORM, LARGEST_NORM = 3e-3, 1e4


def draw_elu(report: Report, selection: Selection) -> Plot:
    """Draw the worst error of ELU per binade of x; the panel of positive x only if there is an error.

    Raises:
        NothingToDraw: the report has no such curve.
    """
    lines = series(report, ["elu"], selection)
    positive = any(y for s in lines for panel, points in s.curves.items() if panel[2] == "positive" for _, y in points)
    panels = [panel for panel in _panels(lines) if panel[2] == "negative" or positive]
    more = "" if positive else " (no errors for positive x)"
    title = f"ELU: the largest error per binade of x{more}"
    figure, axes = _lay_out(report, lines, panels, title, heading=lambda p: f"{p[1]}, {p[2]} x")
    for panel, one in axes.items():
        # The vectors have some binades alone, which are drawn next to each other.
        binades = sorted({x for s in lines for x, _ in s.curves.get(panel, ())})
        _draw_lines(one, lines, panel, {x: float(i) for i, x in enumerate(binades)}.__getitem__)
        _label_binades(one, binades, "-" if panel[2] == "negative" else "")
        _errors(one, "largest error of y (ULP)", 1.0)
    return Plot(
        figure,
        title,
        "The largest error of y in units in the last place, per binade of x, with one line for all implementations and "
        "modes that have the same errors, and one panel per dtype. Dotted lines mark binades that no vector has. "
        f"{_full_labels(lines)}",
    )


def draw_variance(report: Report, selection: Selection) -> Plot:
    """Draw the error of the batch variance against |mean| / deviation of the channel.

    Raises:
        NothingToDraw: the report has no such curve.
    """
    lines = series(report, ["batch_norm_train"], selection)
    panels = _panels(lines)
    title = "Batch variance: the error for large means"
    figure, axes = _lay_out(report, lines, panels, title, heading=lambda p: f"{p[1]}, {p[2].replace('_', ' ')}")
    widest = max(x for s in lines for points in s.curves.values() for x, _ in points)
    for panel, one in axes.items():
        _draw_lines(one, lines, panel, float)
        one.set(xscale="log", xlabel="|mean| / deviation of the channel", xlim=(0.05, max(widest, 10.0) * 1.5))
        _errors(one, "largest error (ULP)", 1.0)
    return Plot(
        figure,
        title,
        "The largest error of the variance in units in the last place, over |mean| / deviation of the channel, with "
        "one line for all implementations and modes that have the same errors, and one panel per dtype: of the batch "
        "variance, or of the running variance if an interface does not return the batch variance. "
        f"{_full_labels(lines)}",
    )


def draw_clip(report: Report, selection: Selection) -> Plot:
    """Draw the relative error of the clip scale against the norm over the threshold.

    Raises:
        NothingToDraw: the report has no such curve.
    """
    lines = series(report, ["clip_by_norm", "clip_by_global_norm"], selection)
    panels = list(dict.fromkeys((*panel[:2], "scale") for panel in _panels(lines)))
    title = "Gradient clipping: the error of the scale"
    figure, axes = _lay_out(report, lines, panels, title, lambda p: f"{p[0]}, {p[1]}", _mark_handles(lines))
    for panel, one in axes.items():
        _draw_lines(one, lines, panel, _clipped, linewidth=0.5)
        _draw_lines(one, lines, (*panel[:2], "scale-range"), _clipped, linestyle="none", markerfacecolor="none")
        one.axvline(1.0, color=GREY, linestyle=":", linewidth=0.9)
        one.set(
            xscale="log",
            xlim=(LEAST_NORM, LARGEST_NORM),
            xlabel="norm / threshold (larger and smaller values are at the ends)",
        )
        _errors(one, "relative error", 1e-17 if panel[1] == "float64" else 1e-9)
    return Plot(
        figure,
        title,
        "The relative error of the factor that scales gradients, over norm / threshold, with one line for all "
        "implementations and modes that have the same errors, and one panel per operation and dtype. Hollow marks: "
        "norms whose squares overflow or vanish in the dtype. Stars at the top: results that are not finite. Dotted: "
        f"the threshold. {_full_labels(lines)}",
    )


def _clipped(x: float) -> float:
    return min(max(x, LEAST_NORM), LARGEST_NORM)


def _full_labels(lines: Sequence[Series]) -> str:
    return "; ".join(s.full_label for s in lines)


def _panels(lines: Sequence[Series]) -> list[Panel]:
    panels = {panel for s in lines for panel in s.curves}
    return sorted(panels, key=lambda panel: (panel[0], DTYPES.index(panel[1]), panel[2]))


def _lay_out(
    report: Report,
    lines: Sequence[Series],
    panels: Sequence[Panel],
    title: str,
    heading: Callable[[Panel], str],
    marks: Sequence[Any] = (),
) -> tuple[Figure, dict[Panel, Axes]]:
    """Return a figure with two panels per row and a legend of all series below, and the axes of each panel."""
    rows = -(-len(panels) // 2)
    figure = new_figure(rows * PANEL + (len(lines) + len(marks) + 1) // 2 * ENTRY + 0.9)
    head(figure, title, report)
    flat = figure.subplots(rows, min(2, len(panels)), squeeze=False).ravel()
    for one in flat[len(panels) :]:
        one.remove()
    axes = dict(zip(panels, flat, strict=False))
    for panel, one in axes.items():
        one.set_title(heading(panel), fontweight="bold")
        one.grid(True)
    figure.legend(handles=[*(_handle(lines, s) for s in lines), *marks], loc="outside lower left", ncols=2)
    return figure, axes


def _look(lines: Sequence[Series], one: Series) -> dict[str, Any]:
    """Return the colour of a series' framework, and a line style and marker that no other series of it has."""
    position = [s for s in lines if s.framework == one.framework].index(one)
    others = list(dict.fromkeys(s.framework for s in lines if s.framework not in FRAMEWORKS))
    share = lines.index(one) / len(lines)
    return {
        "color": colour_of(one.framework, others),
        "linestyle": LINES[position % len(LINES)],
        "marker": MARKERS[position % len(MARKERS)],
        # Later series are smaller, so that earlier ones at the same points remain visible.
        "markersize": 6.0 - 3.0 * share,
        "linewidth": 1.9 - 1.0 * share,
    }


def _handle(lines: Sequence[Series], one: Series) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=one.label, **_look(lines, one))


def _mark_handles(lines: Sequence[Series]) -> list[Any]:
    """Return the legend's entries for the marks of the clip scale."""
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {"color": GREY, "linestyle": "none"}
    points = [(panel[2], y) for s in lines for panel, curve in s.curves.items() for _, y in curve]
    marks = []
    if any(part == "scale-range" for part, _ in points):
        hollow = "hollow: norms whose squares overflow or vanish"
        marks.append(Line2D([], [], marker="o", markerfacecolor="none", label=hollow, **look))
    if any(math.isinf(y) for _, y in points):
        marks.append(Line2D([], [], marker="*", markersize=7, label="the result is not finite", **look))
    return marks


def _draw_lines(
    axes: Axes, lines: Sequence[Series], panel: Panel, scale: Callable[[float], float], **other: Any
) -> None:
    """Draw the series of a panel, with stars at the top for results that are not finite.

    Args:
        axes: of the panel.
        lines: the series of the plot.
        panel: to draw.
        scale: the position of an x on the axis.
        other: changes of the look, as matplotlib names them.
    """
    for one in lines:
        points = one.curves.get(panel, ())
        look = _look(lines, one) | other
        # A line without points takes room at the origin.
        if any(math.isfinite(error) for _, error in points):
            x, y = finite(points)
            axes.plot([scale(v) for v in x], y, clip_on=False, markevery=max(1, len(x) // MARKS), **look)
        if stars := [scale(v) for v, error in points if not math.isfinite(error)]:
            top: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "color": look["color"]}
            axes.plot(stars, [0.97] * len(stars), "*", markersize=7, clip_on=False, **top)


def _errors(axes: Axes, label: str, least: float) -> None:
    """Make the vertical axis logarithmic from ``least``, with 0 below it."""
    from matplotlib.ticker import SymmetricalLogLocator

    axes.set_yscale("symlog", linthresh=least, linscale=0.5)
    locator = SymmetricalLogLocator(base=10, linthresh=least)
    locator.set_params(numticks=9)
    axes.yaxis.set_major_locator(locator)
    axes.set_ylim(0, max(axes.dataLim.y1, least) * 5)
    axes.set_ylabel(label)


def _label_binades(axes: Axes, binades: Sequence[float], sign: str) -> None:
    """Label the axis of binades; a dotted line marks those that are left out."""
    for i in range(1, len(binades)):
        if binades[i] - binades[i - 1] > 1:
            axes.axvline(i - 0.5, color=GREY, linewidth=0.6, linestyle=":")
    ticks = list(range(0, len(binades), max(1, len(binades) // 8)))
    axes.set_xticks(ticks, [f"${sign}2^{{{int(binades[t])}}}$" for t in ticks])
    axes.set_xlabel("binade of x")
    axes.grid(False, axis="x")
