"""The report of a run on a terminal, in a pipe or in a log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import dropwhile

from nnconform.conformance import console
from nnconform.conformance.layout import WIDTH, Block, Line
from nnconform.conformance.model.report import FrameworkEntry, Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.report import findings
from nnconform.conformance.words import count, first_line

from . import count_table, exhaustive_counts, findings_to_act_on, headroom, informational


@dataclass(frozen=True)
class Detail:
    """The amount of detail.

    Attributes:
        strict: a dialect needs action too.
        verbose: all groups of findings, with implementations and the worst element.
        quiet: nothing but findings that need action, and the conclusion.
        headroom: a table of the errors of conforming outputs over their bounds.
    """

    strict: bool = False
    verbose: bool = False
    quiet: bool = False
    headroom: bool = False


def show(report: Report, detail: Detail) -> None:
    """Print a report, as wide as standard output."""
    console.show(blocks(report, detail, console.width()))


def blocks(report: Report, detail: Detail, width: int = WIDTH) -> Iterator[Block]:
    """Yield the text of a report for a number of columns; it does not begin with an empty line."""
    yield from dropwhile(lambda block: block == Line(), _blocks(report, detail, width))


def _blocks(report: Report, detail: Detail, width: int) -> Iterator[Block]:
    yield from _frameworks(entry for entry in report.frameworks if entry.has_failed or not detail.quiet)
    if not report.complete:
        yield Line("This run is incomplete; the results that it did not reach are missing.", style="bold red")
    if report.results and not detail.quiet:
        yield Line()
        yield count_table.table(report, width)
    yield from findings_to_act_on.blocks(report, strict=detail.strict)
    if not detail.quiet:
        yield from _informational(report, detail)
    if detail.headroom:
        yield from headroom.blocks(report)
    yield from _conclusion(report, detail)


def _informational(report: Report, detail: Detail) -> Iterator[Block]:
    if detail.verbose:
        yield from _groups(report, strict=detail.strict)
        yield from exhaustive_counts.blocks(report)
    else:
        yield from informational.blocks(report, strict=detail.strict)
        yield from exhaustive_counts.summary(report)
    if false_alarms := findings.false_alarms(report):
        yield Line()
        yield Line(false_alarms, style="dim")


def _frameworks(entries: Iterable[FrameworkEntry]) -> Iterator[Block]:
    """Yield a line per framework: its versions and time, or the reason of its failure."""
    for entry in entries:
        style = {"ran": "", "missing": "dim"}.get(entry.status, "red")
        yield Line(f"{entry.name}: {_state(entry)}", lead=entry.name, lead_style="bold", style=style, fold=True)


def _state(entry: FrameworkEntry) -> str:
    if entry.status != "ran":
        return f"{entry.status}: {entry.reason}"
    versions = ", ".join(f"{package} {version}" for package, version in entry.versions.items())
    return f"{versions} ({entry.seconds:.{1 if entry.seconds < 10 else 0}f} s)"


def _groups(report: Report, *, strict: bool) -> Iterator[Block]:
    """Yield all groups of findings that need no action."""
    counting = [result for result in report.results if result.can_fail]
    defaults = [result for result in report.results if result.is_default and not result.known and result.differs]
    sections = {
        "Dialects (results that differ in a known way)": {}
        if strict
        else findings.group_by_reason(counting, "dialect"),
        "Unsupported": findings.group_by_reason(counting, "unsupported"),
        "Defaults that differ from the spec (they do not fail the run)": _group_by_verdict(defaults),
        "Known divergences (they do not fail the run)": _group_known(
            result for result in report.results if result.known
        ),
    }
    for title, groups in sections.items():
        if groups:
            yield from findings_to_act_on.section(f"{title}: {count(len(groups), 'group')}", groups)


def _group_by_verdict(results: Iterable[Result]) -> findings_to_act_on.Groups:
    """Return groups of all verdicts by framework, operation, and dialect or verdict and reason."""
    groups: dict[findings.Key, findings.Group] = {}
    members = list(results)
    for verdict in findings.FINDINGS:
        for (framework, operation, name), group in findings.group_by_reason(members, verdict).items():
            reason = name if verdict == "dialect" else ": ".join(filter(None, (verdict, name)))
            groups[framework, operation, reason] = group
    return groups


def _group_known(results: Iterable[Result]) -> findings_to_act_on.Groups:
    """Return known divergences by framework, operation, and verdict and reason."""
    groups: dict[findings.Key, findings.Group] = defaultdict(findings.Group)
    for result in results:
        names = [name for name, output in result.outputs.items() if output.verdict == result.verdict]
        for name in names or [""]:
            reason = f"{result.verdict}: {first_line(result.known)}"
            groups[result.framework, result.operation, reason].add(result, name)
    return groups


def _conclusion(report: Report, detail: Detail) -> Iterator[Block]:
    """Yield the findings that need action in a sentence, the totals, and ways to see more."""
    totals, status = findings.conclusion(report), report.exit_status(strict=detail.strict)
    yield Line()
    if status == 0:
        lead = "No action needed."
        yield Line(f"{lead} {totals}", lead=lead, lead_style="bold green")
    else:
        yield Line(f"{_actions(report, strict=detail.strict)} (exit status {status})", style="bold red")
        yield Line(totals)
    if not detail.quiet:
        verbose = "" if detail.verbose else "run with --verbose (all groups of results) or "
        names = "nnconform explain NAME (a dialect, vector or implementation)"
        yield Line(f"More: {names}; {verbose}--html FILE (a page with plots)", style="dim")


def _actions(report: Report, *, strict: bool) -> str:
    """Return a sentence with the number of findings and of each kind of trouble; there is at least one."""
    groups = sum(map(len, findings.failing_groups(report, strict=strict).values()))
    failed = sum(entry.has_failed for entry in report.frameworks)
    interrupted = not report.complete and not failed
    kinds = {
        count(groups, "finding"): groups,
        count(len(report.faults), "adapter fault"): len(report.faults),
        f"{count(failed, 'framework')} that did not finish": failed,
        count(len(report.problems), "wrong vector file"): len(report.problems),
        count(len(report.known_problems), "wrong known divergence"): len(report.known_problems),
        "an interrupted run": interrupted,
    }
    texts = [text for text, number in kinds.items() if number]
    subject = " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))
    return f"{subject} need{'s' if sum(kinds.values()) == 1 else ''} action"
