"""``nnconform explain``: what a name stands for, and what the last run found of it."""

from __future__ import annotations

from pathlib import Path

import click

from .options import fail, outliving_the_reader


@click.command("explain", short_help="Say what a clause, dialect, vector or other name is, in words and numbers.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--as", "kind", metavar="KIND", help="What a name of several kinds is: operation, dialect, ...")
@click.option(
    "--report",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the numbers from this report, not the last run's.",
)
@click.option("--verbose", is_flag=True, help="List every vector, not examples.")
def command(names: tuple[str, ...], kind: str | None, path: Path | None, verbose: bool) -> None:
    """Say what NAME... is, from the spec and from what the last run found.

    A name is a clause (BN-TRAIN-4), a dialect (global-norm) or several joined by +, a fault that vectors hunt, a vector
    or a glob of vectors, an implementation (torch.nn.BatchNorm2d), an operation (elu), a framework (keras), a verdict
    (diverges), or `defaults`: the table of every framework's default hyperparameters.
    """
    from nnconform.conformance.explain import naming
    from nnconform.conformance.explain import pages as explain
    from nnconform.conformance.report import last_run
    from nnconform.conformance.report.store import ReportError

    try:
        run = last_run.load(path)
        pages = [explain.page(name, run, kind=kind, verbose=verbose) for name in names]
    except (ReportError, naming.UnknownName) as error:
        fail(str(error))
    with outliving_the_reader():
        for number, page in enumerate(pages):
            if number:
                click.echo("")
            page.print()
