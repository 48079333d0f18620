"""How near the outputs come to their bounds: the ratio of error and bound by framework, implementation and output."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nnconform.conformance import layout
from nnconform.conformance.vectors.operations import RANDOM
from nnconform.conformance.words import joined

TITLE = "Error over bound of the outputs that conform, the worst element of each:"
HEADS = ("", "results", "median", "worst")


class Line(NamedTuple):
    """The ratios of one output of one implementation, over all its vectors and modes.

    Attributes:
        framework: which.
        implementation: which.
        operation: which.
        output: by name, all entries of a list together.
        ratios: error over bound of the results that conform, the worst element of each.
        beyond: results that do not conform, by verdict and dialect.
    """

    framework: str
    implementation: str
    operation: str
    output: str
    ratios: list[float]
    beyond: Counter[str]

    @property
    def cells(self) -> list[str]:
        """The line as it stands in the table, by ``HEADS``."""
        numbers = ["-", "-"]
        if self.ratios:
            numbers = [f"{size:.2g}" for size in (statistics.median(self.ratios), max(self.ratios))]
        return [f"  {self.operation} {self.output}", f"{len(self.ratios):,}", *numbers]

    @property
    def beyond_texts(self) -> list[str]:
        """How many results are beyond their bound, by verdict and dialect, the most first."""
        found = sorted(self.beyond.items(), key=lambda item: (-item[1], item[0]))
        return [f"{count:,} {name}" for name, count in found]


def parts(report: Mapping[str, Any]) -> Iterator[layout.Part]:
    """Yield a table with a title for each implementation, and what it comes to."""
    rows: list[list[str] | layout.Line] = []
    previous = ""
    for line in lines(report):
        title = f"{line.framework} {line.implementation}"
        if title != previous:
            rows.append(layout.Line(title, style="bold", fold=True))
        rows.append(line.cells)
        if beyond := line.beyond_texts:
            rows.append(layout.Line(f"beyond its bound: {joined(beyond)}", indent=4))
        previous = title
    yield layout.Line()
    yield layout.Line(TITLE, style="bold")
    yield layout.Table(HEADS, rows)
    yield layout.Line()
    yield layout.Line(summary(report))
    for text in unsaid(report):
        yield layout.Line(f"beyond its bound, and said to conform: {text}", indent=2, style="red")


def lines(report: Mapping[str, Any]) -> Iterator[Line]:
    """Yield a line an output, in the order of the report; what is not judged, random samples and defaults left out."""
    found: dict[tuple[str, str, str, str], Line] = {}
    for row in report["results"]:
        if row["profile"] == "defaults" or row["operation"] in RANDOM or not row.get("judged", True):
            continue
        for name, output in row["outputs"].items():
            key = row["framework"], row["implementation"], row["operation"], name.partition("[")[0]
            line = found.setdefault(key, Line(*key, [], Counter()))
            if output["verdict"] == "conforms":
                line.ratios.append(float(output["ratio"]))
            else:
                line.beyond[output.get("dialect", output["verdict"])] += 1
    yield from found.values()


def unsaid(report: Mapping[str, Any]) -> list[str]:
    """Return the vectors of outputs that are beyond their bound and yet conform: none, in a report that is right."""
    return [
        f"{row['framework']} {row['implementation']} ({row['mode']}) {row['vector']} {name}: {output['ratio']}"
        for row in report["results"]
        for name, output in row["outputs"].items()
        if output["verdict"] == "conforms" and float(output["ratio"]) > 1
    ]


def summary(report: Mapping[str, Any]) -> str:
    """Return the last line of the table: how many ratios there are, and the worst of those that conform."""
    ratios = [ratio for line in lines(report) for ratio in line.ratios]
    beyond = sum(line.beyond.total() for line in lines(report))
    worst = f"; the worst is {max(ratios):.3g} of its bound" if ratios else ""
    return f"{len(ratios):,} outputs conform{worst}; {beyond:,} are beyond their bound and have another verdict"
