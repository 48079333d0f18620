"""Bring a list of known divergences up to date with a run: counts, stale entries, new findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nnconform.conformance.files import write_whole
from nnconform.conformance.model.report import Report
from nnconform.conformance.vectors.vector import Vector

from . import entry_lines
from .file import Entry, KnownError, KnownList, parse, read
from .matching import match
from .plan import Plan, make_plan
from .scope import ReportIndex, describe_entry

BOM = "\ufeff"
# An entry whose scope is all results of every framework.
EVERYTHING = Entry(0, "", "", "*", "*", "*", "", "diverges", (), 1, "everything", "")


class Refused(Exception):
    """A list is not updated, and its file is untouched; the message gives the reason and the next step."""


def update(path: Path, report: Report, vectors: Sequence[Vector], *, dialects: bool) -> list[str]:
    """Bring the list in a file up to date with a report, and return the changes in lines; none if nothing changed.

    If there is no file, it is made. Entries that the report does not judge stay as they are.

    Args:
        path: the file, which is whole at any time.
        report: of all vectors.
        vectors: all published vectors.
        dialects: add entries for results by a dialect too; they fail no run unless it is strict.

    Raises:
        KnownError: the file cannot be used.
        Refused: the report is not of a whole run, or the list cannot be edited.
        OSError: the file cannot be written.
    """
    if limitation := _limitation(report, vectors):
        raise Refused(f"{limitation}; update a list from a whole run: `nnconform run` without filters")
    is_new = not path.exists()
    known_list = KnownList(str(path), ()) if is_new else read(path)
    data = entry_lines.HEAD if is_new else path.read_bytes().decode()
    text, mark = data.removeprefix(BOM), BOM if data.startswith(BOM) else ""
    plan = make_plan(known_list, report, vectors, dialects=dialects)
    lines: list[str] = []
    if plan.changes_anything:
        try:
            text, old_texts = entry_lines.edit(text, plan)
        except entry_lines.LayoutError as error:
            raise Refused(f"{path}: {error}") from None
        lines = list(_describe(known_list.file, plan, old_texts))
    _check(known_list.file, text, plan, report, vectors)
    if lines or is_new:
        write_whole(path.resolve(), (mark + text).encode())
    return lines


def _limitation(report: Report, vectors: Sequence[Vector]) -> str:
    """Return the reason if a report is not of a whole run of its frameworks, or ""."""
    if not report.complete or report.faults or report.problems:
        return "the run is incomplete or has faults"
    index = ReportIndex(report, vectors)
    frameworks = [entry for entry in report.frameworks if entry.implementations]
    if not frameworks:
        return "no framework ran"
    everything = index.vectors(EVERYTHING)
    return next(filter(None, (index.limitation(entry, EVERYTHING, everything) for entry in frameworks)), "")


def _check(file: str, text: str, plan: Plan, report: Report, vectors: Sequence[Vector]) -> None:
    """Refuse a new text that differs from the plan, or that ``nnconform known`` would not accept.

    Raises:
        Refused: it is so.
    """
    try:
        new_list = parse(text, file)
    except KnownError as error:
        raise Refused(f"{file} cannot be edited automatically: {error}") from None
    if [replace(e, line=0) for e in new_list.entries] != [replace(e, line=0) for e in plan.result]:
        raise Refused(f"{file} cannot be edited automatically; write each entry as a block, `- framework: ...`")
    for m in match(new_list, report, vectors):
        for problem in m.problems:
            raise Refused(f"{file}:{m.entry.line}: {problem}; fix this first")


def _describe(file: str, plan: Plan, old_texts: Mapping[int, str]) -> Iterator[str]:
    """Yield the changes of a plan, with the text of the entries that are removed."""
    for number, m in enumerate(plan.matches):
        place = f"{file}:{m.entry.line}"
        if number in plan.counts:
            yield f"{place}: covers {plan.counts[number]} instead of {m.entry.covers}"
        if number in plan.removed:
            replacements = plan.replacements.get(number, [])
            yield f"{place}: {'replaced' if replacements else 'removed'}: {plan.removed[number]}"
            yield from (f"  | {line}" for line in old_texts[number].strip("\r\n").splitlines())
            yield from (f"{file}: added: {describe_entry(entry)}" for entry in replacements)
    yield from (f"{file}: added: {describe_entry(entry)}" for entry in plan.added)
