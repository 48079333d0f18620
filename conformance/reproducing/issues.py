"""The text of an upstream report around a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnconform.conformance.suite import catalogue
from nnconform.conformance.suite.vectors import Vector

from .rows import Chosen
from .script import Script

WHAT = {
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
    row = chosen.row
    yield f"# {_title(vector, chosen, script)}"
    yield "## Expected"
    for clause in script.clauses:
        yield clause.text
        if clause.source:
            yield f"Source: {clause.source} ({clause.id} of the nnconform specification, {clause.page})"
    yield "## Actual"
    yield f"`{chosen.implementation}`{_mode(chosen)}: {_numbers(script.said)}"
    yield from _dialect(row, script)
    yield "## To reproduce"
    yield f"```python\n{script.text}```"
    yield "## Versions"
    yield "\n".join(f"- {line}" for line in _versions(chosen, report))
    yield f"Found by nnconform, vector `{vector.id}`."


def _title(vector: Vector, chosen: Chosen, script: Script) -> str:
    assert chosen.row is not None
    verdict = chosen.row["verdict"]
    names = {_dialects(chosen.row, name) for name in script.outputs} | {chosen.row.get("dialect", "")}
    parts = [part for name in sorted(names) for part in name.split("+") if part]
    if verdict == "dialect" and parts:
        known = catalogue.dialects()
        summary = next((known[part]["summary"] for part in parts if part in known), "")
        return f"{chosen.implementation}: {summary.rstrip('.')}"
    if verdict in WHAT:
        return f"{chosen.implementation} {WHAT[verdict]} ({vector.dtype})"
    return f"{chosen.implementation}: unexpected {script.outputs[0].partition('[')[0]} ({vector.dtype})"


def _mode(chosen: Chosen) -> str:
    return "" if chosen.mode == "eager" else f" (mode {chosen.mode})"


def _numbers(said: str) -> str:
    return f"`{said}`"


def _dialects(row: Mapping[str, Any], name: str) -> str:
    return str(row["outputs"].get(name, {}).get("dialect", ""))


def _dialect(row: Mapping[str, Any], script: Script) -> Iterator[str]:
    """Yield what is known of each dialect that names the difference: what it is, its formula, what it means."""
    if row["verdict"] != "dialect":
        return
    known = catalogue.dialects()
    named = [row.get("dialect", ""), *(_dialects(row, name) for name in script.outputs)]
    for part in dict.fromkeys(part for dialect in named for part in dialect.split("+") if part in known):
        entry = known[part]
        links = [source for source in entry["source"] if source.startswith("http")]
        yield f"{entry['summary']} The values are those of"
        yield f"```text\n{entry['formula']}\n```"
        yield entry["consequence"]
        if links:
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
