"""Random samples and their law: a histogram with the law's density and bounds, and a quantile plot."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nnconform.conformance.judging.distribution import Distribution
from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Histogram, Output, Result
from nnconform.conformance.running.selection import Selection

from .densities import outline
from .series import NothingToDraw, nothing
from .style import INK, VERDICTS, Plot, head, mark, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

# The typical vectors, in order of preference: a dense layer in each of the two layouts of frameworks.
TYPICAL = ("dense/float32", "dense-transposed/float32")
# More panels make a plot illegible.
MOST = 80
COLUMNS = 2
TITLE = "Random samples of He initialization and their law"
# The heights of a panel and of a heading, in inches, and the letters of a panel's title.
PANEL, HEAD = 1.2, 0.45
LETTERS = 66


class Sample(NamedTuple):
    """A sample of the report.

    Attributes:
        result: of the call.
        output: with the verdict on the sample.
        law: normal, truncated_normal or uniform.
        bound: of the law, in its deviations; infinite for a normal one.
        histogram: in deviations of the law.
        quantiles: in deviations of the law.
        more: the number of similar samples that are not drawn.
    """

    result: Result
    output: Output
    law: str
    bound: float
    histogram: Histogram
    quantiles: Sequence[float]
    more: int = 0

    @property
    def reason(self) -> str:
        """The dialect, or the verdict."""
        return self.output.dialect or self.output.verdict

    @property
    def title(self) -> str:
        """The implementation, the verdict and the vector."""
        result = self.result
        mode = "" if result.mode == "eager" else f" ({result.mode})"
        verdict = f"dialect {self.reason}" if self.output.dialect else self.reason
        vector = result.vector + (f" and {self.more} more" if self.more else "")
        lines = [f"{verdict}: {vector}"] if len(verdict + vector) <= LETTERS - 2 else [f"{verdict}:", vector]
        name = textwrap.wrap(result.implementation + mode, LETTERS, break_on_hyphens=False)
        return "\n".join([*name, *lines])


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
        return HEAD + self.rows * PANEL + lines * 0.15

    @property
    def rows(self) -> int:
        """The number of rows of panels."""
        return -(-len(self.samples) // COLUMNS)


def draw(report: Report, selection: Selection) -> Plot:
    """Draw the selected samples; by default, a typical one per implementation, and those that do not conform.

    Raises:
        NothingToDraw: the report has no such sample, or too many.
    """
    samples = _samples(report, selection)
    if selection.words:
        sections = [Section("Selected samples", samples)]
    else:
        sections = [section for section in (_typical(samples), *_not_conforming(samples)) if section.samples]
    if (count := sum(len(section.samples) for section in sections)) > MOST:
        raise NothingToDraw(
            f"a plot has room for {MOST} samples, not {count}; select some with --vector or another filter"
        )
    figure = new_figure(sum(section.height for section in sections) + 0.8)
    head(figure, TITLE, report)
    parts = figure.subfigures(len(sections), 1, height_ratios=[s.height for s in sections], squeeze=False)[:, 0]
    for part, section in zip(parts, sections, strict=True):
        _draw_section(part, section)
    _legend(figure)
    return Plot(
        figure,
        TITLE,
        "Left of each pair: a histogram of the sample, in standard deviations of its law, with the density of the law "
        "as a line and its bounds dashed. Right: 33 quantiles of the sample over those of the law; on the line they "
        f"are equal. {count} samples: {_titles(sections)}.",
    )


def _titles(sections: Sequence[Section]) -> str:
    samples = [sample for section in sections for sample in section.samples]
    return "; ".join(sample.title.replace("\n", " ") for sample in samples)


def _samples(report: Report, selection: Selection) -> list[Sample]:
    results = filter(selection.takes_result, report.results)
    measured = [(result, output) for result in results for output in result.outputs.values() if output.measured]
    samples = [sample for result, output in measured if (sample := _sample(result, output))]
    if measured and not samples:
        raise NothingToDraw(
            "the report is from an older nnconform and has no histograms; make a new one with `nnconform run`"
        )
    if not samples:
        raise nothing("random sample (operations he_normal and he_uniform)", selection)
    return samples


def _sample(result: Result, output: Output) -> Sample | None:
    law, measured = output.law, output.measured
    if law is None or output.histogram is None or measured is None:
        return None
    bound = law.bound / measured.expected_stddev
    return Sample(result, output, law.name, bound, output.histogram, output.quantiles)


def _typical(samples: Sequence[Sample]) -> Section:
    """Return one sample per implementation that initializes the kernel of a dense layer."""
    best: dict[tuple[str, ...], Sample] = {}
    for sample in samples:
        result = sample.result
        key = result.framework, result.operation, result.implementation, result.mode
        typical = not result.is_default and _rank(sample) < len(TYPICAL)
        if typical and (key not in best or _rank(sample) < _rank(best[key])):
            best[key] = sample
    order = sorted(best.values(), key=lambda sample: sample.result.operation)
    return Section("Every implementation, on a dense layer", order)


def _rank(sample: Sample) -> int:
    name = sample.result.vector.partition("/")[2]
    return TYPICAL.index(name) if name in TYPICAL else len(TYPICAL)


def _not_conforming(samples: Sequence[Sample]) -> Iterator[Section]:
    """Yield the samples that do not conform: one per framework and dialect, with the number of similar ones."""
    alike: dict[tuple[str, ...], list[Sample]] = {}
    for sample in samples:
        if sample.output.verdict != "conforms":
            result = sample.result
            kind = "defaults" if result.is_default else ""
            key = kind, result.operation, result.framework, sample.reason
            alike.setdefault(key, []).append(sample)
    first = {key: similar[0]._replace(more=len(similar) - 1) for key, similar in alike.items()}
    titles = {"": "Samples that do not conform", "defaults": "Defaults that differ from the spec"}
    for kind, title in titles.items():
        keys = sorted((key for key in first if key[0] == kind), key=lambda key: key[1])
        yield Section(f"{title}: one sample per framework and dialect", [first[key] for key in keys])


def _draw_section(part: SubFigure, section: Section) -> None:
    part.suptitle(section.title, x=0.005, ha="left", fontsize=10, fontweight="bold")
    grid = part.subplots(section.rows, 2 * COLUMNS, squeeze=False, width_ratios=[1.75, 1] * COLUMNS)
    pairs = [(line[2 * i], line[2 * i + 1]) for line in grid for i in range(COLUMNS)]
    for position, (histogram, quantiles) in enumerate(pairs):
        if position >= len(section.samples):
            histogram.remove()
            quantiles.remove()
            continue
        sample = section.samples[position]
        last = position + COLUMNS >= len(section.samples)
        _draw_histogram(histogram, sample, labelled=last)
        _draw_quantiles(quantiles, sample, labelled=last)


def _draw_histogram(axes: Axes, sample: Sample, *, labelled: bool) -> None:
    low, high, counts = sample.histogram.low, sample.histogram.high, sample.histogram.counts
    width, total = (high - low) / len(counts), sum(counts)
    edges = [low + i * width for i in range(len(counts) + 1)]
    axes.stairs([c / total / width for c in counts], edges, fill=True, color=_colour(sample), alpha=0.75)
    axes.plot(*outline(sample.law), color=INK, linewidth=0.9)
    for bound in (-sample.bound, sample.bound) if math.isfinite(sample.bound) else ():
        mark(axes, bound)
    axes.set_title(sample.title)
    axes.set(xlim=(low, high), ylim=(0, None), yticks=[])
    axes.spines["left"].set_visible(False)
    if labelled:
        axes.set_xlabel("element / deviation of the law")


def _colour(sample: Sample) -> str:
    return VERDICTS[sample.output.verdict]


def _draw_quantiles(axes: Axes, sample: Sample, *, labelled: bool) -> None:
    total, parts = sum(sample.histogram.counts), len(sample.quantiles) - 1
    # The smallest and the largest of n elements are at the shares 1 / 2n and 1 - 1 / 2n.
    shares = [min(max(i / parts, 0.5 / total), 1 - 0.5 / total) for i in range(parts + 1)]
    expected = [Distribution.of(sample.law).quantile(share) for share in shares]
    axes.axline((0, 0), slope=1, color=INK, linewidth=0.9)
    axes.plot(expected, sample.quantiles, "o", color=_colour(sample), markersize=2.5)
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
