"""Changes in words: one sentence for each kind, numbers short, and long enough to differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnconform.conformance.words import count

Change = Mapping[str, Any]

# What a result does that has this verdict, where no dialect names it.
DOES: Mapping[str, str] = {
    "conforms": "conforms",
    "diverges": "diverges",
    "unsupported": "is unsupported",
    "error": "raises",
    "timeout": "times out",
    "crash": "crashes",
    "absent": "is not there",
}
PLURAL = {
    **{"is": "are", "was": "were", "has": "have"},
    **{"conforms": "conform", "diverges": "diverge", "raises": "raise", "crashes": "crash", "times": "time"},
}
DEFAULTS = {"conforms": "the spec's", "diverges": "one that no dialect names", "absent": "nothing"}


@dataclass(frozen=True)
class Told:
    """Changes to be told in one sentence: of one kind, on one output of one operation, from one state to another.

    Attributes:
        kind: of the changes.
        output: base name of the output, "" for whole results.
        old: dialect or verdict before.
        new: dialect or verdict after.
        example: the change whose numbers and reasons are told.
        rows: all of them.
    """

    kind: str
    output: str
    old: str
    new: str
    example: Change
    rows: Sequence[Change]

    @property
    def counted(self) -> str:
        """In how many vectors."""
        return f"in {count(len({row['vector'] for row in self.rows}), 'vector')}"

    def reason(self, side: str) -> str:
        """Return the reason of the example, and how many others there are."""
        reasons = {first_line(row[side].get("reason", "")) for row in self.rows}
        told = first_line(self.example[side].get("reason", ""))
        return f"{told} (and {count(len(reasons) - 1, 'other message')})" if len(reasons) > 1 else told

    def error(self, side: str) -> str:
        """Return the error of the example, with the dialect that explains it."""
        dialect = self.example[side].get("dialect")
        return f"{self.reason(side)} ({dialect})" if dialect else self.reason(side)

    def how(self) -> str:
        """Return what became what, or what is wrong, and in how many vectors."""
        old, new = values(self.example)
        if old is not None and new is not None and old != new:
            texts = short(old, new)
            return f": {texts[0]} became {texts[1]} {self.counted}"
        problem = self.example["new"].get("problem")
        return f" {self.counted}: {problem}" if problem else f" {self.counted}"

    def now(self) -> str:
        """Return what a result does that came where there was none."""
        return (
            f", and now {self.verb(DOES[self.new])}" if self.new in DOES else f", and {self.verb('is')} now {self.new}"
        )

    def verb(self, words: str) -> str:
        """Return words that begin with a verb, which is in the plural for gradients and weights."""
        first, _, rest = words.partition(" ")
        return f"{PLURAL[first]} {rest}".strip() if self.output in ("gradients", "weights") else words


def sentence(operation: str, told: Told) -> str:
    """Return a sentence that says of an operation what changed, how, and in how many vectors."""
    subject = f"{operation}: {told.output}" if told.output else operation
    return f"{subject} {PREDICATES[told.kind](told)}"


def _verdict_changed(told: Told) -> str:
    if not told.output:
        return f"raises another error {told.counted}: {told.error('new')}"
    if told.new == "absent":
        return f"{told.verb('is')} no more where nothing is wanted {told.counted}"
    before = {"conforms": "", "absent": "", "diverges": "diverged and "}.get(told.old)
    if before is None:
        before = f"{told.verb('was')} {told.old} and "
    now = f"now {told.verb(DOES[told.new])}" if told.new in DOES else f"{told.verb('is')} now {told.new}"
    return f"{before}{now}{told.how()}"


def _gone(told: Told) -> str:
    if told.output:
        return f"{told.verb('is')} not returned any more {told.counted}"
    unsupported = told.example["new"]["verdict"] == "unsupported"
    return f"is {'unsupported now' if unsupported else 'gone'} {told.counted}: {told.reason('new')}"


def _supported(told: Told) -> str:
    if told.output:
        return f"{told.verb('is')} returned {told.counted} for the first time{told.now()}"
    before = "was unsupported" if told.old == "unsupported" else told.reason("old")
    return f"is new {told.counted} ({before}){told.now()}"


def _dies(told: Told) -> str:
    before = {"timeout": " (it timed out before)", "crash": " (it crashed before)"}.get(told.old, "")
    return f"now {DOES[told.new]} {told.counted}{before}: {told.reason('new')}"


def _default(told: Told, side: str) -> str:
    state = told.example[side]
    if "reason" in state:
        return f"an error, {told.error(side)}"
    return str(state.get("dialect", DEFAULTS.get(state["verdict"])))


def _defaults_changed(told: Told) -> str:
    return f"by default is now {_default(told, 'new')}, was {_default(told, 'old')}, {told.counted}"


def _latitude_changed(told: Told) -> str:
    if told.example["output"]:
        return f"gives another result {told.counted} where the spec leaves it open"
    raises = f"now raises {told.counted}" if "reason" in told.example["new"] else f"raises no more {told.counted}"
    return f"{raises} where the spec leaves it open: {told.reason('new') or told.reason('old')}"


PREDICATES: Mapping[str, Callable[[Told], str]] = {
    "regressed": _verdict_changed,
    "fixed": _verdict_changed,
    "dialect-changed": _verdict_changed,
    "moved": lambda told: f"{told.verb('diverges')} as before, but by another amount{told.how()}",
    "raises": lambda told: f"now raises {told.counted}: {told.error('new')}",
    "raises-no-more": lambda told: f"raises no more {told.counted}{told.now()}",
    "dies": _dies,
    "dies-no-more": lambda told: f"{DOES[told.old]} no more {told.counted}{told.now()}",
    "gone": _gone,
    "supported": _supported,
    "stream-changed": lambda told: f"draws another random stream from the same seed {told.counted}",
    "defaults-changed": _defaults_changed,
    "latitude-changed": _latitude_changed,
    "drifted": lambda told: f"{told.verb('has')} other bits and the same verdict{told.how()}",
}


def values(change: Change) -> tuple[float | None, float | None]:
    """Return the old and the new value of a change's element; where a side conforms, what it was expected to be."""
    element = change.get("element", {})

    def value(side: str) -> float | None:
        known = element.get(side)
        if known is None and change[side]["verdict"] == "conforms":
            known = element.get("expected")
        return None if known is None else float(known)

    return value("old"), value("new")


