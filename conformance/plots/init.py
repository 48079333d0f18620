"""Random samples against their law: a histogram with the law's density and bounds, and a quantile plot beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nnconform.conformance.judging.laws.distribution import Distribution

from .laws import outline
from .series import Choice, NothingToDraw, Row, nothing, rows
from .style import INK, VERDICTS, Picture, head, mark, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

# The vectors that stand for all, best first: a dense layer in each of the two layouts that frameworks have.
TYPICAL = ("dense/float32", "dense-transposed/float32")
# More panels than this are no picture any more.
MOST = 80
COLUMNS = 2
TITLE = "Random samples of He initialization against their law"
PANEL, HEAD = 1.2, 0.45
LETTERS = 66


class Sample(NamedTuple):
    """A sample of the report, and how many more samples it stands for."""

    row: Row
    output: Row
    more: int = 0

    @property
    def title(self) -> str:
        """Who made it, on what, and what is said of it."""
        row, dialect = self.row, self.output.get("dialect", "")
        mode = "" if row["mode"] == "eager" else f" ({row['mode']})"
        verdict = f"dialect {dialect}" if dialect else self.output["verdict"]
        vector = row["vector"] + (f" and {self.more} more" if self.more else "")
        said = [f"{verdict}: {vector}"] if len(verdict + vector) <= LETTERS - 2 else [f"{verdict}:", vector]
        name = textwrap.wrap(row["implementation"] + mode, LETTERS, break_on_hyphens=False)
        return "\n".join([*name, *said])


class Section(NamedTuple):
    """A heading and the samples under it."""

    title: str
    samples: Sequence[Sample]

    @property
    def height(self) -> float:
        """In inches."""
        lines = sum(
            max(s.title.count("\n") + 1 for s in self.samples[i : i + COLUMNS])
            for i in range(0, len(self.samples), COLUMNS)
        )
        return HEAD + self.lines * PANEL + lines * 0.15

    @property
    def lines(self) -> int:
        """How many panels stand one above the other."""
        return -(-len(self.samples) // COLUMNS)


def draw(report: Mapping[str, Any], choice: Choice) -> Picture:
    """Draw the samples that are chosen; without a choice, a typical one of each implementation, and what differs.

    Raises:
        NothingToDraw: the report has no such sample, or too many.
    """
    found = _samples(report, choice)
    if choice.words:
        sections = [Section("The chosen samples", found)]
    else:
        sections = [section for section in (_typical(found), *_differing(found)) if section.samples]
    if (count := sum(len(section.samples) for section in sections)) > MOST:
        raise NothingToDraw(
            f"{count} samples are more than fit into a picture ({MOST}); give --vector or another filter"
        )
    figure = new_figure(sum(section.height for section in sections) + 0.8)
    head(figure, TITLE, report)
    parts = figure.subfigures(len(sections), 1, height_ratios=[s.height for s in sections], squeeze=False)[:, 0]
    for part, section in zip(parts, sections, strict=True):
        _section(part, section)
    _legend(figure)
    return Picture(
        figure,
        TITLE,
        "Left of each pair: a histogram of the sample in units of the deviation that it should have, with the density "
        "of the law as a line and its bounds dashed. Right: 33 quantiles of the sample against those of the law; "
        f"on the line they agree. {count} samples: {_said(sections)}.",
    )


def _said(sections: Sequence[Section]) -> str:
    samples = [sample for section in sections for sample in section.samples]
    return "; ".join(sample.title.replace("\n", " ") for sample in samples)


def _samples(report: Mapping[str, Any], choice: Choice) -> list[Sample]:
    chosen = [(row, output) for row in rows(report, choice) for output in row["outputs"].values()]
    found = [Sample(row, output) for row, output in chosen if "histogram" in output]
    if not found and any("measured" in output for _, output in chosen):
        raise NothingToDraw(
            "an older nnconform made the report, which has no histograms; make it again with `nnconform run`"
        )
    if not found:
        raise nothing("random sample (operations he_normal and he_uniform)", choice)
    return found


def _typical(found: Sequence[Sample]) -> Section:
    """Return one sample of each implementation that makes the kernel of a dense layer."""
    best: dict[tuple[str, ...], Sample] = {}
    for sample in found:
        key = sample.row["framework"], sample.row["operation"], sample.row["implementation"], sample.row["mode"]
        typical = sample.row["profile"] != "defaults" and _rank(sample) < len(TYPICAL)
        if typical and (key not in best or _rank(sample) < _rank(best[key])):
            best[key] = sample
    order = sorted(best.values(), key=lambda sample: sample.row["operation"])
    return Section("Every implementation, on a dense layer", order)


def _rank(sample: Sample) -> int:
    name = sample.row["vector"].partition("/")[2]
    return TYPICAL.index(name) if name in TYPICAL else len(TYPICAL)


def _differing(found: Sequence[Sample]) -> Iterator[Section]:
    """Yield what does not conform: a sample of each framework and dialect, and how many more there are of it."""
    alike: dict[tuple[str, ...], list[Sample]] = {}
    for sample in found:
        if sample.output["verdict"] != "conforms":
            row = sample.row
            said = sample.output.get("dialect", sample.output["verdict"])
            kind = "defaults" if row["profile"] == "defaults" else ""
            key = kind, row["operation"], row["framework"], said
            alike.setdefault(key, []).append(sample)
    first = {key: samples[0]._replace(more=len(samples) - 1) for key, samples in alike.items()}
    titles = {"": "What does not conform", "defaults": "What differs where nothing is set (profile defaults)"}
    for kind, title in titles.items():
        chosen = sorted((key for key in first if key[0] == kind), key=lambda key: key[1])
        yield Section(f"{title}: one sample of each framework and dialect", [first[key] for key in chosen])


def _section(part: SubFigure, section: Section) -> None:
    part.suptitle(section.title, x=0.005, ha="left", fontsize=10, fontweight="bold")
    grid = part.subplots(section.lines, 2 * COLUMNS, squeeze=False, width_ratios=[1.75, 1] * COLUMNS)
    pairs = [(line[2 * i], line[2 * i + 1]) for line in grid for i in range(COLUMNS)]
    for place, (left, right) in enumerate(pairs):
        if place >= len(section.samples):
            left.remove()
            right.remove()
            continue
        sample = section.samples[place]
        last = place + COLUMNS >= len(section.samples)
        _histogram(left, sample, labelled=last)
        _quantiles(right, sample, labelled=last)


def _histogram(axes: Axes, sample: Sample, *, labelled: bool) -> None:
    output = sample.output
    low, high, counts = (output["histogram"][key] for key in ("low", "high", "counts"))
    width, total = (high - low) / len(counts), sum(counts)
    edges = [low + i * width for i in range(len(counts) + 1)]
    axes.stairs([c / total / width for c in counts], edges, fill=True, color=VERDICTS[output["verdict"]], alpha=0.75)
    axes.plot(*outline(output["law"]["name"]), color=INK, linewidth=0.9)
    for bound in bounds(output):
        mark(axes, bound)
    axes.set_title(sample.title)
    axes.set(xlim=(low, high), ylim=(0, None), yticks=[])
    axes.spines["left"].set_visible(False)
    if labelled:
        axes.set_xlabel("element / deviation of the law")


def bounds(output: Row) -> list[float]:
    """Return the bounds of a sample's law in units of its deviation; none where it has none."""
    bound = float(output["law"]["bound"]) / float(output["measured"]["expected_stddev"])
    return [] if bound == float("inf") else [-bound, bound]


