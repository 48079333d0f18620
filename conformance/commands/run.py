"""``nnconform run``: the vectors on one or more frameworks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..cli_common import fail, fail_environment, filter_options, load_vectors, stop_politely, writable

if TYPE_CHECKING:
    from ..drive import Options
    from ..frameworks import Framework
    from ..journal import Journal
    from ..run import Run
    from ..vectors import Vector


@click.command("run")
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
@click.option("--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write Markdown here.")
@click.option("--github", is_flag=True, help="Print GitHub annotations too.")
@click.option("--outputs", type=click.Path(path_type=Path, dir_okay=False), help="Keep whole outputs here (.npz).")
@click.option("--resume", is_flag=True, help="Go on with the interrupted run that would have written the same report.")
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=120.0, show_default=True, help="Seconds a call may take."
)
@click.option("--memory", type=click.FloatRange(min=0.01), metavar="GB", help="Memory that a worker may use.")
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
    markdown: Path | None,
    github: bool,
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
    from .. import frameworks, known, report, show
    from ..drive import Options
    from ..environments import EnvironmentFailed
    from ..selection import Selection, check_filters, check_ran
    from ..targets import locate
    from ..vectors import SPEC

    paths = {"--json": json_path, "--junit": junit, "--markdown": markdown, "--outputs": outputs}
    writable(paths)
    if outputs is not None and resume:
        fail("--outputs keeps what this run gives; what was run before --resume is not kept: leave one of them out")
    stop_politely()
    try:
        listed = None if known_path is None else known.read(known_path)
        vectors, problems = load_vectors(folder)
        selection = Selection(**filters)
        check_filters(selection, vectors)
        chosen = locate(framework, adapters, workers, python=python, tell=show.teller())
        for missing in (f for f in chosen if framework and f.missing):
            raise frameworks.UsageError(
                f"{missing.name}: {', '.join(missing.missing)} not installed; install with: {missing.install}"
            )
    except (frameworks.UsageError, known.KnownError) as error:
        fail(str(error))
    except EnvironmentFailed as error:
        fail_environment(error)
    limit = None if memory is None else memory * 2**30
    options = Options(selection, timeout, report.cache_folder(), limit, keep=outputs is not None)
    outcome = _journaled(chosen, vectors, options, json_path or report.last_path(), resume=resume)
    result = report.document(outcome, SPEC, problems, filters | {"frameworks": framework})
    if listed is not None:
        # Entries about published vectors are not stale where vectors of the user's own are run.
        known.apply(listed, result, vectors if folder is None else [*load_vectors(None)[0], *vectors])
    if outputs is not None:
        _keep(outcome, outputs, result, json_path)
    report.remember(result)
    show.show(result)
    _write(result, json_path, junit, markdown, strict=strict)
    if github:
        from ..github import annotations

        for line in annotations(result, strict=strict):
            click.echo(line)
    try:
        check_ran(outcome, selection)
    except frameworks.UsageError as error:
        fail(str(error))
    sys.exit(report.exit_status(result, strict=strict))


def _journaled(chosen: list[Framework], vectors: list[Vector], options: Options, path: Path, *, resume: bool) -> Run:
    """Run with a journal beside the report, which is left where the run does not come to its end."""
    from ..journal import JournalError, beside
    from ..show import run_with_progress

    try:
        journal = _journal(chosen, vectors, options, path, resume=resume)
    except JournalError as error:
        fail(str(error))
    outcome = run_with_progress(chosen, vectors, options, journal)
    if journal is not None and outcome.complete and all(e.status in ("ran", "missing") for e in outcome.frameworks):
        journal.end()
    elif journal is not None:
        journal.close()
        if outcome.results:
            click.echo(f"what was found until here is kept in {beside(path)}; --resume goes on with it", err=True)
    return outcome


def _journal(
    chosen: list[Framework], vectors: list[Vector], options: Options, path: Path, *, resume: bool
) -> Journal | None:
    """Open the journal; where the folder cannot be written to, a run that need not be gone on with has none."""
    from ..journal import Journal, beside, head

    adapters = {f.name: f.module for f in chosen}
    beginning = head(vectors, options.selection, adapters, {f.name: f.only for f in chosen})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Journal(beside(path), beginning, resume=resume)
    except OSError as error:
        if resume:
            fail(f"{beside(path)}: cannot be written: {error.strerror}")
        return None


def _keep(outcome: Run, path: Path, result: dict[str, Any], json_path: Path | None) -> None:
    from ..outputs import write

    tensors = {key: tensor for entry in outcome.frameworks for key, tensor in entry.tensors.items()}
    try:
        write(path, tensors)
    except OSError as error:
        fail(f"--outputs {path}: cannot be written: {error.strerror}")
    result["outputs"] = os.path.relpath(path, (json_path or path).parent)


def _write(
    result: dict[str, Any], json_path: Path | None, junit: Path | None, markdown: Path | None, *, strict: bool
) -> None:
    """Write the report and what is drawn from it."""
    from .. import report

    def drawn(module: str) -> bytes:
        from importlib import import_module

        text: str = import_module(f"nnconform.conformance.{module}").of_report(result, strict=strict)
        return text.encode()

    for option, path in (("--json", json_path), ("--junit", junit), ("--markdown", markdown)):
        if path is None:
            continue
        try:
            if option == "--json":
                report.write(result, path)
            else:
                report.write_whole(path, drawn(option.removeprefix("--")))
        except OSError as error:
            fail(f"{option} {path}: cannot be written: {error.strerror}")
