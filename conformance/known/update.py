"""Bring a list of known divergences up to date with a run: counts, entries that are stale, findings that are new."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nnconform.conformance.files import write_whole
from nnconform.conformance.report.findings_of_rows import BAD
from nnconform.conformance.vectors.vector import Vector

from . import yaml_text
from .file import Entry, Known, KnownError, parse, read
from .matching import State, judge
from .new_entries import New, entries_for
from .scope import Ground, Row, Seen, seen, title

UNEXPLAINED = "not explained yet"
BOM = "\ufeff"


class Refused(Exception):
    """A list is not brought up to date, and its file is untouched; the message says why and what to do."""


@dataclass
class Plan:
    """What to do with each entry of a list, by its number from 0.

    Attributes:
        states: what the report says of the entries.
        counts: new values of ``covers``.
        removed: entries that go, each with the reason.
        added: new entries, each with the number of the removed entry that it comes instead of, or None.
    """

    states: Sequence[State]
    counts: dict[int, int] = field(default_factory=dict)
    removed: dict[int, str] = field(default_factory=dict)
    added: list[tuple[Entry, int | None]] = field(default_factory=list)

    @property
    def edits(self) -> yaml_text.Edits:
        """The plan as edits of the text."""
        replaced: dict[int, list[Entry]] = {}
        for entry, number in self.added:
            if number is not None:
                replaced.setdefault(number, []).append(entry)
        gone = [number for number in self.removed if number not in replaced]
        return yaml_text.Edits(self.counts, gone, replaced, [entry for entry, number in self.added if number is None])

    @property
    def result(self) -> list[Entry]:
        """The entries that the list will have."""
        edits = self.edits
        found: list[Entry] = []
        for number, state in enumerate(self.states):
            if number in self.removed:
                found += edits.replaced.get(number, ())
            else:
                found.append(replace(state.entry, covers=self.counts.get(number, state.entry.covers)))
        return [*found, *edits.added]


def update(path: Path, report: Mapping[str, Any], vectors: Sequence[Vector], *, dialects: bool) -> list[str]:
    """Bring the list in a file up to date with a report, and return what was changed, in lines; none if nothing was.

    A file that is not there is made. Entries that the report does not judge stay as they are.

    Args:
        path: the file, which is whole at any time.
        report: a report's document, of all vectors.
        vectors: all published vectors.
        dialects: add entries for results by a dialect too; they fail no run unless it is strict.

    Raises:
        KnownError: the file cannot be used.
        Refused: the report is not of a whole run, or the list cannot be edited.
        OSError: the file cannot be written.
    """
    if why := partial(report, vectors):
        raise Refused(f"{why}; a list is brought up to date with a whole run: `nnconform run` without filters")
    there = path.exists()
    known = read(path) if there else Known(str(path), ())
    data = path.read_bytes().decode() if there else yaml_text.HEAD
    text, mark = data.removeprefix(BOM), BOM if data.startswith(BOM) else ""
    plan = make_plan(known, report, vectors, dialects=dialects)
    lines: list[str] = []
    if plan.counts or plan.removed or plan.added:
        try:
            new, gone = yaml_text.edit(text, plan.edits)
        except yaml_text.LayoutError as error:
            raise Refused(f"{path}: {error}") from None
        lines = list(_told(known.file, plan, gone))
        text = new
    _check(known.file, text, plan, report, vectors)
    if lines or not there:
        write_whole(path.resolve(), (mark + text).encode())
    return lines


def partial(report: Mapping[str, Any], vectors: Sequence[Vector]) -> str:
    """Return why a report is not one of a whole run of the frameworks that it has, or ""."""
    if not report["complete"] or report["faults"] or report["problems"]:
        return "the run is incomplete, or has faults"
    ground = Ground(report, vectors)
    everything = Entry(0, "", "", "*", "*", "*", "", "diverges", (), 1, UNEXPLAINED, "")
    started = [framework for framework in report["frameworks"] if framework["implementations"]]
    if not started:
        return "no framework ran"
    taken = ground.taken(everything)
    return next(filter(None, (ground.not_whole(framework, everything, taken) for framework in started)), "")


def make_plan(known: Known, report: Mapping[str, Any], vectors: Sequence[Vector], *, dialects: bool) -> Plan:
    """Return what to do with a list; arguments as of ``update``."""
    plan = Plan(judge(known, report, vectors))
    held: set[int] = set()
    freed: dict[int, Row] = {}
    for number, state in enumerate(plan.states):
        if not state.note and not state.covered:
            plan.removed[number] = state.problems[0]
        elif state.mixed or any(id(row) in held for row in state.covered):
            plan.removed[number] = "; ".join(state.problems)
            freed |= {id(row): row for row in state.covered}
        else:
            held |= {id(row) for row in state.covered}
            if not state.note and len(state.vectors) != state.entry.covers:
                plan.counts[number] = len(state.vectors)
    bad = BAD | {"dialect"} if dialects else BAD
    wanted = [
        row
        for row in report["results"]
        if id(row) not in held and (id(row) in freed or (row["verdict"] in bad and row["profile"] != "defaults"))
    ]
    names = [vector.id for vector in vectors]
    for new in entries_for(wanted, report["results"], names, held=held):
        plan.added.append(_explained(new, plan))
    return plan


def _explained(new: New, plan: Plan) -> tuple[Entry, int | None]:
    """Return a new entry with a reason and a link, and the number of the entry that it comes instead of, if any."""
    reason, link = _reason(seen(new.rows[0]), new.rows[0])
    rows = {id(row) for row in new.rows}
    for number in (*plan.removed, *plan.counts):
        state = plan.states[number]
        if rows.isdisjoint(map(id, state.scope)):
            continue
        place = number if number in plan.removed else None
        old = state.entry
        if state.wanted == seen(new.rows[0]):
            return replace(new.entry, reason=old.reason, link=old.link, versions=old.versions), place
        said = old.reason if old.reason.startswith(UNEXPLAINED) else f"{UNEXPLAINED}; was {old.verdict}: {old.reason}"
        return replace(new.entry, reason=said, link=old.link or link), place
    return replace(new.entry, reason=reason, link=link), None


def _reason(what: Seen, row: Row) -> tuple[str, str]:
    """Return what can be said of a finding that nobody has explained, and a link or ""."""
    if what.dialects:
        known = _described_dialects()
        described = [known.get(part, {}) for name in what.dialects for part in name.split("+")]
        summaries = " ".join(dict.fromkeys(said["summary"] for said in described if said))
        links = [source for said in described if said for source in said["source"] if source.startswith("http")]
        return summaries or UNEXPLAINED, next(iter(links), "")
    first = row.get("reason", "").strip().partition("\n")[0][:110]
    return f"{UNEXPLAINED}: {first}" if first else UNEXPLAINED, ""


@functools.cache
def _described_dialects() -> Mapping[str, Any]:
    from nnconform.conformance.vectors.dialects import dialects

    return dialects()


def _check(file: str, text: str, plan: Plan, report: Mapping[str, Any], vectors: Sequence[Vector]) -> None:
    """Refuse a new text that does not hold what was planned, or that a check would not pass, before it is written."""
    try:
        written = parse(text, file)
    except KnownError as error:
        raise Refused(f"{file} cannot be edited in place: {error}") from None
    if [replace(e, line=0) for e in written.entries] != [replace(e, line=0) for e in plan.result]:
        raise Refused(f"{file} cannot be edited in place; write each entry as a block, `- framework: ...`")
    for state in judge(written, report, vectors):
        for problem in state.problems:
            raise Refused(f"{file}:{state.entry.line}: {problem}; what else there is to do waits for that")


def _told(file: str, plan: Plan, gone: Mapping[int, str]) -> Iterator[str]:
    """Yield what a plan does, with the text that goes."""
    for number, state in enumerate(plan.states):
        place = f"{file}:{state.entry.line}"
        if number in plan.counts:
            yield f"{place}: covers {plan.counts[number]} instead of {state.entry.covers}"
        if number in plan.removed:
            done = "rewritten" if number in plan.edits.replaced else "removed"
            yield f"{place}: {done}: {plan.removed[number]}"
            yield from (f"  | {line}" for line in gone[number].strip("\r\n").splitlines())
    for entry, _ in plan.added:
        yield f"{file}: added: {title(entry)}"