def short(*numbers: float) -> list[str]:
    """Return numbers with four significant digits, or as many more as the first two need to look different."""
    for digits in range(4, 18):
        texts = [_number(number, digits) for number in numbers]
        if len(set(texts[:2])) == len(set(numbers[:2])):
            break
    return texts


def _number(number: float, digits: int) -> str:
    if number == 0:
        return "-0" if math.copysign(1.0, number) < 0 else "0"
    return f"{number:#.{digits}g}".removesuffix(".") if math.isfinite(number) else str(number)


def label(state: Mapping[str, Any]) -> str:
    """Return the dialect of a state, or its verdict where it has none."""
    return str(state.get("dialect", state["verdict"]))


def first_line(text: str) -> str:
    """Return the first line of a text, cut where it is long."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 160 else f"{line[:157]}..."


def row_text(change: Change) -> str:
    """Return one change in one line: which call, which element, and what it was and is."""
    call = f"{change['vector']}, {change['implementation']} ({change['mode']})"
    if element := _element_text(change):
        return f"{call}: {element}"
    old, new = (change[side] for side in ("old", "new"))
    said = first_line(new.get("problem") or new.get("reason") or "")
    states = f"{label(old)} -> {label(new)}" if label(old) != label(new) else ""
    return f"{call}: {': '.join(part for part in (change['output'], states, said) if part)}".removesuffix(": ")


def _element_text(change: Change) -> str:
    """Return an element: ``y[0, 3] was 1.000, is 1.001, expected 1.000``; "" where nothing is known of it."""
    element = change.get("element", {})
    words = {"old": "was", "new": "is", "expected": "expected"}
    known = {word: float(element[key]) for key, word in words.items() if key in element}
    if not known:
        return ""
    told = ", ".join(f"{word} {text}" for word, text in zip(known, short(*known.values()), strict=True))
    index = f"[{', '.join(map(str, element['index']))}]" if element["index"] else ""
    return f"{change['output']}{index} {told}"
