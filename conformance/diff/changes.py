"""The changes between two results of one call."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from nnconform.conformance.model.change import ABSENT, Change, State
from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.model.verdicts import SEVERITY

SEEDED = ("he_normal", "he_uniform")
PROCESS_ENDED = ("timeout", "crash")

# Parts of an error's text that differ from run to run.
RUN_DETAILS = (
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "0x..."),
    (re.compile(r"\bnnconform-[a-z0-9_]{8}\b"), "nnconform-..."),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?"), "(time)"),
)
# A question about an output that both sides have: its flat name, the old and the new output.
OutputTest = Callable[[str, Output, Output], bool]


def stable_text(text: str) -> str:
    """Return the text of an error without details of one run: addresses, times, temporary folders."""
    for pattern, word in RUN_DETAILS:
        text = pattern.sub(word, text)
    return text


def result_state(result: Result) -> State:
    """Return the state of a whole result, with the dialect of its first output that has the result's verdict."""
    dialects = (o.dialect for o in result.outputs.values() if o.verdict == result.verdict and o.dialect)
    return State(result.verdict, result.dialect or next(dialects, ""), stable_text(result.reason))


def output_state(output: Output | None) -> State:
    """Return the state of an output; absent if there is none."""
    if output is None:
        return State(ABSENT)
    return State(output.verdict, output.dialect, "", output.problem, output.digest, output.ratio)


def _change(kind: str, result: Result, output: str, old: State, new: State) -> Change:
    return Change(
        kind,
        result.framework,
        result.implementation,
        result.mode,
        result.operation,
        result.vector,
        result.profile,
        output,
        old,
        new,
    )


def changes_between(old: Result, new: Result, moved_test: OutputTest, rounding_test: OutputTest) -> Iterator[Change]:
    """Yield the changes between two results of one call.

    A process that ended comes first, then lack of support, then errors. If both sides have values, the outputs are
    compared one by one.

    Args:
        old: the old result.
        new: the new result.
        moved_test: whether an output that diverges on both sides does so by another amount.
        rounding_test: whether two outputs differ only in accuracy, by rounding.
    """
    before, after = _ending(old), _ending(new)
    if before == after == "value":
        yield from _value_changes(old, new, moved_test, rounding_test)
    elif kind := _result_kind(old, new, before, after):
        yield _change(kind, new, "", result_state(old), result_state(new))


def _ending(result: Result) -> str:
    """Return the way a call ended: dead, unsupported, raised or value."""
    if result.verdict in PROCESS_ENDED:
        return "dead"
    if result.verdict == "unsupported":
        return "unsupported"
    return "raised" if result.reason else "value"


def _result_kind(old: Result, new: Result, before: str, after: str) -> str:
    """Return the kind of a change of the whole result, or ""; at least one side has no values."""
    if before == after:
        if (old.verdict, old.dialect) == (new.verdict, new.dialect) or after == "unsupported":
            return ""
        return "dies" if after == "dead" else _error_kind(old, new)
    for ending, begins, ends in (("dead", "dies", "dies-no-more"), ("unsupported", "gone", "supported")):
        if ending in (before, after):
            return begins if after == ending else ends
    if not new.judged:
        return "latitude-changed"
    if new.is_default:
        return "defaults-changed"
    return "raises" if after == "raised" else "raises-no-more"


def _error_kind(old: Result, new: Result) -> str:
    """Return the kind of a change between two errors; a dialect explains at least one of them."""
    if not new.judged:
        return ""
    if new.is_default:
        return "defaults-changed"
    if old.verdict == new.verdict:
        return "dialect-changed"
    return "regressed" if new.verdict == "error" else "fixed"


