"""Changes in words: one sentence per kind of change, and one line per change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nnconform.conformance.model.change import ABSENT, Change, State
from nnconform.conformance.model.verdicts import VERDICTS
from nnconform.conformance.numbers import distinct_decimals
from nnconform.conformance.words import count, first_line, indexed

# The predicate of a state that no dialect explains.
DOES: Mapping[str, str] = {
    **{name: verdict.predicate for name, verdict in VERDICTS.items() if name != "dialect"},
    ABSENT: "is absent",
}
PLURAL = {
    **{"is": "are", "has": "have"},
    **{"conforms": "conform", "diverges": "diverge", "raises": "raise", "crashes": "crash", "times": "time"},
}
DEFAULTS = {"conforms": "the spec's", "diverges": "one that no dialect explains", "absent": "nothing"}


@dataclass(frozen=True)
class Statement:
    """The content of one sentence: changes of one kind, of one output of one operation, between the same states.

    Attributes:
        kind: of the changes.
        output: base name of the output, "" for whole results.
        old: dialect or verdict before.
        new: dialect or verdict after.
        example: the change whose numbers and reasons the sentence has.
        changes: all of them.
    """

    kind: str
    output: str
    old: str
    new: str
    example: Change
    changes: Sequence[Change]

    @property
    def in_vectors(self) -> str:
        """The number of vectors: ``in 38 vectors``."""
        return f"in {count(len({change.vector for change in self.changes}), 'vector')}"

    def reason(self, side: str) -> str:
        """Return the reason of the example on a side, and the number of others."""
        reasons = {first_line(_state(change, side).reason) for change in self.changes}
        reason = first_line(_state(self.example, side).reason)
        return f"{reason} (and {count(len(reasons) - 1, 'other message')})" if len(reasons) > 1 else reason

    def error(self, side: str) -> str:
        """Return the error of the example on a side, with the dialect that explains it."""
        dialect = _state(self.example, side).dialect
        return f"{self.reason(side)} ({dialect})" if dialect else self.reason(side)

    def extent(self) -> str:
        """Return the values or the problem of the example, and the number of vectors."""
        old, new = example_values(self.example)
        if old is not None and new is not None and old != new:
            texts = distinct_decimals(old, new)
            return f": {texts[0]} became {texts[1]} {self.in_vectors}"
        problem = self.example.new.problem
        return f" {self.in_vectors}: {problem}" if problem else f" {self.in_vectors}"

    def outcome(self) -> str:
        """Return the verdict of a result that is new on this side."""
        return f", and now {self.predicate()}"

    def predicate(self) -> str:
        """Return the predicate of the new state."""
        return self.verb(DOES[self.new]) if self.new in DOES else f"{self.verb('has')} the dialect {self.new}"

    def verb(self, words: str) -> str:
        """Return words that begin with a verb, in the plural for gradients and weights."""
        first, _, rest = words.partition(" ")
        return f"{PLURAL[first]} {rest}".strip() if self.output in ("gradients", "weights") else words


def _state(change: Change, side: str) -> State:
    return change.old if side == "old" else change.new


def sentence(operation: str, statement: Statement) -> str:
    """Return a statement about an operation in one sentence."""
    subject = f"{operation}: {statement.output}" if statement.output else operation
    return f"{subject} {PREDICATES[statement.kind](statement)}"


def _verdict_changed(s: Statement) -> str:
    if not s.output:
        return f"raises a different error {s.in_vectors}: {s.error('new')}"
    if s.new == "absent":
        return f"{s.verb('is')} no longer returned, as expected, {s.in_vectors}"
    before = {"conforms": "", "absent": "", "diverges": "diverged and "}.get(s.old)
    if before is None:
        before = f"had the dialect {s.old} and "
    return f"{before}now {s.predicate()}{s.extent()}"


def _gone(s: Statement) -> str:
    if s.output:
        return f"{s.verb('is')} no longer returned {s.in_vectors}"
    unsupported = s.example.new.verdict == "unsupported"
    return f"is {'now unsupported' if unsupported else 'gone'} {s.in_vectors}: {s.reason('new')}"


def _supported(s: Statement) -> str:
    if s.output:
        return f"{s.verb('is')} returned {s.in_vectors} for the first time{s.outcome()}"
    before = "was unsupported" if s.old == "unsupported" else s.reason("old")
    return f"is new {s.in_vectors} ({before}){s.outcome()}"


def _dies(s: Statement) -> str:
    before = {"timeout": " (it timed out before)", "crash": " (it crashed before)"}.get(s.old, "")
    return f"now {DOES[s.new]} {s.in_vectors}{before}: {s.reason('new')}"


def _default(s: Statement, side: str) -> str:
    state = _state(s.example, side)
    if state.reason:
        return f"an error, {s.error(side)}"
    return state.dialect or DEFAULTS[state.verdict]


def _defaults_changed(s: Statement) -> str:
    return f"changed its default from {_default(s, 'old')} to {_default(s, 'new')}, {s.in_vectors}"


def _latitude_changed(s: Statement) -> str:
    if s.example.output:
        return f"gives a different result {s.in_vectors}, which the spec leaves open"
    raises = f"now raises {s.in_vectors}" if s.example.new.reason else f"no longer raises {s.in_vectors}"
    return f"{raises}, which the spec leaves open: {s.reason('new') or s.reason('old')}"


# Drift is in a table.
PREDICATES: Mapping[str, Callable[[Statement], str]] = {
    "regressed": _verdict_changed,
    "fixed": _verdict_changed,
    "dialect-changed": _verdict_changed,
    "moved": lambda s: f"{s.verb('diverges')} as before, but by a different amount{s.extent()}",
    "raises": lambda s: f"now raises {s.in_vectors}: {s.error('new')}",
    "raises-no-more": lambda s: f"no longer raises {s.in_vectors}{s.outcome()}",
    "dies": _dies,
    "dies-no-more": lambda s: f"no longer {DOES[s.old]} {s.in_vectors}{s.outcome()}",
    "gone": _gone,
    "supported": _supported,
    "stream-changed": lambda s: f"draws a different random stream from the same seed {s.in_vectors}",
    "defaults-changed": _defaults_changed,
    "latitude-changed": _latitude_changed,
}


def example_values(change: Change) -> tuple[float | None, float | None]:
    """Return the old and the new value of a change's element; the expected value for a side that conforms."""

    def value(state: State, own: float | None) -> float | None:
        expected = None if change.element is None else change.element.expected
        return expected if own is None and state.verdict == "conforms" else own

    old, new = (None, None) if change.element is None else (change.element.old, change.element.new)
    return value(change.old, old), value(change.new, new)


def change_text(change: Change) -> str:
    """Return one change in one line: the call, the element, and its values before and now."""
    call = f"{change.vector}, {change.implementation} ({change.mode})"
    if element := _element_text(change):
        return f"{call}: {element}"
    old, new = change.old.label, change.new.label
    reason = first_line(change.new.problem or change.new.reason)
    states = f"{old} -> {new}" if old != new else ""
    return f"{call}: {': '.join(part for part in (change.output, states, reason) if part)}".removesuffix(": ")


def _element_text(change: Change) -> str:
    """Return the element: ``y[0, 3] was 1.000, is 1.001, expected 1.000``; "" if no value of it is known."""
    element = change.element
    if element is None:
        return ""
    named = {"was": element.old, "is": element.new, "expected": element.expected}
    values = {word: value for word, value in named.items() if value is not None}
    if not values:
        return ""
    numbers = distinct_decimals(*values.values())
    text = ", ".join(f"{word} {number}" for word, number in zip(values, numbers, strict=True))
    return f"{indexed(change.output, element.index)} {text}"
