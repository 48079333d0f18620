"""Curves of the report, a panel for each dtype: ELU's error, that of the batch variance, and that of the clip scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .choosing import Choice, Series, finite, series
from .style import FRAMEWORKS, LINES, MARKERS, Picture, colour_of, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DTYPES = ("float64", "float32", "float16", "bfloat16")
PANEL, ENTRY = 2.4, 0.17

Points = Sequence[tuple[float, float]]
Panel = tuple[str, str, str]


def draw_elu(report: Mapping[str, Any], choice: Choice) -> Picture:
    """Draw the worst error of ELU in each binade of a negative x, and of a positive one where there is any.

    Raises:
        NothingToDraw: the report has no such curve.
    """
    found = series(report, ["elu"], choice)
    positive = any(
        y != 0 for s in found for panel, points in s.curves.items() if panel[2] == "positive" for _, y in points
    )
    parts = ("negative", "positive") if positive else ("negative",)
    panels = _panels(found, lambda panel: panel[2] in parts)
    figure, axes = _laid_out(found, panels, heading=lambda p: f"{p[1]}, {p[2]} x")
    for panel, one in axes.items():
        # Only some binades are asked for: they stand side by side, whatever lies between them.
        places = sorted({x for s in found for x, _ in s.curves.get(panel, ())}, reverse=panel[2] == "negative")
        _lines(one, found, panel, {x: float(i) for i, x in enumerate(places)}.__getitem__)
        _exponents(one, places, "-" if panel[2] == "negative" else "")
        _errors(one, "worst error of y (ULP)", 1.0)
    more = "" if positive else " Of positive x, none of them has an error."
    return Picture(
        figure,
        "ELU: the worst error in each binade of x",
        "The worst error of y in units in the last place, in each binade of x, one line for each implementation and "
        "mode that has another one, one panel for each dtype. Binades that no vector has are left out."
        f"{more} {_said(found)}",
    )


def draw_variance(report: Mapping[str, Any], choice: Choice) -> Picture:
    """Draw the error of the batch variance against |mean| / deviation of the channel.

    Raises:
        NothingToDraw: the report has no such curve.
    """
    found = series(report, ["batch_norm_train"], choice)
    panels = _panels(found, lambda _: True)
    figure, axes = _laid_out(found, panels, heading=lambda p: f"{p[1]}, {p[2].replace('_', ' ')}")
    for panel, one in axes.items():
        _lines(one, found, panel, float)
        one.set_xscale("log")
        one.set_xlabel("|mean| / deviation of the channel")
        _errors(one, "worst error (ULP)", 1.0)
    return Picture(
        figure,
        "Batch variance: the error where the mean is large",
        "The worst error of the variance in units in the last place, against the channel's mean over its deviation, "
        "one line for each implementation and mode that has another one, one panel for each dtype, and for the running "
        f"variance of those that do not show that of the batch. {_said(found)}",
    )


def draw_clip(report: Mapping[str, Any], choice: Choice) -> Picture:
    """Draw the relative error of the clip scale against the norm over the threshold.

    Raises:
        NothingToDraw: the report has no such curve.
    """
    found = series(report, ["clip_by_norm", "clip_by_global_norm"], choice)
    panels = _panels(found, lambda panel: panel[2] == "scale")
    figure, axes = _laid_out(found, panels, heading=lambda p: f"{p[0]}, {p[1]}")
    for panel, one in axes.items():
        _lines(one, found, panel, float)
        _lines(one, found, (*panel[:2], "scale-range"), float, joined=False)
        one.axvline(1.0, color="#808080", linestyle=":", linewidth=0.9)
        one.set_xscale("log")
        one.set_xlabel("norm / threshold")
        _errors(one, "relative error of the scale", 1e-17 if panel[1] == "float64" else 1e-9)
    return Picture(
        figure,
        "Gradient clipping: the error of the scale",
        "The relative error of the factor by which gradients are scaled, against their norm over the threshold, one "
        "line for each implementation and mode that has another one, one panel for each operation and dtype. Hollow marks: "
        f"norms whose squares overflow or vanish in the dtype. Dotted: the threshold. {_said(found)}",
    )


def _said(found: Sequence[Series]) -> str:
    return "; ".join(s.label for s in found)


def _panels(found: Sequence[Series], wanted: Callable[[Panel], bool]) -> list[Panel]:
    there = {panel for s in found for panel in s.curves if wanted(panel)}
    return sorted(there, key=lambda panel: (panel[0], DTYPES.index(panel[1]), panel[2]))


def _laid_out(
    found: Sequence[Series], panels: Sequence[Panel], heading: Callable[[Panel], str]
) -> tuple[Figure, dict[Panel, Axes]]:
    """Return a figure with two panels in a line, and a legend of all series below."""
    lines = -(-len(panels) // 2)
    figure = new_figure(lines * PANEL + (len(found) + 1) // 2 * ENTRY + 0.3)
    flat = figure.subplots(lines, min(2, len(panels)), squeeze=False).ravel()
    for one in flat[len(panels) :]:
        one.remove()
    axes = dict(zip(panels, flat, strict=False))
    for panel, one in axes.items():
        one.set_title(heading(panel), fontweight="bold")
        one.grid(True)
    figure.legend(handles=[_handle(found, s) for s in found], loc="outside lower left", ncols=2)
    return figure, axes


def _look(found: Sequence[Series], one: Series) -> dict[str, Any]:
    """Return the colour of a series' framework, and a line style and marker that no other of it has."""
    of = [s for s in found if s.framework == one.framework]
    others = list(dict.fromkeys(s.framework for s in found if s.framework not in FRAMEWORKS))
    place = of.index(one)
    return {
        "color": colour_of(one.framework, others),
        "linestyle": LINES[place % len(LINES)],
        "marker": MARKERS[place % len(MARKERS)],
    }


