"""``nnconform diff``: compare two reports."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from nnconform.conformance.console import show

from .cli_options import QUIET_OR_VERBOSE, check_writable, fail, ignore_closed_pipe, renderer, write_files

if TYPE_CHECKING:
    from nnconform.conformance.diff.measurement import Tensors
    from nnconform.conformance.model.diff import Diff
    from nnconform.conformance.model.report import Report

OPTIONS = {
    "bits": click.option("--bits", is_flag=True, help="Exit with 1 for drift too (different bits, same verdict)."),
    "json_path": click.option(
        "--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), help="Write the diff to this file."
    ),
    "junit": click.option(
        "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML to this file."
    ),
    "markdown": click.option(
        "--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write Markdown to this file."
    ),
    "github": click.option("--github", is_flag=True, help="Also print GitHub annotations."),
    "verbose": click.option("--verbose", is_flag=True, help="Print every change and every vector, not only examples."),
    "quiet": click.option("--quiet", is_flag=True, help="Print only the changes that need action, and the totals."),
}


def diff_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of ``present``, in the one argument ``presentation``."""

    @functools.wraps(function)
    def command(**arguments: Any) -> Any:
        presentation = {name: arguments.pop(name) for name in OPTIONS}
        paths = {"--json": "json_path", "--junit": "junit", "--markdown": "markdown"}
        if presentation["verbose"] and presentation["quiet"]:
            fail(QUIET_OR_VERBOSE)
        check_writable({option: presentation[name] for option, name in paths.items()})
        return function(presentation=presentation, **arguments)

    decorated: Callable[..., Any] = command
    for option in reversed(OPTIONS.values()):
        decorated = option(decorated)
    return decorated


def present(
    diff: Diff,
    *,
    bits: bool,
    json_path: Path | None,
    junit: Path | None,
    markdown: Path | None,
    github: bool,
    verbose: bool,
    quiet: bool,
    unwritten: str = "",
) -> NoReturn:
    """Write a diff to the files that the user names, print it, and exit with its status.

    Args:
        diff: the diff.
        bits: whether drift fails too.
        json_path: the file for the diff, or None; likewise ``junit`` and ``markdown``.
        junit: the file for JUnit XML.
        markdown: the file for Markdown.
        github: whether to print annotations.
        verbose: whether to print every change.
        quiet: whether to print only the changes that need action.
        unwritten: an earlier failure to write a file of the comparison, which is printed at the end.
    """
    from nnconform.conformance.diff import comparison, summary

    failed = write_files(
        {
            "--json": (json_path, lambda path: comparison.write(diff, path)),
            "--junit": (junit, renderer("ci.junit", "of_diff", diff, bits=bits)),
            "--markdown": (markdown, renderer("ci.markdown", "of_diff", diff, bits=bits)),
        }
    )
    with ignore_closed_pipe():
        show(summary.parts(diff, verbose=verbose, quiet=quiet))
        if github:
            from nnconform.conformance.ci import github as annotations

            for line in annotations.of_diff(diff, bits=bits):
                click.echo(line)
    if problems := [*filter(None, [unwritten]), *failed.values()]:
        fail("; ".join(problems))
    sys.exit(diff.exit_status(bits=bits))


@click.command("diff", short_help="Compare two reports.")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@diff_options
def command(old: Path, new: Path, presentation: dict[str, Any]) -> None:
    """Compare report OLD with report NEW, and print the changes: first those that need action.

    `nnconform run --json FILE` writes a report. With --outputs too, changes are measured in ulp.
    """
    from nnconform.conformance.diff.comparison import DiffError, compare
    from nnconform.conformance.report import store
    from nnconform.conformance.running.outputs import OutputsError

    try:
        before, after = store.load(old), store.load(new)
        (old_tensors, lacks_old), (new_tensors, lacks_new) = _tensors(old, before), _tensors(new, after)
        diff = compare(before, after, old_tensors, new_tensors, [*lacks_old, *lacks_new])
    except (store.ReportError, OutputsError, DiffError) as error:
        fail(str(error))
    present(diff, **presentation)


def _tensors(path: Path, report: Report) -> tuple[Tensors | None, list[str]]:
    """Return the outputs of a report, None if it has none, and a note if their file is missing."""
    from nnconform.conformance.running.outputs import read

    if not report.outputs:
        return None, []
    file = path.parent / report.outputs
    if not file.exists():
        return None, [f"{report.outputs}, the outputs file of {path.name}, is missing"]
    return read(file), []
