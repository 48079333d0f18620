"""``nnconform site``: a static site of several reports, with the history of each framework."""

from __future__ import annotations

from pathlib import Path

import click

from nnconform.conformance.console import notifier
from nnconform.conformance.words import count

from .cli_options import fail


@click.command("site", short_help="Write a site of several reports.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.argument("paths", metavar="REPORT.json...", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(folder: Path, paths: tuple[Path, ...]) -> None:
    """Write a static site of reports of `nnconform run --json` to the folder DIR.

    The site has one page per framework with the changes of each version, a table of clauses and the frameworks that
    meet them, the spec with the vectors and results of each clause, the dialects, badges, and the reports. It works on
    any web server, and in a browser without one. A site that is already in DIR is replaced.
    """
    from nnconform.conformance.report import store
    from nnconform.conformance.web.site.folder import SiteError, site_of, write

    try:
        reports = [(path, store.load(path)) for path in dict.fromkeys(paths)]
        site = site_of(reports)
        files = write(site, folder, notifier())
    except (store.ReportError, SiteError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or folder}: cannot be written: {error.strerror}")
    click.echo(f"{folder / 'index.html'}: {count(files, 'file')} of {count(len(site.sources), 'report')}")
