"""The pages of a dialect, a combination of dialects, and a fault."""

from __future__ import annotations

from collections.abc import Sequence

from nnconform.conformance.report.findings import group_by_dialect, group_unexplained
from nnconform.conformance.report.last_run import LastRun
from nnconform.conformance.vectors import dialects, index
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.words import joined

from . import sections
from .page import Page

KINDS = {
    "semantic": "dialect, semantic: another exact value",
    "accuracy": "dialect, accuracy: the exact value, a wider bound",
    "error": "dialect: an error where the clause has a value",
}


def page(name: str, run: LastRun | None, *, verbose: bool) -> Page:
    """Return the page of a dialect, or of a combination of dialects joined by ``+``."""
    parts = name.split("+")
    page = _one(name) if len(parts) == 1 else _combination(name, parts)
    hunting = [v.id for v in index.outlines(parts[0]) if set(parts) <= set(v.hunts)]
    if hunting or len(parts) == 1:
        page.section(f"Vectors that hunt {'it' if len(parts) == 1 else 'all of them'}: {len(hunting)}")
        sections.add_vectors(page, hunting, verbose=verbose)
    if run := sections.add_run(page, run):
        groups = group_by_dialect(run.report.results, name)
        if not groups:
            page.say("No result has it." if run.caveat else "No implementation has it.", indent=2)
        # A report has the parts of a combination in its own order.
        about = next(iter(groups))[2] if groups and len(parts) > 1 else name
        sections.add_groups(page, groups, about=about)
    return page


def _one(name: str) -> Page:
    dialect = dialects.dialects()[name]
    page = Page(name, KINDS[dialect.kind])
    page.say(dialect.summary)
    page.gap()
    page.fields(
        [
            ("formula", dialect.formula),
            ("in", f"{joined(dialect.operations)}: {joined(dialect.outputs)}"),
            *_clauses(dialect.departs_from),
            ("consequence", dialect.consequence),
            *dialect.advice,
        ],
        indent=2,
    )
    page.section("Sources")
    for source in dialect.source:
        (page.verbatim if source in dialect.links else page.say)(source, indent=2)
    return page


def _clauses(ids: Sequence[str]) -> list[tuple[str, str]]:
    titles = [f"{clause}: {clauses()[clause].title}" for clause in ids]
    return [("departs from" if number == 0 else " ", title) for number, title in enumerate(titles)]


def _combination(name: str, parts: Sequence[str]) -> Page:
    page = Page(name, f"{len(parts)} dialects at once")
    for part in parts:
        dialect = dialects.dialects()[part]
        page.section(f"{part} ({dialect.kind}; {', '.join(dialect.departs_from)})")
        page.say(dialect.summary, indent=2)
        page.fields(dialect.advice, indent=2)
    return page


def fault(name: str, run: LastRun | None, *, verbose: bool) -> Page:
    """Return the page of a fault that vectors hunt."""
    page = Page(name, "fault that vectors hunt")
    page.say(dialects.faults()[name])
    hunting = [v.id for v in index.outlines(name) if name in v.hunts]
    page.section(f"Vectors that hunt it: {len(hunting)}")
    sections.add_vectors(page, hunting, verbose=verbose)
    if run := sections.add_run(page, run):
        results = run.report.results_on(hunting)
        page.say("All results on these vectors, whatever their reason:", indent=2)
        sections.add_counts(page, results, "framework", lambda result: result.framework)
        sections.add_groups(page, group_unexplained(results))
    return page
