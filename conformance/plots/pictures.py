"""The pictures that there are, by name."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from nnconform.conformance.model.report import Report
from nnconform.conformance.running.selection import Selection
from nnconform.conformance.words import install_command

from .series import NothingToDraw
from .style import Picture, in_style

# By name: the module and its function.
PICTURES = {
    "init": ("init", "draw"),
    "elu": ("curves", "draw_elu"),
    "variance": ("curves", "draw_variance"),
    "clip": ("curves", "draw_clip"),
    "bounds": ("bounds", "draw"),
}
FORMATS = (".svg", ".png")


class MissingMatplotlib(Exception):
    """What draws is not installed; the message says what to install."""


class UnknownFormat(Exception):
    """A file's suffix names no format that pictures are written in; the message says which there are."""


def draw(name: str, report: Report, selection: Selection | None = None) -> Picture:
    """Draw a picture of a report.

    Args:
        name: a key of ``PICTURES``.
        report: of a run.
        selection: what of it is drawn; everything where none is given.

    Raises:
        MissingMatplotlib: matplotlib is not installed.
        NothingToDraw: the report has nothing of what is asked for.
    """
    _need_matplotlib()
    module, function = PICTURES[name]
    with in_style():
        drawing = getattr(importlib.import_module(f".{module}", __package__), function)
        drawn: Picture = drawing(report, selection or Selection())
    return drawn


def written(picture: Picture, path: Path) -> bytes:
    """Return a picture in the format that a file's suffix names; raises as ``check_format``."""
    from . import render

    check_format(path)
    return render.png(picture) if path.suffix.lower() == ".png" else render.svg(picture)


def check_format(path: Path) -> None:
    """Refuse a file whose suffix names no format.

    Raises:
        UnknownFormat: it does not.
    """
    if path.suffix.lower() not in FORMATS:
        raise UnknownFormat(
            f"{path}: pictures are written as {' or '.join(FORMATS)}, not as {path.suffix or 'no suffix'}"
        )


def inline(report: Report) -> dict[str, str]:
    """Return every picture that a report has, as SVG elements for one HTML page, by title.

    Raises:
        MissingMatplotlib: matplotlib is not installed.
    """
    from . import render

    found = {}
    for name in PICTURES:
        try:
            picture = draw(name, report)
        except NothingToDraw:
            continue
        found[picture.title] = render.inline_svg(picture, f"plot-{name}")
    return found


def _need_matplotlib() -> None:
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingMatplotlib(f"matplotlib not installed; install with: {install_command('plot')}")
