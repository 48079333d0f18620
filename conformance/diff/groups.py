"""Groups of changes: the same output changes in the same way, over implementations, modes and vectors."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnconform.conformance.model.change import KINDS, Change, Section
from nnconform.conformance.model.diff import Diff
from nnconform.conformance.report import findings
from nnconform.conformance.words import GLUE, first_line

from .sentences import DOES, Statement, change_text, example_values, sentence

# In the order of display.
TITLES: dict[Section, str] = {
    "act": "Needs action",
    "improved": "Improved or new",
    "recorded": "Changed in cases that the spec leaves open (recorded, not judged)",
}
# Profiles whose numbers are the easiest to read come first.
PROFILES = ("core", "half", "range", "edge", "defaults")


@dataclass(frozen=True)
class Group:
    """Changes of one kind, of one output of one operation of one framework, from one state to another.

    Attributes:
        kind: of all of them.
        framework: the adapter's name.
        operation: of the vectors.
        output: base name of the output, "" for whole results.
        old: dialect or verdict before.
        new: dialect or verdict after.
        sentence: the change in words, without the framework's name.
        details: further lines: summaries of the dialect, implementations, an example.
        changes: in the order of the diff.
    """

    kind: str
    framework: str
    operation: str
    output: str
    old: str
    new: str
    sentence: str
    details: Sequence[str]
    changes: Sequence[Change]

    @property
    def fails(self) -> bool:
        """True if the changes fail a gate."""
        return self.changes[0].fails

    @property
    def section(self) -> Section:
        """The section of the text that the group belongs to."""
        return self.changes[0].section

    @property
    def vectors(self) -> int:
        """The number of vectors."""
        return len({change.vector for change in self.changes})


def group_changes(diff: Diff) -> list[Group]:
    """Return the changes of a diff in groups: those to act on first, and in each section those of most vectors first.

    Drifted outputs are in no group; they are in ``diff.drift``.
    """
    changes: dict[tuple[str, ...], list[Change]] = defaultdict(list)
    for change in diff.changes:
        if change.kind != "drifted":
            changes[_key(change)].append(change)
    return sorted((_group(key[-1], group) for key, group in changes.items()), key=_order)


def _order(group: Group) -> tuple[int | str, ...]:
    place = list(TITLES).index(group.section), -group.vectors, list(KINDS).index(group.kind)
    return (*place, group.framework, group.sentence)


def _key(change: Change) -> tuple[str, ...]:
    output = "" if KINDS[change.kind].whole else change.output.partition("[")[0]
    call = (change.kind, change.section, change.framework, change.operation)
    return (*call, change.old.label, change.new.label, _cause(change), output)


def _cause(change: Change) -> str:
    """Return the cause that separates changes between the same states: a reason, an error's type, a wrong dtype."""
    if change.kind == "supported":
        return change.old.reason
    if change.kind == "gone":
        return change.new.reason
    if change.new.verdict in ("timeout", "crash"):
        return ""
    if change.new.reason:
        return first_line(change.new.reason).partition(":")[0]
    # A wrong dtype or shape is in the same words for many vectors, a wrong law in numbers.
    return change.new.problem.partition(" ")[0]


def _group(output: str, changes: Sequence[Change]) -> Group:
    example = min(changes, key=_readability)
    old, new = example.old.label, example.new.label
    statement = Statement(example.kind, output, old, new, example, changes)
    return Group(
        example.kind,
        example.framework,
        example.operation,
        output,
        old,
        new,
        sentence(example.operation, statement),
        tuple(_details(statement)),
        changes,
    )


def _readability(change: Change) -> tuple[bool, bool, int, int]:
    """Return a sort key that puts the most readable numbers first: both known, different, finite and near 1."""
    numbers = [value for value in example_values(change) if value is not None]
    finite = [value for value in numbers if math.isfinite(value)]
    size = max((abs(math.log10(abs(value))) for value in finite if value), default=0.0)
    return len(set(numbers)) < 2, len(finite) < 2, PROFILES.index(change.profile), round(size)


def _details(statement: Statement) -> Iterator[str]:
    yield from _dialect_summaries(statement.new if statement.new not in DOES else statement.old)
    modes: dict[str, dict[str, None]] = {}
    for change in statement.changes:
        modes.setdefault(change.implementation, {})[change.mode] = None
    yield f"in {findings.format_implementations(modes).replace(GLUE, ' ')}"
    yield f"e.g. {change_text(statement.example)}"


def _dialect_summaries(dialect: str) -> Iterator[str]:
    """Yield the summary of a dialect, or of each part of a combination."""
    if dialect in DOES:
        return
    from nnconform.conformance.vectors.dialects import dialects

    descriptions = dialects()
    yield from (descriptions[part].summary for part in dialect.split("+") if part in descriptions)
