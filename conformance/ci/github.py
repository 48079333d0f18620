"""GitHub annotations of a report or a diff: workflow commands, one per line, that a job prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from nnconform.conformance.diff import summary as diff_summary
from nnconform.conformance.diff.groups import group_changes
from nnconform.conformance.model.diff import Diff
from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.report import findings
from nnconform.conformance.words import count

from .markdown import troubles

Level = Literal["error", "warning", "notice"]
# The number of annotations per level that GitHub shows for a step.
MOST = 10
# Characters of a message; the report has the whole.
LONGEST = 500


class Annotation(NamedTuple):
    """A message that GitHub shows next to a run."""

    level: Level
    title: str
    message: str


def of_report(report: Report, *, strict: bool) -> Iterator[str]:
    """Yield the workflow commands of a report; a dialect is an error if it is strict."""
    yield from _commands([*_troubles(report), *_findings(report, strict), *_notices(report.results, strict)])


def of_diff(diff: Diff, *, bits: bool) -> Iterator[str]:
    """Yield the workflow commands of a diff; drift is an error if ``bits`` says so."""
    yield from _commands(list(_changes(diff, bits)))


def _commands(annotations: list[Annotation]) -> Iterator[str]:
    """Yield commands by level; of too many of a level, the last counts the rest."""
    for level in ("error", "warning", "notice"):
        of_level = [annotation for annotation in annotations if annotation.level == level]
        first = of_level if len(of_level) <= MOST else of_level[: MOST - 1]
        yield from (command(*annotation) for annotation in first)
        if rest := len(of_level) - len(first):
            message = f"and {count(rest, f'more {level}')}, which GitHub does not show; the JSON report has them"
            yield command(level, "nnconform", message)


def command(level: Level, title: str, message: str) -> str:
    """Return a workflow command, escaped as GitHub documents it."""
    if len(message) > LONGEST:
        message = f"{message[: LONGEST - 3]}..."
    name = _escape(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={name}::{_escape(message)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _troubles(report: Report) -> Iterator[Annotation]:
    for trouble in troubles(report):
        yield Annotation("error", "nnconform: problem of the run", trouble)
    for entry in report.frameworks:
        if entry.status == "missing":
            yield Annotation("warning", f"nnconform: {entry.name} did not run", entry.reason)


def _findings(report: Report, strict: bool) -> Iterator[Annotation]:
    for verdict, groups in findings.failing_groups(report, strict=strict).items():
        for (framework, operation, reason), group in groups.items():
            outputs = f" ({', '.join(group.outputs)})" if group.outputs else ""
            head = f"{verdict}: {reason}" if reason else verdict
            lines = [f"{head}, {count(group.vector_count, 'vector')}"]
            lines += [group.plain_implementations, findings.describe_worst(group)]
            yield Annotation("error", f"nnconform: {framework} {operation}{outputs}", "\n".join(lines))


def _notices(results: Iterable[Result], strict: bool) -> Iterator[Annotation]:
    """Yield the results that fail no run in three notices: one for each would hide the errors."""
    dialects, accepted, defaults = Counter[str](), Counter[str](), Counter[str]()
    for result in results:
        if result.known:
            accepted[result.framework] += 1
        elif result.is_default:
            defaults[result.framework] += result.differs
        else:
            dialects[result.framework] += result.verdict == "dialect" and not strict
    notices = {
        "Dialects (results that differ in a known way)": dialects,
        "Known divergences (they do not fail the run)": accepted,
        "Defaults that differ from the spec (they do not fail the run)": defaults,
    }
    for heading, counts in notices.items():
        if texts := [f"{framework} {number:,}" for framework, number in counts.items() if number]:
            yield Annotation("notice", "nnconform", f"{heading}: {', '.join(texts)}")


def _changes(diff: Diff, bits: bool) -> Iterator[Annotation]:
    title = f"nnconform: {diff_summary.title(diff)}"
    if diff.exit_status(bits=bits) == 3:
        yield Annotation("error", title, diff_summary.headline(diff))
    for group in group_changes(diff):
        message = "\n".join([f"{group.framework} {group.sentence}", *group.details])
        yield Annotation("error" if group.fails else "notice", title, message)
    if diff.drift:
        level: Level = "error" if bits else "notice"
        outputs = ", ".join(f"{drift.framework} {drift.operation} {drift.output}" for drift in diff.drift)
        yield Annotation(level, title, f"drift (other bits, same verdict): {outputs}")
    yield from (Annotation("warning", title, note) for note in diff.notes)
