"""``nnconform diff``: what changed between two reports."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from nnconform.conformance.console import show

from .options import QUIET_OR_VERBOSE, drawn, fail, outliving_the_reader, writable, write_files

if TYPE_CHECKING:
    from nnconform.conformance.diff.output_differences import Tensors

OPTIONS = {
    "bits": click.option("--bits", is_flag=True, help="Exit with 1 for drift too: other bits, the same verdict."),
    "json_path": click.option(
        "--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), help="Write the diff here."
    ),
    "junit": click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML here."),
    "markdown": click.option(
        "--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write Markdown here."
    ),
    "github": click.option("--github", is_flag=True, help="Print GitHub annotations too."),
    "verbose": click.option("--verbose", is_flag=True, help="Tell every change and every vector, not examples."),
    "quiet": click.option("--quiet", is_flag=True, help="Tell what must be acted on and the totals only."),
}


def diff_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of ``present``, in the one argument ``presentation``."""

    @functools.wraps(function)
    def command(**arguments: Any) -> Any:
        presentation = {name: arguments.pop(name) for name in OPTIONS}
        paths = {"--json": "json_path", "--junit": "junit", "--markdown": "markdown"}
        if presentation["verbose"] and presentation["quiet"]:
            fail(QUIET_OR_VERBOSE)
        writable({option: presentation[name] for option, name in paths.items()})
        return function(presentation=presentation, **arguments)

    decorated: Callable[..., Any] = command
    for option in reversed(OPTIONS.values()):
        decorated = option(decorated)
    return decorated


def present(
    document: Mapping[str, Any],
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
    """Write a diff where that is wanted, print it, and exit with its status.

    Args:
        document: the diff.
        bits: whether drift fails too.
        json_path: where to write it, or None; likewise ``junit`` and ``markdown``.
        junit: where to write it as JUnit XML.
        markdown: where to write it as Markdown.
        github: whether to print annotations.
        verbose: whether to tell every change.
        quiet: whether to tell what must be acted on alone.
        unwritten: why a file of the comparison could not be written before, which is told at the end.
    """
    from nnconform.conformance.diff import document as diff
    from nnconform.conformance.diff import summary

    failed = write_files(
        {
            "--json": (json_path, lambda path: diff.write(document, path)),
            "--junit": (junit, drawn("ci.junit", "of_diff", document, bits=bits)),
            "--markdown": (markdown, drawn("ci.markdown", "of_diff", document, bits=bits)),
        }
    )
    with outliving_the_reader():
        show(summary.parts(document, verbose=verbose, quiet=quiet))
        if github:
            from nnconform.conformance.ci import github as annotations

            for line in annotations.of_diff(document, bits=bits):
                click.echo(line)
    if problems := [*filter(None, [unwritten]), *failed.values()]:
        fail("; ".join(problems))
    sys.exit(summary.exit_status(document, bits=bits))


@click.command("diff", short_help="Say what changed between two reports.")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@diff_options
def command(old: Path, new: Path, presentation: dict[str, Any]) -> None:
    """Say what changed from report OLD to report NEW, what to act on first.

    Reports are what `nnconform run --json FILE` writes; with --outputs beside it, changes are measured in ULP.
    """
    from nnconform.conformance.diff.document import DiffError, compare
    from nnconform.conformance.report import store
    from nnconform.conformance.running.outputs import OutputsError

    try:
        before, after = store.load(old).to_json(), store.load(new).to_json()
        (old_tensors, lacks_old), (new_tensors, lacks_new) = _tensors(old, before), _tensors(new, after)
        document = compare(before, after, old_tensors, new_tensors, [*lacks_old, *lacks_new])
    except (store.ReportError, OutputsError, DiffError) as error:
        fail(str(error))
    present(document, **presentation)


def _tensors(path: Path, document: Mapping[str, Any]) -> tuple[Tensors | None, list[str]]:
    """Return the whole outputs of a report, None where it has none, and a note where their file is gone."""
    from nnconform.conformance.running.outputs import read

    if "outputs" not in document:
        return None, []
    beside = path.parent / document["outputs"]
    if not beside.exists():
        return None, [f"{document['outputs']}, the whole outputs of {path.name}, is not there"]
    return read(beside), []
