"""Outputs that cross the conforming bound by rounding alone: drift, neither a loss nor a gain.

An implementation that computes inaccurately, in half precision for example, is inside the conforming bound on some
vectors and outside it on others, depending on rounding. Another version whose last bits differ crosses the bound on
some of them, in both directions alike. If the crossings go one way, the implementation has changed.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from nnconform.conformance.judging.dialect_diagnosis import is_accuracy
from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.words import count

from .changes import OutputTest
from .sides import Side

# The significance level of the sign test: seven fair coins all show heads in one case of 128.
SIGNIFICANCE = 0.01

# An implementation's output in a mode, an operation and a dtype, and one part of its dialect.
Habit = tuple[str, ...]


def dialect_parts(output: Output) -> frozenset[str]:
    """Return the parts of an output's dialect; none if it conforms."""
    return frozenset(output.dialect.split("+")) if output.dialect else frozenset()


def _habit(result: Result, output: str, part: str) -> Habit:
    call = (result.framework, result.implementation, result.mode, result.operation)
    return (*call, output.partition("[")[0], result.dtype, part)


def _accuracy_counts(results: Iterable[Result]) -> Counter[Habit]:
    """Return the number of outputs with each accuracy dialect."""
    return Counter(
        _habit(result, name, part)
        for result in results
        for name, output in result.outputs.items()
        for part in dialect_parts(output)
        if is_accuracy(part)
    )


def one_way(out: int, back: int) -> bool:
    """Return True if crossings in the two directions are too unequal for chance, by a sign test."""
    total = out + back
    tail = sum(math.comb(total, k) for k in range(max(out, back), total + 1))
    return bool(tail < SIGNIFICANCE * 2**total)


class Crossings:
    """The outputs of both sides that are inside the conforming bound on one of them only."""

    def __init__(self, old: Side, new: Side) -> None:
        self._counts: dict[Habit, Counter[str]] = defaultdict(Counter)
        for key in old.results.keys() & new.results.keys():
            self._count(old.results[key], new.results[key])
        both = _accuracy_counts(old.results.values()).keys() & _accuracy_counts(new.results.values()).keys()
        self._drifting = {h for h, c in self._counts.items() if h in both and not one_way(c["out"], c["back"])}

    def _count(self, old: Result, new: Result) -> None:
        for name in old.outputs.keys() & new.outputs.keys():
            before, after = dialect_parts(old.outputs[name]), dialect_parts(new.outputs[name])
            for part in before ^ after:
                self._counts[_habit(old, name, part)]["out" if part in after else "back"] += 1

    def test(self, result: Result) -> OutputTest:
        """Return a test that is true of two outputs of a call if they differ by such crossings alone."""

        def only_crossed(name: str, old: Output, new: Output) -> bool:
            parts = dialect_parts(old) ^ dialect_parts(new)
            explained = "diverges" not in (old.verdict, new.verdict)
            return explained and bool(parts) and all(_habit(result, name, p) in self._drifting for p in parts)

        return only_crossed

    def notes(self) -> Iterator[str]:
        """Yield, for each dialect, the number of outputs that crossed and are counted as drift."""
        totals: dict[str, Counter[str]] = defaultdict(Counter)
        for habit in self._drifting:
            totals[habit[-1]] += self._counts[habit]
        for dialect, crossed in sorted(totals.items()):
            yield (
                f"{count(crossed.total(), 'output')} crossed the error bound by rounding, {crossed['out']} out and "
                f"{crossed['back']} back, and both sides have the dialect {dialect}: counted as drift"
            )
