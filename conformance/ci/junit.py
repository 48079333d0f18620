"""JUnit XML of a report or of a diff: what CI systems show as tests."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from nnconform.conformance.diff import summary as diff_summary
from nnconform.conformance.diff.wording import row_text
from nnconform.conformance.report import findings_of_rows as findings
from nnconform.conformance.report.findings_of_rows import is_finding

from .junit_xml import Case, Outcome, Suite, xml

Row = Mapping[str, Any]
# Changes that the text of one failure tells.
MOST_ROWS = 50


def of_report(report: Mapping[str, Any], *, strict: bool) -> str:
    """Return a report as JUnit XML: a suite for what concerns the run, and one a framework and operation.

    Something in it fails exactly where the run's exit status is not 0.

    Args:
        report: the JSON report.
        strict: whether a dialect fails.
    """
    about = {"nnconform": report["nnconform"], "spec": report["spec"]}
    suites = [Suite("nnconform", "nnconform", about, list(_run_cases(report)))]
    entries = {entry["name"]: entry for entry in report["frameworks"]}
    clauses = _clauses({row["vector"] for row in report["results"] if is_finding(row, strict=strict)})
    found: dict[tuple[str, str], Suite] = {}
    for row in report["results"]:
        framework, operation = row["framework"], row["operation"]
        if (suite := found.get((framework, operation))) is None:
            properties = about | entries[framework]["versions"]
            suite = found[framework, operation] = Suite(f"{framework}.{operation}", framework, properties)
        suite.cases.append(_case(row, strict, clauses.get(row["vector"], ()), entries[framework]))
    return xml([*suites, *found.values()], report["created"])


def of_diff(document: Mapping[str, Any], *, bits: bool = False) -> str:
    """Return a diff as JUnit XML: a suite for both sides, and one a framework with a test case for what changed.

    Something in it fails exactly where the exit status of the diff is not 0.

    Args:
        document: the JSON diff.
        bits: whether drift fails.
    """
    about = {"nnconform": document["nnconform"], "title": diff_summary.title(document)}
    cases: dict[str, list[Case]] = defaultdict(list)
    for group in diff_summary.groups(document):
        cases[group.framework].append(_group_case(group))
    for row in document["drift"]:
        cases[row["framework"]].append(_drift_case(row, bits))
    suites = [Suite("nnconform", "nnconform", about, list(_diff_cases(document)))]
    suites += [Suite(f"nnconform.{name}", name, about, found) for name, found in cases.items()]
    return xml(suites, datetime.now(UTC).isoformat(timespec="seconds"))


def _group_case(group: diff_summary.Group) -> Case:
    """Return the test case of a group of changes, which fails where a user must act on it."""
    name = (f"{group.framework}.{group.operation}", group.sentence)
    told = "\n".join(group.details)
    if not group.fails:
        return Case(*name, out=f"{group.kind}\n{told}")
    rows = [row_text(row) for row in group.rows]
    more = [f"and {len(rows) - MOST_ROWS} more"] if len(rows) > MOST_ROWS else []
    return Case(*name, "failure", group.kind, group.sentence, "\n".join([told, "", *rows[:MOST_ROWS], *more]))


def _drift_case(row: Row, bits: bool) -> Case:
    told = f"{row['tensors']} tensors of {row['output']} have other bits, and the same verdicts"
    if "worst" in row:
        told += f": up to {row['worst']} ulp, in {row['vector']}, {row['implementation']} ({row['mode']})"
    name = (f"{row['framework']}.{row['operation']}", f"{row['output']}: the same bits as before")
    return Case(*name, "failure", "drifted", told, told) if bits else Case(*name, out=told)


def _diff_cases(document: Mapping[str, Any]) -> Iterator[Case]:
    """Yield what can go wrong with a comparison as a whole, and that all else is as it was."""
    for side in ("old", "new"):
        for entry in document[side]["frameworks"]:
            yield _framework_case(entry, f"nnconform.{side}")
        yield _complete(document[side]["complete"], f"nnconform.{side}")
        if faults := document[side]["faults"]:
            message = f"calls that ended in a fault of the adapter, and have no result: {faults}"
            yield Case(f"nnconform.{side}", "adapters", "error", "fault", message, message)
    told = "\n".join([diff_summary.conclusion(document), *document["notes"]])
    if diff_summary.fruitless(document):
        yield Case("nnconform.diff", "everything else is as before", "error", "diff", "nothing could be compared", told)
    else:
        yield Case("nnconform.diff", "everything else is as before", out=told)


def _run_cases(report: Mapping[str, Any]) -> Iterator[Case]:
    """Yield what can go wrong with a run as a whole: frameworks, adapters, vector files, the known list."""
    for entry in report["frameworks"]:
        yield _framework_case(entry, "nnconform.frameworks")
    yield _complete(report["complete"], "nnconform.run")
    for problem in report["problems"]:
        yield Case("nnconform.vectors", problem.partition(": ")[0], "error", "problem", _line(problem), problem)
    for problem in report.get("known_problems", ()):
        yield Case("nnconform.known", _line(problem), "failure", "known", _line(problem), problem)
    faults: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for fault in report["faults"]:
        faults[fault["framework"], fault["implementation"]].append(fault)
    for (framework, implementation), rows in faults.items():
        first, more = _line(rows[0]["message"]), len(rows) - 1
        message = f"fault of the adapter: {first}" + (f" (and {more} more like it)" if more else "")
        text = "\n".join(f"{row['vector']}: {row['message']}" for row in rows)
        yield Case(_classname(framework, implementation), "adapter", "error", "fault", message, text)


def _complete(complete: bool, classname: str) -> Case:
    message = "this run is incomplete: it was interrupted, or a framework did not run to the end"
    return Case(classname, "complete") if complete else Case(classname, "complete", "error", "incomplete", message)


def _framework_case(entry: Row, classname: str) -> Case:
    """Return whether a framework ran to the end; one that is not installed is skipped, as it is by the exit status."""
    name, seconds = (classname, entry["name"]), entry.get("seconds", 0.0)
    if entry["status"] == "ran":
        return Case(*name, seconds=seconds)
    message = f"{entry['status']}: {_line(entry['reason'])}"
    if entry["status"] == "missing":
        return Case(*name, "skipped", message=message)
    text = "\n".join(part for part in (entry["reason"], _printed(entry.get("stderr", ""))) if part)
    return Case(*name, "error", entry["status"], message, text, seconds=seconds)


def _outcome(row: Row, strict: bool) -> Outcome:
    if row["verdict"] == "unsupported" or "known" in row:
        return "skipped"
    if not is_finding(row, strict=strict):
        return "passed"
    return "failure" if row["verdict"] in ("diverges", "dialect") else "error"


def _case(row: Row, strict: bool, clauses: Sequence[str], entry: Row) -> Case:
    classname, name = _classname(row["framework"], row["implementation"]), f"{row['vector']} [{row['mode']}]"
    outcome, printed = _outcome(row, strict), row.get("printed", "")
    if outcome == "skipped":
        message = f"known: {row['known']}" if "known" in row else _line(row.get("reason", "unsupported"))
        return Case(classname, name, outcome, message=message, err=printed)
    if outcome == "passed":
        # Defaults inform and a dialect explains: neither fails, and neither is lost.
        told = "" if row["verdict"] == "conforms" else f"{row['verdict']}: {_message(row)}"
        return Case(classname, name, out=told, err=printed)
    text = "\n".join(_details(row, clauses, entry))
    return Case(classname, name, outcome, row["verdict"], _message(row), text, err=printed)


def _message(row: Row) -> str:
    """Return what is wrong with a row in one line: the dialect or error, the vector, the worst element, how far."""
    group = findings.Group()
    for name, output in row["outputs"].items():
        if output["verdict"] == row["verdict"]:
            group.add(row, name)
    if not group.rows:
        group.add(row, "")
        said = row.get("reason", row["verdict"])
        return f"{row['vector']}: {_line(said)}"
    dialect = row["outputs"][group.worst[1]].get("dialect")
    return (f"{dialect}: " if dialect else "") + findings.worst_text(group)


def _details(row: Row, clauses: Sequence[str], entry: Row) -> Iterator[str]:
    if clauses:
        yield f"clauses: {', '.join(clauses)}"
    if "reason" in row:
        yield row["reason"]
    for name, output in row["outputs"].items():
        if output["verdict"] != "conforms":
            yield from _output_lines(name, output)
    if row.get("printed"):
        yield _printed(row["printed"])
    yield f"again: {shlex.join(findings.again(entry, row))}"


def _output_lines(name: str, output: Row) -> Iterator[str]:
    dialect = f" ({output['dialect']})" if "dialect" in output else ""
    yield f"{name}: {output['verdict']}{dialect}"
    if "problem" in output:
        yield f"  {output['problem']}"
    if "worst" in output:
        worst = output["worst"]
        yield f"  at {worst['index']}: got {worst['got']}, expected {worst['expected']}, bound {worst['bound']}"
    yield f"  {output['ratio']} x bound, {output['ulp']} ulp"
    if "also" in output:
        yield f"  fits too: {', '.join(output['also'])}"


def _printed(text: str) -> str:
    return "\n".join(["printed:", *(f"  | {line}" for line in text.strip().splitlines())]) if text.strip() else ""


def _clauses(vectors: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the clauses that published vectors test, by id; of their operations only, and for none without loading."""
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
    """Return the first line of a text that has something in it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
