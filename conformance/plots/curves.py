"""Curves of the report, a panel for each dtype: ELU's error, that of the batch variance, and that of the clip scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nnconform.conformance.model.report import Report
from nnconform.conformance.running.selection import Selection

from .series import Panel, Series, finite, series
from .style import FRAMEWORKS, LINES, MARKERS, Picture, colour_of, head, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DTYPES = ("float64", "float32", "float16", "bfloat16")
# Inches of a panel and of a line of the legend.
PANEL, ENTRY = 2.3, 0.17
GREY = "#808080"
# More marks than this on a line are a bar.
MARKS = 60
# The axis of norm / threshold; what lies beyond, up to 1e200, stands at its end.
LEAST_NORM, LARGEST_NORM = 3e-3, 1e4


def draw_elu(report: Report, selection: Selection) -> Picture:
    """Draw the worst error of ELU in each binade of a negative x, and of a positive one where there is any.

    Raises:
        NothingToDraw: the report has no such curve.
    """
    found = series(report, ["elu"], selection)
    positive = any(y for s in found for panel, points in s.curves.items() if panel[2] == "positive" for _, y in points)
    panels = _panels(found, lambda panel: panel[2] == "negative" or positive)
    more = "" if positive else " (of positive x there is none)"
    title = f"ELU: the worst error in each binade of x{more}"
    figure, axes = _laid_out(report, found, panels, title, heading=lambda p: f"{p[1]}, {p[2]} x")
    for panel, one in axes.items():
        # Only some binades are asked for: they stand side by side, whatever lies between them.
        places = sorted({x for s in found for x, _ in s.curves.get(panel, ())})
        _lines(one, found, panel, {x: float(i) for i, x in enumerate(places)}.__getitem__)
        _exponents(one, places, "-" if panel[2] == "negative" else "")
        _errors(one, "worst error of y (ULP)", 1.0)
    return Picture(
        figure,
        title,
        "The worst error of y in units in the last place, in each binade of x, one line for each implementation and "
        "mode that has another one, one panel for each dtype. Binades that no vector has are left out; dotted "
        f"lines say where. {_said(found)}",
    )


def draw_variance(report: Report, selection: Selection) -> Picture:
    """Draw the error of the batch variance against |mean| / deviation of the channel.

    Raises:
        NothingToDraw: the report has no such curve.
    """
    found = series(report, ["batch_norm_train"], selection)
    panels = _panels(found, lambda _: True)
    title = "Batch variance: its error where the mean is large"
    figure, axes = _laid_out(report, found, panels, title, heading=lambda p: f"{p[1]}, {p[2].replace('_', ' ')}")
    widest = max(x for s in found for points in s.curves.values() for x, _ in points)
    for panel, one in axes.items():
        _lines(one, found, panel, float)
        one.set(xscale="log", xlabel="|mean| / deviation of the channel", xlim=(0.05, max(widest, 10.0) * 1.5))
        _errors(one, "worst error (ULP)", 1.0)
    return Picture(
        figure,
        title,
        "The worst error of the variance in units in the last place, against the channel's mean over its deviation, "
        "one line for each implementation and mode that has another one, one panel for each dtype: for the batch "
        f"variance, and for the running variance of those that do not show it. {_said(found)}",
    )


def draw_clip(report: Report, selection: Selection) -> Picture:
    """Draw the relative error of the clip scale against the norm over the threshold.

    Raises:
        NothingToDraw: the report has no such curve.
    """
    found = series(report, ["clip_by_norm", "clip_by_global_norm"], selection)
    panels = list(dict.fromkeys((*panel[:2], "scale") for panel in _panels(found, lambda _: True)))
    title = "Gradient clipping: the error of the scale"
    figure, axes = _laid_out(report, found, panels, title, lambda p: f"{p[0]}, {p[1]}", _marks(found))
    for panel, one in axes.items():
        _lines(one, found, panel, _norm, linewidth=0.5)
        _lines(one, found, (*panel[:2], "scale-range"), _norm, linestyle="none", markerfacecolor="none")
        one.axvline(1.0, color=GREY, linestyle=":", linewidth=0.9)
        one.set(xscale="log", xlim=(LEAST_NORM, LARGEST_NORM), xlabel="norm / threshold (at the ends: that or beyond)")
        _errors(one, "relative error", 1e-17 if panel[1] == "float64" else 1e-9)
    return Picture(
        figure,
        title,
        "The relative error of the factor by which gradients are scaled, against their norm over the threshold, one "
        "line for each implementation and mode that has another one, one panel for each operation and dtype. Hollow "
        "marks: norms whose squares overflow or vanish in the dtype. Stars at the top: results that are not finite. "
        f"Dotted: the threshold. {_said(found)}",
    )


def _norm(x: float) -> float:
    return min(max(x, LEAST_NORM), LARGEST_NORM)


def _said(found: Sequence[Series]) -> str:
    return "; ".join(s.everyone for s in found)


def _panels(found: Sequence[Series], wanted: Callable[[Panel], bool]) -> list[Panel]:
    there = {panel for s in found for panel in s.curves if wanted(panel)}
    return sorted(there, key=lambda panel: (panel[0], DTYPES.index(panel[1]), panel[2]))


def _laid_out(
    report: Report,
    found: Sequence[Series],
    panels: Sequence[Panel],
    title: str,
    heading: Callable[[Panel], str],
    marks: Sequence[Any] = (),
) -> tuple[Figure, dict[Panel, Axes]]:
    """Return a figure with two panels in a line, and a legend of all series below."""
    lines = -(-len(panels) // 2)
    figure = new_figure(lines * PANEL + (len(found) + len(marks) + 1) // 2 * ENTRY + 0.9)
    head(figure, title, report)
    flat = figure.subplots(lines, min(2, len(panels)), squeeze=False).ravel()
    for one in flat[len(panels) :]:
        one.remove()
    axes = dict(zip(panels, flat, strict=False))
    for panel, one in axes.items():
        one.set_title(heading(panel), fontweight="bold")
        one.grid(True)
    figure.legend(handles=[*(_handle(found, s) for s in found), *marks], loc="outside lower left", ncols=2)
    return figure, axes


def _look(found: Sequence[Series], one: Series) -> dict[str, Any]:
    """Return the colour of a series' framework, and a line style and marker that no other of it has."""
    of = [s for s in found if s.framework == one.framework]
    others = list(dict.fromkeys(s.framework for s in found if s.framework not in FRAMEWORKS))
    place, share = of.index(one), found.index(one) / len(found)
    return {
        "color": colour_of(one.framework, others),
        "linestyle": LINES[place % len(LINES)],
        "marker": MARKERS[place % len(MARKERS)],
        # What is drawn later is smaller, so that the same points of several are seen.
        "markersize": 6.0 - 3.0 * share,
        "linewidth": 1.9 - 1.0 * share,
    }


