"""``nnconform known``: check a list of known divergences against a run, or bring it up to date."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnconform.conformance.console import show
from nnconform.conformance.layout import Line

from .options import fail

if TYPE_CHECKING:
    from nnconform.conformance.known.matching import Known
    from nnconform.conformance.vectors.vector import Vector

SAID = {"holds": "holds", "wrong": "does not hold", "apart": "other versions", "unjudged": "not judged"}


@click.command("known", short_help="Check or update a list of known divergences.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--report",
    "report_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The report to go by [default: the last run's].",
)
@click.option(
    "--update", is_flag=True, help="Bring FILE up to date with a whole run, or make it; keeps what you wrote."
)
@click.option("--dialects", is_flag=True, help="With --update: list what differs by a dialect too.")
def command(file: Path, report_path: Path | None, update: bool, dialects: bool) -> None:
    """Check the list of known divergences in FILE (spec/known.md) against a run.

    Exit status: 0 every entry holds, or this run does not ask for it; 1 an entry does not hold; 2 wrong input.
    """
    from nnconform.conformance.known import matching
    from nnconform.conformance.report import store
    from nnconform.conformance.vectors.reading import load

    if dialects and not update:
        fail("--dialects goes with --update")
    path = report_path or store.last_path()
    if not path.exists():
        fail(f"{path}: no such report; run `nnconform run`, or name one with --report")
    try:
        document = store.load(path).to_json()
        if update:
            _update(file, document, load()[0], dialects=dialects)
        else:
            listed = matching.read(file)
            sys.exit(_show(listed, document, load()[0]))
    except (store.ReportError, matching.KnownError) as error:
        fail(str(error))


def _update(file: Path, document: dict[str, Any], vectors: Sequence[Vector], *, dialects: bool) -> None:
    from nnconform.conformance.known.update import Refused, update

    try:
        lines = update(file, document, vectors, dialects=dialects)
    except Refused as error:
        fail(f"not updated: {error}")
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}")
    show(Line(line) for line in lines or [f"{file} is up to date"])


def _show(listed: Known, document: dict[str, Any], vectors: Sequence[Vector]) -> int:
    """Print what a report says of each entry, and return the exit status."""
    from nnconform.conformance.known import matching
    from nnconform.conformance.known.scope import title
    from nnconform.conformance.report import findings_of_rows as findings

    states = matching.judge(listed, document, vectors)
    lines: list[Line] = []
    for state in states:
        note = f": {state.note}" if state.note else ""
        link = "" if state.entry.link else " (no link yet)"
        place, said = f"{listed.file}:{state.entry.line}", SAID[state.kind]
        style = "red" if state.kind == "wrong" else ""
        text = f"{place}: {said}: {title(state.entry)}{link}{note}"
        lines.append(Line(text, lead=f"{place}: {said}:", lead_style=style))
        lines += [Line(problem, indent=4) for problem in state.problems]
    matching.apply(listed, document, vectors)
    left = sum(findings.is_finding(row, strict=False) for row in document["results"])
    kinds = Counter(state.kind for state in states)
    text = (
        f"{len(states)} entries: {kinds['holds']} hold, {kinds['wrong']} do not, "
        f"{kinds['apart'] + kinds['unjudged']} are not judged by this run; {left} findings are not in the list"
    )
    show([*lines, Line(text)])
    return int(kinds["wrong"] > 0)
