"""The table of defaults: what the spec has, and what each family of implementations was found to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnconform.conformance.report.last_run import LastRun, dialects_of
from nnconform.conformance.vectors import dialects
from nnconform.conformance.words import glued

from . import sections
from .default_laws import LAW, OTHER, READ
from .defaults import Line, table
from .dialect import advice
from .page import Page

# As many families as stand beside the spec in 80 columns.
ABREAST = 7
# In a cell.
SHORT = {"truncated_normal": "trunc.", "uniform": "unif."}
NOTHING = "-"


def page(run: LastRun | None) -> Page:
    """Return the page that compares the default hyperparameters of what a run called without any."""
    page = Page("defaults", "hyperparameters where the caller gives none")
    page.say("Found from results on the vectors of profile `defaults`, not from documentation.")
    if run := sections.head(page, run):
        lines = table(run.report)
        served = (i["name"] for entry in run.report["frameworks"] for i in entry["implementations"])
        families = list(dict.fromkeys(map(family, served)))
        notes: dict[str, int] = {}
        laws = [line for line in lines if line.name in LAW]
        with_laws = [name for name in families if any(family(who) == name for line in laws for who in line.found)]
        numbers = [line for line in lines if line.name not in LAW]
        for part, columns in ((numbers, families), (laws, with_laws)):
            for first in range(0, len(columns), ABREAST):
                page.gap()
                _draw(page, part, columns[first : first + ABREAST], notes)
        page.gap()
        _legend(page, lines, notes)
        _departures(page, run)
    return page


def family(implementation: str) -> str:
    """Return the family of an implementation: its package, of flax with the one of its two interfaces."""
    package, _, rest = implementation.partition(" ")[0].partition(".")
    return f"{package} {rest.partition('.')[0]}" if package == "flax" else package


def _draw(page: Page, lines: Sequence[Line], families: Sequence[str], notes: dict[str, int]) -> None:
    rows: list[list[str]] = []
    previous = ""
    for line in lines:
        if line.operation != previous:
            rows.append([line.operation, *[""] * (len(families) + 1)])
            previous = line.operation
        spec = SHORT.get(line.spec, line.spec) or NOTHING
        rows.append([f" {line.name}", spec, *(_cell(line, name, notes) for name in families)])
    page.table(["", "spec", *families], rows)


def _cell(line: Line, name: str, notes: dict[str, int]) -> str:
    """Return what a family does; where its implementations differ, each value with the number of a note."""
    values: dict[str, list[str]] = {}
    for implementation, value in line.found.items():
        if family(implementation) == name:
            values.setdefault(SHORT.get(value, value), []).append(implementation)
    if len(values) < 2:
        return next(iter(values), NOTHING)
    return " ".join(glued(f"{v} [{notes.setdefault(', '.join(who), len(notes) + 1)}]") for v, who in values.items())


def _legend(page: Page, lines: Sequence[Line], notes: dict[str, int]) -> None:
    """Add what the signs in the table mean, those that it has."""
    cells = {value for line in lines for value in line.found.values()}
    page.say(f"{NOTHING}: it has no default there, or shows nothing of it", style="dim")
    page.say("momentum: the weight of the old running value", style="dim")
    page.say(
        "scale, mode: the variance is the scale over the fan that the mode names; none: it is the scale", style="dim"
    )
    page.say(f"{READ}: the fan is read off the kernel's shape, whatever the kind of the layer", style="dim")
    page.say("of He's: the deviation over He's; of another mode than fan_in, where both fans are equal", style="dim")
    page.say("trunc.: a normal law cut at two deviations; unif.: uniform", style="dim")
    if any(OTHER in value.split("/") for value in cells):
        page.say(f"{OTHER}: not the spec's, nor that of a dialect; the result diverges", style="dim")
    for who, number in notes.items():
        page.say(f"[{number}] {who}", style="dim")


def _departures(page: Page, run: LastRun) -> None:
    """Add what to do about each dialect that a default is."""
    seen = {part for _, dialect in _of_defaults(run) for part in dialect.split("+")}
    of_defaults = [(n, d) for n, d in dialects.dialects().items() if n in seen and n.startswith("default-")]
    for name, said in of_defaults:
        page.section(name)
        page.say(said["summary"], indent=2)
        page.fields(advice(said), indent=2)


def _of_defaults(run: LastRun) -> Iterator[tuple[str, str]]:
    for row in run.rows:
        if row["profile"] == "defaults":
            yield from dialects_of(row)
