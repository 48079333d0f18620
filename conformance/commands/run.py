"""``nnconform run``: run the vectors on frameworks."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnconform.conformance.console import notifier, notify
from nnconform.conformance.console import show as show_parts
from nnconform.conformance.layout import Line

from .cli_options import (
    QUIET_OR_VERBOSE,
    check_writable,
    fail,
    fail_environment,
    filter_options,
    ignore_closed_pipe,
    interrupt_on_signals,
    limit_options,
    load_vectors,
    renderer,
    write_files,
)

if TYPE_CHECKING:
    from nnconform.conformance.model.report import Report
    from nnconform.conformance.running.frameworks import Framework
    from nnconform.conformance.running.journal import Journal
    from nnconform.conformance.running.options import Options
    from nnconform.conformance.running.run import Run
    from nnconform.conformance.vectors.vector import Vector

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("run", short_help="Run the vectors (test cases) on frameworks.")
@click.argument("framework", nargs=-1)
@filter_options
@click.option(
    "--adapter",
    "adapters",
    multiple=True,
    metavar="MODULE_OR_PATH",
    help="Also run the adapter in this module or file.",
)
@click.option(
    "--worker",
    "workers",
    multiple=True,
    metavar="COMMAND",
    help="Also run this program, a worker as in spec/protocol.md.",
)
@click.option("--python", metavar="VERSION_OR_PATH", help="Python of new environments (3.10).")
@click.option(
    "--vectors", "folder", type=click.Path(path_type=Path), help="Use your own vectors instead of the published ones."
)
@click.option(
    "--known",
    "known_path",
    type=click.Path(path_type=Path),
    help="Accepted divergences, which do not fail the run: spec/known.md.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 for dialects too (documented differences from the spec).")
@click.option("--json", "json_path", type=FILE, help="Write the report to this file.")
@click.option("--junit", type=FILE, help="Write JUnit XML to this file.")
@click.option("--html", type=FILE, help="Write the report page to this file.")
@click.option("--markdown", type=FILE, help="Write a Markdown summary to this file.")
@click.option("--github", is_flag=True, help="Also print GitHub annotations.")
@click.option("--verbose", is_flag=True, help="List all findings, with implementations and examples.")
@click.option("--quiet", is_flag=True, help="Print only the findings that need action and the conclusion.")
@click.option("--headroom", is_flag=True, help="Show how close the outputs come to their error bounds.")
@click.option("--outputs", type=FILE, help="Save whole outputs to this file (.npz).")
@click.option("--resume", is_flag=True, help="Resume the interrupted run that was writing this report.")
@limit_options
def command(
    framework: tuple[str, ...],
    adapters: tuple[str, ...],
    workers: tuple[str, ...],
    python: str | None,
    folder: Path | None,
    known_path: Path | None,
    strict: bool,
    json_path: Path | None,
    junit: Path | None,
    html: Path | None,
    markdown: Path | None,
    github: bool,
    verbose: bool,
    quiet: bool,
    headroom: bool,
    outputs: Path | None,
    resume: bool,
    timeout: float,
    memory: float | None,
    **filters: tuple[str, ...],
) -> None:
    """Run the vectors on FRAMEWORK... or on all that are installed.

    Frameworks are torch, tensorflow, keras, jax, flax, optax and numpy. numpy is a control that always
    conforms; it runs only if you name it or nothing else is installed. A FRAMEWORK can have a version, jax==0.9.2 or
    keras==3.12.0+tensorflow==2.20.0, which runs in a new environment, or be python:PATH, the framework of that
    interpreter.

    A vector is one test case: inputs, expected outputs and error bounds from the clauses, the numbered rules of the
    spec. A dialect is a named, documented way in which a framework differs from the spec. A profile is a group of
    vectors. An implementation is one public API of a framework.
    """
    from nnconform.conformance.environments.location import locate
    from nnconform.conformance.environments.subprocesses import EnvironmentFailed
    from nnconform.conformance.files import cache_folder
    from nnconform.conformance.known import file as known_file
    from nnconform.conformance.known.matching import apply
    from nnconform.conformance.report import build, store
    from nnconform.conformance.running.frameworks import UsageError, check_installed
    from nnconform.conformance.running.options import Options
    from nnconform.conformance.running.run import check_ran
    from nnconform.conformance.running.selection import Selection, check_filters
    from nnconform.conformance.terminal import run_report
    from nnconform.conformance.terminal.progress import run_with_progress
    from nnconform.conformance.vectors.vector import SPEC

    paths = {"--json": json_path, "--junit": junit, "--html": html, "--markdown": markdown, "--outputs": outputs}
    if verbose and quiet:
        fail(QUIET_OR_VERBOSE)
    check_writable(paths)
    if outputs is not None and resume:
        fail("--outputs and --resume exclude each other: the outputs of the interrupted run were not saved")
    interrupt_on_signals()
    try:
        known_list = None if known_path is None else known_file.read(known_path)
        vectors, problems = load_vectors(folder)
        selection = Selection(**filters)
        check_filters(selection, vectors)
        frameworks = locate(framework, adapters, workers, python=python, notify=notifier(quiet=quiet))
        if framework:
            check_installed(frameworks)
    except (UsageError, known_file.KnownError) as error:
        fail(str(error))
    except EnvironmentFailed as error:
        fail_environment(error)
    limit = None if memory is None else memory * 2**30
    options = Options(selection, timeout, cache_folder(), limit, keep=outputs is not None)
    journal = _journal(frameworks, vectors, options, json_path, resume=resume)
    outcome = run_with_progress(frameworks, vectors, options, journal, quiet=quiet)
    selected = filters | {"frameworks": framework, "folder": () if folder is None else (folder.resolve().name,)}
    report = build.build(outcome, SPEC, problems, selected)
    if known_list is not None:
        # A run of the user's own vectors does not make entries about published vectors stale.
        report = apply(known_list, report, vectors if folder is None else [*load_vectors(None)[0], *vectors])
    # Write the files before printing: the reader of standard output may close the pipe.
    report, errors = _write(outcome, report, paths, strict=strict)
    saved = store.remember(report) is not None or (json_path is not None and "--json" not in errors)
    with ignore_closed_pipe():
        run_report.show(report, run_report.Detail(strict=strict, verbose=verbose, quiet=quiet, headroom=headroom))
        if known_list is not None and not quiet:
            others = sorted({entry.framework for entry in known_list.entries} - set(report.by_name))
            if others:
                show_parts([Line(f"{known_path}: entries of {', '.join(others)} were not checked by this run")])
        if github:
            from nnconform.conformance.ci import github as annotations

            for line in annotations.of_report(report, strict=strict):
                click.echo(line)
    if journal is not None:
        _finish(journal, outcome, saved=saved)
    if errors:
        fail("; ".join(errors.values()))
    try:
        check_ran(outcome, selection)
    except UsageError as error:
        fail(str(error))
    sys.exit(report.exit_status(strict=strict))


def _journal(
    frameworks: list[Framework], vectors: list[Vector], options: Options, json_path: Path | None, *, resume: bool
) -> Journal | None:
    """Open the journal next to the report. Return None if that fails and neither --json nor --resume needs it."""
    from nnconform.conformance.report import store
    from nnconform.conformance.running.journal import Busy, Journal, JournalError, beside, head

    path = beside(json_path or store.last_path())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Journal(path, head(vectors, options, frameworks), resume=resume)
    except JournalError as error:
        if resume or json_path is not None or not isinstance(error, Busy):
            fail(str(error))
        reason = "another run without --json is in progress"
    except OSError as error:
        if resume:
            fail(f"{path}: cannot be written: {error.strerror}")
        reason = f"{path}: {error.strerror}"
    notify(f"nnconform: an interrupt would lose this run, because it has no journal: {reason}")
    return None


def _finish(journal: Journal, outcome: Run, *, saved: bool) -> None:
    """Remove the journal of a complete run with a saved report; otherwise leave it and print its path."""
    if saved and outcome.complete and all(e.status in ("ran", "missing") for e in outcome.frameworks):
        journal.end()
        return
    journal.close()
    if journal.trouble:
        notify(f"nnconform: {journal.trouble}")
    if outcome.results:
        notify(f"the results so far are saved in {journal.path}; continue with --resume")


def _write(
    outcome: Run, report: Report, paths: Mapping[str, Path | None], *, strict: bool
) -> tuple[Report, dict[str, str]]:
    """Write the whole outputs, the report and its other formats.

    Returns:
        The report with the path of the outputs, and an error message by option for each file that was not written.
    """
    from nnconform.conformance.report import store
    from nnconform.conformance.running.outputs import write

    outputs = paths["--outputs"]
    errors = write_files({"--outputs": (outputs, lambda path: write(path, outcome.tensors))})
    if outputs is not None and not errors:
        report = replace(report, outputs=os.path.relpath(outputs, (paths["--json"] or outputs).parent))
    return report, errors | write_files(
        {
            "--json": (paths["--json"], lambda path: store.write(report, path)),
            "--junit": (paths["--junit"], renderer("ci.junit", "of_report", report, strict=strict)),
            "--html": (paths["--html"], renderer("web.page.document", "with_plots", report)),
            "--markdown": (paths["--markdown"], renderer("ci.markdown", "of_report", report, strict=strict)),
        }
    )
