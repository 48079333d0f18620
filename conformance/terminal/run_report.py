"""What a person sees of a report on a terminal, in a pipe or in a log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any

from nnconform.conformance import console
from nnconform.conformance.layout import WIDTH, Line, Part
from nnconform.conformance.report import findings_of_rows as findings
from nnconform.conformance.report.findings_of_rows import exit_status
from nnconform.conformance.words import count

from . import count_table, exhaustive_counts, findings_to_act_on, headroom, informational

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a report.

    Attributes:
        strict: a dialect must be acted on.
        verbose: all groups of findings, with implementations and the worst element.
        quiet: what must be acted on and the conclusion, and nothing else.
        near: how near the outputs come to their bounds.
    """

    strict: bool = False
    verbose: bool = False
    quiet: bool = False
    near: bool = False


def show(report: Mapping[str, Any], wanted: Wanted) -> None:
    """Print a report, as wide as standard output."""
    console.show(parts(report, wanted, console.width()))


def parts(report: Mapping[str, Any], wanted: Wanted, width: int = WIDTH) -> Iterator[Part]:
    """Yield what is told of a report, in so many columns."""
    # Whatever is left out, nothing begins with an empty line.
    yield from dropwhile(lambda part: part == Line(), _parts(report, wanted, width))


def _parts(report: Mapping[str, Any], wanted: Wanted, width: int) -> Iterator[Part]:
    yield from _frameworks(findings_to_act_on.stopped(report) if wanted.quiet else report["frameworks"])
    if not report["complete"]:
        yield Line("This run is incomplete: what follows is what was done until it ended.", style="bold red")
    if report["results"] and not wanted.quiet:
        yield Line()
        yield count_table.table(report, width)
    yield from findings_to_act_on.parts(report, strict=wanted.strict)
    if not wanted.quiet:
        yield from _for_information(report, wanted)
    if wanted.near:
        yield from headroom.parts(report)
    yield from _end(report, wanted)


def _for_information(report: Mapping[str, Any], wanted: Wanted) -> Iterator[Part]:
    if wanted.verbose:
        yield from _groups(report, wanted.strict)
        yield from exhaustive_counts.parts(report)
    else:
        yield from informational.parts(report, strict=wanted.strict)
        yield from exhaustive_counts.brief(report)
    if told := findings.false_alarms(report):
        yield Line()
        yield Line(told, style="dim")


def _frameworks(entries: Sequence[Row]) -> Iterator[Part]:
    """Yield a line a framework: its versions and time, or why it did not run."""
    for entry in entries:
        name = entry["name"]
        style = {"ran": "", "missing": "dim"}.get(entry["status"], "red")
        yield Line(f"{name}: {_state(entry)}", lead=name, lead_style="bold", style=style, fold=True)


def _state(entry: Row) -> str:
    if entry["status"] != "ran":
        return f"{entry['status']}: {entry['reason']}"
    versions = ", ".join(f"{package} {version}" for package, version in entry["versions"].items())
    seconds = entry["seconds"]
    return f"{versions} ({f'{seconds:.1f}' if seconds < 10 else f'{seconds:.0f}'} s)"


def _groups(report: Mapping[str, Any], strict: bool) -> Iterator[Part]:
    """Yield all groups of findings that need no action."""
    new = [row for row in report["results"] if "known" not in row]
    judged = [row for row in new if row["profile"] != "defaults"]
    defaults = informational.differing(row for row in new if row["profile"] == "defaults")
    sections: list[tuple[str, findings_to_act_on.Found]] = [
        ("Differs by a dialect, which explains it", {} if strict else findings.groups(judged, "dialect")),
        ("Unsupported", findings.groups(judged, "unsupported")),
        ("Defaults other than the spec's (they fail no run)", _by_verdict(defaults)),
        ("Known (they fail no run)", _known([row for row in report["results"] if "known" in row])),
    ]
    for title, found in sections:
        if found:
            yield from findings_to_act_on.section(title, found)


def _by_verdict(rows: Sequence[Row]) -> findings_to_act_on.Found:
    """Return groups of all verdicts, what has no dialect with its verdict for a name."""
    found: dict[tuple[str, str, str], findings.Group] = {}
    for verdict in findings_to_act_on.TITLES:
        for (framework, operation, name), group in findings.groups(rows, verdict).items():
            found[framework, operation, name if verdict == "dialect" else ": ".join(filter(None, (verdict, name)))] = (
                group
            )
    return found


def _known(rows: Sequence[Row]) -> findings_to_act_on.Found:
    """Return the results that the list of known divergences covers, grouped by framework, operation and reason."""
    found: dict[tuple[str, str, str], findings.Group] = defaultdict(findings.Group)
    for row in rows:
        names = [name for name, output in row["outputs"].items() if output["verdict"] == row["verdict"]]
        for name in names or [""]:
            reason = f"{row['verdict']}: {findings.first_line(row['known'])}"
            found[row["framework"], row["operation"], reason].add(row, name)
    return dict(found)


def _end(report: Mapping[str, Any], wanted: Wanted) -> Iterator[Part]:
    """Yield whether there is something to act on, the totals, and how to see more."""
    totals, status = findings.conclusion(report), exit_status(report, strict=wanted.strict)
    yield Line()
    if status == 0:
        lead = "Nothing to act on."
        yield Line(f"{lead} {totals}", lead=lead, lead_style="bold green")
    else:
        yield Line(f"To act on: {_todo(report, wanted.strict)} (exit status {status})", style="bold red")
        yield Line(totals)
    if not wanted.quiet:
        yield Line(_more(wanted.verbose), style="dim")


def _todo(report: Mapping[str, Any], strict: bool) -> str:
    found = sum(map(len, findings_to_act_on.findings(report, strict=strict).values()))
    stopped, problems = len(findings_to_act_on.stopped(report)), len(report["problems"])
    listed, faults = len(report.get("known_problems", ())), len(report["faults"])
    told = [
        f"{count(found, 'group')} of findings" if found else "",
        count(faults, "fault of adapters", "faults of adapters") if faults else "",
        f"{count(stopped, 'framework')} that did not run to the end" if stopped else "",
        f"{count(problems, 'vector file')} left out" if problems else "",
        count(listed, "entry that does not hold", "entries that do not hold") if listed else "",
        "" if report["complete"] or stopped else "a run that is incomplete",
    ]
    return ", ".join(filter(None, told))


def _more(verbose: bool) -> str:
    every = "" if verbose else "run with --verbose (all groups of findings) or "
    return f"More: nnconform explain NAME (a dialect, vector, implementation); {every}--html FILE (a page to look at)"
