"""``nnconform plot``: plots of the results of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .cli_options import check_writable, fail, filter_options

NAMES = ("init", "elu", "variance", "clip", "bounds")


@click.command("plot", short_help="Plot results of a run as SVG or PNG.")
@click.argument("name", metavar="NAME", type=click.Choice(NAMES))
@click.argument("framework", nargs=-1)
@filter_options
@click.option(
    "--report",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Plot this report instead of the last run.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write, .svg or .png [default: NAME.svg].",
)
def command(name: str, framework: tuple[str, ...], path: Path | None, output: Path | None, **filters: Any) -> None:
    """Plot NAME from the last run, optionally for some FRAMEWORKs only.

    init: random samples and their expected distribution. elu: error of ELU for each power of two of x. variance: error
    of the batch variance for growing means. clip: error of the clip scale. bounds: error / bound of every output.
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
        check_writable({"--output": target})
        run = last_run.load(path)
        if run is None:
            fail(f"no last run ({last_path()}); start one with `nnconform run`, or name a report with --report")
        plot = draw(name, run.report, Selection(frameworks=framework, **filters))
        data = encode(plot, target)
    except (ReportError, NothingToDraw, MissingMatplotlib, UnknownFormat) as error:
        fail(str(error))
    try:
        write_whole(target, data)
    except OSError as error:
        fail(f"--output {target}: cannot be written: {error.strerror}")
    click.echo(f"{target}: {plot.title}")
