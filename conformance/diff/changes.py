"""What changed between two results of one call: the closed set of kinds, and how a pair of rows is told apart."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

Row = Mapping[str, Any]
State = dict[str, Any]

# In this order they are told: what a user must act on first. A kind fails by itself, or for some new verdicts only.
FAILS: Mapping[str, bool | tuple[str, ...]] = {
    "dies": True,
    "raises": True,
    "gone": True,
    "regressed": True,
    "dialect-changed": True,
    "moved": True,
    "stream-changed": True,
    "defaults-changed": True,
    "raises-no-more": ("diverges",),
    "dies-no-more": ("diverges", "error"),
    "fixed": False,
    "supported": False,
    "latitude-changed": False,
    "drifted": False,
}
SEEDED = ("he_normal", "he_uniform")
ABSENT = "absent"
DEAD = ("timeout", "crash")
MISSING = (ABSENT, "unsupported")

# What differs from run to run in the text of an error, and must not differ in a diff.
PASSING = (
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "0x..."),
    (re.compile(r"\bnnconform-[a-z0-9_]{8}\b"), "nnconform-..."),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?"), "(time)"),
)


class Difference(NamedTuple):
    """One change, before it is written down.

    Attributes:
        kind: a key of ``FAILS``.
        output: the flat name of the output concerned, "" for the row.
        old: the state before.
        new: the state after.
    """

    kind: str
    output: str
    old: State
    new: State


# What must be known of two outputs beside themselves, asked with their flat name, old and new: whether one that
# diverges on both sides does so by another amount; whether they differ in how accurate they came out, and no more.
Question = Callable[[str, Row, Row], bool]


def fails(kind: str, verdict: str) -> bool:
    """Say whether a change of this kind that ends in this verdict is one to act on."""
    rule = FAILS[kind]
    return rule if isinstance(rule, bool) else verdict in rule


def steady(text: str) -> str:
    """Return the text of an error without what differs from run to run: addresses, times, temporary folders."""
    for pattern, word in PASSING:
        text = pattern.sub(word, text)
    return text


def row_state(row: Row) -> State:
    """Return the state of a whole row; the dialect is that of the first output that has the row's verdict."""
    state: State = {"verdict": row["verdict"]}
    named = (o["dialect"] for o in row["outputs"].values() if o["verdict"] == row["verdict"] and "dialect" in o)
    if dialect := row.get("dialect", next(named, "")):
        state["dialect"] = dialect
    if "reason" in row:
        state["reason"] = steady(row["reason"])
    return state


def absent(reason: str = "") -> State:
    """Return the state of a row or an output that is not there."""
    return {"verdict": ABSENT} | ({"reason": reason} if reason else {})


def output_state(output: Row | None) -> State:
    """Return the state of one output."""
    if output is None:
        return absent()
    return {key: output[key] for key in ("verdict", "dialect", "problem", "digest", "ratio") if key in output}


def of_rows(old: Row, new: Row, moved: Question, alike: Question) -> Iterator[Difference]:
    """Yield what changed between two rows of the same call; nothing where nothing did.

    Death comes first, then what is not supported, then errors; where both sides gave values, output by output.
    """
    before, after = _way(old), _way(new)
    if before == after == "value":
        yield from _of_values(old, new, moved, alike)
    elif kind := _row_kind(old, new, before, after):
        yield Difference(kind, "", row_state(old), row_state(new))


def _way(row: Row) -> str:
    """Return how a call ended: dead, unsupported, raised or value."""
    if row["verdict"] in DEAD:
        return "dead"
    if row["verdict"] in MISSING:
        return "unsupported"
    return "raised" if "reason" in row else "value"


def _row_kind(old: Row, new: Row, before: str, after: str) -> str:
    """Return the kind of a change of the whole row, or ""; not both sides gave values."""
    if before == after:
        if (old["verdict"], old.get("dialect")) == (new["verdict"], new.get("dialect")) or after == "unsupported":
            return ""
        return "dies" if after == "dead" else _error_kind(old, new)
    for way, come, gone in (("dead", "dies", "dies-no-more"), ("unsupported", "gone", "supported")):
        if way in (before, after):
            return come if after == way else gone
    if "judged" in new:
        return "latitude-changed"
    if new["profile"] == "defaults":
        return "defaults-changed"
    return "raises" if after == "raised" else "raises-no-more"