def _handle(found: Sequence[Series], one: Series) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=one.label, **_look(found, one))


def _marks(found: Sequence[Series]) -> list[Any]:
    """Return what a legend says of the marks that the clip scale has, those that there are."""
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {"color": GREY, "linestyle": "none"}
    points = [(panel[2], y) for s in found for panel, of in s.curves.items() for _, y in of]
    marks = []
    if any(part == "scale-range" for part, _ in points):
        hollow = "hollow: norms whose squares overflow or vanish"
        marks.append(Line2D([], [], marker="o", markerfacecolor="none", label=hollow, **look))
    if any(math.isinf(y) for _, y in points):
        marks.append(Line2D([], [], marker="*", markersize=7, label="the result is not finite", **look))
    return marks


def _lines(axes: Axes, found: Sequence[Series], panel: Panel, place: Callable[[float], float], **other: Any) -> None:
    """Draw the series of a panel; results that are not finite as stars at the top."""
    for one in found:
        points = one.curves.get(panel, ())
        look = _look(found, one) | other
        # A line without points would still take room, at the origin.
        if any(math.isfinite(error) for _, error in points):
            x, y = finite(points)
            axes.plot([place(v) for v in x], y, clip_on=False, markevery=max(1, len(x) // MARKS), **look)
        if lost := [place(v) for v, error in points if not math.isfinite(error)]:
            top: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "color": look["color"]}
            axes.plot(lost, [0.97] * len(lost), "*", markersize=7, clip_on=False, **top)


def _errors(axes: Axes, label: str, least: float) -> None:
    """Make the upright axis logarithmic from ``least`` up, with 0 below it."""
    from matplotlib.ticker import SymmetricalLogLocator

    axes.set_yscale("symlog", linthresh=least, linscale=0.5)
    locator = SymmetricalLogLocator(base=10, linthresh=least)
    locator.set_params(numticks=9)
    axes.yaxis.set_major_locator(locator)
    axes.set_ylim(0, max(axes.dataLim.y1, least) * 5)
    axes.set_ylabel(label)


def _exponents(axes: Axes, places: Sequence[float], sign: str) -> None:
    """Label binades that stand side by side; where some are left out in between, a dotted line says so."""
    for i in range(1, len(places)):
        if places[i] - places[i - 1] > 1:
            axes.axvline(i - 0.5, color=GREY, linewidth=0.6, linestyle=":")
    ticks = list(range(0, len(places), max(1, len(places) // 8)))
    axes.set_xticks(ticks, [f"${sign}2^{{{int(places[t])}}}$" for t in ticks])
    axes.set_xlabel("binade of x")
    axes.grid(False, axis="x")
