"""The compatibility table: a row per clause, a column per framework, and in each cell the releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnconform.conformance.vectors.clauses import Clause, clauses
from nnconform.conformance.vectors.dialects import of_the_suite

from . import frame
from .clause_state import State, clause_state
from .releases import Release, Site


@dataclass(frozen=True)
class Span:
    """Consecutive releases of a framework with the same state of a clause.

    Attributes:
        releases: the newest first.
        state: of the newest.
        versions: the framework's own, ``0.10.2`` or ``0.9.2 to 0.10.2``; those of all packages if its own repeat.
    """

    releases: Sequence[Release]
    state: State
    versions: str


def spans(name: str, releases: Sequence[Release]) -> list[Span]:
    """Return the states of a clause over the releases of a framework, the newest first.

    An older release without results for the clause does not split a span. Neither does one that ran a selection of the
    vectors, unless it breaks the clause, because it might depart from the clause on the other vectors.

    Args:
        name: of the clause.
        releases: the oldest first.
    """
    runs: list[tuple[list[Release], State]] = []
    for release in reversed(releases):
        state = clause_state(name, release)
        if runs and (state.word == "silent" or not (release.whole or state.word == "breaks")):
            continue
        if runs and _same(state, runs[-1][1]):
            runs[-1][0].append(release)
        else:
            runs.append(([release], state))
    return [Span(members, state, _versions(members, releases)) for members, state in runs]


def _versions(members: Sequence[Release], releases: Sequence[Release]) -> str:
    unique = len({release.version for release in releases}) == len(releases)
    newest, oldest = (release.version if unique else release.title for release in (members[0], members[-1]))
    return newest if newest == oldest else f"{oldest} to {newest}"


def _same(one: State, other: State) -> bool:
    return one.word == other.word and one.dialects == other.dialects


def table(site: Site) -> Mapping[str, Sequence[tuple[Clause, Mapping[str, list[Span]]]]]:
    """Return the clauses for which a framework has results, by page of the spec, with their spans by framework."""
    by_page: dict[str, list[tuple[Clause, Mapping[str, list[Span]]]]] = {}
    for name, clause in clauses().items():
        if of_the_suite(name):
            continue
        row = {framework: spans(name, releases) for framework, releases in site.releases.items()}
        if any(spans_of_it[0].state.word != "silent" for spans_of_it in row.values()):
            by_page.setdefault(clause.page, []).append((clause, row))
    return by_page


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the page of the table."""
    address = "compatibility.html"
    yield address, frame.render("compatibility.html", address, "Compatibility", site=site, table=table(site))
