"""``nnconform upgrade``: two versions side by side, and what is different between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from nnconform.conformance.console import notifier
from nnconform.conformance.model.report import Report

from .diff import diff_options, present
from .options import fail, fail_environment, filter_options, limit_options, load_vectors, stop_politely, writable


@click.command("upgrade", short_help="Say what changed between two versions.")
@click.argument("old")
@click.argument("new")
@filter_options
@click.option("--python", metavar="VERSION_OR_PATH", help="Python for environments that are made (3.10).")
@click.option(
    "--reports",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep both reports and all outputs in this folder.",
)
@limit_options
@diff_options
def command(
    old: str,
    new: str,
    python: str | None,
    reports: Path | None,
    timeout: float,
    memory: float | None,
    presentation: dict[str, Any],
    **filters: tuple[str, ...],
) -> None:
    """Run the vectors on OLD and NEW side by side and say what changed.

    Each is a framework with where it lives: jax==0.9.2, keras==3.12.0+tensorflow==2.20.0, torch (this environment),
    python:PATH (an interpreter that has it), requirements:FILE (the versions in a requirements file). Environments
    are made for versions, as like each other as can be.
    """
    from nnconform.conformance.diff.comparison import compare
    from nnconform.conformance.environments.location import locate_pair
    from nnconform.conformance.environments.subprocesses import EnvironmentFailed
    from nnconform.conformance.files import cache_folder
    from nnconform.conformance.report import build
    from nnconform.conformance.running.frameworks import UsageError
    from nnconform.conformance.running.options import Options
    from nnconform.conformance.running.run import check_ran
    from nnconform.conformance.running.selection import Selection, check_filters
    from nnconform.conformance.terminal.progress import run_with_progress
    from nnconform.conformance.vectors.vector import SPEC

    quiet = presentation["quiet"]
    stop_politely()
    writable({"--reports": reports})
    vectors, problems = load_vectors(None)
    selection = Selection(**filters)
    try:
        check_filters(selection, vectors)
        first, second = locate_pair(old, new, python=python, notify=notifier(quiet=quiet))
        for missing in (f for f in (*first, *second) if f.missing):
            raise UsageError(
                f"{missing.name}: {', '.join(missing.missing)} not installed; install with: {missing.install}"
            )
    except UsageError as error:
        fail(str(error))
    except EnvironmentFailed as error:
        fail_environment(error)
    limit = None if memory is None else memory * 2**30
    options = Options(selection, timeout, cache_folder(), limit, keep=True)
    outcome = run_with_progress([*first, *second], vectors, options, quiet=quiet)
    sides = [outcome.of(side) for side in ("old", "new")]
    found = [
        build.build(side, SPEC, problems, filters | {"frameworks": (word,)})
        for side, word in zip(sides, (old, new), strict=True)
    ]
    tensors = [{k: t for entry in side.frameworks for k, t in entry.tensors.items()} for side in sides]
    # Told at the end: the comparison stands whatever becomes of the files.
    unwritten = "" if reports is None else _keep(reports, found, tensors)
    try:
        check_ran(outcome, selection)
    except UsageError as error:
        fail(str(error))
    present(compare(found[0], found[1], tensors[0], tensors[1]), unwritten=unwritten, **presentation)


def _keep(folder: Path, found: list[Report], tensors: list[dict[Any, Any]]) -> str:
    """Write both reports and their outputs; return why that could not be, or ""."""
    from nnconform.conformance.report import store
    from nnconform.conformance.running import outputs

    try:
        folder.mkdir(exist_ok=True)
        for name, report, kept in zip(("old", "new"), found, tensors, strict=True):
            outputs.write(folder / f"{name}.npz", kept)
            store.write(replace(report, outputs=f"{name}.npz"), folder / f"{name}.json")
    except OSError as error:
        return f"--reports {folder}: cannot be written: {error.strerror}"
    return ""
