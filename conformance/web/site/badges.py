"""A badge per release, as an SVG and as JSON for shields.io: the number of unexplained results."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from nnconform.conformance.report import findings
from nnconform.conformance.words import clean

from . import frame
from .counts import count_verdicts
from .releases import Release, Site, slug

# The verdicts' colours on a light page; white text has a contrast of 4.5 or more on each.
GOOD, BAD, UNKNOWN = "0b6e5f", "b3261e", "5b636c"
# Approximate widths of letters of Verdana at 11 pixels. The SVG has the width of its text, to which other fonts adapt.
NARROW, WIDE, OTHER, FULL = 4.5, 10.5, 7.0, 11.0
PADDING = 7.0


@dataclass(frozen=True)
class Badge:
    """A badge.

    Attributes:
        label: the framework and its version.
        message: the number of unexplained results.
        color: behind the message, six hexadecimal digits.
        title: versions, message, date, and the version of the spec.
    """

    label: str
    message: str
    color: str
    title: str

    @property
    def json(self) -> str:
        """The badge as the JSON of a shields.io endpoint (https://shields.io/badges/endpoint-badge)."""
        badge = {"schemaVersion": 1, "label": self.label, "message": self.message, "color": self.color}
        return json.dumps(badge, indent=1) + "\n"

    def svg(self, address: str) -> str:
        """Return the badge as an SVG for an address of the site."""
        widths = [width(text) + 2 * PADDING for text in (self.label, self.message)]
        return frame.render(
            "badge.svg", address, self.title, badge=self, left=widths[0], right=widths[1], padding=PADDING
        )


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the badges of all releases, and of each framework's newest release under the framework's name."""
    for framework, releases in site.releases.items():
        newest = releases[-1]
        name = f"{framework} {newest.version}" if newest.versions else framework
        yield from _files(slug(framework), badge(newest, name))
        for release in releases:
            yield from _files(release.anchor, badge(release, release.title))


def _files(name: str, release_badge: Badge) -> Iterator[tuple[str, str]]:
    yield f"badges/{name}.json", release_badge.json
    address = f"badges/{name}.svg"
    yield address, release_badge.svg(address)


def badge(release: Release, name: str) -> Badge:
    """Return the badge of a release.

    Args:
        release: of a framework.
        name: for the label.
    """
    message, color = _message(release)
    report = release.source.report
    title = f"{release.title}: {message} ({len(release.results):,} results, spec {report.spec}, {report.created[:10]})"
    # XML allows no control characters, not even escaped.
    return Badge(clean(f"nnconform {name}"), message, color, clean(title))


def _message(release: Release) -> tuple[str, str]:
    """Return the message and the color; only a whole run can have no divergence."""
    counts = count_verdicts(release)
    failed = findings.count_failed(counts)
    bad = [f"{counts['diverges']:,} diverge"] * bool(counts["diverges"]) + [f"{failed:,} failed"] * bool(failed)
    if not release.whole:
        return ", ".join(["incomplete", *bad]), BAD if bad else UNKNOWN
    return (", ".join(bad), BAD) if bad else ("no divergence", GOOD)


def width(text: str) -> float:
    """Return the approximate width of a text, in pixels."""
    return sum(map(_width, text))


def _width(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return FULL
    if character in " .,:;|!'()[]ijlftr":
        return NARROW
    return WIDE if character in "mwMW@%" else OTHER
