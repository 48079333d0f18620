"""``nnconform plot``: pictures of what a run found, from its report alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import fail, filter_options, writable

NAMES = ("init", "elu", "variance", "clip", "bounds")


@click.command("plot", short_help="Draw what a run found as SVG or PNG.")
@click.argument("name", metavar="NAME", type=click.Choice(NAMES))
@click.argument("framework", nargs=-1)
@filter_options
@click.option(
    "--report",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw this report, not the last run's.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to, .svg or .png [default: NAME.svg].",
)
def command(name: str, framework: tuple[str, ...], path: Path | None, output: Path | None, **filters: Any) -> None:
    """Draw NAME from the last run's report, of FRAMEWORK... alone where any is named.

    init: random samples against their law. elu: its error in each binade of x. variance: the error of the batch
    variance where the mean is large. clip: the error of the clip scale. bounds: error over bound of every output.
    """
    from nnconform.conformance.files import write_whole
    from nnconform.conformance.plots.catalogue import MissingMatplotlib, UnknownFormat, check_format, draw, encode
    from nnconform.conformance.plots.series import NothingToDraw
    from nnconform.conformance.report import last_run
    from nnconform.conformance.report.store import ReportError, last_path
    from nnconform.conformance.running.selection import Selection

    target = output or Path(f"{name}.svg")
    try:
        check_format(target)
        writable({"--output": target})
        run = last_run.load(path)
        if run is None:
            fail(f"there is no last run ({last_path()}); `nnconform run` makes one, --report names another report")
        plot = draw(name, run.report, Selection(frameworks=framework, **filters))
        data = encode(plot, target)
    except (ReportError, NothingToDraw, MissingMatplotlib, UnknownFormat) as error:
        fail(str(error))
    try:
        write_whole(target, data)
    except OSError as error:
        fail(f"--output {target}: cannot be written: {error.strerror}")
    click.echo(f"{target}: {plot.title}")
