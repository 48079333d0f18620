"""Which releases of a framework have a dialect, and which are shown not to have it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnconform.conformance.model.result import Result
from nnconform.conformance.report.findings import Group

from .releases import Release

# With another verdict a result may hide a dialect.
TELLING = ("conforms", "dialect")
Place = tuple[str, str, str]


@dataclass(frozen=True)
class Found:
    """What a release shows of a dialect.

    Attributes:
        release: the release.
        group: its results that have the dialect, alone or combined with others; None where there is none.
        shown: whether one of its results would have shown it: of an implementation, in a mode and on a vector that
            has it in another release.
    """

    release: Release
    group: Group | None
    shown: bool


@dataclass(frozen=True)
class History:
    """What the releases of a framework show of a dialect that at least one of them has.

    Attributes:
        found: by release, the oldest first.
    """

    found: Sequence[Found]

    @property
    def newest(self) -> Found:
        """What the newest release shows."""
        return self.found[-1]

    @property
    def changes(self) -> Iterator[tuple[str, Release]]:
        """Where it came and where it went: ``since`` or ``until before``, and a release; the oldest first."""
        for old, new in itertools.pairwise(found for found in self.found if found.shown):
            if bool(old.group) != bool(new.group):
                yield "since" if new.group else "until before", new.release


def histories(releases: Sequence[Release]) -> dict[str, History]:
    """Return what the releases of a framework, the oldest first, show of each dialect that one of them has."""
    by_release = [_of(release) for release in releases]
    names = dict.fromkeys(name for found in by_release for name in found)
    return {name: _history(releases, [found.get(name) for found in by_release]) for name in names}


def _history(releases: Sequence[Release], groups: Sequence[Group | None]) -> History:
    having = {_place(result) for group in groups if group for result, _ in group.members}
    return History(
        [Found(r, group, bool(group) or _shown(r, having)) for r, group in zip(releases, groups, strict=True)]
    )


def _shown(release: Release, having: set[Place]) -> bool:
    results = release.on({vector for _, _, vector in having})
    return any(result.verdict in TELLING and _place(result) in having for result in results)


def _place(result: Result) -> Place:
    return result.implementation, result.mode, result.vector


def _of(release: Release) -> Mapping[str, Group]:
    """Return the findings of a release by dialect; of a combination, for each of its parts."""
    found: dict[str, Group] = defaultdict(Group)
    for result in release.results:
        for output, dialect in result.dialects():
            for part in dialect.split("+"):
                found[part].add(result, output)
    return dict(found)
