"""Changes that are one thing to tell: the same output, the same way, over implementations, modes and vectors."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nnconform.conformance.report import findings_of_rows as findings

from .changes import FAILS
from .wording import DOES, Change, Told, first_line, label, row_text, sentence, values

Section = Literal["act", "improved", "recorded"]

SECTIONS: Sequence[Section] = ("act", "improved", "recorded")
# What is told of the whole result: its output, where it has one, only stands for it.
WHOLE = ("stream-changed", "defaults-changed", "latitude-changed")
IMPROVEMENTS = ("fixed", "raises-no-more", "dies-no-more", "supported")
# Benign numbers are the easiest to read.
PROFILES = ("core", "half", "range", "edge", "defaults")


@dataclass(frozen=True)
class Group:
    """Changes of one kind, on one output of one operation of one framework, from one state to another.

    Attributes:
        kind: of all of them.
        fails: whether they are to be acted on.
        framework: whose they are.
        operation: which.
        output: base name of the output, "" for whole results.
        old: dialect or verdict before.
        new: dialect or verdict after.
        sentence: what changed, in words, without the framework's name.
        details: lines that say more: what the dialect does, which implementations, an example.
        rows: the changes, in the document's order.
    """

    kind: str
    fails: bool
    framework: str
    operation: str
    output: str
    old: str
    new: str
    sentence: str
    details: Sequence[str]
    rows: Sequence[Change]

    @property
    def vectors(self) -> int:
        """How many vectors are concerned."""
        return len({row["vector"] for row in self.rows})

    @property
    def section(self) -> Section:
        """Where it is told: what to act on, what is better or new, or what is only recorded."""
        if self.fails:
            return "act"
        return "improved" if self.kind in IMPROVEMENTS else "recorded"


def groups(document: Mapping[str, Any]) -> list[Group]:
    """Return the changes of a diff in groups: those to act on first, and of a section those of most vectors first.

    Drifted outputs are in no group: the document's ``drift`` tells of them.
    """
    found: dict[tuple[Any, ...], list[Change]] = defaultdict(list)
    for change in document["changes"]:
        if change["kind"] != "drifted":
            found[_key(change)].append(change)
    return sorted((_group(key, rows) for key, rows in found.items()), key=_order)


def _order(group: Group) -> tuple[Any, ...]:
    place = SECTIONS.index(group.section), -group.vectors, list(FAILS).index(group.kind)
    return (*place, group.framework, group.sentence)


def _key(change: Change) -> tuple[Any, ...]:
    output = "" if change["kind"] in WHOLE else change["output"].partition("[")[0]
    head = (change["kind"], change["fails"], change["framework"], change["operation"], output)
    return (*head, label(change["old"]), label(change["new"]), _cause(change))


def _cause(change: Change) -> str:
    """Return what parts changes of the same states: why something is not there, an error's type, a wrong dtype."""
    old, new = change["old"], change["new"]
    if change["kind"] == "supported":
        return str(old.get("reason", ""))
    if change["kind"] == "gone":
        return str(new.get("reason", ""))
    if new["verdict"] in ("timeout", "crash"):
        return ""
    if "reason" in new:
        return first_line(new["reason"]).partition(":")[0]
    # What is wrong with a dtype or shape is said in the same words for many vectors, with a law in numbers.
    return str(new.get("problem", "")).partition(" ")[0]


def _group(key: tuple[Any, ...], rows: Sequence[Change]) -> Group:
    kind, fails, framework, operation, output, old, new, _ = key
    told = Told(kind, output, old, new, min(rows, key=_telling), rows)
    details = tuple(_details(told))
    return Group(kind, fails, framework, operation, output, old, new, sentence(operation, told), details, rows)


def _telling(change: Change) -> tuple[Any, ...]:
    """Sort first the change whose numbers are the easiest to read: both are known, differ, are finite and near 1."""
    numbers = [value for value in values(change) if value is not None]
    finite = [value for value in numbers if math.isfinite(value)]
    size = max((abs(math.log10(abs(value))) for value in finite if value), default=0.0)
    return len(set(numbers)) < 2, len(finite) < 2, PROFILES.index(change["profile"]), round(size)


def _details(told: Told) -> Iterator[str]:
    yield from _summaries(told.new if told.new not in DOES else told.old)
    calls = findings.Group()
    for row in told.rows:
        calls.add(row, row["output"])
    yield f"in {calls.implementations_text}"
    yield f"e.g. {row_text(told.example)}"


def _summaries(dialect: str) -> Iterator[str]:
    """Yield what a dialect does, each part of a combination."""
    if dialect in DOES:
        return
    from nnconform.conformance.vectors.dialects import dialects

    known = dialects()
    yield from (str(known[part]["summary"]) for part in dialect.split("+") if part in known)
