"""The plots by name."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from nnconform.conformance.model.report import Report
from nnconform.conformance.running.selection import Selection
from nnconform.conformance.words import install_command

from .series import NothingToDraw
from .style import Plot, in_style

# The module and the function of each plot.
PLOTS = {
    "init": ("samples", "draw"),
    "elu": ("panels", "draw_elu"),
    "variance": ("panels", "draw_variance"),
    "clip": ("panels", "draw_clip"),
    "bounds": ("ratios", "draw"),
}
FORMATS = (".svg", ".png")


class MissingMatplotlib(Exception):
    """matplotlib is not installed; the message has the command that installs it."""


class UnknownFormat(Exception):
    """A file's suffix is not that of a format for plots; the message lists the formats."""


def draw(name: str, report: Report, selection: Selection | None = None) -> Plot:
    """Draw a plot of a report.

    Args:
        name: a key of ``PLOTS``.
        report: of a run.
        selection: the results and curves to draw; all by default.

    Raises:
        MissingMatplotlib: matplotlib is not installed.
        NothingToDraw: the report has no such results or curves.
    """
    _require_matplotlib()
    module, function = PLOTS[name]
    with in_style():
        drawing = getattr(importlib.import_module(f".{module}", __package__), function)
        plot: Plot = drawing(report, selection or Selection())
    return plot


def encode(plot: Plot, path: Path) -> bytes:
    """Return a plot in the format of a file's suffix.

    Raises:
        UnknownFormat: the suffix is not that of a format for plots.
    """
    from . import render

    check_format(path)
    return render.png(plot) if path.suffix.lower() == ".png" else render.svg(plot)


def check_format(path: Path) -> None:
    """Check that a file's suffix is that of a format for plots.

    Raises:
        UnknownFormat: it is not.
    """
    if path.suffix.lower() not in FORMATS:
        raise UnknownFormat(f"{path}: the suffix of a plot is {' or '.join(FORMATS)}, not {path.suffix or 'missing'}")


def inline_svgs(report: Report) -> dict[str, str]:
    """Return every plot of a report as an SVG element for one HTML page, by title.

    Raises:
        MissingMatplotlib: matplotlib is not installed.
    """
    from . import render

    svgs = {}
    for name in PLOTS:
        try:
            plot = draw(name, report)
        except NothingToDraw:
            continue
        svgs[plot.title] = render.inline_svg(plot, f"plot-{name}")
    return svgs


def _require_matplotlib() -> None:
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingMatplotlib(f"matplotlib not installed; install with: {install_command('plot')}")
