"""Plan the update of a list of known divergences: new counts, stale entries, and entries for new findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.model.verdicts import FAILING
from nnconform.conformance.vectors.dialects import dialects
from nnconform.conformance.vectors.vector import Vector
from nnconform.conformance.words import first_line

from .file import Entry, KnownList
from .matching import Match, match
from .new_entries import NewEntry, entries_for
from .scope import Outcome, outcome

UNEXPLAINED = "not explained yet"


@dataclass
class Plan:
    """The changes to a list; entries have their numbers from 0.

    Attributes:
        matches: the entries, with their results.
        counts: new values of ``covers``.
        removed: reasons of entries that go.
        replacements: entries that come in place of removed ones.
        added: entries at the end.
    """

    matches: Sequence[Match]
    counts: dict[int, int] = field(default_factory=dict)
    removed: dict[int, str] = field(default_factory=dict)
    replacements: dict[int, list[Entry]] = field(default_factory=dict)
    added: list[Entry] = field(default_factory=list)

    @property
    def changes_anything(self) -> bool:
        """True if the list is not up to date."""
        return bool(self.counts or self.removed or self.added)

    @property
    def result(self) -> list[Entry]:
        """The entries of the updated list."""
        entries: list[Entry] = []
        for number, m in enumerate(self.matches):
            if number in self.removed:
                entries += self.replacements.get(number, ())
            else:
                entries.append(replace(m.entry, covers=self.counts.get(number, m.entry.covers)))
        return [*entries, *self.added]


def make_plan(known_list: KnownList, report: Report, vectors: Sequence[Vector], *, dialects: bool) -> Plan:
    """Return the plan for a list.

    Args:
        known_list: the list.
        report: of a whole run.
        vectors: all published vectors.
        dialects: add entries for results by a dialect too.
    """
    plan = Plan(match(known_list, report, vectors))
    covered_ids: set[int] = set()
    freed: set[int] = set()
    for number, m in enumerate(plan.matches):
        covered = {id(result) for result in m.covered}
        if not m.note and not covered:
            plan.removed[number] = m.problems[0]
        elif m.mixed or covered & covered_ids:
            plan.removed[number] = "; ".join(m.problems)
            freed |= covered
        else:
            covered_ids |= covered
            if not m.note and len(m.vectors) != m.entry.covers:
                plan.counts[number] = len(m.vectors)
    verdicts = FAILING | {"dialect"} if dialects else FAILING
    targets = [
        result
        for result in report.results
        if id(result) not in covered_ids
        and (id(result) in freed or (result.verdict in verdicts and not result.is_default))
    ]
    for new in entries_for(targets, report.results, [vector.id for vector in vectors], excluded=covered_ids):
        _add(new, plan)
    return plan


def _add(new: NewEntry, plan: Plan) -> None:
    """Add a new entry with a reason and a link, in place of the removed entry that had its results, if any."""
    result = new.results[0]
    reason, link = _first_reason(outcome(result), result)
    ids = {id(result) for result in new.results}
    for number in (*plan.removed, *plan.counts):
        m = plan.matches[number]
        if ids.isdisjoint(map(id, m.scope)):
            continue
        old = m.entry
        if m.outcome == outcome(result):
            entry = replace(new.entry, reason=old.reason, link=old.link, versions=old.versions)
        else:
            entry = replace(new.entry, reason=_changed_reason(old), link=old.link or link)
        if number in plan.removed:
            plan.replacements.setdefault(number, []).append(entry)
        else:
            plan.added.append(entry)
        return
    plan.added.append(replace(new.entry, reason=reason, link=link))


def _changed_reason(old: Entry) -> str:
    """Return the reason of an entry whose results now have another verdict."""
    if old.reason.startswith(UNEXPLAINED):
        return old.reason
    return f"{UNEXPLAINED}; was {old.verdict}: {old.reason}"


def _first_reason(common: Outcome, result: Result) -> tuple[str, str]:
    """Return the reason and the link of a finding that nobody has explained, the link "" if there is none."""
    if common.dialects:
        published = dialects()
        names = (part for name in common.dialects for part in name.split("+"))
        parts = [published[name] for name in names if name in published]
        summaries = " ".join(dict.fromkeys(part.summary for part in parts))
        links = (link for part in parts for link in part.links)
        return summaries or UNEXPLAINED, next(links, "")
    first = first_line(result.reason)
    return f"{UNEXPLAINED}: {first}" if first else UNEXPLAINED, ""
