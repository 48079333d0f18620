"""An implementation: what it gave, which dialects it has, what diverges, and what it does not do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from nnconform.conformance.report import last_run
from nnconform.conformance.report.findings_of_rows import Group
from nnconform.conformance.report.last_run import LastRun, Row
from nnconform.conformance.vectors import dialects
from nnconform.conformance.vectors.operations import OPTIONAL, OUTPUTS
from nnconform.conformance.words import count, joined

from . import sections
from .dialect import advice
from .page import Page


def page(name: str, run: LastRun) -> Page:
    """Return the page of an implementation of a run."""
    served = [(entry, i) for entry in run.report["frameworks"] for i in entry["implementations"] if i["name"] == name]
    framework = served[0][0]
    page = Page(name, f"implementation of {framework['name']}")
    sections.head(page, run)
    for operation in dict.fromkeys(i["operation"] for _, i in served):
        rows = [row for row in run.rows if (row["implementation"], row["operation"]) == (name, operation)]
        of_it = [i for _, i in served if i["operation"] == operation]
        modes = dict.fromkeys(mode for i in of_it for mode in i["modes"])
        ran = {row["mode"] for row in rows}
        asked = ", ".join(mode if mode in ran else f"{mode} (not run)" for mode in modes)
        defaults = "; also called without hyperparameters" if any(i["defaults"] for i in of_it) else ""
        page.section(f"{operation}: {asked}{defaults}")
        if not rows:
            page.say("No result: that run did not call it.", indent=2)
            continue
        sections.counts(page, rows, "profile")
        _dialects(page, rows)
        sections.groups(page, last_run.diverging(rows), who=False)
        _lacks(page, operation, rows, run.report)
    return page


def _dialects(page: Page, rows: Sequence[Row]) -> None:
    """Add each dialect that it has, alone or in combination: where, how far, from which clause, and the remedy."""
    known = dialects.dialects()
    found: dict[str, Group] = defaultdict(Group)
    for row in rows:
        for output, dialect in last_run.dialects_of(row):
            for part in dialect.split("+"):
                found[part].add(row, output)
    for part, group in sorted(found.items(), key=lambda item: -item[1].vectors):
        page.gap()
        outputs = f" ({', '.join(group.outputs)})" if group.outputs else ""
        page.say(f"{part}{outputs}: {count(group.vectors, 'vector')}, {_modes(group)}", indent=2)
        if part in known:
            page.say(known[part]["summary"], indent=4)
        sections.tell(page, group, indent=4, who=False)
        if part in known:
            said = known[part]
            clauses = joined(said["departs_from"])
            page.fields([("departs from", clauses), ("consequence", said["consequence"]), *advice(said)], indent=4)


def _modes(group: Group) -> str:
    return "/".join(dict.fromkeys(mode for modes in group.modes.values() for mode in modes))


def _lacks(page: Page, operation: str, rows: Sequence[Row], report: Mapping[str, Any]) -> None:
    """Add what it does not show, what it does not support and why, and how many vectors do not apply to it."""
    shown = {name.partition("[")[0] for row in rows for name in row["outputs"]}
    omitted = [name for name in OUTPUTS[operation] if shown and name not in shown | OPTIONAL]
    refused = Counter(row["reason"] for row in rows if row["verdict"] == "unsupported")
    asked = {name for name in report["asked"] if name.startswith(f"{operation}/")}
    apart = len(asked - {row["vector"] for row in rows})
    fields = [("does not show", joined(omitted))]
    fields += [("unsupported", f"{reason} ({count(n, 'result')})") for reason, n in refused.items()]
    if apart:
        fields.append(
            ("not called", f"on {apart} of {len(asked)} vectors, which do not apply to it (rank, layout, mode)")
        )
    if any(text for _, text in fields):
        page.gap()
        page.fields(fields, indent=2)
