"""The changes of a release: the diff of two consecutive reports of a framework."""

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
    """The changes from one release to the next.

    Attributes:
        old: the earlier release.
        headline: the versions and the conclusion, in a sentence.
        sections: titles and groups of changes, those that need action first.
        remarks: the limits of the comparison and the number of outputs with other bits, a sentence each.
    """

    old: Release
    headline: str
    sections: Sequence[tuple[str, Sequence[Group]]]
    remarks: Sequence[str]


def compare(old: Release, new: Release) -> Changes:
    """Compare two releases of a framework."""
    diff = comparison.compare(old.report, new.report)
    all_groups = group_changes(diff)
    sections = [(title, [g for g in all_groups if g.section == name]) for name, title in TITLES.items()]
    return Changes(
        old,
        summary.headline(diff),
        [(title, members) for title, members in sections if members],
        list(_remarks(diff)),
    )


def _remarks(diff: Diff) -> Iterator[str]:
    if diff.drifted:
        operations = dict.fromkeys(drift.operation for drift in diff.drift)
        yield f"{count(diff.drifted, 'output')} with other bits and the same verdict, of {', '.join(operations)}."
    if altered := len(diff.altered_vectors):
        yield f"{count(altered, 'vector')} changed since the older report, and cannot be compared."
    for names, word in ((diff.only_old, "older"), (diff.only_new, "newer")):
        if names.vectors:
            yield f"{count(len(names.vectors), 'vector')} only in the {word} report."
    yield from diff.notes
