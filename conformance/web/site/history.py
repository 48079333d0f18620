"""What each release of a framework changed: the diff of two neighbouring reports, for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnconform.conformance.diff import comparison, summary
from nnconform.conformance.diff.groups import TITLES, Group, group_changes
from nnconform.conformance.model.diff import Diff
from nnconform.conformance.words import count

from .releases import Release


@dataclass(frozen=True)
class Changes:
    """What changed from one release to the next.

    Attributes:
        old: the release before.
        headline: what was compared and what came of it, a sentence.
        sections: titles and groups of changes, those to act on first.
        remarks: what limits the comparison, and how many outputs have other bits, a sentence each.
    """

    old: Release
    headline: str
    sections: Sequence[tuple[str, Sequence[Group]]]
    remarks: Sequence[str]


def between(old: Release, new: Release) -> Changes:
    """Compare two releases of a framework."""
    diff = comparison.compare(old.report, new.report)
    all_groups = group_changes(diff)
    sections = [(title, [g for g in all_groups if g.section == name]) for name, title in TITLES.items()]
    return Changes(
        old,
        summary.headline(diff),
        [(title, chosen) for title, chosen in sections if chosen],
        list(_remarks(diff)),
    )


def _remarks(diff: Diff) -> Iterator[str]:
    if diff.drifted:
        operations = dict.fromkeys(drift.operation for drift in diff.drift)
        yield f"Other bits and the same verdict in {count(diff.drifted, 'output')}, of {', '.join(operations)}."
    if altered := len(diff.altered_vectors):
        yield f"{count(altered, 'vector')} had other numbers in the older report, and cannot be compared."
    for names, word in ((diff.only_old, "older"), (diff.only_new, "newer")):
        if names.vectors:
            yield f"{count(len(names.vectors), 'vector')} only in the {word} report."
    yield from diff.notes