def one_sided_change(result: Result, absence: State, *, is_new: bool) -> Change | None:
    """Return the change that a result on one side only means; None if it is unsupported, which loses nothing.

    Args:
        result: the result.
        absence: the state of the other side.
        is_new: whether the new side has the result.
    """
    ending = _ending(result)
    if ending == "unsupported":
        return None
    states = (absence, result_state(result)) if is_new else (result_state(result), absence)
    if ending == "dead":
        return _change("dies" if is_new else "dies-no-more", result, "", *states)
    return _change("supported" if is_new else "gone", result, "", *states)


def same_bits(old: Output, new: Output) -> bool:
    """Return True if two outputs have the same bits: the framework did the same in both runs."""
    return old.digest == new.digest and bool(old.digest)


def _value_changes(old: Result, new: Result, moved_test: OutputTest, rounding_test: OutputTest) -> Iterator[Change]:
    """Yield the changes of outputs; of a result that is not judged, or is a default, only the first."""
    as_one: list[Change] = []
    for name in dict.fromkeys((*old.outputs, *new.outputs)):
        before, after = old.outputs.get(name), new.outputs.get(name)
        if kind := _output_kind(new, name, before, after, moved_test, rounding_test):
            change = _change(kind, new, name, output_state(before), output_state(after))
            if kind in ("latitude-changed", "defaults-changed"):
                as_one.append(change)
            else:
                yield change
    yield from as_one[:1]


def _output_kind(
    result: Result, name: str, old: Output | None, new: Output | None, moved_test: OutputTest, rounding_test: OutputTest
) -> str:
    """Return the kind of the change of one output, or ""."""
    if old is None or new is None:
        kind = _presence_kind(name, is_new=old is None)
    elif old.digest == new.digest and (same_bits(old, new) or old.verdict == new.verdict):
        return ""
    else:
        kind = "" if rounding_test(name, old, new) else _verdict_kind(old, new)
    if not result.judged:
        return "latitude-changed"
    if kind:
        return "defaults-changed" if result.is_default and kind not in ("gone", "supported") else kind
    assert old is not None
    assert new is not None
    if new.verdict == "diverges" and moved_test(name, old, new):
        return "moved"
    return "stream-changed" if result.operation in SEEDED else "drifted"


def _presence_kind(name: str, *, is_new: bool) -> str:
    """Return the kind of a change of an output that only one side has.

    An entry of a list that should be absent is there only if a value came for an absent gradient, which diverges.
    """
    if "[" in name:
        return "regressed" if is_new else "fixed"
    return "supported" if is_new else "gone"


def _verdict_kind(old: Output, new: Output) -> str:
    """Return the kind of a change of verdict or dialect, "" if both are the same."""
    step = SEVERITY.index(new.verdict) - SEVERITY.index(old.verdict)
    if step:
        return "regressed" if step > 0 else "fixed"
    return "dialect-changed" if old.dialect != new.dialect else ""


def moved_by_report(old: Output, new: Output) -> bool:
    """Return True if two outputs that diverge do so by amounts that differ by more than the bound.

    Reports have only the ratio of the largest error to its bound, and the worst element. If both ratios are infinite
    (a special value is wrong, or the bound is 0), the first such element decides. If dtype or shape is wrong, the words
    for that do.
    """
    if math.isfinite(old.ratio) and math.isfinite(new.ratio):
        return abs(old.ratio - new.ratio) > 1 or _worst_moved(old, new)
    if old.ratio != new.ratio or old.problem != new.problem:
        return True
    old_index, new_index = (output.worst and output.worst.index for output in (old, new))
    return old_index != new_index or _worst_moved(old, new)


def _worst_moved(old: Output, new: Output) -> bool:
    """Return True if both sides have the same worst element, and its value moved by more than the bound."""
    if old.worst is None or new.worst is None or old.worst.index != new.worst.index:
        return False
    return exceeds(old.worst.got, new.worst.got, new.worst.bound)


def exceeds(old: float, new: float, bound: float) -> bool:
    """Return True if two numbers differ by more than a bound; special values are equal or infinitely distant."""
    if old == new or (math.isnan(old) and math.isnan(new)):
        return False
    return not abs(new - old) <= bound
