"""Bug reports for frameworks, with the script of a result."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.numbers import decimal
from nnconform.conformance.vectors import dialects
from nnconform.conformance.vectors.vector import Vector
from nnconform.conformance.words import clean

from .reported_calls import ReportedCall, output_of
from .script import Script

RAISED = {
    "error": "raises an error, although the formula has a value",
    "crash": "ends the process",
    "timeout": "does not return",
}


def text(vector: Vector, call: ReportedCall, script: Script, report: Report | None) -> str:
    """Return a bug report in Markdown: title, clauses, actual value, script and versions.

    Args:
        vector: the vector.
        call: the call with its result.
        script: the script of the call.
        report: the report of the run.
    """
    return "\n\n".join(_parts(vector, call, script, report)) + "\n"


def _parts(vector: Vector, call: ReportedCall, script: Script, report: Report | None) -> Iterator[str]:
    assert call.result is not None
    mode = "" if call.mode == "eager" else f" (mode `{call.mode}`)"
    yield f"# {call.implementation}: {_title(vector, call.result, script)}"
    yield "## Expected"
    for clause in script.clauses:
        yield f"The nnconform specification, {clause.id} ({clause.page}), {clause.title}:"
        yield textwrap.indent(clause.text, "> ", lambda _: True).replace("> \n", ">\n")
        if clause.source:
            yield f"Source: {clause.source}"
    yield "## Actual"
    yield f"`{call.implementation}`{mode}: {_code_span(script.summary)}"
    yield from _dialects(call.result, script)
    yield "## To reproduce"
    fence = _fence(script.text)
    yield f"{fence}python\n{script.text}{fence}"
    yield "## Versions"
    yield "\n".join(f"- {_code_span(line)}" for line in _versions(call, report))
    yield f"Found with nnconform, test vector `{vector.id}`."


def _code_span(foreign: str) -> str:
    """Return foreign text as code on one line, with a fence that its backticks cannot close."""
    text = clean(foreign)
    runs = re.findall("`+", text)
    ticks = "`" * (max(map(len, runs), default=0) + 1)
    return f"{ticks} {text} {ticks}" if runs else f"`{text}`"


def _fence(text: str) -> str:
    """Return a fence that no backticks in a text can close."""
    return "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)


def _title(vector: Vector, result: Result, script: Script) -> str:
    """Return the problem in a few neutral words."""
    names = _dialect_names(result, script)
    if result.verdict == "dialect" and names:
        return dialects.dialects()[names[0]].summary.rstrip(".")
    if result.verdict in RAISED:
        return f"{RAISED[result.verdict]} ({vector.dtype})"
    name = script.outputs[0]
    output = output_of(result, name)
    if output.worst is None:
        return f"{name} is {_code_span(output.problem) if output.problem else 'not as expected'} ({vector.dtype})"
    worst = output.worst
    return f"{name} is {decimal(worst.got, 4)}, expected {decimal(worst.expected, 4)} ({vector.dtype})"


def _dialect_names(result: Result, script: Script) -> list[str]:
    """Return the single dialects of a result and of the outputs in its script."""
    names = [result.dialect, *(output_of(result, name).dialect for name in script.outputs)]
    return list(dict.fromkeys(part for name in names for part in name.split("+") if part in dialects.dialects()))


def _dialects(result: Result, script: Script) -> Iterator[str]:
    """Yield the summary, formula and consequence of each dialect."""
    if result.verdict != "dialect":
        return
    for name in _dialect_names(result, script):
        entry = dialects.dialects()[name]
        yield f"{entry.summary} The formula:"
        yield f"```text\n{entry.formula}\n```"
        yield f"Consequence: {entry.consequence}"
        if entry.links:
            yield "See also: " + ", ".join(f"<{link}>" for link in entry.links)


def _versions(call: ReportedCall, report: Report | None) -> Iterator[str]:
    assert report is not None
    entry, platform = report.by_name[call.framework], report.platform
    yield from (f"{name} {version}" for name, version in entry.versions.items())
    yield f"Python {entry.python or platform.python}"
    yield f"{platform.system} {platform.machine}" + (f", {platform.processor}" if platform.processor else "")
