"""``nnconform list``: the names of what there is."""

from __future__ import annotations

import sys

import click

from ..cli_common import fail
from ..layout import Line
from ..terminal import show


@click.command("list", short_help="Print the names of what there is.")
@click.argument(
    "what",
    type=click.Choice(["frameworks", "operations", "implementations", "vectors", "dialects", "clauses"]),
)
@click.argument("framework", nargs=-1)
def command(what: str, framework: tuple[str, ...]) -> None:
    """Print the names of what there is, one a line; implementations of FRAMEWORK... or of all installed."""
    from ..running.frameworks import UsageError
    from ..running.worker import WorkerFailed
    from ..suite import catalogue

    try:
        for line in catalogue.listing(what, framework):
            # In a pipe a thing is a line, so that it can be searched and counted.
            if sys.stdout.isatty():
                show([Line(line)])
            else:
                click.echo(line)
    except UsageError as error:
        fail(str(error))
    except WorkerFailed as error:
        fail(f"{error}\n{error.printed}".rstrip(), 3)