def _handle(found: Sequence[Series], one: Series) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=one.label, **_look(found, one))


def _lines(
    axes: Axes, found: Sequence[Series], panel: Panel, place: Callable[[float], float], *, joined: bool = True
) -> None:
    """Draw the series of a panel; results that are not finite as stars at the top."""
    for one in found:
        points = one.curves.get(panel, ())
        look = _look(found, one) | ({} if joined else {"linestyle": "none", "markerfacecolor": "none", "markersize": 5})
        x, y = finite(points)
        axes.plot([place(v) for v in x], y, alpha=0.85, clip_on=False, **look)
        lost = [place(v) for v, error in points if not math.isfinite(error)]
        axes.plot(
            lost, [0.97] * len(lost), "*", color=look["color"], markersize=7, transform=axes.get_xaxis_transform()
        )


def _errors(axes: Axes, label: str, least: float) -> None:
    """Make the upright axis logarithmic from ``least`` up, with 0 below it."""
    axes.set_yscale("symlog", linthresh=least, linscale=0.5)
    axes.set_ylim(0, max(axes.dataLim.y1, least) * 3)
    axes.set_ylabel(label)


def _exponents(axes: Axes, places: Sequence[float], sign: str) -> None:
    """Label binades that stand side by side; where some are left out in between, a line says so."""
    from matplotlib.ticker import FixedLocator

    gaps = [i for i in range(1, len(places)) if abs(places[i] - places[i - 1]) > 1]
    for i in gaps:
        axes.axvline(i - 0.5, color="#808080", linewidth=0.6, linestyle=":")
    step = max(1, len(places) // 8)
    ticks = list(range(0, len(places), step))
    axes.xaxis.set_major_locator(FixedLocator([float(t) for t in ticks]))
    axes.set_xticklabels([f"{sign}2^{int(places[t])}" for t in ticks])
    axes.set_xlabel("binade of x, the largest first" if sign else "binade of x")
