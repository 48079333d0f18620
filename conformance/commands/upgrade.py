"""``nnconform upgrade``: a run on two versions of a framework, and the differences between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from nnconform.conformance.console import notifier
from nnconform.conformance.model.report import Report

from .cli_options import (
    check_writable,
    fail,
    fail_environment,
    filter_options,
    interrupt_on_signals,
    limit_options,
    load_vectors,
)
from .diff import diff_options, present


@click.command("upgrade", short_help="Compare two versions of a framework.")
@click.argument("old")
@click.argument("new")
@filter_options
@click.option("--python", metavar="VERSION_OR_PATH", help="Python of new environments (3.10).")
@click.option(
    "--reports",
    type=click.Path(path_type=Path, file_okay=False),
    help="Save both reports and all outputs in this folder.",
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
    """Run the vectors (test cases) on OLD and NEW and show the differences.

    OLD and NEW are frameworks: torch (in this environment), jax==0.9.2 or keras==3.12.0+tensorflow==2.20.0 (in a new
    environment), python:PATH (a framework of that interpreter), or requirements:FILE (the versions in a requirements
    file). The two environments differ in as few other packages as possible.
    """
    from nnconform.conformance.diff.comparison import compare
    from nnconform.conformance.environments.location import locate_pair
    from nnconform.conformance.environments.subprocesses import EnvironmentFailed
    from nnconform.conformance.files import cache_folder
    from nnconform.conformance.report import build
    from nnconform.conformance.running.frameworks import UsageError, check_installed
    from nnconform.conformance.running.options import Options
    from nnconform.conformance.running.run import check_ran
    from nnconform.conformance.running.selection import Selection, check_filters
    from nnconform.conformance.terminal.progress import run_with_progress
    from nnconform.conformance.vectors.vector import SPEC

    quiet = presentation["quiet"]
    interrupt_on_signals()
    check_writable({"--reports": reports})
    vectors, problems = load_vectors(None)
    selection = Selection(**filters)
    try:
        check_filters(selection, vectors)
        first, second = locate_pair(old, new, python=python, notify=notifier(quiet=quiet))
        check_installed([*first, *second])
    except UsageError as error:
        fail(str(error))
    except EnvironmentFailed as error:
        fail_environment(error)
    limit = None if memory is None else memory * 2**30
    options = Options(selection, timeout, cache_folder(), limit, keep=True)
    outcome = run_with_progress([*first, *second], vectors, options, quiet=quiet)
    sides = [outcome.of(side) for side in ("old", "new")]
    built = [
        build.build(side, SPEC, problems, filters | {"frameworks": (word,)})
        for side, word in zip(sides, (old, new), strict=True)
    ]
    tensors = [side.tensors for side in sides]
    # A failed write is reported last: the comparison does not depend on these files.
    unwritten = "" if reports is None else _save(reports, built, tensors)
    try:
        check_ran(outcome, selection)
    except UsageError as error:
        fail(str(error))
    present(compare(built[0], built[1], tensors[0], tensors[1]), unwritten=unwritten, **presentation)


def _save(folder: Path, reports: list[Report], tensors: list[dict[Any, Any]]) -> str:
    """Write both reports and their outputs; return the error message, or "" if there is none."""
    from nnconform.conformance.report import store
    from nnconform.conformance.running import outputs

    try:
        folder.mkdir(exist_ok=True)
        for name, report, arrays in zip(("old", "new"), reports, tensors, strict=True):
            outputs.write(folder / f"{name}.npz", arrays)
            store.write(replace(report, outputs=f"{name}.npz"), folder / f"{name}.json")
    except OSError as error:
        return f"--reports {folder}: cannot be written: {error.strerror}"
    return ""
