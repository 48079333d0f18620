"""The text of an upstream report around a script."""

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
    "error": "raises an error where the formula has a value",
    "crash": "ends the process",
    "timeout": "does not return",
}


def text(vector: Vector, call: ReportedCall, script: Script, report: Report | None) -> str:
    """Return a report in Markdown: a title, what is expected and why, what is got, the script, the versions.

    Args:
        vector: what is asked.
        call: the call, with what the report says of it.
        script: that shows it.
        report: of the run.
    """
    return "\n\n".join(_parts(vector, call, script, report)) + "\n"


def _parts(vector: Vector, call: ReportedCall, script: Script, report: Report | None) -> Iterator[str]:
    assert call.result is not None
    how = "" if call.mode == "eager" else f" (mode `{call.mode}`)"
    yield f"# {call.implementation}: {_title(vector, call.result, script)}"
    yield "## Expected"
    for clause in script.clauses:
        yield f"The nnconform specification, {clause.id} ({clause.page}), {clause.title}:"
        yield textwrap.indent(clause.text, "> ", lambda _: True).replace("> \n", ">\n")
        if clause.source:
            yield f"Source: {clause.source}"
    yield "## Actual"
    yield f"`{call.implementation}`{how}: {_code_span(script.summary)}"
    yield from _dialects(call.result, script)
    yield "## To reproduce"
    fence = _fence(script.text)
    yield f"{fence}python\n{script.text}{fence}"
    yield "## Versions"
    yield "\n".join(f"- {_code_span(line)}" for line in _versions(call, report))
    yield f"Found with nnconform, test vector `{vector.id}`."


def _code_span(foreign: str) -> str:
    """Return foreign text as code on one line, which no backticks in it can end."""
    text = clean(foreign)
    runs = re.findall("`+", text)
    ticks = "`" * (max(map(len, runs), default=0) + 1)
    return f"{ticks} {text} {ticks}" if runs else f"`{text}`"


def _fence(text: str) -> str:
    """Return a fence that no line of a text can close."""
    return "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)


def _title(vector: Vector, result: Result, script: Script) -> str:
    """Return the problem in a few words, without a judgement."""
    named = [dialects.dialects()[part].summary for part in _named(result, script)]
    if result.verdict == "dialect" and named:
        return str(named[0]).rstrip(".")
    if result.verdict in RAISED:
        return f"{RAISED[result.verdict]} ({vector.dtype})"
    name = script.outputs[0]
    output = output_of(result, name)
    if output.worst is None:
        return f"{name} is {_code_span(output.problem) if output.problem else 'not as expected'} ({vector.dtype})"
    worst = output.worst
    return f"{name} is {decimal(worst.got, 4)} where {decimal(worst.expected, 4)} is expected ({vector.dtype})"


def _named(result: Result, script: Script) -> list[str]:
    """Return the dialects that name the difference, one by one."""
    names = [result.dialect, *(output_of(result, name).dialect for name in script.outputs)]
    known = dialects.dialects()
    return list(dict.fromkeys(part for name in names for part in name.split("+") if part in known))


def _dialects(result: Result, script: Script) -> Iterator[str]:
    """Yield the summary, formula and consequence of each dialect that names the difference."""
    if result.verdict != "dialect":
        return
    known = dialects.dialects()
    for entry in (known[part] for part in _named(result, script)):
        yield f"{entry.summary} In a formula:"
        yield f"```text\n{entry.formula}\n```"
        yield f"What it means: {entry.consequence}"
        if entry.links:
            yield "See also: " + ", ".join(f"<{link}>" for link in entry.links)


def _versions(call: ReportedCall, report: Report | None) -> Iterator[str]:
    assert report is not None
    entry, platform = report.by_name[call.framework], report.platform
    yield from (f"{name} {version}" for name, version in entry.versions.items())
    yield f"Python {entry.python or platform.python}"
    yield f"{platform.system} {platform.machine}" + (f", {platform.processor}" if platform.processor else "")
