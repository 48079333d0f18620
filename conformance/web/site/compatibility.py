"""The table of who keeps which clause: a row for each clause, a column for each framework, in it its releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnconform.conformance.vectors.clauses import Clause, clauses
from nnconform.conformance.vectors.dialects import of_the_suite

from . import clause_state, parts
from .clause_state import State
from .releases import Release


@dataclass(frozen=True)
class Span:
    """Neighbouring releases of a framework that make the same of a clause.

    Attributes:
        releases: the newest first.
        state: what the newest of them makes of it.
        versions: the framework's own: ``0.10.2``, or ``0.9.2 to 0.10.2``; all packages where those do not tell.
    """

    releases: Sequence[Release]
    state: State
    versions: str


def spans(name: str, found: Sequence[Release]) -> list[Span]:
    """Return what the releases of a framework make of a clause, the newest first, those that make the same together.

    An older release that shows nothing of a clause parts no others, nor does one that was run in part, unless it breaks
    the clause: what was not run might depart from it.

    Args:
        name: of the clause.
        found: the releases, the oldest first.
    """
    alike: list[tuple[list[Release], State]] = []
    for release in reversed(found):
        state = clause_state.of(name, release)
        if alike and (state.word == "silent" or not (release.whole or state.word == "breaks")):
            continue
        if alike and _same(state, alike[-1][1]):
            alike[-1][0].append(release)
        else:
            alike.append(([release], state))
    return [Span(shown, state, _versions(shown, found)) for shown, state in alike]


def _versions(shown: Sequence[Release], found: Sequence[Release]) -> str:
    tell = len({release.version for release in found}) == len(found)
    newest, oldest = (release.version if tell else release.title for release in (shown[0], shown[-1]))
    return newest if newest == oldest else f"{oldest} to {newest}"


def _same(one: State, other: State) -> bool:
    return one.word == other.word and one.dialects == other.dialects


def table(site: parts.Site) -> Iterator[tuple[str, list[tuple[Clause, Mapping[str, list[Span]]]]]]:
    """Yield by page of the spec the clauses that a framework shows something of, each with its spans by framework."""
    by_page: dict[str, list[tuple[Clause, Mapping[str, list[Span]]]]] = {}
    for name, clause in clauses().items():
        if of_the_suite(name):
            continue
        row = {framework: spans(name, found) for framework, found in site.releases.items()}
        if any(found[0].state.word != "silent" for found in row.values()):
            by_page.setdefault(clause.page, []).append((clause, row))
    yield from by_page.items()


def pages(site: parts.Site) -> Iterator[tuple[str, str]]:
    """Yield the page of the table."""
    address = "compatibility.html"
    yield address, parts.render(address, address, "Compatibility", site=site, table=list(table(site)))
