"""What a run found, in words: the parts of pages that several kinds of names have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from nnconform.conformance.report.findings_of_rows import COLUMNS, HEADS, Group, output_text
from nnconform.conformance.report.last_run import LastRun, Row, first_line
from nnconform.conformance.words import count, joined

from .page import Page

# How many cases of vectors a list shows.
FEW = 8


def head(page: Page, run: LastRun | None) -> LastRun | None:
    """Begin the section of what a run found, or say that there is none; return the run."""
    if run is None:
        page.gap()
        page.say("No run is known here, so there are no numbers: `nnconform run` makes some.", style="italic")
        return None
    page.section(run.title)
    page.say(run.versions, indent=2, style="dim")
    if run.caveat:
        page.say(run.caveat, indent=2, style="italic")
    return run


def tell(page: Page, group: Group, *, indent: int, who: bool = True, said: str = "") -> None:
    """Add what a group of findings is: where it is found, its worst element or an error of it, and why it is known.

    Args:
        page: where.
        group: the findings.
        indent: of the lines.
        who: whether to name the implementations.
        said: what has been said of it, and need not be said again.
    """
    if who:
        page.say(group.who, indent=indent)
    row, name = group.worst
    element = output_text(row, name).lstrip(" :")
    text = element or first_line(row)
    told = text in said
    page.say(f"{'worst' if element else 'e.g.'} in {row['vector']}{'' if told else ':'}", indent=indent, style="dim")
    if not told:
        page.say(text, indent=indent + 2, style="dim")
    for reason in dict.fromkeys(row["known"] for row, _ in group.rows if "known" in row):
        page.say(f"known: {reason}", indent=indent)


def counts(page: Page, rows: Iterable[Row], by: str) -> None:
    """Add a table of how many results have which verdict, a line for each framework, operation or profile.

    Args:
        page: where.
        rows: the results.
        by: the key of a result that tells the lines apart.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[row[by]][row["verdict"]] += 1
    verdicts = [v for v in COLUMNS if any(c[v] for c in found.values())]
    heads = [by, *(v if v == "error" else HEADS.get(v, v) for v in verdicts)]
    lines = [[key, *(f"{c[v]:,}" if c[v] else "-" for v in verdicts)] for key, c in found.items()]
    page.table(heads, lines, indent=2, right=True)


def groups(page: Page, found: Mapping[tuple[str, str, str], Group], *, about: str = "", who: bool = True) -> None:
    """Add groups of findings by framework, operation and what they are, an empty line before each.

    Args:
        page: where.
        found: the groups.
        about: what need not be said of each, since the page is about it.
        who: whether to name the implementations.
    """
    for (framework, operation, what), group in found.items():
        page.gap()
        outputs = f" ({', '.join(group.outputs)})" if group.outputs else ""
        page.say(f"{framework} {operation}{outputs}: {count(group.vectors, 'vector')}", indent=2)
        if what != about:
            page.say(what, indent=4)
        tell(page, group, indent=4, who=who, said=what)


def vectors(page: Page, ids: Iterable[str], *, indent: int = 2, everything: bool = False) -> None:
    """Add a list of vectors, a line for each case with the dtypes that it is in; the first few, or all."""
    cases: dict[str, list[str]] = {}
    for name in ids:
        case, _, dtype = name.rpartition("/")
        cases.setdefault(case, []).append(dtype)
    shown = list(cases) if everything else list(cases)[:FEW]
    for case in shown:
        page.say(f"{case}/ {joined(cases[case])}", indent=indent)
    if left := sum(len(cases[case]) for case in cases if case not in shown):
        page.say(f"... and {left} more (--verbose lists them)", indent=indent, style="dim")
