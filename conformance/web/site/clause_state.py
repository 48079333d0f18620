"""Whether a release keeps a clause: all of its implementations, some of them, or none."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nnconform.conformance.explain import clause
from nnconform.conformance.model.verdicts import FAILING
from nnconform.conformance.report.findings import Group
from nnconform.conformance.vectors import index

from .releases import Release

Word = Literal["keeps", "partly", "departs", "breaks", "silent"]


@dataclass(frozen=True)
class State:
    """What a release makes of a clause.

    Attributes:
        groups: the implementations by what they do: ``conforms``, a dialect, ``diverges`` and so on, as
            ``explain.clause.standings`` has them.
        departing: the dialects of the catalogue that depart from the clause.
    """

    groups: Mapping[str, Group]
    departing: Collection[str]

    @property
    def word(self) -> Word:
        """``keeps`` it, ``partly`` (some depart by a dialect), ``departs``, ``breaks`` it, or ``silent``: not shown."""
        if any(said in FAILING for said in self.groups):
            return "breaks"
        kept = any(said in (clause.KEEPS, clause.ELSEWHERE) for said in self.groups)
        if self.dialects:
            return "partly" if kept else "departs"
        return "keeps" if kept else "silent"

    @property
    def dialects(self) -> Sequence[str]:
        """The dialects by which some depart from it, each once, whatever it is combined with."""
        had = {name for said in self.groups for name in said.split("+")}
        return [name for name in self.departing if name in had]


def of(name: str, release: Release) -> State:
    """Return what a release makes of the clause ``name``."""
    departing = clause.departures(name)
    standings = clause.standings(departing, release.on(vectors_of(name)))
    return State(standings.get(release.framework, {}), departing)


def vectors_of(name: str) -> list[str]:
    """Return the ids of the published vectors that test a clause."""
    return _testing().get(name, [])


@functools.cache
def _testing() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for outline in index.outlines():
        for name in outline.clauses:
            found[name].append(outline.id)
    return found
