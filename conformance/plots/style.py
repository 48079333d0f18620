"""How pictures look: colours that colour-blind readers can tell apart, line styles, markers, and sizes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from nnconform.conformance.model.report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Of text, axes and laws: dark on the white ground of a PNG; an SVG takes the colour of the text around it instead.
INK = "#1a1a1b"
# Okabe and Ito's palette, of which these are neither too light nor too dark for either ground.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
FRAMEWORKS = {"torch": VERMILION, "tensorflow": GREEN, "jax": BLUE, "numpy": PURPLE}
OTHERS = (PURPLE, SKY, ORANGE)
VERDICTS = {"conforms": BLUE, "dialect": ORANGE, "diverges": VERMILION}
# Also without colour two lines of a framework are told apart.
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
    # Text stays text: it can be searched and read aloud, and takes a third of the bytes.
    "svg.fonttype": "none",
    # What ids are made of, so that the same picture has the same.
    "svg.hashsalt": "nnconform",
}


class Picture(NamedTuple):
    """A figure, and what a reader who does not see it is told.

    Attributes:
        figure: what is drawn.
        title: what it shows, in one line.
        description: what its axes are, and what marks mean.
    """

    figure: Figure
    title: str
    description: str


@contextlib.contextmanager
def in_style() -> Iterator[None]:
    """Draw in this style, whatever the user has set for matplotlib."""
    from matplotlib import style

    with style.context(["default", SETTINGS]):
        yield


def new_figure(height: float) -> Figure:
    """Return an empty figure of ``height`` inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained")


def head(figure: Figure, title: str, report: Report) -> None:
    """Write a picture's title, and under it what was run, and when."""
    from matplotlib.text import Annotation

    # The empty second line makes room for what stands there in another size.
    figure.suptitle(f"{title}\n", x=0.005, ha="left", fontsize=12, fontweight="bold", linespacing=1.4)
    names = [f"{name} {version}" for entry in report.frameworks for name, version in entry.versions.items()]
    ran = f"{', '.join(names)}; run of {report.created[:10]}"
    place: dict[str, Any] = {"xycoords": "figure fraction", "textcoords": "offset points", "annotation_clip": False}
    figure.add_artist(Annotation(ran, (0.005, 1.0), (0, -21), fontsize=7, va="top", **place))


def colour_of(framework: str, others: list[str]) -> str:
    """Return a framework's colour; of one that is not built in, by its place among ``others``."""
    if framework in FRAMEWORKS:
        return FRAMEWORKS[framework]
    return OTHERS[others.index(framework) % len(OTHERS)]


def mark(axes: Axes, x: float) -> None:
    """Mark a bound: a dashed upright line."""
    axes.axvline(x, color=INK, linestyle=(0, (4, 3)), linewidth=0.9)
