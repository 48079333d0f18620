"""The state of a clause in a release: kept by all of its implementations, some of them, or none."""

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
    """The state of a clause in a release.

    Attributes:
        groups: the implementations by their standing to the clause (``explain.clause.standings``).
        departing: the dialects that depart from the clause.
    """

    groups: Mapping[str, Group]
    departing: Collection[str]

    @property
    def word(self) -> Word:
        """``keeps``, ``partly`` (some have a dialect), ``departs``, ``breaks`` (unexplained) or ``silent``."""
        if any(standing in FAILING for standing in self.groups):
            return "breaks"
        some_keep = any(standing in (clause.KEEPS, clause.ELSEWHERE) for standing in self.groups)
        if self.dialects:
            return "partly" if some_keep else "departs"
        return "keeps" if some_keep else "silent"

    @property
    def dialects(self) -> Sequence[str]:
        """The dialects by which implementations depart from the clause, alone or in combinations."""
        present = {name for standing in self.groups for name in standing.split("+")}
        return [name for name in self.departing if name in present]


def clause_state(name: str, release: Release) -> State:
    """Return the state of the clause ``name`` in a release."""
    departing = clause.departures(name)
    standings = clause.standings(departing, release.on(vectors_of(name)))
    return State(standings.get(release.framework, {}), departing)


def vectors_of(name: str) -> list[str]:
    """Return the ids of the published vectors that test a clause."""
    return _vectors_by_clause().get(name, [])


@functools.cache
def _vectors_by_clause() -> Mapping[str, list[str]]:
    vectors: dict[str, list[str]] = defaultdict(list)
    for outline in index.outlines():
        for name in outline.clauses:
            vectors[name].append(outline.id)
    return vectors
