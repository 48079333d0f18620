"""Outputs that cross the conforming bound by rounding alone, which is drift and neither a loss nor a gain.

An implementation that computes inaccurately, in half precision for example, is inside the conforming bound on some
vectors and outside it on others, as the roundings fall. Another version whose last bits differ crosses the bound on
some of them, in both directions alike. Where crossings go one way, the implementation has become another.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator

from nnconform.conformance.judging.dialect_diagnosis import is_accuracy
from nnconform.conformance.words import count

from .changes import Question, Row
from .sides import Side

# Crossings that go one way by chance: how improbable they must be to be believed. So many fair coins fall one way seven
# times in a row in one case of 128.
CHANCE = 0.01

# An implementation's output in a mode, an operation and a dtype, and a part of the dialect that it is named by.
Habit = tuple[str, ...]


def parts(output: Row) -> frozenset[str]:
    """Return the dialects that an output is named by, one by one; none where it conforms."""
    return frozenset(output["dialect"].split("+")) if "dialect" in output else frozenset()


def _habit(row: Row, output: str, part: str) -> Habit:
    about = (row[key] for key in ("framework", "implementation", "mode", "operation"))
    return (*about, output.partition("[")[0], row["vector"].rpartition("/")[2], part)


def _spoken(side: Side) -> Counter[Habit]:
    """Return how many outputs of a side are named by each accuracy dialect."""
    return Counter(
        _habit(row, name, part)
        for row in side.rows.values()
        for name, output in row["outputs"].items()
        for part in parts(output)
        if is_accuracy(part)
    )


def one_way(out: int, back: int) -> bool:
    """Say whether crossings in the two directions are too unequal for chance (a sign test)."""
    total = out + back
    tail = sum(math.comb(total, k) for k in range(max(out, back), total + 1))
    return bool(tail < CHANCE * 2**total)


class Crossings:
    """The outputs of both sides that are inside the conforming bound on one of them only."""

    def __init__(self, old: Side, new: Side) -> None:
        self._counts: dict[Habit, Counter[str]] = defaultdict(Counter)
        for key in old.rows.keys() & new.rows.keys():
            self._count(old.rows[key], new.rows[key])
        kept = _spoken(old).keys() & _spoken(new).keys()
        self._drifting = {h for h, c in self._counts.items() if h in kept and not one_way(c["out"], c["back"])}

    def _count(self, old: Row, new: Row) -> None:
        for name in old["outputs"].keys() & new["outputs"].keys():
            before, after = (parts(row["outputs"][name]) for row in (old, new))
            for part in before ^ after:
                self._counts[_habit(old, name, part)]["out" if part in after else "back"] += 1

    def question(self, row: Row) -> Question:
        """Return what says of a call's outputs, old and new, whether they differ by such crossings alone."""

        def alike(name: str, old: Row, new: Row) -> bool:
            different = parts(old) ^ parts(new)
            judged = "diverges" not in (old["verdict"], new["verdict"])
            return judged and bool(different) and all(_habit(row, name, p) in self._drifting for p in different)

        return alike

    def notes(self) -> Iterator[str]:
        """Yield, for each dialect, how many outputs crossed and are counted as drift."""
        totals: dict[str, Counter[str]] = defaultdict(Counter)
        for habit in self._drifting:
            totals[habit[-1]] += self._counts[habit]
        for dialect, crossed in sorted(totals.items()):
            yield (
                f"{count(crossed.total(), 'output')} crossed the conforming bound by rounding, {crossed['out']} out "
                f"and {crossed['back']} back, where both sides are {dialect} alike: counted as drift"
            )
