"""The page of defaults: a table of the spec's values and those of each family of implementations."""

from __future__ import annotations

from collections.abc import Sequence

from nnconform.conformance.layout import Line
from nnconform.conformance.report.last_run import LastRun
from nnconform.conformance.vectors import dialects
from nnconform.conformance.words import glued

from . import sections
from .default_laws import LAW, OTHER, READ
from .defaults import Default, table
from .page import Page

# The number of families that fit next to the spec in 80 columns.
ABREAST = 7
# In a cell.
SHORT = {"truncated_normal": "trunc.", "uniform": "unif."}
NOTHING = "-"


def page(run: LastRun | None) -> Page:
    """Return the page that compares default hyperparameters."""
    page = Page("defaults", "default hyperparameters")
    page.say("Deduced from results on the vectors of profile `defaults`, not from documentation.")
    if run := sections.add_run(page, run):
        rows = table(run.report)
        numbers, laws = ([row for row in rows if (row.name in LAW.values()) == of_laws] for of_laws in (False, True))
        families = list(dict.fromkeys(family(i.name) for entry in run.report.frameworks for i in entry.implementations))
        with_laws = {family(name) for row in laws for name in row.values}
        notes: dict[str, int] = {}
        for part, columns in ((numbers, families), (laws, [name for name in families if name in with_laws])):
            for first in range(0, len(columns), ABREAST):
                page.gap()
                _add_table(page, part, columns[first : first + ABREAST], notes)
        page.gap()
        _add_legend(page, rows, notes)
        _add_dialects(page, run)
    return page


def family(implementation: str) -> str:
    """Return the package of an implementation; for flax, with the API (linen or nnx)."""
    package, _, rest = implementation.partition(" ")[0].partition(".")
    return f"{package} {rest.partition('.')[0]}" if package == "flax" else package


def _add_table(page: Page, rows: Sequence[Default], families: Sequence[str], notes: dict[str, int]) -> None:
    lines: list[Sequence[str] | Line] = []
    previous = ""
    for row in rows:
        if row.operation != previous:
            lines.append(Line(row.operation))
            previous = row.operation
        spec = SHORT.get(row.spec, row.spec) or NOTHING
        lines.append([f" {row.name}", spec, *(_cell(row, name, notes) for name in families)])
    page.table(["", "spec", *families], lines)


def _cell(row: Default, name: str, notes: dict[str, int]) -> str:
    """Return the default of a family; if its implementations differ, each value with the number of a note."""
    implementations: dict[str, list[str]] = {}
    for implementation, value in row.values.items():
        if family(implementation) == name:
            implementations.setdefault(SHORT.get(value, value), []).append(implementation)
    if len(implementations) < 2:
        return next(iter(implementations), NOTHING)
    return " ".join(
        glued(f"{value} [{notes.setdefault(', '.join(names), len(notes) + 1)}]")
        for value, names in implementations.items()
    )


def _add_legend(page: Page, rows: Sequence[Default], notes: dict[str, int]) -> None:
    """Add the meaning of the signs in the table."""
    cells = {value for row in rows for value in row.values.values()}
    page.say(f"{NOTHING}: no default, or none that its outputs show", style="dim")
    page.say("momentum: the weight of the old running value", style="dim")
    page.say("scale, mode: the variance is the scale over the fan of the mode, or the scale for none", style="dim")
    page.say(f"{READ}: the fan is computed from the kernel's shape alone, for every kind of layer", style="dim")
    page.say("of He's: the deviation over He's; for modes other than fan_in, with equal fans", style="dim")
    page.say("trunc.: normal, cut at two deviations; unif.: uniform", style="dim")
    if any(OTHER in value.split("/") for value in cells):
        page.say(f"{OTHER}: neither the spec's nor a dialect's; the result diverges", style="dim")
    for names, number in notes.items():
        page.say(f"[{number}] {names}", style="dim")


def _add_dialects(page: Page, run: LastRun) -> None:
    """Add the remedy of each dialect that is a default."""
    defaults = (result for result in run.report.results if result.is_default)
    parts = {part for result in defaults for _, dialect in result.dialects() for part in dialect.split("+")}
    for name, description in dialects.dialects().items():
        if name in parts and name.startswith("default-"):
            page.section(name)
            page.say(description.summary, indent=2)
            page.fields(description.advice, indent=2)
