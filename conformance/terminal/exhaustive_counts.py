"""Results for every number of a half format: those that are not the exact result, rounded once (FORMAT-19)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from nnconform.conformance.layout import Block, Line
from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Counted
from nnconform.conformance.numbers import decimal
from nnconform.conformance.report.findings import format_implementations
from nnconform.conformance.words import count, joined

TITLE = "Every float16 and bfloat16 number, compared with the exact result rounded once:"


class Head(NamedTuple):
    """An output of an operation, without the place in a list, for one dtype."""

    framework: str
    operation: str
    output: str
    dtype: str

    @property
    def output_text(self) -> str:
        """The output without its framework."""
        return f"{self.operation} {self.output} {self.dtype}"


@dataclass
class Tally:
    """A count of wrong results, with the implementations that have it.

    Attributes:
        wrong: the wrong results.
        modes: by implementation.
    """

    wrong: Counted
    modes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def text(self) -> str:
        """The count in words."""
        wrong = self.wrong
        worst = f", by at most {decimal(wrong.ulp, 6)} ulp at {decimal(wrong.at, 6)}" if wrong.differ else ""
        return f"{wrong.differ:,} of {wrong.inputs:,} differ{worst}"


def blocks(report: Report) -> Iterator[Block]:
    """Yield a line per count that is not 0, and one per framework for all that are."""
    tallies = _collect(report)
    if not tallies:
        return
    yield Line()
    yield Line(TITLE, style="bold")
    exact: dict[str, list[str]] = defaultdict(list)
    for head, of_head in tallies.items():
        if not any(tally.wrong.differ for tally in of_head):
            exact[head.framework].append(head.output_text)
            continue
        for tally in of_head:
            yield Line(f"{' '.join(head)}: {tally.text}", indent=2, hang=4)
            yield Line(format_implementations(tally.modes), indent=6)
    for framework, names in exact.items():
        yield Line(f"{framework}: no difference in {joined(names)}", indent=2, hang=4)


def summary(report: Report) -> Iterator[Block]:
    """Yield a line per framework: the outputs that differ, with their largest number of wrong results."""
    worst: dict[str, dict[str, int]] = defaultdict(dict)
    for head, tallies in _collect(report).items():
        worst[head.framework][head.output_text] = max(tally.wrong.differ for tally in tallies)
    if not worst:
        return
    yield Line()
    yield Line(TITLE, style="bold")
    for framework, counts in worst.items():
        wrong = joined(f"{output} {differ:,}" for output, differ in counts.items() if differ)
        exact = f"{len(counts) - sum(map(bool, counts.values()))} of {count(len(counts), 'output')} exact"
        text = f"{framework}: {exact}{f'; most differences: {wrong}' if wrong else ''}"
        yield Line(text, indent=2, lead=framework, lead_style="bold")


def _collect(report: Report) -> dict[Head, list[Tally]]:
    """Return the different counts of each output, sorted by framework, operation, output and dtype."""
    tallies: dict[Head, dict[tuple[object, ...], Tally]] = defaultdict(dict)
    for result in report.results:
        for name, output in result.outputs.items():
            if (wrong := output.counted) is not None:
                head = Head(result.framework, result.operation, name.partition("[")[0], result.dtype)
                # As in JSON, where NaN equals NaN.
                key = tuple(wrong.to_json().values())
                tallies[head].setdefault(key, Tally(wrong)).modes[result.implementation].append(result.mode)
    return {head: list(by_count.values()) for head, by_count in sorted(tallies.items())}
