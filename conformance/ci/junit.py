"""JUnit XML of a report or a diff: test cases for CI systems."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from nnconform.conformance.diff import groups as diff_groups
from nnconform.conformance.diff import summary as diff_summary
from nnconform.conformance.diff.sentences import change_text
from nnconform.conformance.model.diff import Diff, Drift
from nnconform.conformance.model.report import Fault, FrameworkEntry, Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.report.findings import Group, describe, describe_worst, quote_printed, rerun_command
from nnconform.conformance.words import count

from .junit_xml import Case, Outcome, Suite, xml

# Most changes in the text of a failure.
CHANGES = 50


def of_report(report: Report, *, strict: bool) -> str:
    """Return a report as JUnit XML: a suite for the run as a whole, and one per framework and operation.

    A test case fails exactly if the run's exit status is not 0.

    Args:
        report: of a run.
        strict: whether a dialect fails.
    """
    about = {"nnconform": report.nnconform, "spec": report.spec}
    clauses = _clauses({result.vector for result in report.results if result.fails(strict=strict)})
    entries = report.by_name
    suites: dict[tuple[str, str], Suite] = {}
    for result in report.results:
        framework, operation = result.framework, result.operation
        if (suite := suites.get((framework, operation))) is None:
            properties = about | dict(entries[framework].versions)
            suite = suites[framework, operation] = Suite(f"{framework}.{operation}", framework, properties)
        suite.cases.append(_case(result, strict, clauses.get(result.vector, ()), entries[framework]))
    run = Suite("nnconform", "nnconform", about, list(_run_cases(report)))
    return xml([run, *suites.values()], report.created)


def of_diff(diff: Diff, *, bits: bool = False) -> str:
    """Return a diff as JUnit XML: a suite for both sides, and one per framework with a test case per group of changes.

    A test case fails exactly if the exit status of the diff is not 0.

    Args:
        diff: the diff.
        bits: whether drift fails.
    """
    about = {"nnconform": diff.nnconform, "title": diff_summary.title(diff)}
    cases: dict[str, list[Case]] = defaultdict(list)
    for group in diff_groups.group_changes(diff):
        cases[group.framework].append(_group_case(group))
    for drift in diff.drift:
        cases[drift.framework].append(_drift_case(drift, bits))
    suites = [Suite("nnconform", "nnconform", about, list(_diff_cases(diff)))]
    suites += [Suite(f"nnconform.{name}", name, about, of_framework) for name, of_framework in cases.items()]
    return xml(suites, datetime.now(UTC).isoformat(timespec="seconds"))


def _group_case(group: diff_groups.Group) -> Case:
    """Return the test case of a group of changes, a failure if the group needs action."""
    name = (f"{group.framework}.{group.operation}", group.sentence)
    if not group.fails:
        return Case(*name, out="\n".join([group.kind, *group.details]))
    lines = [change_text(change) for change in group.changes]
    more = [f"and {len(lines) - CHANGES} more"] if len(lines) > CHANGES else []
    text = "\n".join([*group.details, "", *lines[:CHANGES], *more])
    return Case(*name, "failure", group.kind, group.sentence, text)


def _drift_case(drift: Drift, bits: bool) -> Case:
    text = f"{count(drift.tensors, 'tensor')} with other bits and the same verdict"
    if (d := drift.distribution) is not None:
        text += f", up to {d.worst} ulp, in {d.vector}, {d.implementation} ({d.mode})"
    name = (f"{drift.framework}.{drift.operation}", f"{drift.output}: same bits")
    return Case(*name, "failure", "drifted", text, text) if bits else Case(*name, out=text)


def _diff_cases(diff: Diff) -> Iterator[Case]:
    """Yield the test cases of a comparison as a whole: its sides, and a summary of unchanged results."""
    for word, side in (("old", diff.old), ("new", diff.new)):
        for entry in side.frameworks:
            yield _framework_case(f"nnconform.{word}", entry)
        yield _complete(side.complete, f"nnconform.{word}")
        if side.faults:
            message = f"adapter faults, which leave calls without a result: {side.faults}"
            yield Case(f"nnconform.{word}", "adapters", "error", "fault", message, message)
    text = "\n".join([diff_summary.conclusion(diff), *diff.notes])
    if diff.fruitless:
        yield Case("nnconform.diff", "everything else is unchanged", "error", "diff", "nothing could be compared", text)
    else:
        yield Case("nnconform.diff", "everything else is unchanged", out=text)


def _run_cases(report: Report) -> Iterator[Case]:
    """Yield the test cases of a run as a whole: frameworks, adapters, vector files, the known list."""
    for entry in report.frameworks:
        yield _framework_case("nnconform.frameworks", entry)
    yield _complete(report.complete, "nnconform.run")
    for problem in report.problems:
        yield Case("nnconform.vectors", problem.partition(": ")[0], "error", "problem", _line(problem), problem)
    for problem in report.known_problems:
        yield Case("nnconform.known", _line(problem), "failure", "known", _line(problem), problem)
    by_implementation: dict[tuple[str, str], list[Fault]] = defaultdict(list)
    for fault in report.faults:
        by_implementation[fault.framework, fault.implementation].append(fault)
    for (framework, implementation), faults in by_implementation.items():
        first, more = _line(faults[0].message), len(faults) - 1
        message = f"adapter fault: {first}" + (f" (and {more} more)" if more else "")
        text = "\n".join(f"{fault.vector}: {fault.message}" for fault in faults)
        yield Case(_classname(framework, implementation), "adapter", "error", "fault", message, text)


def _complete(complete: bool, classname: str) -> Case:
    message = "this run is incomplete: it was interrupted, or a framework did not finish"
    return Case(classname, "complete") if complete else Case(classname, "complete", "error", "incomplete", message)


def _framework_case(classname: str, entry: FrameworkEntry) -> Case:
    """Return the test case of a framework; one that is not installed is skipped, as it is by the exit status."""
    if entry.status == "ran":
        return Case(classname, entry.name, seconds=entry.seconds)
    message = f"{entry.status}: {_line(entry.reason)}"
    if entry.status == "missing":
        return Case(classname, entry.name, "skipped", message=message)
    text = "\n".join([entry.reason, *quote_printed(entry.stderr)])
    return Case(classname, entry.name, "error", entry.status, message, text, seconds=entry.seconds)


def _outcome(result: Result, strict: bool) -> Outcome:
    if result.verdict == "unsupported" or result.known:
        return "skipped"
    if not result.fails(strict=strict):
        return "passed"
    return "failure" if result.verdict in ("diverges", "dialect") else "error"


def _case(result: Result, strict: bool, clauses: Sequence[str], entry: FrameworkEntry) -> Case:
    classname, name = _classname(result.framework, result.implementation), f"{result.vector} [{result.mode}]"
    outcome = _outcome(result, strict)
    if outcome == "skipped":
        message = f"known divergence: {result.known}" if result.known else _line(result.reason or "unsupported")
        return Case(classname, name, outcome, message=message, err=result.printed)
    if outcome == "passed":
        # A default or a dialect does not fail, and its difference is in the suite's output.
        out = "" if result.verdict == "conforms" else f"{result.verdict}: {_message(result)}"
        return Case(classname, name, out=out, err=result.printed)
    text = "\n".join(_details(result, clauses, entry))
    return Case(classname, name, outcome, result.verdict, _message(result), text, err=result.printed)


def _message(result: Result) -> str:
    """Return the error of a result in one line: its dialect or reason, the vector, the worst element."""
    group = Group()
    for name, output in result.outputs.items():
        if output.verdict == result.verdict:
            group.add(result, name)
    if not group.members:
        return f"{result.vector}: {_line(result.reason or result.verdict)}"
    dialect = result.outputs[group.worst[1]].dialect
    return (f"{dialect}: " if dialect else "") + describe_worst(group)


def _details(result: Result, clauses: Sequence[str], entry: FrameworkEntry) -> Iterator[str]:
    if clauses:
        yield f"clauses: {', '.join(clauses)}"
    yield from describe(result)
    yield f"repeat: {shlex.join(rerun_command(entry, result))}"


def _clauses(vectors: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the clauses of published vectors by id; only the files of their operations are loaded."""
    operations = sorted({vector.partition("/")[0] for vector in vectors})
    if not operations:
        return {}
    from importlib import resources
    from pathlib import Path

    from nnconform.conformance.vectors.reading import load

    folder = Path(str(resources.files("nnconform.spec").joinpath("vectors")))
    return {vector.id: vector.clauses for name in operations for vector in load(folder / name)[0]}


def _classname(framework: str, implementation: str) -> str:
    # Viewers split a class from its package at the last dot, which must not be that of variance_scaling(2.0).
    plain = re.sub(r"\(.*\)", lambda match: match[0].replace(".", "_"), implementation)
    return f"{framework}.{plain}"


def _line(text: str) -> str:
    """Return the first line of a text that is not empty."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
