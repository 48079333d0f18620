"""Judge a run by a list of known divergences (spec/known.md): the results that it covers, and its stale entries."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.model.verdicts import SEVERITY
from nnconform.conformance.vectors.vector import Vector
from nnconform.conformance.words import count

from .file import Entry, KnownList
from .scope import Outcome, ReportIndex, describe_call, describe_result, in_range, outcome, version_of

# An entry is not judged if its scope was not all asked for, or did not all run, and no result is against it.
Status = Literal["holds", "does not hold", "other versions", "not judged"]


@dataclass
class Match:
    """An entry and the results of a report that it is about.

    Attributes:
        entry: the entry.
        status: whether it holds.
        scope: the results that it selects, whatever their verdict.
        covered: those of them that have its verdict.
        problems: a sentence each, with the remedy; none unless the entry does not hold.
        note: why it is for other versions, or is not judged; "" if it is judged.
        mixed: whether other results on a vector that it covers have another verdict.
    """

    entry: Entry
    status: Status = "holds"
    scope: list[Result] = field(default_factory=list)
    covered: list[Result] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    note: str = ""
    mixed: bool = False

    @property
    def outcome(self) -> Outcome:
        """The outcome that a result must have to be covered."""
        return Outcome(self.entry.verdict, self.entry.dialects)

    @property
    def vectors(self) -> list[str]:
        """The distinct vectors that it covers, in the order of the report."""
        return list(dict.fromkeys(result.vector for result in self.covered))


def apply(known_list: KnownList, report: Report, vectors: Iterable[Vector]) -> Report:
    """Return the report with the reasons of the results that a list covers, and with the list's problems.

    An entry that covers more vectors than it should gives no result its reason. Reasons and problems of an earlier list
    are removed.

    Args:
        known_list: the list.
        report: the report.
        vectors: all that exist; the report's run may have asked for a part of them.
    """
    matches = match(known_list, report, vectors)
    reasons = {
        id(result): m.entry.reason
        for m in reversed(matches)
        if len(m.vectors) <= m.entry.covers
        for result in m.covered
    }
    results = (_with_reason(result, reasons.get(id(result), "")) for result in report.results)
    problems = (f"{known_list.file}:{m.entry.line}: {problem}" for m in matches for problem in m.problems)
    return dataclasses.replace(report, results=tuple(results), known_problems=tuple(problems))


def _with_reason(result: Result, reason: str) -> Result:
    return result if result.known == reason else dataclasses.replace(result, known=reason)


def match(known_list: KnownList, report: Report, vectors: Iterable[Vector]) -> list[Match]:
    """Return each entry of a list with its results; arguments as of ``apply``."""
    index = ReportIndex(report, vectors)
    matches = [_match(entry, index) for entry in known_list.entries]
    owner: dict[int, Match] = {}
    for m in matches:
        if both := [result for result in m.covered if id(result) in owner]:
            first = owner[id(both[0])].entry.line
            m.problems.append(
                f"line {first} also covers {describe_result(both[0])}{_more(len(both))}; remove or narrow one of the "
                "two entries"
            )
        for result in m.covered:
            owner.setdefault(id(result), m)
        if m.problems:
            m.status = "does not hold"
    return matches


def _match(entry: Entry, index: ReportIndex) -> Match:
    frameworks = index.frameworks(entry.framework)
    if not frameworks:
        return Match(entry, "not judged", note=f"{entry.framework} is not in this report or did not start")
    versions = [framework.version for framework in frameworks]
    if invalid := [version for version in versions if entry.versions and version_of(version) is None]:
        problem = f"{entry.framework} has version {invalid[0]!r}, which is not a PEP 440 version; remove `versions`"
        return Match(entry, "not judged", problems=[problem], note="its versions cannot be compared")
    frameworks = [framework for framework in frameworks if in_range(entry, framework.version)]
    if not frameworks:
        return Match(entry, "other versions", note=f"it is for {entry.versions}, and {', '.join(versions)} ran")
    vectors = index.vectors(entry)
    m = Match(entry, scope=index.scope(entry, vectors))
    m.covered = [result for result in m.scope if outcome(result) == m.outcome]
    m.problems += _problems_in_any_run(m)
    notes = (index.limitation(framework, entry, vectors) for framework in frameworks)
    if note := next(filter(None, notes), ""):
        m.status, m.note = "not judged", note
    else:
        m.problems += _problems_in_a_whole_run(m, vectors)
    return m


def _problems_in_any_run(m: Match) -> list[str]:
    """Return the problems that do not depend on filters: too many vectors, and vectors that are covered in part."""
    problems = []
    covered, covers = m.vectors, m.entry.covers
    if len(covered) > covers:
        problems.append(
            f"covers {count(len(covered), 'vector')}, expected {covers}: "
            f"{', '.join(covered[:5])}{_more(len(covered), 5)}; "
            "check the new ones, then narrow the entry or correct `covers`"
        )
    on_covered = set(covered)
    if other := [result for result in m.scope if result.vector in on_covered and outcome(result) != m.outcome]:
        m.mixed = True
        same = next(result for result in m.covered if result.vector == other[0].vector)
        problems.append(
            f"{describe_result(same)} {outcome(same)}, but {describe_call(other[0])} {outcome(other[0])}"
            f"{_more(len(other))}; narrow the implementation or mode of the entry"
        )
    return problems


def _problems_in_a_whole_run(m: Match, vectors: set[str]) -> list[str]:
    """Return the problems of an entry whose whole scope was asked for: it covers too few vectors, or none."""
    covered, entry = m.vectors, m.entry
    if not vectors:
        return [f"no vector matches {entry.vector or f'clause {entry.clause}'}; fix or remove the entry"]
    if not m.scope:
        return [
            f"no result is in its scope ({entry.implementation}, mode {entry.mode}): this implementation or mode no "
            "longer exists; fix or remove the entry"
        ]
    rest = [result for result in m.scope if outcome(result) != m.outcome]
    # A change for the worse first: results that conform may always have done so.
    rest.sort(key=lambda result: -SEVERITY.index(result.verdict))
    now = "; ".join(f"{describe_result(result)} {outcome(result)}" for result in rest[:3]) + _more(len(rest), 3)
    if not covered:
        return [f"covers nothing: no result in its scope {m.outcome} any more: {now}; remove the entry"]
    if len(covered) < entry.covers:
        return [
            f"covers {count(len(covered), 'vector')}, expected {entry.covers}; the others in its scope: {now}; "
            "correct `covers`"
        ]
    return []


def _more(number: int, listed: int = 1) -> str:
    return f" and {number - listed} more" if number > listed else ""
