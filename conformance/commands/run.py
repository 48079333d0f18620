"""``nnconform run``: the vectors on one or more frameworks."""

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

from .options import (
    QUIET_OR_VERBOSE,
    drawn,
    fail,
    fail_environment,
    filter_options,
    limit_options,
    load_vectors,
    outliving_the_reader,
    stop_politely,
    writable,
    write_files,
)

if TYPE_CHECKING:
    from nnconform.conformance.model.report import Report
    from nnconform.conformance.running.frameworks import Framework
    from nnconform.conformance.running.journal import Journal
    from nnconform.conformance.running.options import Options
    from nnconform.conformance.running.run import Run
    from nnconform.conformance.vectors.vector import Vector


@click.command("run", short_help="Run the vectors on frameworks.")
@click.argument("framework", nargs=-1)
@filter_options
@click.option("--adapter", "adapters", multiple=True, metavar="MODULE_OR_PATH", help="Run this adapter too.")
@click.option("--worker", "workers", multiple=True, metavar="COMMAND", help="Run this program too: spec/protocol.md.")
@click.option("--python", metavar="VERSION_OR_PATH", help="Python for environments that are made (3.10).")
@click.option(
    "--vectors", "folder", type=click.Path(path_type=Path), help="Vectors of your own instead of the published."
)
@click.option(
    "--known", "known_path", type=click.Path(path_type=Path), help="List of known divergences: spec/known.md."
)
@click.option("--strict", is_flag=True, help="Exit with 1 for a dialect too.")
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), help="Write the report here.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML here.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page to look at here.")
@click.option("--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write Markdown here.")
@click.option("--github", is_flag=True, help="Print GitHub annotations too.")
@click.option("--verbose", is_flag=True, help="Print every group of findings, with implementations and examples.")
@click.option("--quiet", is_flag=True, help="Print what must be acted on and the conclusion only, and no progress.")
@click.option("--headroom", is_flag=True, help="Print how near the outputs come to their bounds.")
@click.option("--outputs", type=click.Path(path_type=Path, dir_okay=False), help="Keep whole outputs here (.npz).")
@click.option("--resume", is_flag=True, help="Go on with the interrupted run that would have written the same report.")
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
    """Run the vectors on FRAMEWORK... (torch, tensorflow, keras, jax, flax, optax, numpy).

    By default on all that are installed; numpy, the positive control, runs when it is named or alone. A framework
    can be named with where it lives: jax==0.9.2 or keras==3.12.0+tensorflow==2.20.0, in an environment that is made
    for it, or python:PATH, an interpreter that has it.
    """
    from nnconform.conformance.environments.location import locate
    from nnconform.conformance.environments.subprocesses import EnvironmentFailed
    from nnconform.conformance.files import cache_folder
    from nnconform.conformance.known import file as known_file
    from nnconform.conformance.known.matching import apply
    from nnconform.conformance.report import build, store
    from nnconform.conformance.running import frameworks
    from nnconform.conformance.running.options import Options
    from nnconform.conformance.running.run import check_ran
    from nnconform.conformance.running.selection import Selection, check_filters
    from nnconform.conformance.terminal import run_report
    from nnconform.conformance.terminal.progress import run_with_progress
    from nnconform.conformance.vectors.vector import SPEC

    paths = {"--json": json_path, "--junit": junit, "--html": html, "--markdown": markdown, "--outputs": outputs}
    if verbose and quiet:
        fail(QUIET_OR_VERBOSE)
    writable(paths)
    if outputs is not None and resume:
        fail("--outputs keeps what this run gives; what was run before --resume is not kept: leave one of them out")
    stop_politely()
    try:
        listed = None if known_path is None else known_file.read(known_path)
        vectors, problems = load_vectors(folder)
        selection = Selection(**filters)
        check_filters(selection, vectors)
        chosen = locate(framework, adapters, workers, python=python, notify=notifier(quiet=quiet))
        for missing in (f for f in chosen if framework and f.missing):
            raise frameworks.UsageError(
                f"{missing.name}: {', '.join(missing.missing)} not installed; install with: {missing.install}"
            )
    except (frameworks.UsageError, known_file.KnownError) as error:
        fail(str(error))
    except EnvironmentFailed as error:
        fail_environment(error)
    limit = None if memory is None else memory * 2**30
    options = Options(selection, timeout, cache_folder(), limit, keep=outputs is not None)
    journal = _journal(chosen, vectors, options, json_path, resume=resume)
    outcome = run_with_progress(chosen, vectors, options, journal, quiet=quiet)
    asked = filters | {"frameworks": framework, "folder": () if folder is None else (folder.resolve().name,)}
    report = build.build(outcome, SPEC, problems, asked)
    if listed is not None:
        # Entries about published vectors are not stale where vectors of the user's own are run.
        report = apply(listed, report, vectors if folder is None else [*load_vectors(None)[0], *vectors])
    # Results are written before they are shown: the reader may go away.
    report, unwritten = _write(outcome, report, paths, strict=strict)
    kept = store.remember(report) is not None or (json_path is not None and "--json" not in unwritten)
    with outliving_the_reader():
        run_report.show(report, run_report.Detail(strict=strict, verbose=verbose, quiet=quiet, headroom=headroom))
        if listed is not None and not quiet:
            there = set(report.by_name)
            if others := sorted({entry.framework for entry in listed.entries} - there):
                text = f"what it says of {', '.join(others)} was not judged: this run has no such framework"
                show_parts([Line(f"{known_path}: {text}")])
        if github:
            from nnconform.conformance.ci import github as annotations

            for line in annotations.of_report(report, strict=strict):
                click.echo(line)
    if journal is not None:
        _finish(journal, outcome, kept=kept)
    if unwritten:
        fail("; ".join(unwritten.values()))
    try:
        check_ran(outcome, selection)
    except frameworks.UsageError as error:
        fail(str(error))
    sys.exit(report.exit_status(strict=strict))