def _quantiles(axes: Axes, sample: Sample, *, labelled: bool) -> None:
    output = sample.output
    found, total = [float(q) for q in output["quantiles"]], sum(output["histogram"]["counts"])
    parts = len(found) - 1
    # The least and the greatest of n elements stand for the shares 1 / 2n and 1 - 1 / 2n.
    shares = [min(max(i / parts, 0.5 / total), 1 - 0.5 / total) for i in range(parts + 1)]
    wanted = [Distribution.of(output["law"]["name"]).quantile(share) for share in shares]
    axes.axline((0, 0), slope=1, color=INK, linewidth=0.9)
    axes.plot(wanted, found, "o", color=VERDICTS[output["verdict"]], markersize=2.5)
    axes.set(xlim=(-6, 6), ylim=(-6, 6), xticks=[-4, 0, 4], yticks=[-4, 0, 4], box_aspect=1)
    if labelled:
        axes.set_xlabel("quantile of the law")


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks = [Patch(color=colour, alpha=0.75, label=verdict) for verdict, colour in VERDICTS.items()]
    law = Line2D([], [], color=INK, linewidth=0.9, label="the law")
    bound = Line2D([], [], color=INK, linewidth=0.9, linestyle=(0, (4, 3)), label="its bounds")
    figure.legend(handles=[*marks, law, bound], loc="outside lower right", ncols=5)
