"""A clause: its text, the vectors that test it, the dialects that depart from it, and who keeps it."""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nnconform.conformance.report.findings_of_rows import Group
from nnconform.conformance.report.last_run import LastRun, Row, dialects_of
from nnconform.conformance.vectors import dialects, index
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.dialects import of_the_suite
from nnconform.conformance.words import count

from . import sections
from .page import Page

# What a result says of a clause, where it says nothing against it.
KEEPS, ELSEWHERE, SILENT = "conforms", "differs in other clauses alone", "does not show it"
HARMLESS = (KEEPS, ELSEWHERE, SILENT, "unsupported")


def page(name: str, run: LastRun | None, *, verbose: bool) -> Page:
    """Return the page of the clause ``name``."""
    clause = clauses()[name]
    page = Page(f"{name}: {clause.title}", f"clause, spec/{clause.page}")
    _markdown(page, clause.body)
    departing = departures(name)
    if departing:
        page.section("Dialects that depart from it")
        for dialect, said in departing.items():
            page.say(f"{dialect}: {said['summary']}", indent=2)
    if of_the_suite(name):
        page.gap()
        page.say("It is a rule of the suite itself, so no vector tests it.")
        return page
    testing = [v.id for v in index.outlines(name) if name in v.clauses]
    page.section(f"Vectors that test it: {len(testing)}")
    sections.vectors(page, testing, everything=verbose)
    if run := sections.head(page, run):
        _found(page, keeping(departing, run.on(testing)))
    return page


def departures(name: str) -> dict[str, Any]:
    """Return the dialects that depart from a clause, by name."""
    return {n: d for n, d in dialects.dialects().items() if name in d["departs_from"]}


def _markdown(page: Page, text: str) -> None:
    """Add the text of a clause: formulas and tables as they stand, paragraphs wrapped anew."""
    for number, part in enumerate(re.split(r"^```\w*\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)):
        if number % 2:
            page.gap()
            page.formula(textwrap.dedent(part).rstrip())
            continue
        for block in filter(None, map(str.strip, re.split(r"\n\s*\n", part))):
            page.gap()
            _block(page, block)


def _block(page: Page, block: str) -> None:
    if block.startswith("|"):
        lines = [[cell.strip() for cell in line.strip("| ").split(" |")] for line in block.splitlines()]
        page.table(lines[0], lines[2:], indent=2)
        return
    for item in re.split(r"^(?=- )", block, flags=re.MULTILINE):
        text = " ".join(item.split())
        if text.startswith("- "):
            page.fields([("-", text[2:])], indent=2)
        else:
            page.say(text, indent=2)


def keeping(departing: Mapping[str, Any], rows: Iterable[Row]) -> dict[str, dict[str, Group]]:
    """Return, by framework, which implementations keep a clause, depart from it by which dialect, or diverge.

    What is said is ``KEEPS``, the name of a dialect, ``diverges``, or one of the other verdicts and words above; those
    that keep the clause first. No implementation that breaks it anywhere is among those that keep it.

    Args:
        departing: the dialects that depart from the clause, by name.
        rows: the results of the vectors that test it.
    """
    found: dict[str, dict[str, Group]] = defaultdict(lambda: defaultdict(Group))
    for row in rows:
        for said, output in _says(row, departing):
            found[row["framework"]][said].add(row, output)
    return {framework: _without_bad(groups, departing) for framework, groups in found.items()}


def _without_bad(groups: Mapping[str, Group], departing: Mapping[str, Any]) -> dict[str, Group]:
    # One sign is enough against it; what a vector shows of another clause is none.
    bad = {name for said, group in groups.items() if said not in HARMLESS for name in group.modes}
    for said in {KEEPS, ELSEWHERE} & groups.keys():
        groups[said].leave_out(bad)
    ordered = sorted(groups, key=lambda said: (said != KEEPS, said in departing, said))
    return {said: groups[said] for said in ordered if groups[said].modes}


def _found(page: Page, found: Mapping[str, Mapping[str, Group]]) -> None:
    """Add who keeps the clause and who does not."""
    if not found:
        page.say("Nothing: no result is of a vector that tests this clause.", indent=2)
    for framework, groups in found.items():
        page.say(framework, indent=2, style="bold")
        for said, group in groups.items():
            who = f"{group.who}: {count(group.vectors, 'vector')}"
            page.fields([(said, who)], indent=4)


def _says(row: Row, departing: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a result says of a clause, and of which output.

    Args:
        row: the result.
        departing: the dialects that depart from the clause, by name.
    """
    if row["verdict"] in ("unsupported", "error", "crash", "timeout"):
        yield row["verdict"], ""
        return
    against = [
        (dialect, output)
        for output, dialect in dialects_of(row)
        if any(part in departing for part in dialect.split("+"))
    ]
    against += [("diverges", name) for name, output in row["outputs"].items() if output["verdict"] == "diverges"]
    # An interface that shows none of the outputs that could depart from the clause shows nothing of it.
    concerned = {output for said in departing.values() for output in said["outputs"]}
    shown = {name.partition("[")[0] for name in row["outputs"]}
    if concerned and shown and not concerned & shown:
        yield SILENT, ""
    else:
        yield from against or [(KEEPS if row["verdict"] == "conforms" else ELSEWHERE, "")]