def _journal(
    chosen: list[Framework], vectors: list[Vector], options: Options, json_path: Path | None, *, resume: bool
) -> Journal | None:
    """Open the journal beside the report; a run that cannot have one goes on without, unless it was asked for."""
    from nnconform.conformance.report import store
    from nnconform.conformance.running.journal import Busy, Journal, JournalError, beside, head

    path = beside(json_path or store.last_path())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Journal(path, head(vectors, options, chosen), resume=resume)
    except JournalError as error:
        if resume or json_path is not None or not isinstance(error, Busy):
            fail(str(error))
        reason = "another run without --json is going on"
    except OSError as error:
        if resume:
            fail(f"{path}: cannot be written: {error.strerror}")
        reason = f"{path}: {error.strerror}"
    notify(f"nnconform: this run cannot be resumed if it is interrupted: {reason}")
    return None


def _finish(journal: Journal, outcome: Run, *, kept: bool) -> None:
    """Remove the journal of a run that came to its end and whose report is kept; tell of one that is left."""
    if kept and outcome.complete and all(e.status in ("ran", "missing") for e in outcome.frameworks):
        journal.end()
        return
    journal.close()
    if journal.trouble:
        notify(f"nnconform: {journal.trouble}")
    if outcome.results:
        notify(f"what was found until here is kept in {journal.path}; --resume goes on with it")


def _write(
    outcome: Run, report: Report, paths: Mapping[str, Path | None], *, strict: bool
) -> tuple[Report, dict[str, str]]:
    """Write whole outputs, the report, and the documents drawn from it.

    Returns:
        The report, which names the file of outputs, and a message by option for each file that cannot be written.
    """
    from nnconform.conformance.report import store
    from nnconform.conformance.running.outputs import write

    tensors = {key: tensor for entry in outcome.frameworks for key, tensor in entry.tensors.items()}
    outputs = paths["--outputs"]
    unwritten = write_files({"--outputs": (outputs, lambda path: write(path, tensors))})
    if outputs is not None and not unwritten:
        report = replace(report, outputs=os.path.relpath(outputs, (paths["--json"] or outputs).parent))
    return report, unwritten | write_files(
        {
            "--json": (paths["--json"], lambda path: store.write(report, path)),
            "--junit": (paths["--junit"], drawn("ci.junit", "of_report", report, strict=strict)),
            "--html": (paths["--html"], drawn("web.page.document", "with_plots", report)),
            "--markdown": (paths["--markdown"], drawn("ci.markdown", "of_report", report, strict=strict)),
        }
    )
