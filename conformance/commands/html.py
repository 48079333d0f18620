"""``nnconform html``: the report page of a run."""

from __future__ import annotations

from pathlib import Path

import click

from .cli_options import check_writable, fail, renderer, write_files


@click.command("html", short_help="Write a report as a web page.")
@click.argument("report_path", metavar="REPORT.json", type=click.Path(path_type=Path))
@click.argument("page_path", metavar="PAGE.html", type=click.Path(path_type=Path, dir_okay=False))
def command(report_path: Path, page_path: Path) -> None:
    """Write the report REPORT.json of `nnconform run --json` as the web page PAGE.html.

    The page is one file without external resources. It counts verdicts by framework, implementation, mode and
    operation; click a number to see the vectors, values, clauses, explanations and scripts behind it.
    """
    from nnconform.conformance.report import store

    check_writable({"PAGE.html": page_path})
    try:
        report = store.load(report_path)
    except store.ReportError as error:
        fail(str(error))
    for problem in write_files(
        {"PAGE.html": (page_path, renderer("web.page.document", "with_plots", report))}
    ).values():
        fail(problem)
