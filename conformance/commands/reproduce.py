"""``nnconform reproduce``: a standalone script of one result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnconform.conformance.console import notify, printable

from .cli_options import fail

if TYPE_CHECKING:
    from nnconform.conformance.model.report import Report
    from nnconform.conformance.vectors.vector import Vector


@click.command("reproduce", short_help="Print a standalone script for one result.")
@click.argument("name", metavar="VECTOR")
@click.argument("framework")
@click.option(
    "--implementation", metavar="NAME", default="", help="Public API [default: the one with the worst result]."
)
@click.option("--mode", default="", help="eager, compile, function, xla or jit [default: that of the worst result].")
@click.option("--issue", is_flag=True, help="Print a bug report for the framework, with the script.")
@click.option(
    "--report",
    "report_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Use this report instead of the last run.",
)
def command(name: str, framework: str, implementation: str, mode: str, issue: bool, report_path: Path | None) -> None:
    """Print a Python script that shows the result of FRAMEWORK on VECTOR, a test case of the spec.

    The script needs only the framework and NumPy. Its assertion fails if the result of the last run does not conform,
    and its message names the worst element.
    """
    from nnconform.conformance.reproduce import issues, reported_calls, script
    from nnconform.conformance.reproduce.case import NothingToShow
    from nnconform.conformance.running.frameworks import UsageError

    vector = _vector(name)
    report = _report(report_path)
    if report is not None and report.asked.get(vector.id, vector.digest) != vector.digest:
        notify(f"nnconform: {vector.id} has changed since the last run, so its result is not used")
        report = None
    try:
        call = reported_calls.choose(report, vector.id, vector.operation, framework, implementation, mode)
        program = script.write(vector, call)
    except (UsageError, NothingToShow) as error:
        fail(str(error))
    if issue and vector.profile == "defaults":
        fail(f"{vector.id}: a default is the choice of a framework; there is nothing to report")
    if issue and not program.summary:
        fail(f"{call.implementation}: nothing to report on {vector.id}: no difference in the last run")
    if not program.summary:
        state = "not in the last run" if call.result is None else "conforms, so the assertion holds"
        notify(f"nnconform: {call.implementation} ({call.mode}): {state}")
    click.echo(printable(issues.text(vector, call, program, report) if issue else program.text), nl=False)


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
        fail(f"unknown vector {name!r}{near}; `nnconform list vectors` lists all")
    return vector


def _report(path: Path | None) -> Report | None:
    """Return the report in a file, or the report of the last run, if any."""
    from nnconform.conformance.report import last_run, store

    try:
        run = last_run.load(path)
    except store.ReportError as error:
        fail(str(error))
    return None if run is None else run.report
