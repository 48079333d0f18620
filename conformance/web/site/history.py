"""What each release of a framework changed: the diff of two neighbouring reports, for a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnconform.conformance.diff import document as diff
from nnconform.conformance.diff import groups as diff_groups
from nnconform.conformance.diff import summary
from nnconform.conformance.words import count

from .releases import Release

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Changes:
    """What changed from one release to the next.

    Attributes:
        old: the release before.
        headline: what was compared and what came of it, a sentence.
        sections: a title and its changes in groups (``diff_groups.Group``), what to act on first.
        remarks: what limits the comparison, and how many outputs have other bits, a sentence each.
    """

    old: Release
    headline: str
    sections: Sequence[tuple[str, Sequence[diff_groups.Group]]]
    remarks: Sequence[str]


def between(old: Release, new: Release) -> Changes:
    """Compare two releases of a framework."""
    document = diff.compare(old.report, new.report)
    found = diff_groups.groups(document)
    sections = [(title, [g for g in found if g.section == name]) for name, title in summary.TITLES.items()]
    return Changes(
        old,
        summary.headline(document),
        [(title, groups) for title, groups in sections if groups],
        list(_remarks(document)),
    )


def _remarks(document: Document) -> Iterator[str]:
    if drifted := sum(row["tensors"] for row in document["drift"]):
        operations = dict.fromkeys(row["operation"] for row in document["drift"])
        yield f"Other bits and the same verdict in {count(drifted, 'output')}, of {', '.join(operations)}."
    if altered := document["altered_vectors"]:
        yield f"{count(len(altered), 'vector')} had other numbers in the older report, and cannot be compared."
    for side, word in (("old", "older"), ("new", "newer")):
        if names := document[f"only_{side}"]["vectors"]:
            yield f"{count(len(names), 'vector')} only in the {word} report."
    yield from document["notes"]
