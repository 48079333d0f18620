"""The page of a clause: its text, the vectors that test it, the dialects that depart from it, and its keepers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping

from nnconform.conformance.model.result import Result
from nnconform.conformance.model.verdicts import WITHOUT_VALUE
from nnconform.conformance.report.findings import Group
from nnconform.conformance.report.last_run import LastRun
from nnconform.conformance.vectors import dialects, index
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.dialects import DialectDescription, of_the_suite
from nnconform.conformance.vectors.spec_markdown import Code, Items, Paragraph, Table, blocks
from nnconform.conformance.words import count

from . import sections
from .page import Page

# Standings of results that show no departure from the clause.
KEEPS, ELSEWHERE, SILENT = "conforms", "differs only in other clauses", "does not show it"
HARMLESS = (KEEPS, ELSEWHERE, SILENT, "unsupported")


def page(name: str, run: LastRun | None, *, verbose: bool) -> Page:
    """Return the page of the clause ``name``."""
    clause = clauses()[name]
    page = Page(f"{name}: {clause.title}", f"clause, spec/{clause.page}")
    _add_text(page, clause.body)
    departing = departures(name)
    if departing:
        page.section("Dialects that depart from it")
        for dialect, description in departing.items():
            page.say(f"{dialect}: {description.summary}", indent=2)
    if of_the_suite(name):
        page.gap()
        page.say("This is a rule of the suite itself, so no vector tests it.")
        return page
    testing = [v.id for v in index.outlines(name) if name in v.clauses]
    page.section(f"Vectors that test it: {len(testing)}")
    sections.add_vectors(page, testing, verbose=verbose)
    if run := sections.add_run(page, run):
        _add_standings(page, standings(departing, run.report.results_on(testing)))
    return page


def departures(name: str) -> dict[str, DialectDescription]:
    """Return the dialects that depart from a clause, by name."""
    return {dialect: d for dialect, d in dialects.dialects().items() if name in d.departs_from}


def _add_text(page: Page, markdown: str) -> None:
    """Add the text of a clause: formulas and tables line by line, paragraphs wrapped."""
    for block in blocks(markdown):
        page.gap()
        match block:
            case Paragraph(text):
                page.say(text, indent=2)
            case Code(text):
                page.formula(text)
            case Items(texts):
                page.fields(zip(block.marks, texts, strict=True), indent=2)
            case Table([heads, *rows]):
                page.table(heads, rows, indent=2)


def standings(departing: Mapping[str, DialectDescription], results: Iterable[Result]) -> dict[str, dict[str, Group]]:
    """Return the implementations of each framework by their standing to a clause.

    A standing is ``KEEPS``, the name of a dialect, ``diverges``, another verdict, or a constant above; those that keep
    the clause come first. An implementation that departs from the clause on one vector does not keep it.

    Args:
        departing: the dialects that depart from the clause, by name.
        results: on the vectors that test it.
    """
    groups: dict[str, dict[str, Group]] = defaultdict(lambda: defaultdict(Group))
    for result in results:
        for standing, output in _standings_of(result, departing):
            groups[result.framework][standing].add(result, output)
    return {framework: _without_departed(of_it, departing) for framework, of_it in groups.items()}


def _without_departed(groups: Mapping[str, Group], departing: Container[str]) -> dict[str, Group]:
    # A single departure counts; other vectors that conform prove nothing.
    departed = {name for standing, group in groups.items() if standing not in HARMLESS for name in group.modes}
    for standing in {KEEPS, ELSEWHERE} & groups.keys():
        groups[standing].leave_out(departed)
    ordered = sorted(groups, key=lambda standing: (standing != KEEPS, standing in departing, standing))
    return {standing: groups[standing] for standing in ordered if groups[standing].modes}


def _add_standings(page: Page, by_framework: Mapping[str, Mapping[str, Group]]) -> None:
    if not by_framework:
        page.say("No results: the run has no vector that tests this clause.", indent=2)
    for framework, groups in by_framework.items():
        page.say(framework, indent=2, style="bold")
        for standing, group in groups.items():
            page.fields([(standing, f"{group.implementations}: {count(group.vector_count, 'vector')}")], indent=4)


def _standings_of(result: Result, departing: Mapping[str, DialectDescription]) -> Iterator[tuple[str, str]]:
    """Yield the standings of a result to a clause, each with the flat name of its output or ""."""
    if result.verdict in (*WITHOUT_VALUE, "unsupported"):
        yield result.verdict, ""
        return
    against = [
        (dialect, output)
        for output, dialect in result.dialects()
        if any(part in departing for part in dialect.split("+"))
    ]
    against += [("diverges", name) for name, output in result.outputs.items() if output.verdict == "diverges"]
    # An API without any of the outputs that could depart from the clause does not show whether it does.
    concerned = {output for description in departing.values() for output in description.outputs}
    outputs = {name.partition("[")[0] for name in result.outputs}
    if concerned and outputs and not concerned & outputs:
        yield SILENT, ""
    else:
        yield from against or [(KEEPS if result.verdict == "conforms" else ELSEWHERE, "")]
