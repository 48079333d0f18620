"""The site as a folder: all of its files, and how they replace those of an earlier site."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from nnconform.conformance.files import write_whole
from nnconform.conformance.model.report import Report
from nnconform.conformance.web.page import document

from . import badges, compatibility, counts, dialect_pages, frame, framework_pages, releases, spec_pages
from .releases import Site

# The file that marks a folder as a site, and lists the files that a new site may replace.
MARK = "nnconform-site.json"


class SiteError(Exception):
    """The site cannot be made; the message has the reason and the next step."""


def site_of(reports: Iterable[tuple[Path, Report]]) -> Site:
    """Return the site of some reports.

    Args:
        reports: with their files.

    Raises:
        SiteError: none of them has a result.
    """
    sources = releases.sources(reports)
    by_framework = releases.releases(sources)
    if not by_framework:
        raise SiteError("no report has results; `nnconform run --json FILE` writes one")
    return Site(sources, dict(sorted(by_framework.items())))


def files(site: Site, notify: Callable[[str], None] = lambda _: None) -> Iterator[tuple[str, bytes]]:
    """Yield the address and the bytes of each file of a site.

    Args:
        site: to draw.
        notify: called with a message before each slow step.
    """
    yield "site.css", frame.style().encode()
    for address, text in pages(site):
        yield address, text.encode("utf-8", "replace")
    for number, source in enumerate(site.sources, 1):
        notify(f"drawing report {number} of {len(site.sources)}: {source.path}")
        yield f"reports/{source.name}.json", source.path.read_bytes()
        page = document.with_plots(source.report, home="../index.html")
        yield f"reports/{source.name}.html", page.encode("utf-8", "replace")


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the address and the text of each page and badge of a site, except for the pages of reports."""
    yield from _overview(site)
    yield from compatibility.pages(site)
    yield from framework_pages.pages(site)
    yield from dialect_pages.pages(site)
    yield from spec_pages.pages(site)
    yield from badges.pages(site)
    yield from _reports(site)


def _overview(site: Site) -> Iterator[tuple[str, str]]:
    address = "index.html"
    tables = {release.framework: counts.count_by_operation(release) for release in site.newest}
    operations = list(dict.fromkeys(name for table in tables.values() for name in table))
    totals = {release.framework: counts.count_verdicts(release) for release in site.newest}
    values = {"site": site, "tables": tables, "operations": operations, "totals": totals}
    yield address, frame.render("index.html", address, "Overview", **values)


def _reports(site: Site) -> Iterator[tuple[str, str]]:
    address = "reports.html"
    used = {release.source.name for of_it in site.releases.values() for release in of_it}
    values = {"site": site, "used": used, "badge_name": releases.slug}
    yield address, frame.render("reports.html", address, "Reports", **values)


def write(site: Site, folder: Path, notify: Callable[[str], None] = lambda _: None) -> int:
    """Write a site into a folder, and remove the files of an earlier site that this one does not have.

    Other files of the folder stay as they are.

    Args:
        site: to write.
        folder: is made if it does not exist.
        notify: called with a message before each slow step.

    Returns:
        The number of files.

    Raises:
        SiteError: the folder has other files, and no site.
        OSError: the folder cannot be written to.
    """
    old = _listed(folder)
    # Before the slow steps, so that a folder that cannot be made is reported at once.
    folder.mkdir(parents=True, exist_ok=True)
    # All files are drawn before the first is written, so that a failure does not leave a mixture of two sites.
    new: dict[str, bytes] = dict(files(site, notify))
    # First, so that an interrupted site can be written again.
    _list(folder, old | new.keys())
    for address, content in new.items():
        path = folder / address
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    for address in old - new.keys():
        (folder / address).unlink(missing_ok=True)
    _list(folder, new.keys())
    return len(new)


def _list(folder: Path, addresses: Iterable[str]) -> None:
    write_whole(folder / MARK, json.dumps({"files": sorted(addresses)}, indent=1).encode())


def _listed(folder: Path) -> set[str]:
    """Return the files of the site in a folder."""
    if not folder.exists() or not any(folder.iterdir()):
        return set()
    try:
        mark: Any = json.loads((folder / MARK).read_text("utf-8"))
        return {name for name in mark["files"] if isinstance(name, str) and _inside(name)}
    except (OSError, ValueError, KeyError, TypeError):
        raise SiteError(f"{folder}: has files that are not part of a site; name an empty or new folder") from None


def _inside(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts
