"""The style of all plots: colours that colour-blind readers can distinguish, line styles, markers and sizes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from nnconform.conformance.model.report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The colour of text, axes and laws on the white ground of a PNG; an SVG takes the colour of the text around it.
INK = "#1a1a1b"
# From the palette of Okabe and Ito: legible on a light and on a dark ground.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
FRAMEWORKS = {"torch": VERMILION, "tensorflow": GREEN, "jax": BLUE, "numpy": PURPLE}
OTHERS = (PURPLE, SKY, ORANGE)
VERDICTS = {"conforms": BLUE, "dialect": ORANGE, "diverges": VERMILION}
# They distinguish the lines of a framework without colour.
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
WIDTH = 10.0

SETTINGS: dict[str, Any] = {
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "savefig.dpi": 150,
    # As text, it can be searched and read aloud, and takes a third of the bytes.
    "svg.fonttype": "none",
    # The same plot has the same ids.
    "svg.hashsalt": "nnconform",
}


class Plot(NamedTuple):
    """A figure, with a text for readers who do not see it.

    Attributes:
        figure: of matplotlib.
        title: in one line.
        description: its axes and the meaning of its marks.
    """

    figure: Figure
    title: str
    description: str


@contextlib.contextmanager
def in_style() -> Iterator[None]:
    """Draw in this style, without the user's settings for matplotlib."""
    from matplotlib import style

    with style.context(["default", SETTINGS]):
        yield


def new_figure(height: float) -> Figure:
    """Return an empty figure of ``height`` inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained")


def head(figure: Figure, title: str, report: Report) -> None:
    """Write the title of a plot, and below it the versions and the date of the run."""
    from matplotlib.text import Annotation

    # The empty second line leaves room for the smaller text.
    figure.suptitle(f"{title}\n", x=0.005, ha="left", fontsize=12, fontweight="bold", linespacing=1.4)
    names = [f"{name} {version}" for entry in report.frameworks for name, version in entry.versions.items()]
    run = f"{', '.join(names)}; run of {report.created[:10]}"
    place: dict[str, Any] = {"xycoords": "figure fraction", "textcoords": "offset points", "annotation_clip": False}
    figure.add_artist(Annotation(run, (0.005, 1.0), (0, -21), fontsize=7, va="top", **place))


def colour_of(framework: str, others: list[str]) -> str:
    """Return the colour of a framework; if it is not built in, by its position in ``others``."""
    if framework in FRAMEWORKS:
        return FRAMEWORKS[framework]
    return OTHERS[others.index(framework) % len(OTHERS)]


def mark(axes: Axes, x: float) -> None:
    """Mark a bound with a dashed vertical line."""
    axes.axvline(x, color=INK, linestyle=(0, (4, 3)), linewidth=0.9)
