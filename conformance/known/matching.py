"""Judge a run by a list of known divergences (spec/known.md): what it covers, and where it has gone stale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nnconform.conformance.model.verdicts import SEVERITY
from nnconform.conformance.vectors.vector import Vector
from nnconform.conformance.words import count

from .file import Entry, Known, KnownError, read
from .scope import Ground, Row, Seen, in_range, place, scope, seen, version_of, where

__all__ = ["Entry", "Known", "KnownError", "State", "apply", "judge", "read"]

# holds: it covers what it says. wrong: it does not. apart: it holds for other versions. unjudged: its scope was not
# all asked for, or did not all run, and nothing in what there is speaks against it.
Kind = Literal["holds", "wrong", "apart", "unjudged"]


@dataclass
class State:
    """What a report says of an entry.

    Attributes:
        entry: which.
        kind: holds, wrong, apart or unjudged.
        scope: the results that it takes, whatever their verdict.
        covered: those of them that have its verdict.
        problems: what is wrong and what to do, each in a sentence; empty unless it is wrong.
        note: why it is apart, or not judged exactly; "" where it is.
        mixed: other results on a vector that it covers have another verdict.
        shared: an earlier entry covers some of its results too.
    """

    entry: Entry
    kind: Kind = "holds"
    scope: list[Row] = field(default_factory=list)
    covered: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    note: str = ""
    mixed: bool = False
    shared: bool = False

    @property
    def wanted(self) -> Seen:
        """What a result must be to be covered."""
        return Seen(self.entry.verdict, self.entry.dialects)

    @property
    def vectors(self) -> list[str]:
        """The distinct vectors that it covers, in the order of the report."""
        return list(dict.fromkeys(row["vector"] for row in self.covered))


def apply(known: Known, report: dict[str, Any], vectors: Iterable[Vector]) -> None:
    """Mark the results that a list covers with ``known``, and put what is wrong with it into ``known_problems``.

    An entry that covers more than it says marks nothing.

    Args:
        known: the list.
        report: a report's document, which is changed; what an earlier list left in it is removed.
        vectors: all that there are, of which the report's run may have asked for a part.
    """
    report.pop("known_problems", None)
    for row in report["results"]:
        row.pop("known", None)
    states = judge(known, report, vectors)
    reasons = {
        id(row): state.entry.reason
        for state in reversed(states)
        if len(state.vectors) <= state.entry.covers
        for row in state.covered
    }
    for row in report["results"]:
        if id(row) in reasons:
            row["known"] = reasons[id(row)]
    if problems := [f"{known.file}:{s.entry.line}: {problem}" for s in states for problem in s.problems]:
        report["known_problems"] = problems


def judge(known: Known, report: Mapping[str, Any], vectors: Iterable[Vector]) -> list[State]:
    """Return what a report says of each entry of a list; arguments as of ``apply``, and nothing is changed."""
    ground = Ground(report, vectors)
    states = [_state(entry, ground) for entry in known.entries]
    owner: dict[int, State] = {}
    for state in states:
        both = [row for row in state.covered if id(row) in owner]
        if both:
            first = owner[id(both[0])].entry.line
            state.shared = True
            state.problems.append(
                f"line {first} covers {where(both[0])} too{_more(len(both))}; remove one of the two, or narrow it"
            )
        for row in state.covered:
            owner.setdefault(id(row), state)
        if state.problems:
            state.kind = "wrong"
    return states


def _state(entry: Entry, ground: Ground) -> State:
    state = State(entry)
    found = ground.frameworks(entry.framework)
    # One that never said what it implements did not start, and has no version.
    found = [framework for framework in found if framework["implementations"]]
    if not found:
        return _unjudged(state, f"{entry.framework} is not in this report, or did not start")
    versions = [next(iter(framework["versions"].values()), "") for framework in found]
    if invalid := [version for version in versions if entry.versions and version_of(version) is None]:
        state.problems.append(
            f"{entry.framework} has the version {invalid[0]!r}, not one of PEP 440; leave out `versions`"
        )
        return _unjudged(state, "its versions cannot be compared")
    found = [framework for framework, version in zip(found, versions, strict=True) if in_range(entry, version)]
    if not found:
        state.kind, state.note = "apart", f"holds for {entry.versions}; {', '.join(versions)} ran"
        return state
    taken = ground.taken(entry)
    state.scope = scope(entry, ground.rows[entry.framework], taken)
    state.covered = [row for row in state.scope if seen(row) == state.wanted]
    state.problems += _in_any_run(state)
    if note := next(filter(None, (ground.not_whole(framework, entry, taken) for framework in found)), ""):
        return _unjudged(state, note)
    state.problems += _in_a_whole_run(state, taken)
    return state


def _unjudged(state: State, note: str) -> State:
    state.kind, state.note = "unjudged", note
    return state


def _in_any_run(state: State) -> list[str]:
    """Return what is wrong whatever else was asked for: too many vectors, and vectors that are covered in part."""
    problems = []
    covered, says = state.vectors, state.entry.covers
    if len(covered) > says:
        problems.append(
            f"covers {count(len(covered), 'vector')} and says {says}: "
            f"{', '.join(covered[:5])}{_more(len(covered), 5)}; "
            "look at those that are new, then narrow it or correct `covers`"
        )
    on_covered = set(covered)
    other = [row for row in state.scope if row["vector"] in on_covered and seen(row) != state.wanted]
    if other:
        state.mixed = True
        same = next(row for row in state.covered if row["vector"] == other[0]["vector"])
        problems.append(
            f"{where(same)} {seen(same)}, but {place(other[0])} {seen(other[0])}{_more(len(other))}; narrow its "
            "implementation or mode to those that do"
        )
    return problems


def _in_a_whole_run(state: State, taken: set[str]) -> list[str]:
    """Return what is wrong with an entry whose whole scope was asked for: it covers too few vectors, or none."""
    covered, entry = state.vectors, state.entry
    if not taken:
        return [f"there is no vector {entry.vector or f'of clause {entry.clause}'}; remove it, or correct it"]
    if not state.scope:
        places = f"{entry.implementation}, mode {entry.mode}"
        return [f"no result is in its scope ({places}): the framework has none such any more; remove it, or correct it"]
    rest = [row for row in state.scope if seen(row) != state.wanted]
    # A change for the worse first: what conforms may always have done so.
    rest.sort(key=lambda row: -SEVERITY.index(row["verdict"]))
    now = "; ".join(f"{where(row)} {seen(row)}" for row in rest[:3]) + _more(len(rest), 3)
    if not covered:
        return [f"covers nothing: no result in its scope {state.wanted} any more: {now}; remove it"]
    if len(covered) < entry.covers:
        return [
            f"covers {count(len(covered), 'vector')} and says {entry.covers}; the others in its scope: {now}; "
            "correct `covers`"
        ]
    return []


def _more(number: int, named: int = 1) -> str:
    return f" and {number - named} more" if number > named else ""
