"""The site: all of its files, and how they come into a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from nnconform.conformance.files import write_whole
from nnconform.conformance.model.report import Report
from nnconform.conformance.web.page import document

from . import badges, compatibility, dialect_pages, framework_pages, parts, releases, spec_pages, tallies

# By it a folder is known as one that this command wrote, whose files it may replace.
MARK = "nnconform-site.json"


class SiteError(Exception):
    """A site cannot be made; the message says why and what to do."""


def of_reports(found: Iterable[tuple[Path, Report]]) -> parts.Site:
    """Return what a site shows.

    Args:
        found: reports, with the files that they stand in.

    Raises:
        SiteError: none of them has a result.
    """
    sources = releases.sources(found)
    by_framework = releases.releases(sources)
    if not by_framework:
        raise SiteError("no report has a result to show; `nnconform run --json FILE` writes one that has")
    return parts.Site(sources, dict(sorted(by_framework.items())))


def files(site: parts.Site, tell: Callable[[str], None] = lambda _: None) -> Iterator[tuple[str, bytes]]:
    """Yield each file of a site: its address and its bytes.

    Args:
        site: what it shows.
        tell: is told what takes long.
    """
    yield "site.css", parts.style().encode()
    for address, text in pages(site):
        yield address, text.encode("utf-8", "replace")
    for number, source in enumerate(site.sources, 1):
        tell(f"drawing report {number} of {len(site.sources)}: {source.path}")
        yield f"reports/{source.name}.json", source.path.read_bytes()
        yield (
            f"reports/{source.name}.html",
            document.with_plots(source.report, home="../index.html").encode("utf-8", "replace"),
        )


def pages(site: parts.Site) -> Iterator[tuple[str, str]]:
    """Yield each page and badge of a site: its address and its text."""
    yield from _overview(site)
    yield from compatibility.pages(site)
    yield from framework_pages.pages(site)
    yield from dialect_pages.pages(site)
    yield from spec_pages.pages(site)
    yield from badges.pages(site)
    yield from _reports(site)


def _overview(site: parts.Site) -> Iterator[tuple[str, str]]:
    counted = {release.framework: tallies.by_operation(release) for release in site.newest}
    operations = dict.fromkeys(name for counts in counted.values() for name in counts)
    yield (
        "index.html",
        parts.render(
            "index.html",
            "index.html",
            "Overview",
            site=site,
            counted=counted,
            operations=list(operations),
            totals={release.framework: tallies.total(release) for release in site.newest},
        ),
    )


def _reports(site: parts.Site) -> Iterator[tuple[str, str]]:
    address = "reports.html"
    shown = {
        source.name: [r for found in site.releases.values() for r in found if r.source is source]
        for source in site.sources
    }
    yield address, parts.render(address, address, "Reports", site=site, shown=shown, badge_name=releases.slug)


def write(site: parts.Site, folder: Path, tell: Callable[[str], None] = lambda _: None) -> int:
    """Write a site into a folder, and remove what an earlier site had there and this one has not.

    Nothing that this command did not write is touched.

    Args:
        site: what to write.
        folder: where; it is made where it is not there.
        tell: is told what takes long.

    Returns:
        How many files it has.

    Raises:
        SiteError: the folder has other things than a site.
        OSError: it cannot be written to.
    """
    before = _written(folder)
    # Before what takes long, so that a folder that cannot be made is known at once.
    folder.mkdir(parents=True, exist_ok=True)
    # All is drawn before anything is written, so that a site is never half of one and half of another.
    drawn: dict[str, bytes] = dict(files(site, tell))
    # First, so that a site whose writing is cut off can be written again.
    _mark(folder, before | drawn.keys())
    for address, content in drawn.items():
        path = folder / address
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    for address in before - drawn.keys():
        (folder / address).unlink(missing_ok=True)
    _mark(folder, drawn.keys())
    return len(drawn)


def _mark(folder: Path, addresses: Iterable[str]) -> None:
    write_whole(folder / MARK, json.dumps({"files": sorted(addresses)}, indent=1).encode())


def _written(folder: Path) -> set[str]:
    """Return the files of the site that is in a folder."""
    if not folder.exists() or not any(folder.iterdir()):
        return set()
    try:
        found: Any = json.loads((folder / MARK).read_text("utf-8"))
        names = {name for name in found["files"] if isinstance(name, str) and _inside(name)}
    except (OSError, ValueError, KeyError, TypeError):
        raise SiteError(f"{folder}: has files that are of no site; name a folder that is empty or new") from None
    return names


def _inside(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts
