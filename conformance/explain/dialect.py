"""A dialect, a combination of dialects, or a fault: what it is, who has it, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnconform.conformance.report import last_run
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
        sections.vectors(page, hunting, everything=verbose)
    if run := sections.head(page, run):
        found = last_run.by_dialect(run.rows, name)
        if not found:
            page.say("No result of it has it." if run.caveat else "No implementation was found to have it.", indent=2)
        # A combination is the same in whatever order its parts are named.
        about = next(iter(found))[2] if found and len(parts) > 1 else name
        sections.groups(page, found, about=about)
    return page


def _one(name: str) -> Page:
    said = dialects.dialects()[name]
    page = Page(name, KINDS[said["kind"]])
    page.say(said["summary"])
    page.gap()
    page.fields(
        [
            ("formula", said["formula"]),
            ("in", f"{joined(said['operations'])}: {joined(said['outputs'])}"),
            *_clauses(said["departs_from"]),
            ("consequence", said["consequence"]),
            *advice(said),
        ],
        indent=2,
    )
    page.section("Sources")
    for source in said["source"]:
        (page.verbatim if source.startswith("http") else page.say)(source, indent=2)
    return page


def _clauses(ids: list[str]) -> list[tuple[str, str]]:
    titles = [f"{clause}: {clauses()[clause].title}" for clause in ids]
    return [("departs from" if number == 0 else " ", title) for number, title in enumerate(titles)]


def advice(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what to do about a dialect, as fields: to make it conform, and to get it elsewhere."""
    return [("remedy", said.get("remedy", "")), ("to adopt it", said.get("adopt", ""))]


def _combination(name: str, parts: list[str]) -> Page:
    page = Page(name, f"{len(parts)} dialects at once")
    for part in parts:
        said = dialects.dialects()[part]
        page.section(f"{part} ({said['kind']}; {', '.join(said['departs_from'])})")
        page.say(said["summary"], indent=2)
        page.fields(advice(said), indent=2)
    return page


def fault(name: str, run: LastRun | None, *, verbose: bool) -> Page:
    """Return the page of a fault that vectors hunt."""
    page = Page(name, "fault that vectors hunt")
    page.say(dialects.faults()[name])
    hunting = [v.id for v in index.outlines(name) if name in v.hunts]
    page.section(f"Vectors that hunt it: {len(hunting)}")
    sections.vectors(page, hunting, everything=verbose)
    if run := sections.head(page, run):
        rows = run.on(hunting)
        page.say("Of these vectors, which show other things too:", indent=2)
        sections.counts(page, rows, "framework")
        sections.groups(page, last_run.diverging(rows))
    return page