def _error_kind(old: Row, new: Row) -> str:
    """Return the kind where both sides raised, and a dialect explains one of the errors, or another one each."""
    if "judged" in new:
        return ""
    if new["profile"] == "defaults":
        return "defaults-changed"
    if old["verdict"] == new["verdict"]:
        return "dialect-changed"
    return "regressed" if new["verdict"] == "error" else "fixed"


def one_sided(row: Row, old: State | None, new: State | None) -> Difference | None:
    """Return the change of a row that only one side has; None where the framework had nothing to lose or gain.

    Args:
        row: the row that is there.
        old: the absent state, where the old side lacks it.
        new: the absent state, where the new side lacks it.
    """
    way = _way(row)
    if way == "unsupported":
        return None
    before, after = old or row_state(row), new or row_state(row)
    if way == "dead":
        return Difference("dies" if new is None else "dies-no-more", "", before, after)
    return Difference("supported" if new is None else "gone", "", before, after)


def same_bits(old: Row, new: Row) -> bool:
    """Say whether two outputs have the same bits, so that the framework did the same whatever the verdicts are."""
    return old["digest"] == new["digest"] and bool(old["digest"])


def _of_values(old: Row, new: Row, moved: Question, alike: Question) -> Iterator[Difference]:
    together: list[Difference] = []
    for name in dict.fromkeys((*old["outputs"], *new["outputs"])):
        a, b = old["outputs"].get(name), new["outputs"].get(name)
        if kind := _output_kind(new, name, a, b, moved, alike):
            difference = Difference(kind, name, output_state(a), output_state(b))
            # A row that is not judged, and what the framework does by default, is one thing to tell.
            if kind in ("latitude-changed", "defaults-changed"):
                together.append(difference)
            else:
                yield difference
    yield from together[:1]


def _output_kind(row: Row, name: str, old: Row | None, new: Row | None, moved: Question, alike: Question) -> str:
    """Return the kind of the change of one output, or ""."""
    if old is None or new is None:
        kind = _shown_kind(name, come=old is None)
    elif old["digest"] == new["digest"] and (same_bits(old, new) or old["verdict"] == new["verdict"]):
        return ""
    else:
        kind = "" if alike(name, old, new) else _verdict_kind(old, new)
    if "judged" in row:
        return "latitude-changed"
    if kind:
        return "defaults-changed" if row["profile"] == "defaults" and kind not in ("gone", "supported") else kind
    assert old is not None
    assert new is not None
    if new["verdict"] == "diverges" and moved(name, old, new):
        return "moved"
    return "stream-changed" if row["operation"] in SEEDED else "drifted"


def _shown_kind(name: str, *, come: bool) -> str:
    """Return the kind where an output is on one side only.

    An entry of a list is there without need only where a value came for an absent gradient, which diverges.
    """
    if "[" in name:
        return "regressed" if come else "fixed"
    return "supported" if come else "gone"


def _verdict_kind(old: Row, new: Row) -> str:
    """Return the kind of a change of verdict or dialect, "" where both are the same."""
    order = ("conforms", "dialect", "diverges")
    step = order.index(new["verdict"]) - order.index(old["verdict"])
    if step:
        return "regressed" if step > 0 else "fixed"
    return "dialect-changed" if old.get("dialect") != new.get("dialect") else ""


def moved_by_report(old: Row, new: Row) -> bool:
    """Say whether two outputs that diverge do so by amounts that differ by more than the bound, as far as reports tell.

    The ratio is the worst error over its bound. Where both are infinite (a special value is wrong, or the bound is 0)
    the first such element tells, and where dtype or shape is wrong, the words that say so.
    """
    a, b = float(old["ratio"]), float(new["ratio"])
    if math.isfinite(a) and math.isfinite(b):
        return abs(a - b) > 1 or _elements_moved(old, new)
    if a != b or old.get("problem") != new.get("problem"):
        return True
    places = [output.get("worst", {}).get("index") for output in (old, new)]
    return places[0] != places[1] or _elements_moved(old, new)


def _elements_moved(old: Row, new: Row) -> bool:
    """Say whether the worst elements are one and the same, and moved."""
    a, b = old.get("worst"), new.get("worst")
    if a is None or b is None or a["index"] != b["index"]:
        return False
    return exceeds(float(a["got"]), float(b["got"]), float(b["bound"]))


def exceeds(old: float, new: float, bound: float) -> bool:
    """Say whether two numbers are further apart than a bound; special values are the same or infinitely far apart."""
    if old == new or (math.isnan(old) and math.isnan(new)):
        return False
    return not abs(new - old) <= bound
