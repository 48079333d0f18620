"""``nnconform explain``: the spec's text on a name, and the results of the last run."""

from __future__ import annotations

from pathlib import Path

import click

from .cli_options import fail, ignore_closed_pipe


@click.command("explain", short_help="Explain a clause, dialect, vector or other name.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--as", "kind", metavar="KIND", help="The kind of NAME if it has several: operation, dialect, ...")
@click.option(
    "--report",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Use the results in this report, not those of the last run.",
)
@click.option("--verbose", is_flag=True, help="List all vectors, not only the first few.")
def command(names: tuple[str, ...], kind: str | None, path: Path | None, verbose: bool) -> None:
    """Explain each NAME with the spec's text and the results of the last run.

    A name can be a clause, which is one numbered rule of the spec (BN-TRAIN-4); a dialect, which is a named, documented
    way in which a framework differs from the spec (global-norm), or several dialects joined by +; a vector, which is
    one test case, or a glob of vectors (elu/near-zero/*); a fault that vectors hunt; an operation (elu); a framework
    (keras); an implementation (torch.nn.BatchNorm2d); or a verdict (diverges). `defaults` is a table of the default
    hyperparameters of all frameworks.
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
    with ignore_closed_pipe():
        for number, page in enumerate(pages):
            if number:
                click.echo("")
            page.print()
