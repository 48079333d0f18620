"""``nnconform known``: check a list of known divergences against a run, or bring it up to date."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnconform.conformance.console import show
from nnconform.conformance.layout import Line

from .cli_options import fail

if TYPE_CHECKING:
    from nnconform.conformance.known.file import KnownList
    from nnconform.conformance.model.report import Report
    from nnconform.conformance.vectors.vector import Vector


@click.command("known", short_help="Check or update a list of known divergences.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--report",
    "report_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Use this report [default: the last run's].",
)
@click.option(
    "--update", is_flag=True, help="Update FILE from a whole run, or create it; keeps your reasons and comments."
)
@click.option("--dialects", is_flag=True, help="With --update: also list results that differ by a dialect.")
def command(file: Path, report_path: Path | None, update: bool, dialects: bool) -> None:
    """Check the list of known divergences in FILE (spec/known.md) against a run.

    A known divergence is a difference from the spec that you accept: it does not fail a run. Exit status: 0 every entry
    holds or is not judged by this run; 1 an entry does not hold; 2 wrong input.
    """
    from nnconform.conformance.known.file import KnownError, read
    from nnconform.conformance.report import store
    from nnconform.conformance.vectors.reading import load

    if dialects and not update:
        fail("--dialects needs --update")
    path = report_path or store.last_path()
    if not path.exists():
        fail(f"{path}: no such report; run `nnconform run`, or name one with --report")
    try:
        report = store.load(path)
        if update:
            _update(file, report, load()[0], dialects=dialects)
        else:
            sys.exit(_show(read(file), report, load()[0]))
    except (store.ReportError, KnownError) as error:
        fail(str(error))


def _update(file: Path, report: Report, vectors: Sequence[Vector], *, dialects: bool) -> None:
    from nnconform.conformance.known.update import Refused, update

    try:
        lines = update(file, report, vectors, dialects=dialects)
    except Refused as error:
        fail(f"not updated: {error}")
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}")
    show(Line(line) for line in lines or [f"{file} is up to date"])


def _show(known_list: KnownList, report: Report, vectors: Sequence[Vector]) -> int:
    """Print the status of each entry in a report, and return the exit status."""
    from nnconform.conformance.known import matching
    from nnconform.conformance.known.scope import describe_entry

    matches = matching.match(known_list, report, vectors)
    lines: list[Line] = []
    for m in matches:
        note = f": {m.note}" if m.note else ""
        link = "" if m.entry.link else " (no link yet)"
        lead = f"{known_list.file}:{m.entry.line}: {m.status}:"
        style = "red" if m.problems else ""
        lines.append(Line(f"{lead} {describe_entry(m.entry)}{link}{note}", lead=lead, lead_style=style))
        lines += [Line(problem, indent=4) for problem in m.problems]
    applied = matching.apply(known_list, report, vectors)
    unlisted = sum(result.fails() for result in applied.results)
    status = Counter(m.status for m in matches)
    text = (
        f"{len(matches)} entries: {status['holds']} hold, {status['does not hold']} do not hold, "
        f"{status['other versions'] + status['not judged']} are not judged by this run; {unlisted} findings are not "
        "listed"
    )
    show([*lines, Line(text)])
    return int(status["does not hold"] > 0)
