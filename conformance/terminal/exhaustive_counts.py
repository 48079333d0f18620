"""What came out for every number of a half format: what is not the exact result, rounded once (FORMAT-19)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nnconform.conformance.layout import Line, Part
from nnconform.conformance.report.findings_of_rows import who
from nnconform.conformance.words import joined

TITLE = "Every number of a half format, against the exact result rounded once:"


class Head(NamedTuple):
    """What was counted."""

    framework: str
    operation: str
    output: str
    dtype: str


class Count(NamedTuple):
    """How many of the results differ, the worst in ULP, and the input that it is of."""

    inputs: int
    differ: int
    ulp: float | str
    at: float | str

    @property
    def text(self) -> str:
        """The count in words."""
        worst = f", the worst by {_number(self.ulp)} ulp at {_number(self.at)}" if self.differ else ""
        return f"{self.differ:,} of {self.inputs:,} differ{worst}"


# The implementations with the modes in which they gave the same.
Givers = dict[str, list[str]]


def found(report: Mapping[str, Any]) -> dict[Head, dict[Count, Givers]]:
    """Return every count of a report, and who gave it."""
    result: dict[Head, dict[Count, Givers]] = defaultdict(dict)
    for row in report["results"]:
        for name, output in row["outputs"].items():
            if counted := output.get("counted"):
                head = Head(
                    row["framework"], row["operation"], name.partition("[")[0], row["vector"].rpartition("/")[2]
                )
                givers = result[head].setdefault(Count(*(counted[part] for part in Count._fields)), {})
                givers.setdefault(row["implementation"], []).append(row["mode"])
    return dict(sorted(result.items()))


def parts(report: Mapping[str, Any]) -> Iterator[Part]:
    """Yield a line for each count that is not 0, and one a framework for all that are."""
    counts = found(report)
    if not counts:
        return
    yield Line()
    yield Line(TITLE, style="bold")
    right: dict[str, list[str]] = defaultdict(list)
    for head, given in counts.items():
        if not any(count.differ for count in given):
            right[head.framework].append(_what(head))
            continue
        for count, givers in given.items():
            yield Line(f"{' '.join(head)}: {count.text}", indent=2, hang=4)
            yield Line(who(givers), indent=6)
    for framework, names in right.items():
        yield Line(f"{framework}: none differs of {joined(names)}", indent=2, hang=4)


def brief(report: Mapping[str, Any]) -> Iterator[Part]:
    """Yield a line a framework: what differs, and how many results at the most."""
    worst: dict[str, dict[str, int]] = defaultdict(dict)
    for head, given in found(report).items():
        worst[head.framework][_what(head)] = max(count.differ for count in given)
    if not worst:
        return
    yield Line()
    yield Line(TITLE, style="bold")
    for framework, counts in worst.items():
        told = joined(f"{what} {differ:,}" for what, differ in counts.items() if differ)
        exact = f"{len(counts) - sum(map(bool, counts.values()))} of {len(counts)} outputs are exact"
        text = f"{framework}: {exact}{f'; at worst differ: {told}' if told else ''}"
        yield Line(text, indent=2, lead=framework, lead_style="bold")


def _what(head: Head) -> str:
    return f"{head.operation} {head.output} {head.dtype}"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
