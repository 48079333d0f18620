"""``nnconform reproduce``: a standalone script that shows what an implementation does on a vector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnconform.conformance.console import notify, printable

from .options import fail

if TYPE_CHECKING:
    from nnconform.conformance.model.report import Report
    from nnconform.conformance.vectors.vector import Vector


@click.command("reproduce", short_help="Print a standalone script that shows one result.")
@click.argument("vector")
@click.argument("framework")
@click.option("--implementation", metavar="NAME", default="", help="Which [default: the one that does worst].")
@click.option("--mode", default="", help="How it is run: eager, compile, function, xla, jit [default: the worst].")
@click.option("--issue", is_flag=True, help="Print the text of an upstream report around the script.")
@click.option(
    "--report",
    "report_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The report to go by [default: the last run's].",
)
def command(vector: str, framework: str, implementation: str, mode: str, issue: bool, report_path: Path | None) -> None:
    """Print a Python script that shows what FRAMEWORK does on VECTOR, with nothing but the framework and NumPy.

    Its assertion fails where the last run says that the result does not conform, and names the worst element.
    """
    from nnconform.conformance.reproduce import issues, rows, script
    from nnconform.conformance.reproduce.case import NothingToShow
    from nnconform.conformance.running.frameworks import UsageError

    case = _vector(vector)
    report = _report(report_path)
    if report is not None and report.asked.get(case.id, case.digest) != case.digest:
        notify(f"nnconform: {case.id} has changed since that run, whose numbers are left out")
        report = None
    try:
        chosen = rows.choose(report, case.id, case.operation, framework, implementation, mode)
        written = script.write(case, chosen)
    except (UsageError, NothingToShow) as error:
        fail(str(error))
    if issue and case.profile == "defaults":
        fail(f"{case.id}: what a framework takes where nothing is given is its choice, and no fault to report")
    if issue and not written.summary:
        fail(f"{chosen.implementation}: nothing to report on {case.id}: the last run does not say that it differs")
    if not written.summary:
        state = "no run of it is known" if chosen.result is None else "it conforms, so that the assertion holds"
        notify(f"nnconform: {chosen.implementation} ({chosen.mode}): {state}")
    click.echo(printable(issues.text(case, chosen, written, report) if issue else written.text), nl=False)


def _vector(name: str) -> Vector:
    from nnconform.conformance.running.frameworks import suggestion
    from nnconform.conformance.vectors import index, reading
    from nnconform.conformance.vectors.vector import VectorError

    try:
        vector = reading.published(name)
    except VectorError as error:
        fail(str(error))
    if vector is None:
        near = suggestion(name, index.vector_ids())
        fail(f"no vector {name!r}{near}; `nnconform list vectors` shows what there is")
    return vector


def _report(path: Path | None) -> Report | None:
    """Return the report of a file, or that of the last run; None if there is none."""
    from nnconform.conformance.report import last_run, store

    try:
        run = last_run.load(path)
    except store.ReportError as error:
        fail(str(error))
    return None if run is None else run.report
