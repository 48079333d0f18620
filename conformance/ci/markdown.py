"""Markdown of a report or a diff: for the comment on a pull request, or the summary of a step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nnconform.conformance.diff import summary as diff_summary
from nnconform.conformance.diff.groups import TITLES, Group, group_changes
from nnconform.conformance.model.diff import Diff, Drift
from nnconform.conformance.model.report import FrameworkEntry, Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.report import findings
from nnconform.conformance.words import count

from .markdown_text import TOP, Section, block, code, document, more, row, table, text

_CHANGED = ("framework", "kind", "change", "vectors", "example")
_DRIFT = ("operation", "output", "tensors", "elements changed", "median ULP", "worst ULP", "example")
_HEADS = ("framework", "operation", "finding", "vectors", "worst")


def of_report(report: Report, *, strict: bool) -> str:
    """Return a report as Markdown: the number of findings, the first of them, and the rest folded.

    Args:
        report: of a run.
        strict: whether a dialect is a finding.
    """
    groups = findings.failing_groups(report, strict=strict)
    lines = [line for verdict, of_verdict in groups.items() for line in _lines(verdict, of_verdict)]
    wrong = list(troubles(report))
    head = [f"**{_headline(len(lines), len(wrong))}**", "", _frameworks(report)]
    if wrong:
        head += ["", *(f"- {text(trouble)}" for trouble in wrong[:TOP]), *more(len(wrong), "problem")]
    if lines:
        head += ["", *table(_HEADS, ["vectors"]), *lines[:TOP], *more(len(lines), "finding")]
    return document(head, list(_sections(report, lines, wrong, strict)))


def of_diff(diff: Diff, *, bits: bool = False) -> str:
    """Return a diff as Markdown: the changes that need action, and the rest folded.

    Args:
        diff: the diff.
        bits: whether drift needs action.
    """
    all_groups = group_changes(diff)
    changes = {section: [_change(g) for g in all_groups if g.section == section] for section in TITLES}
    act, failed = changes["act"], diff.exit_status(bits=bits) == 3
    head = [f"**{text(diff_summary.headline(diff), 400)}**", "", f"{text(diff_summary.conclusion(diff), 400)}."]
    if failed:
        head += ["", *(f"- note: {text(note)}" for note in diff.notes[:TOP])]
    if act:
        head += ["", *table(_CHANGED, ["vectors"]), *act[:TOP], *more(len(act), "change")]
    if bits and diff.drift:
        head += ["", "Drift (other bits, same verdict) needs action too; it is listed below."]
    return document(head, list(_diff_sections(diff, all_groups, changes, diff.notes[TOP if failed else 0 :])))


def _change(group: Group) -> str:
    cells = (text(group.framework, 40), text(group.kind, 40), text(group.sentence), str(group.vectors))
    return row([*cells, text(group.details[-1])])


def _diff_sections(
    diff: Diff, all_groups: Sequence[Group], changes: Mapping[Any, list[str]], notes: Sequence[str]
) -> Iterator[Section]:
    """Yield the folded sections of a diff, the most important first."""
    for section, title in TITLES.items():
        # The first changes that need action are above.
        lines = changes[section][TOP:] if section == "act" else changes[section]
        if lines:
            title = "More changes that need action" if section == "act" else title
            yield Section(f"{title}: {len(lines)}", table(_CHANGED, ["vectors"]), lines)
    acted = [
        f"- {code(group.framework)} {'<br>'.join(text(line) for line in (group.sentence, *group.details))}"
        for group in all_groups
        if group.section == "act"
    ]
    if acted:
        yield Section("Details of the changes that need action", (), acted)
    if diff.drift:
        lines = [_drift(drift) for drift in diff.drift]
        yield Section(f"Drift (other bits, same verdict): {len(lines)}", table(_DRIFT, _DRIFT[2:6]), lines)
    if notes:
        yield Section(f"Notes: {len(notes)}", (), [f"- note: {text(note, 1_000)}" for note in notes])
    only = list(_not_compared(diff))
    if only:
        yield Section("Not compared", (), only)


def _drift(drift: Drift) -> str:
    # Without whole outputs, only the number of tensors is known.
    numbers, call = ["-", "-", "-"], ""
    if (d := drift.distribution) is not None:
        numbers = [f"{d.changed:,} of {d.elements:,}", f"{d.median:.4g}", f"{d.worst:.4g}"]
        call = f"{d.vector}, {d.implementation} ({d.mode})"
    name = f"{drift.framework} {drift.operation}"
    return row([text(name, 80), text(drift.output, 40), str(drift.tensors), *numbers, text(call)])


def _not_compared(diff: Diff) -> Iterator[str]:
    for word, only in (("old", diff.only_old), ("new", diff.only_new)):
        for noun, names in (("framework", only.frameworks), ("vector", only.vectors)):
            if names:
                yield f"- {count(len(names), noun)} only in the {word} report: {text(', '.join(names))}"
    if names := diff.altered_vectors:
        yield f"- {count(len(names), 'vector')} with different contents in the two reports: {text(', '.join(names))}"


def troubles(report: Report) -> Iterator[str]:
    """Yield the trouble of a run itself, in plain sentences."""
    failed = [entry for entry in report.frameworks if entry.has_failed]
    yield from (f"framework {entry.name} {entry.status}: {entry.reason}" for entry in failed)
    if not report.complete and not failed:
        yield "the run was interrupted; the results that it did not reach are missing"
    yield from (f"vector file left out: {problem}" for problem in report.problems)
    yield from (f"list of known divergences: {problem}" for problem in report.known_problems)
    faults = Counter((fault.framework, fault.implementation) for fault in report.faults)
    messages = {(fault.framework, fault.implementation): fault.message for fault in report.faults}
    for key, number in faults.items():
        yield f"adapter fault ({count(number, 'time')}): {messages[key]}"


def _headline(finding_count: int, trouble_count: int) -> str:
    counts = {"problem": trouble_count, "finding": finding_count}
    texts = [count(number, noun) for noun, number in counts.items() if number]
    if not texts:
        return "nnconform: no action needed"
    return f"nnconform: {' and '.join(texts)} need{'s' if sum(counts.values()) == 1 else ''} action"


def _frameworks(report: Report) -> str:
    entries = "; ".join(_entry(entry) for entry in report.frameworks[:TOP])
    return f"Frameworks: {entries}. {findings.format_counts(report.results)}."


def _entry(entry: FrameworkEntry) -> str:
    versions = [f"{name} {version}" for name, version in entry.versions.items()]
    name = text(", ".join(versions if entry.name in entry.versions else [entry.name, *versions]), 80)
    return name if entry.status == "ran" else f"{name} ({entry.status})"


def _lines(verdict: str, groups: Mapping[findings.Key, findings.Group]) -> Iterator[str]:
    """Yield the rows of a table of findings."""
    for (framework, operation, reason), group in groups.items():
        outputs = f" ({text(', '.join(group.outputs), 60)})" if group.outputs else ""
        kind = f"{verdict}: {text(reason, 120)}" if reason else verdict
        worst = f"{code(group.plain_implementations, 120)}<br>{text(findings.describe_worst(group))}"
        yield row([text(framework, 40), f"{code(operation, 40)}{outputs}", kind, str(group.vector_count), worst])


def _sections(report: Report, lines: Sequence[str], wrong: Sequence[str], strict: bool) -> Iterator[Section]:
    """Yield the folded sections, the most important first: the last are left out first."""
    if wrong[TOP:]:
        yield Section(f"More problems: {len(wrong) - TOP}", (), [f"- {text(trouble)}" for trouble in wrong[TOP:]])
    yield from _folded("More findings", lines[TOP:])
    yield from _counts(report)
    yield from _known(report.results)
    counting = [result for result in report.results if result.can_fail]
    if not strict:
        yield from _folded("Dialects (results that differ in a known way)", _grouped(counting, "dialect"))
    yield from _folded("Unsupported", _grouped(counting, "unsupported"))
    defaults = [result for result in report.results if result.is_default and not result.known]
    default_lines = [line for verdict in findings.FINDINGS for line in _grouped(defaults, verdict)]
    yield from _folded("Defaults that differ from the spec (they do not fail the run)", default_lines)
    for entry in report.frameworks:
        if entry.stderr:
            first, *printed, last = block(entry.stderr)
            yield Section(f"End of the output of {text(entry.name, 40)}", [first], printed, [last])


def _grouped(results: Iterable[Result], verdict: str) -> list[str]:
    """Return the rows of a table of the results with a verdict."""
    return list(_lines(verdict, findings.group_by_reason(results, verdict)))


def _counts(report: Report) -> Iterator[Section]:
    heads = ("framework", "operation", *findings.COLUMNS)
    rows = []
    for (framework, operation), counts in findings.count_by_verdict(report).items():
        numbers = findings.count_columns(counts)
        cells = [framework, operation, *(str(numbers[head] or "-") for head in findings.COLUMNS)]
        rows.append(row([text(cell, 40) for cell in cells]))
    if rows:
        yield Section("Counts by framework and operation", table(heads, findings.COLUMNS), rows)


def _known(results: Iterable[Result]) -> Iterator[Section]:
    reasons = Counter(result.known for result in results if result.known)
    if reasons:
        lines = [row([str(number), text(reason)]) for reason, number in reasons.items()]
        yield Section(
            f"Known divergences: {count(reasons.total(), 'result')}", table(("results", "reason"), ["results"]), lines
        )


def _folded(title: str, lines: Sequence[str]) -> Iterator[Section]:
    if lines:
        yield Section(f"{title}: {len(lines)}", table(_HEADS, ["vectors"]), lines)
