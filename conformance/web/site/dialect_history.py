"""The history of a dialect over the releases of a framework."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnconform.conformance.model.result import Result
from nnconform.conformance.report.findings import Group

from .releases import Release

# A result with another verdict may hide a dialect.
CLEAR = ("conforms", "dialect")
Call = tuple[str, str, str]


@dataclass(frozen=True)
class Presence:
    """A dialect in one release.

    Attributes:
        release: of the framework.
        group: its results with the dialect, alone or in a combination; None if there is none.
        tested: whether the release has a clear result of a call that has the dialect in some release.
    """

    release: Release
    group: Group | None
    tested: bool


@dataclass(frozen=True)
class History:
    """A dialect over the releases of a framework, of which one has it at least.

    Attributes:
        presences: by release, the oldest first.
    """

    presences: Sequence[Presence]

    @property
    def changes(self) -> Iterator[tuple[str, Release]]:
        """The releases that gained or lost the dialect, the oldest first, with ``since`` or ``gone since``."""
        for old, new in itertools.pairwise(presence for presence in self.presences if presence.tested):
            if bool(old.group) != bool(new.group):
                yield "since" if new.group else "gone since", new.release


def histories(releases: Sequence[Release]) -> dict[str, History]:
    """Return the history of each dialect that a release of a framework has.

    Args:
        releases: the oldest first.
    """
    by_release = [_group_by_dialect(release) for release in releases]
    names = dict.fromkeys(name for groups in by_release for name in groups)
    return {name: _history(releases, [groups.get(name) for groups in by_release]) for name in names}


def _history(releases: Sequence[Release], groups: Sequence[Group | None]) -> History:
    calls = {_call(result) for group in groups if group for result, _ in group.members}
    pairs = zip(releases, groups, strict=True)
    return History([Presence(release, group, bool(group) or _tests(release, calls)) for release, group in pairs])


def _tests(release: Release, calls: set[Call]) -> bool:
    results = release.on({vector for _, _, vector in calls})
    return any(result.verdict in CLEAR and _call(result) in calls for result in results)


def _call(result: Result) -> Call:
    return result.implementation, result.mode, result.vector


def _group_by_dialect(release: Release) -> Mapping[str, Group]:
    """Return the results of a release by dialect; those with a combination by each of its parts."""
    groups: dict[str, Group] = defaultdict(Group)
    for result in release.results:
        for output, dialect in result.dialects():
            for part in dialect.split("+"):
                groups[part].add(result, output)
    return dict(groups)
