"""``nnconform html``: a page to look at, drawn from the report of a run."""

from __future__ import annotations

from pathlib import Path

import click

from .options import drawn, fail, writable, write_files


@click.command("html", short_help="Draw a page to look at from a report.")
@click.argument("report_path", metavar="REPORT.json", type=click.Path(path_type=Path))
@click.argument("page_path", metavar="PAGE.html", type=click.Path(path_type=Path, dir_okay=False))
def command(report_path: Path, page_path: Path) -> None:
    """Draw PAGE.html from REPORT.json, which ``nnconform run --json`` wrote.

    The page is one file that needs nothing else: verdicts by framework, implementation, mode and operation, and from
    each to its vectors, numbers, clauses, explanations and scripts.
    """
    from nnconform.conformance.report import store

    writable({"PAGE.html": page_path})
    try:
        report = store.load(report_path)
    except store.ReportError as error:
        fail(str(error))
    for problem in write_files({"PAGE.html": (page_path, drawn("web.page.document", "with_plots", report))}).values():
        fail(problem)
