"""Sections that the pages of several kinds of names have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping

from nnconform.conformance.model.result import Result
from nnconform.conformance.model.verdicts import DISPLAY, VERDICTS
from nnconform.conformance.report.findings import Group, Key, format_worst
from nnconform.conformance.report.last_run import LastRun
from nnconform.conformance.words import count, joined

from .page import Page

# The longest list of vectors that is not cut, without their dtypes.
FEW = 8


def add_run(page: Page, run: LastRun | None) -> LastRun | None:
    """Begin the section of a run's results, or add a note that there is no run; return the run."""
    if run is None:
        page.gap()
        page.say("There is no run yet, so this page has no numbers; `nnconform run` makes one.", style="italic")
        return None
    page.section(run.title)
    page.say(run.versions, indent=2, style="dim")
    if run.caveat:
        page.say(run.caveat, indent=2, style="italic")
    return run


def add_group(page: Page, group: Group, *, indent: int, implementations: bool = True, above: str = "") -> None:
    """Add a group of results: implementations, worst element or error, and reasons of known divergences.

    Args:
        page: to extend.
        group: the results.
        indent: of the lines.
        implementations: whether to name them.
        above: a text of the page that already has the error.
    """
    if implementations:
        page.say(group.implementations, indent=indent)
    result, name = group.worst
    element = format_worst(name, result.outputs.get(name))
    text = element or result.short_reason
    repeated = text in above
    page.say(
        f"{'worst' if element else 'e.g.'} in {result.vector}{'' if repeated else ':'}", indent=indent, style="dim"
    )
    if not repeated:
        page.say(text, indent=indent + 2, style="dim")
    for reason in dict.fromkeys(result.known for result, _ in group.members if result.known):
        page.say(f"known: {reason}", indent=indent)


def add_counts(page: Page, results: Iterable[Result], label: str, line_of: Callable[[Result], str]) -> None:
    """Add a table of the number of results per verdict.

    Args:
        page: to extend.
        results: to count.
        label: the head of the first column.
        line_of: returns the line that counts a result.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        counts[line_of(result)][result.verdict] += 1
    verdicts = [verdict for verdict in DISPLAY if any(of_line[verdict] for of_line in counts.values())]
    heads = [label, *(VERDICTS[verdict].column for verdict in verdicts)]
    lines = [[line, *(f"{c[v]:,}" if c[v] else "-" for v in verdicts)] for line, c in counts.items()]
    page.numbers(heads, lines, indent=2)


def add_groups(page: Page, groups: Mapping[Key, Group], *, about: str = "", implementations: bool = True) -> None:
    """Add groups of results, each after an empty line.

    Args:
        page: to extend.
        groups: by framework, operation and dialect or reason.
        about: the dialect or reason that the page is about, which is not repeated.
        implementations: whether to name them.
    """
    for (framework, operation, reason), group in groups.items():
        page.gap()
        outputs = f" ({', '.join(group.outputs)})" if group.outputs else ""
        page.say(f"{framework} {operation}{outputs}: {count(group.vector_count, 'vector')}", indent=2)
        if reason != about:
            page.say(reason, indent=4)
        add_group(page, group, indent=4, implementations=implementations, above=reason)


def add_vectors(page: Page, ids: Iterable[str], *, indent: int = 2, verbose: bool = False) -> None:
    """Add a list of vectors, one line for all dtypes of a case; the first few cases, or all if ``verbose``."""
    cases: dict[str, list[str]] = {}
    for name in ids:
        case, _, dtype = name.rpartition("/")
        cases.setdefault(case, []).append(dtype)
    listed = list(cases) if verbose else list(cases)[:FEW]
    for case in listed:
        page.say(f"{case}/ {joined(cases[case])}", indent=indent)
    if hidden := sum(len(cases[case]) for case in cases if case not in listed):
        page.say(f"... and {hidden} more (--verbose lists them)", indent=indent, style="dim")
