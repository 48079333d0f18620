"""What a person sees of a run: progress while it goes on, and the report as a table or as plain lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from nnconform.conformance.running.drive import Options
    from nnconform.conformance.running.frameworks import Framework
    from nnconform.conformance.running.journal import Journal
    from nnconform.conformance.running.run import Run
    from nnconform.conformance.suite.vectors import Vector

COLOURS = {"conform": "green", "by dialect": "yellow", "diverge": "red", "failed": "red", "unsupported": "dim"}


def run_with_progress(
    chosen: Sequence[Framework], vectors: Sequence[Vector], options: Options, journal: Journal | None = None
) -> Run:
    """Run with a progress bar a framework on a terminal, and without in a pipe."""
    from nnconform.conformance.running.run import run

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


def show(result: Mapping[str, Any], *, headroom: bool = False) -> None:
    """Print a report: a table on a terminal, plain lines in a pipe.

    Args:
        result: the report.
        headroom: whether to say how near the outputs come to their bounds.
    """
    from . import exhaustive, summary

    for line in summary.lines(result):
        click.echo(line)
    _columns(*summary.count_rows(result))
    for line in (*summary.findings(result), *exhaustive.lines(result)):
        click.echo(line)
    if headroom:
        _headroom(result)
    click.echo("")
    for line in summary.false_alarms(result):
        click.echo(line)
    click.echo(summary.conclusion(result))


def _headroom(result: Mapping[str, Any]) -> None:
    from . import headroom

    click.echo("\nError over bound of the outputs that conform, the worst element of each:")
    _columns(list(headroom.HEADS), [line.cells for line in headroom.lines(result)])
    click.echo("")
    click.echo(headroom.summary(result))
    for line in headroom.unsaid(result):
        click.echo(f"  beyond its bound, and said to conform: {line}")


LEFT = ("framework", "operation", "implementation", "output", "beyond its bound")


def _columns(heads: list[str], rows: list[list[str]]) -> None:
    if sys.stdout.isatty():
        return _table(heads, rows)
    click.echo("")
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    for row in [heads, *rows]:
        cells = (
            cell.ljust(width) if head in LEFT else cell.rjust(width)
            for head, cell, width in zip(heads, row, widths, strict=True)
        )
        click.echo("  ".join(cells).rstrip())
    return None


def _table(heads: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in heads:
        justify = "left" if head in LEFT else "right"
        table.add_column(head, justify=justify, style=COLOURS.get(head, ""))  # type: ignore[arg-type]
    previous = ""
    for row in rows:
        table.add_row("" if row[0] == previous else row[0], *row[1:])
        previous = row[0]
    Console().print(table)
