"""GitHub annotations of a report or of a diff: workflow commands, a line each, which a job prints."""

# Without `from __future__ import annotations`, which would be another `annotations`.
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from nnconform.conformance.diff import summary as diff_summary
from nnconform.conformance.report import findings_of_rows as findings
from nnconform.conformance.report.findings_of_rows import BAD, is_finding
from nnconform.conformance.words import count

from .markdown import troubles

Level = Literal["error", "warning", "notice"]
# GitHub shows so many annotations of each level a step.
MOST = 10
# Characters of a message; the whole is in the report.
LONGEST = 500


class Annotation(NamedTuple):
    """What GitHub shows beside a run."""

    level: Level
    title: str
    message: str


def annotations(document: Mapping[str, Any], *, strict: bool = False, bits: bool = False) -> Iterator[str]:
    """Yield the workflow commands of a report, or of a diff.

    Args:
        document: the JSON report or diff.
        strict: whether a dialect in a report is an error.
        bits: whether drift in a diff is an error.
    """
    found = list(_of_diff(document, bits) if "changes" in document else _of_report(document, strict))
    for level in ("error", "warning", "notice"):
        yield from _commands([a for a in found if a.level == level])


def _commands(found: list[Annotation]) -> Iterator[str]:
    shown = found if len(found) <= MOST else found[: MOST - 1]
    yield from (command(*annotation) for annotation in shown)
    if rest := found[len(shown) :]:
        message = f"and {count(len(rest), f'more {rest[0].level}')} that GitHub would not show; the JSON report has all"
        yield command(rest[0].level, "nnconform", message)


def command(level: Level, title: str, message: str) -> str:
    """Return a workflow command, escaped as GitHub documents it."""
    if len(message) > LONGEST:
        message = f"{message[: LONGEST - 3]}..."
    name = _escape(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={name}::{_escape(message)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _of_report(report: Mapping[str, Any], strict: bool) -> Iterator[Annotation]:
    for trouble in troubles(report):
        yield Annotation("error", "nnconform: the run has a problem", trouble)
    bad = [row for row in report["results"] if is_finding(row, strict=strict)]
    for verdict in ("diverges", "crash", "timeout", "error", *(["dialect"] if strict else [])):
        yield from _groups(bad, verdict)
    for entry in report["frameworks"]:
        if entry["status"] == "missing":
            yield Annotation("warning", f"nnconform: {entry['name']} did not run", entry["reason"])
    yield from _notices(report["results"], strict)


def _groups(rows: Iterable[Mapping[str, Any]], verdict: str) -> Iterator[Annotation]:
    for (framework, operation, name), group in findings.groups(rows, verdict).items():
        outputs = f" ({', '.join(group.outputs)})" if group.outputs else ""
        what = f"{verdict}: {name}" if name else verdict
        message = (
            f"{what}, {count(group.vectors, 'vector')}\n{group.implementations_text}\n{findings.worst_text(group)}"
        )
        yield Annotation("error", f"nnconform: {framework} {operation}{outputs}", message)


def _notices(rows: Iterable[Mapping[str, Any]], strict: bool) -> Iterator[Annotation]:
    """Yield what fails no run, summed up: a notice each would hide the errors."""
    totals: dict[str, Counter[str]] = {
        "differ by a dialect, which explains them": Counter(),
        "are known to differ, by the list of known divergences": Counter(),
        "differ from the spec's defaults, which fails no run": Counter(),
    }
    dialect, known, defaults = totals.values()
    for row in rows:
        if "known" in row:
            known[row["framework"]] += 1
        elif row["profile"] == "defaults":
            defaults[row["framework"]] += row["verdict"] in BAD or row["verdict"] == "dialect"
        else:
            dialect[row["framework"]] += row["verdict"] == "dialect" and not strict
    for what, numbers in totals.items():
        parts = [f"{framework} {number:,}" for framework, number in numbers.items() if number]
        if parts:
            yield Annotation("notice", "nnconform", f"results that {what}: {', '.join(parts)}")


def _of_diff(diff: Mapping[str, Any], bits: bool) -> Iterator[Annotation]:
    title = f"nnconform: {diff_summary.title(diff)}"
    if diff_summary.exit_status(diff, bits) == 3:
        yield Annotation("error", title, diff_summary.headline(diff))
    for group in diff_summary.groups(diff):
        message = "\n".join([f"{group.framework} {group.sentence}", *group.details])
        yield Annotation("error" if group.fails else "notice", title, message)
    if diff["drift"]:
        level: Level = "error" if bits else "notice"
        outputs = ", ".join(f"{r['framework']} {r['operation']} {r['output']}" for r in diff["drift"])
        yield Annotation(level, title, f"other bits, the same verdict: {outputs}")
    yield from (Annotation("warning", title, note) for note in diff["notes"])
