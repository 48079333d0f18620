"""Markdown of a report or of a diff: for a pull request's comment, or the summary of a step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nnconform.conformance.diff import summary as diff_summary
from nnconform.conformance.report import findings_of_rows as summary
from nnconform.conformance.report.findings_of_rows import is_finding
from nnconform.conformance.words import count

from .markdown_text import TOP, Section, block, code, document, more, row, table, text

Document = Mapping[str, Any]

_CHANGED = ("framework", "kind", "what changed", "vectors", "such as")
_DRIFT = ("operation", "output", "tensors", "elements changed", "median ULP", "worst ULP", "where")
_HEADS = ("framework", "operation", "what", "vectors", "worst")
_VERDICTS = ("diverges", "crash", "timeout", "error", "dialect")


def of_report(report: Document, *, strict: bool) -> str:
    """Return a report as Markdown: how many findings there are, the first of them, and the rest folded.

    Args:
        report: the JSON report.
        strict: whether a dialect is a finding.
    """
    found = list(_findings(report["results"], strict))
    wrong = list(troubles(report))
    head = [f"**{_headline(len(found), len(wrong))}**", "", _frameworks(report)]
    if wrong:
        head += ["", *(f"- {text(trouble)}" for trouble in wrong[:TOP]), *more(len(wrong), "problem")]
    if found:
        head += ["", *table(_HEADS, ["vectors"]), *found[:TOP], *more(len(found), "finding")]
    return document(head, list(_sections(report, found, wrong, strict)))


def of_diff(diff: Document, *, bits: bool = False) -> str:
    """Return a diff as Markdown: what must be acted on, and the rest folded.

    Args:
        diff: the JSON diff.
        bits: whether drift must be acted on.
    """
    groups = diff_summary.groups(diff)
    changes = {section: [_change(g) for g in groups if g.section == section] for section in diff_summary.TITLES}
    act, failed = changes["act"], diff_summary.exit_status(diff, bits) == 3
    head = [f"**{text(diff_summary.headline(diff), 400)}**", "", f"{text(diff_summary.conclusion(diff), 400)}."]
    if failed:
        head += ["", *(f"- note: {text(note)}" for note in diff["notes"][:TOP])]
    if act:
        head += ["", *table(_CHANGED, ["vectors"]), *act[:TOP], *more(len(act), "change")]
    if bits and diff["drift"]:
        head += ["", "Other bits fail too, and there are some: see the drift below."]
    return document(head, list(_diff_sections(diff, groups, changes, diff["notes"][TOP if failed else 0 :])))


def _change(group: diff_summary.Group) -> str:
    cells = (text(group.framework, 40), text(group.kind, 40), text(group.sentence), str(group.vectors))
    return row([*cells, text(group.details[-1])])


def _diff_sections(
    diff: Document, groups: Sequence[diff_summary.Group], changes: Mapping[str, list[str]], notes: Sequence[str]
) -> Iterator[Section]:
    """Yield what is folded of a diff, what matters most first."""
    for section, title in diff_summary.TITLES.items():
        # What is to be acted on stands above, but for what was too much there.
        lines = changes[section][TOP:] if section == "act" else changes[section]
        if lines:
            title = "More to act on" if section == "act" else title
            yield Section(f"{title}: {len(lines)}", table(_CHANGED, ["vectors"]), lines)
    acted = [
        f"- {code(group.framework)} {'<br>'.join(text(line) for line in (group.sentence, *group.details))}"
        for group in groups
        if group.section == "act"
    ]
    if acted:
        yield Section("What the changes to act on are", (), acted)
    if diff["drift"]:
        lines = [_drift(r) for r in diff["drift"]]
        yield Section(f"Drift: other bits, the same verdict: {len(lines)}", table(_DRIFT, _DRIFT[2:6]), lines)
    if notes:
        yield Section(f"Notes: {len(notes)}", (), [f"- note: {text(note, 1_000)}" for note in notes])
    only = list(_not_compared(diff))
    if only:
        yield Section("Not compared", (), only)


def _drift(drift: Document) -> str:
    # Where no whole outputs were kept, all that is known is how many have other bits.
    numbers = ["-", "-", "-"]
    if "elements" in drift:
        ulps = (f"{float(drift[key]):.4g}" for key in ("median", "worst"))
        numbers = [f"{drift['changed']:,} of {drift['elements']:,}", *ulps]
    where = f"{drift['vector']}, {drift['implementation']} ({drift['mode']})" if "vector" in drift else ""
    name = f"{drift['framework']} {drift['operation']}"
    return row([text(name, 80), text(drift["output"], 40), str(drift["tensors"]), *numbers, text(where)])


def _not_compared(diff: Document) -> Iterator[str]:
    for side in ("old", "new"):
        for what in ("frameworks", "vectors"):
            if names := diff[f"only_{side}"][what]:
                yield f"- {count(len(names), what[:-1])} only in the {side} report: {text(', '.join(names))}"
    if names := diff["altered_vectors"]:
        yield f"- {count(len(names), 'vector')} not the same in both reports: {text(', '.join(names))}"


def troubles(report: Document) -> Iterator[str]:
    """Yield what went wrong with a run itself, a plain sentence each."""
    failed = [entry for entry in report["frameworks"] if entry["status"] in ("failed", "stopped")]
    yield from (f"framework {entry['name']} {entry['status']}: {entry['reason']}" for entry in failed)
    if not report["complete"] and not failed:
        yield "the run was interrupted: what follows is what was done until then"
    yield from (f"vector file left out: {problem}" for problem in report["problems"])
    yield from (f"list of known divergences: {problem}" for problem in report.get("known_problems", ()))
    faults = Counter((fault["framework"], fault["implementation"]) for fault in report["faults"])
    messages = {(fault["framework"], fault["implementation"]): fault["message"] for fault in report["faults"]}
    for key, number in faults.items():
        yield f"fault of an adapter, {count(number, 'time')}: {messages[key]}"


def _headline(findings: int, wrong: int) -> str:
    parts = [count(n, what) for n, what in ((wrong, "problem"), (findings, "finding")) if n]
    return f"nnconform: {' and '.join(parts) or 'nothing'} to act on"


def _frameworks(report: Document) -> str:
    entries = "; ".join(_entry(entry) for entry in report["frameworks"][:TOP])
    verdicts = Counter(r["verdict"] for r in report["results"])
    counts = [f"{verdicts[v]:,} {summary.HEADS.get(v, v)}" for v in summary.COLUMNS if verdicts[v]]
    return f"Frameworks: {entries}. {count(len(report['results']), 'result')}: {', '.join(counts) or 'none'}."


def _entry(entry: Document) -> str:
    versions = [f"{name} {version}" for name, version in entry["versions"].items()]
    name = text(", ".join(versions if entry["name"] in entry["versions"] else [entry["name"], *versions]), 80)
    return name if entry["status"] == "ran" else f"{name} ({entry['status']})"


def _findings(rows: Sequence[Document], strict: bool) -> Iterator[str]:
    """Yield the rows of the table of findings, what matters most first."""
    bad = [r for r in rows if is_finding(r, strict=strict)]
    for verdict in _VERDICTS:
        if verdict != "dialect" or strict:
            yield from _lines(bad, verdict)


def _lines(rows: Iterable[Document], verdict: str) -> Iterator[str]:
    for (framework, operation, name), group in summary.groups(rows, verdict).items():
        outputs = f" ({text(', '.join(group.outputs), 60)})" if group.outputs else ""
        what = f"{verdict}: {text(name, 120)}" if name else verdict
        where = f"{code(group.implementations_text, 120)}<br>{text(summary.worst_text(group))}"
        yield row([text(framework, 40), f"{code(operation, 40)}{outputs}", what, str(group.vectors), where])


def _sections(report: Document, found: Sequence[str], wrong: Sequence[str], strict: bool) -> Iterator[Section]:
    """Yield what is folded, what matters most first: what is last is left out first."""
    if wrong[TOP:]:
        yield Section(f"More problems: {len(wrong) - TOP}", (), [f"- {text(trouble)}" for trouble in wrong[TOP:]])
    yield from _folded("More findings", found[TOP:])
    heads, counts = summary.count_rows(report)
    cells = [row([text(cell, 40) for cell in line]) for line in counts]
    if cells:
        yield Section("Counts by framework and operation", table(heads, heads[2:]), cells)
    yield from _known(report["results"])
    judged = [r for r in report["results"] if r["profile"] != "defaults" and "known" not in r]
    if not strict:
        yield from _folded("Differs by a dialect, which explains it", list(_lines(judged, "dialect")))
    yield from _folded("Unsupported", list(_lines(judged, "unsupported")))
    defaults = [r for r in report["results"] if r["profile"] == "defaults" and "known" not in r]
    differing = [line for verdict in _VERDICTS for line in _lines(defaults, verdict)]
    yield from _folded("Defaults that differ from the spec's, which fails no run", differing)
    for entry in report["frameworks"]:
        if entry.get("stderr"):
            first, *lines, last = block(entry["stderr"])
            yield Section(f"What {text(entry['name'], 40)} printed", [first], lines, [last])


def _known(rows: Iterable[Document]) -> Iterator[Section]:
    reasons = Counter(r["known"] for r in rows if "known" in r)
    if reasons:
        lines = [row([str(number), text(reason)]) for reason, number in reasons.items()]
        yield Section(f"Known: {count(reasons.total(), 'result')}", table(("results", "reason"), ["results"]), lines)


def _folded(title: str, lines: Sequence[str]) -> Iterator[Section]:
    if lines:
        yield Section(f"{title}: {len(lines)}", table(_HEADS, ["vectors"]), lines)
