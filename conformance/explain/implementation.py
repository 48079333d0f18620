"""The page of an implementation: its counts, dialects and divergences, and the vectors that it cannot run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from nnconform.conformance.model.result import Result
from nnconform.conformance.report.findings import Group, group_unexplained
from nnconform.conformance.report.last_run import LastRun
from nnconform.conformance.vectors import dialects
from nnconform.conformance.vectors.operations import OPTIONAL, OUTPUTS
from nnconform.conformance.words import count, joined

from . import sections
from .page import Page


def page(name: str, run: LastRun) -> Page:
    """Return the page of an implementation that a run has."""
    entries = [(entry, i) for entry in run.report.frameworks for i in entry.implementations if i.name == name]
    page = Page(name, f"implementation of {entries[0][0].name}")
    sections.add_run(page, run)
    for operation in dict.fromkeys(i.operation for _, i in entries):
        results = [r for r in run.report.results if (r.implementation, r.operation) == (name, operation)]
        of_it = [i for _, i in entries if i.operation == operation]
        modes = dict.fromkeys(mode for i in of_it for mode in i.modes)
        ran = {result.mode for result in results}
        listed = ", ".join(mode if mode in ran else f"{mode} (not run)" for mode in modes)
        defaults = "; also called with its defaults" if any(i.defaults for i in of_it) else ""
        page.section(f"{operation}: {listed}{defaults}")
        if not results:
            page.say("No results: that run did not call it.", indent=2)
            continue
        sections.add_counts(page, results, "profile", lambda result: result.profile)
        _add_dialects(page, results)
        sections.add_groups(page, group_unexplained(results), implementations=False)
        _add_limits(page, operation, results, run.report.asked)
    return page


def _add_dialects(page: Page, results: Iterable[Result]) -> None:
    """Add each dialect, alone or in a combination: its outputs, worst element, clauses and remedy."""
    descriptions = dialects.dialects()
    groups: dict[str, Group] = defaultdict(Group)
    for result in results:
        for output, dialect in result.dialects():
            for part in dialect.split("+"):
                groups[part].add(result, output)
    for part, group in sorted(groups.items(), key=lambda item: -item[1].vector_count):
        description = descriptions.get(part)
        page.gap()
        outputs = f" ({', '.join(group.outputs)})" if group.outputs else ""
        page.say(f"{part}{outputs}: {count(group.vector_count, 'vector')}, {_modes(group)}", indent=2)
        if description:
            page.say(description.summary, indent=4)
        sections.add_group(page, group, indent=4, implementations=False)
        if description:
            clauses = joined(description.departs_from)
            fields = [("departs from", clauses), ("consequence", description.consequence), *description.advice]
            page.fields(fields, indent=4)


def _modes(group: Group) -> str:
    return "/".join(dict.fromkeys(mode for modes in group.modes.values() for mode in modes))


def _add_limits(page: Page, operation: str, results: Sequence[Result], vector_ids: Iterable[str]) -> None:
    """Add the outputs that it does not show, the unsupported calls, and the number of inapplicable vectors."""
    outputs = {name.partition("[")[0] for result in results for name in result.outputs}
    omitted = [name for name in OUTPUTS[operation] if outputs and name not in outputs | OPTIONAL]
    reasons = Counter(result.reason for result in results if result.verdict == "unsupported")
    vectors = {name for name in vector_ids if name.startswith(f"{operation}/")}
    inapplicable = len(vectors - {result.vector for result in results})
    fields = [("does not show", joined(omitted))]
    fields += [("unsupported", f"{reason} ({count(n, 'result')})") for reason, n in reasons.items()]
    if inapplicable:
        of_all = f"on {inapplicable} of {len(vectors)} vectors"
        fields.append(("not called", f"{of_all}, which do not apply to it (rank, layout or mode)"))
    if any(text for _, text in fields):
        page.gap()
        page.fields(fields, indent=2)
