"""What many results belong to: an operation, a framework, or a verdict."""

from __future__ import annotations

from collections.abc import Iterable

from nnconform.conformance.report import last_run
from nnconform.conformance.report.findings_of_rows import HEADS, groups
from nnconform.conformance.report.last_run import LastRun, Row
from nnconform.conformance.running import frameworks
from nnconform.conformance.vectors import dialects, index
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.operations import OUTPUTS
from nnconform.conformance.words import count, joined

from . import sections
from .page import Page

VERDICTS = {
    "conforms": "Inside the error bound of the expected value, special values, dtype and shape included.",
    "dialect": "Not inside the conforming bound, but inside the bound of exactly what a named dialect prescribes: "
    "explained.",
    "diverges": (
        "Neither inside the bound of the expected value nor of any dialect: the finding that matters most. "
        "spec/findings.md tells of those of the tested versions."
    ),
    "unsupported": "The framework has no such thing, and the adapter says why.",
    "error": "The framework raised where the spec has a value, or the reverse.",
    "crash": "The process died on this vector.",
    "timeout": "The process hung on this vector.",
}


def operation(name: str, run: LastRun | None) -> Page:
    """Return the page of an operation: its clauses, who implements it, and how they differ."""
    page = Page(name, f"operation, with the outputs {', '.join(OUTPUTS[name])}")
    outlines = list(index.outlines(operation=name))
    tested = {clause for outline in outlines for clause in outline.clauses}
    page.section(f"Clauses that its {len(outlines)} vectors test")
    page.fields([(c.id, c.title) for c in clauses().values() if c.id in tested], indent=2)
    if run := sections.head(page, run):
        rows = [row for row in run.rows if row["operation"] == name]
        sections.counts(page, rows, "implementation")
        _dialects(page, rows)
        sections.groups(page, last_run.diverging(rows))
    else:
        named = [(n, d["summary"]) for n, d in dialects.dialects().items() if name in d["operations"]]
        page.section("Dialects that it may have")
        for dialect, summary in named:
            page.say(f"{dialect}: {summary}", indent=2)
    return page


def framework(name: str, run: LastRun | None) -> Page:
    """Return the page of a framework, or of one of the packages that an adapter provides (keras, flax, optax)."""
    whole = frameworks.PARTS.get(name, name)
    page = Page(name, "framework" if whole == name else f"package, run by the adapter of {whole}")
    here = frameworks.available().get(whole)
    if here and here.missing:
        page.say(f"Not installed: {', '.join(here.missing)} missing; {here.install}")
    if run := sections.head(page, run):
        rows = [row for row in run.rows if row["framework"] == whole]
        if whole != name:
            rows = [row for row in rows if row["implementation"].startswith(f"{name}.")]
        for entry in run.report["frameworks"]:
            if entry["name"] == whole and "reason" in entry:
                page.say(f"{entry['status']}: {entry['reason']}", indent=2)
        if not rows:
            page.say(f"Nothing: it has no result in that run; `nnconform run {name}` makes some.", indent=2)
            return page
        sections.counts(page, rows, "operation")
        _dialects(page, rows)
        sections.groups(page, last_run.diverging(rows))
        page.section("Implementations")
        served: dict[str, dict[str, None]] = {}
        for row in rows:
            served.setdefault(row["operation"], {})[row["implementation"]] = None
        page.fields([(operation, joined(names)) for operation, names in served.items()], indent=2)
    return page


def verdict(name: str, run: LastRun | None) -> Page:
    """Return the page of a verdict: what it means, and what has it."""
    page = Page(name, "verdict" if name not in HEADS else f"verdict; in tables: {HEADS[name]}")
    page.say(VERDICTS[name])
    if run := sections.head(page, run):
        rows = [row for row in run.rows if row["verdict"] == name]
        page.say(f"{count(len(rows), 'result')} of {len(run.rows):,}", indent=2)
        if name == "dialect":
            _dialects(page, run.rows)
        elif name == "unsupported":
            sections.groups(page, groups(rows, name))
        elif name != "conforms":
            sections.groups(page, last_run.diverging(rows), about=name)
        elif rows:
            sections.counts(page, run.rows, "framework")
    return page


def _dialects(page: Page, rows: Iterable[Row]) -> None:
    """Add a line for each dialect that results have: on how many vectors, and where."""
    found: dict[str, tuple[set[str], dict[str, None]]] = {}
    for row in rows:
        for _, dialect in last_run.dialects_of(row):
            for part in dialect.split("+"):
                vectors, where = found.setdefault(part, (set(), {}))
                vectors.add(row["vector"])
                where[row["framework"]] = None
    if found:
        page.section("Dialects, alone or in combination")
        ordered = sorted(found.items(), key=lambda item: -len(item[1][0]))
        page.table(
            ["dialect", "vectors", "where"],
            [[name, str(len(vectors)), ", ".join(where)] for name, (vectors, where) in ordered],
            indent=2,
        )
