"""The text of an upstream report around a script."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from nnconform.conformance.vectors import dialects
from nnconform.conformance.vectors.vector import Vector

from .rows import Chosen, Row, output_of
from .script import Script

RAISED = {
    "error": "raises an error where the formula has a value",
    "crash": "ends the process",
    "timeout": "does not return",
}


def text(vector: Vector, chosen: Chosen, script: Script, report: Mapping[str, Any] | None) -> str:
    """Return a report in Markdown: a title, what is expected and why, what is got, the script, the versions.

    Args:
        vector: what is asked.
        chosen: the call, with what the report says of it.
        script: that shows it.
        report: of the run.
    """
    return "\n\n".join(_parts(vector, chosen, script, report)) + "\n"


def _parts(vector: Vector, chosen: Chosen, script: Script, report: Mapping[str, Any] | None) -> Iterator[str]:
    assert chosen.row is not None
    how = "" if chosen.mode == "eager" else f" (mode `{chosen.mode}`)"
    yield f"# {chosen.implementation}: {_title(vector, chosen.row, script)}"
    yield "## Expected"
    for clause in script.clauses:
        yield f"The nnconform specification, {clause.id} ({clause.page}), {clause.title}:"
        yield textwrap.indent(clause.text, "> ", lambda _: True).replace("> \n", ">\n")
        if clause.source:
            yield f"Source: {clause.source}"
    yield "## Actual"
    yield f"`{chosen.implementation}`{how}: `{script.said}`"
    yield from _dialects(chosen.row, script)
    yield "## To reproduce"
    yield f"```python\n{script.text}```"
    yield "## Versions"
    yield "\n".join(f"- {line}" for line in _versions(chosen, report))
    yield f"Found with nnconform, test vector `{vector.id}`."


def _title(vector: Vector, row: Row, script: Script) -> str:
    """Return what is the matter in a few words, without a judgement."""
    named = [dialects.dialects()[part]["summary"] for part in _named(row, script)]
    if row["verdict"] == "dialect" and named:
        return str(named[0]).rstrip(".")
    if row["verdict"] in RAISED:
        return f"{RAISED[row['verdict']]} ({vector.dtype})"
    output = row["outputs"][script.outputs[0]]
    if "worst" not in output:
        return f"{script.outputs[0]} is {output.get('problem', 'not as expected')} ({vector.dtype})"
    got, expected = (f"{float(output['worst'][key]):.4g}" for key in ("got", "expected"))
    return f"{script.outputs[0]} is {got} where {expected} is expected ({vector.dtype})"


def _named(row: Row, script: Script) -> list[str]:
    """Return the dialects that name the difference, one by one."""
    names = [row.get("dialect", ""), *(output_of(row, name).get("dialect", "") for name in script.outputs)]
    known = dialects.dialects()
    return list(dict.fromkeys(part for name in names for part in name.split("+") if part in known))


def _dialects(row: Row, script: Script) -> Iterator[str]:
    """Yield what is known of each dialect that names the difference: what it is, its formula, what it means."""
    if row["verdict"] != "dialect":
        return
    known = dialects.dialects()
    for entry in (known[part] for part in _named(row, script)):
        yield f"{entry['summary']} In a formula:"
        yield f"```text\n{entry['formula']}\n```"
        yield f"What it means: {entry['consequence']}"
        if links := [source for source in entry["source"] if source.startswith("http")]:
            yield "See also: " + ", ".join(f"<{link}>" for link in links)


def _versions(chosen: Chosen, report: Mapping[str, Any] | None) -> Iterator[str]:
    assert report is not None
    entry = next(e for e in report["frameworks"] if e["name"] == chosen.framework)
    yield from (f"{name} {version}" for name, version in entry["versions"].items())
    platform = report["platform"]
    yield f"Python {entry.get('python', platform['python'])}"
    yield f"{platform['system']} {platform['machine']}" + (
        f", {platform['processor']}" if platform["processor"] else ""
    )
