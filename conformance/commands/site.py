"""``nnconform site``: static pages of several reports, with each framework's history."""

from __future__ import annotations

from pathlib import Path

import click

from nnconform.conformance.console import notifier
from nnconform.conformance.words import count

from .options import fail


@click.command("site", short_help="Draw a site of several reports.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.argument("paths", metavar="REPORT.json...", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(folder: Path, paths: tuple[Path, ...]) -> None:
    """Draw a site into DIR from each REPORT.json, which ``nnconform run --json`` wrote.

    It has a page a framework with what each version changed, a table of who keeps which clause, the spec with every
    clause's vectors and results, the dialects, badges, and the reports themselves. Any web server can serve it, and a
    browser can open it where it is. A site that is in DIR is replaced.
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
