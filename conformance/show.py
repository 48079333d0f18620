"""What a person sees of a run: progress while it goes on, and the report as a table or as plain lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from .drive import Options
    from .frameworks import Framework
    from .journal import Journal
    from .run import Run
    from .vectors import Vector

COLOURS = {"conform": "green", "by dialect": "yellow", "diverge": "red", "failed": "red", "unsupported": "dim"}


def run_with_progress(
    chosen: Sequence[Framework], vectors: Sequence[Vector], options: Options, journal: Journal | None = None
) -> Run:
    """Run with a progress bar a framework on a terminal, and without in a pipe."""
    from .run import run

    if not sys.stderr.isatty():
        return run(chosen, vectors, options, journal=journal)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[vector]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        labels = {id(f): f.target or f.name for f in chosen}
        tasks = {
            number: bars.add_task(f"{label} (starting)", total=None, vector="")
            for f in chosen
            if not f.missing
            for number, label in [(id(f), labels[id(f)])]
        }

        def progress(kind: str, entry: Any, vector: Any) -> None:
            number = id(entry.framework)
            if kind == "started":
                bars.update(tasks[number], description=labels[number], total=entry.calls, completed=entry.answered)
            elif kind == "answer":
                bars.update(tasks[number], completed=entry.answered, vector=vector)
            else:
                bars.update(tasks[number], vector=entry.status)

        return run(chosen, vectors, options, progress, journal)


def teller() -> Callable[[str], None]:
    """Return what says on standard error what takes long."""
    return lambda line: click.echo(line, err=True)


def show(result: Mapping[str, Any]) -> None:
    """Print a report: a table on a terminal, plain lines in a pipe."""
    from . import summary

    for line in summary.lines(result):
        click.echo(line)
    heads, rows = summary.count_rows(result)
    if sys.stdout.isatty():
        _table(heads, rows)
    else:
        click.echo("")
        widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
        for row in [heads, *rows]:
            cells = (
                cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            click.echo("  ".join(cells).rstrip())
    for line in summary.findings(result):
        click.echo(line)
    click.echo("")
    click.echo(summary.conclusion(result))


def _table(heads: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in heads:
        justify = "left" if head in ("framework", "operation") else "right"
        table.add_column(head, justify=justify, style=COLOURS.get(head, ""))  # type: ignore[arg-type]
    previous = ""
    for row in rows:
        table.add_row("" if row[0] == previous else row[0], *row[1:])
        previous = row[0]
    Console().print(table)
