"""Errors of conforming outputs over their bounds, by framework, implementation and output."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from nnconform.conformance.layout import Block, Line, Table
from nnconform.conformance.model.report import Report
from nnconform.conformance.numbers import shortened
from nnconform.conformance.vectors.operations import RANDOM
from nnconform.conformance.words import joined

TITLE = "Error over bound, of the outputs that conform:"
HEADS = ("", "results", "median", "worst")


class Headroom(NamedTuple):
    """The ratios of one output of one implementation, over all its vectors and modes.

    Attributes:
        framework: its name.
        implementation: its name.
        operation: its name.
        output: its name, all entries of a list together.
        ratios: the largest error over its bound of each conforming result.
        beyond: results that do not conform, by dialect or verdict.
    """

    framework: str
    implementation: str
    operation: str
    output: str
    ratios: list[float]
    beyond: Counter[str]

    @property
    def cells(self) -> list[str]:
        """A row of the table, by ``HEADS``."""
        numbers = ["-", "-"]
        if self.ratios:
            numbers = [f"{size:.2g}" for size in (statistics.median(self.ratios), max(self.ratios))]
        return [f"  {self.operation} {self.output}", f"{len(self.ratios):,}", *numbers]

    @property
    def beyond_texts(self) -> list[str]:
        """The number of results that do not conform, by dialect or verdict, the largest first."""
        order = sorted(self.beyond.items(), key=lambda item: (-item[1], item[0]))
        return [f"{count:,} {name}" for name, count in order]


def blocks(report: Report) -> Iterator[Block]:
    """Yield a table with a title per implementation, and a summary."""
    rows: list[list[str] | Line] = []
    previous = ""
    for output in outputs(report):
        title = f"{output.framework} {output.implementation}"
        if title != previous:
            rows.append(Line(title, style="bold", fold=True))
        rows.append(output.cells)
        if beyond := output.beyond_texts:
            rows.append(Line(f"does not conform: {joined(beyond)}", indent=4))
        previous = title
    yield Line()
    yield Line(TITLE, style="bold")
    yield Table(HEADS, rows)
    yield Line()
    yield Line(summary(report))
    for text in contradictions(report):
        yield Line(f"beyond its bound, but with the verdict conforms: {text}", indent=2, style="red")


def outputs(report: Report) -> Iterator[Headroom]:
    """Yield the headroom of each output in the order of the report.

    Results that are not judged, random samples and defaults are left out.
    """
    by_output: dict[tuple[str, str, str, str], Headroom] = {}
    for result in report.results:
        if result.is_default or result.operation in RANDOM or not result.judged:
            continue
        for name, output in result.outputs.items():
            key = result.framework, result.implementation, result.operation, name.partition("[")[0]
            headroom = by_output.setdefault(key, Headroom(*key, [], Counter()))
            if output.verdict == "conforms":
                headroom.ratios.append(output.ratio)
            else:
                headroom.beyond[output.dialect or output.verdict] += 1
    yield from by_output.values()


def contradictions(report: Report) -> list[str]:
    """Return the outputs that are beyond their bound and have the verdict ``conforms``: none, in a right report."""
    return [
        f"{r.framework} {r.implementation} ({r.mode}) {r.vector} {name}: {shortened(output.ratio)}"
        for r in report.results
        for name, output in r.outputs.items()
        if output.verdict == "conforms" and output.ratio > 1
    ]


def summary(report: Report) -> str:
    """Return the number of ratios, the largest of them, and the number of outputs that do not conform."""
    ratios = [ratio for output in outputs(report) for ratio in output.ratios]
    beyond = sum(output.beyond.total() for output in outputs(report))
    worst = f", with errors up to {max(ratios):.3g} x bound" if ratios else ""
    return f"Outputs that conform: {len(ratios):,}{worst}. Outputs that do not conform: {beyond:,}."
