"""The outputs that no public command draws from a report alone; only this module knows modules of the package.

`nnconform run` prints and writes them after a run. The commands here draw them from a report.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import click

from nnconform.conformance.ci import github, junit, markdown
from nnconform.conformance.commands.cli import cli as public
from nnconform.conformance.model.report import Report
from nnconform.conformance.terminal import run_report
from nnconform.conformance.vectors import reading
from nnconform.conformance.vectors.vector import Vector
from nnconform.conformance.web.page import document as page

__all__ = ["internal", "public", "read_vectors_once"]
FILE = click.Path(path_type=Path)


@click.group()
def internal() -> None:
    """Draw what `nnconform run` draws."""


@internal.command()
@click.argument("path", type=FILE)
@click.option("--strict", is_flag=True)
@click.option("--verbose", is_flag=True)
@click.option("--quiet", is_flag=True)
@click.option("--headroom", is_flag=True)
def summary(path: Path, **options: bool) -> None:
    """Print what a run prints at its end."""
    run_report.show(Report.from_json(_read(path)), run_report.Detail(**options))


@internal.command()
@click.argument("path", type=FILE)
@click.option("--strict", is_flag=True)
def reports(path: Path, strict: bool) -> None:
    """Write Markdown and JUnit XML of a run, and print its GitHub annotations."""
    report = Report.from_json(_read(path))
    Path("report.md").write_text(markdown.of_report(report, strict=strict))
    Path("junit.xml").write_text(junit.of_report(report, strict=strict))
    for line in github.of_report(report, strict=strict):
        click.echo(line)


@internal.command()
@click.argument("path", type=FILE)
def plain_page(path: Path) -> None:
    """Write the page of a report without pictures."""
    Path("plain.html").write_text(page.of_report(Report.from_json(_read(path))), "utf-8", "replace")


def read_vectors_once() -> None:
    """Let this process read a vector file once: most commands read all of them, which takes 2 seconds."""
    read = functools.cache(reading.parse_file)

    def once(data: bytes, where: str) -> list[Vector]:
        return [*read(data, where)]

    reading.parse_file = once


def _read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document
