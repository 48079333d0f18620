"""The pages of names that many results belong to: an operation, a framework, a verdict."""

from __future__ import annotations

from collections.abc import Iterable

from nnconform.conformance.model.result import Result
from nnconform.conformance.model.verdicts import VERDICTS
from nnconform.conformance.report.findings import group_by_reason, group_unexplained
from nnconform.conformance.report.last_run import LastRun
from nnconform.conformance.running import frameworks
from nnconform.conformance.vectors import dialects, index
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.operations import OUTPUTS
from nnconform.conformance.words import count, joined

from . import sections
from .page import Page

MEANINGS = {
    "conforms": (
        "Every output is inside the error bound of its expected value, with the right special values, dtype and shape."
    ),
    "dialect": (
        "An output does not conform, but it is inside the error bound of a dialect: a named, documented way in which "
        "a framework differs from the spec."
    ),
    "diverges": (
        "An output is inside neither the error bound of its expected value nor that of a dialect. spec/findings.md "
        "describes the divergences of the tested versions."
    ),
    "unsupported": "The framework has no such function or option; the adapter states the reason.",
    "error": "The framework raised an error although the clause has a value, or the reverse.",
    "crash": "The framework's process died on this vector.",
    "timeout": "The framework did not answer in time on this vector.",
}
# The heads of columns that are not the verdict's name; a column of errors has crashes and timeouts too.
HEADS = {name: v.column for name, v in VERDICTS.items() if v.column != name} | {"error": "failed"}


def operation(name: str, run: LastRun | None) -> Page:
    """Return the page of an operation: its clauses, its implementations, and their dialects and divergences."""
    page = Page(name, f"operation, with the outputs {', '.join(OUTPUTS[name])}")
    outlines = list(index.outlines(operation=name))
    tested = {clause for outline in outlines for clause in outline.clauses}
    page.section(f"Clauses that its {len(outlines)} vectors test")
    page.fields([(c.id, c.title) for c in clauses().values() if c.id in tested], indent=2)
    if run := sections.add_run(page, run):
        results = [result for result in run.report.results if result.operation == name]
        sections.add_counts(page, results, "implementation", lambda result: result.implementation)
        _add_dialects(page, results)
        sections.add_groups(page, group_unexplained(results))
    else:
        page.section("Dialects of this operation")
        for dialect, description in dialects.dialects().items():
            if name in description.operations:
                page.say(f"{dialect}: {description.summary}", indent=2)
    return page


def framework(name: str, run: LastRun | None) -> Page:
    """Return the page of a framework, or of one of the packages that an adapter provides (keras, flax, optax)."""
    whole = frameworks.PARTS.get(name, name)
    page = Page(name, "framework" if whole == name else f"package, run by the adapter of {whole}")
    here = frameworks.available().get(whole)
    if here and here.missing:
        page.say(f"{', '.join(here.missing)} not installed; install with: {here.install}")
    if run := sections.add_run(page, run):
        for entry in run.report.frameworks:
            if entry.name == whole and entry.reason:
                page.say(f"{entry.status}: {entry.reason}", indent=2)
        results = [result for result in run.report.results if result.framework == whole]
        if whole != name:
            results = [result for result in results if result.implementation.startswith(f"{name}.")]
        if results:
            _add_results(page, results)
        else:
            page.say(f"No results in that run; `nnconform run {name}` makes some.", indent=2)
    return page


def _add_results(page: Page, results: Iterable[Result]) -> None:
    sections.add_counts(page, results, "operation", lambda result: result.operation)
    _add_dialects(page, results)
    sections.add_groups(page, group_unexplained(results))
    page.section("Implementations")
    names: dict[str, dict[str, None]] = {}
    for result in results:
        names.setdefault(result.operation, {})[result.implementation] = None
    page.fields([(operation, joined(of_it)) for operation, of_it in names.items()], indent=2)


def verdict(name: str, run: LastRun | None) -> Page:
    """Return the page of a verdict: its meaning, and the results that have it."""
    page = Page(name, f"verdict; in tables: {HEADS[name]}" if name in HEADS else "verdict")
    page.say(MEANINGS[name])
    if run := sections.add_run(page, run):
        every = run.report.results
        results = [result for result in every if result.verdict == name]
        page.say(f"{len(results):,} of {count(len(every), 'result')}", indent=2)
        if name == "dialect":
            _add_dialects(page, every)
        elif name == "unsupported":
            sections.add_groups(page, group_by_reason(results, name))
        elif name != "conforms":
            sections.add_groups(page, group_unexplained(results), about=name)
        elif results:
            sections.add_counts(page, every, "framework", lambda result: result.framework)
    return page


def _add_dialects(page: Page, results: Iterable[Result]) -> None:
    """Add a table of dialects with the number of their vectors and their frameworks."""
    rows_by_dialect: dict[str, tuple[set[str], dict[str, None]]] = {}
    for result in results:
        for _, dialect in result.dialects():
            for part in dialect.split("+"):
                vectors, names = rows_by_dialect.setdefault(part, (set(), {}))
                vectors.add(result.vector)
                names[result.framework] = None
    if rows_by_dialect:
        page.section("Dialects, alone or in combination")
        ordered = sorted(rows_by_dialect.items(), key=lambda item: -len(item[1][0]))
        rows = [[dialect, str(len(vectors)), ", ".join(names)] for dialect, (vectors, names) in ordered]
        page.table(["dialect", "vectors", "frameworks"], rows, indent=2)
