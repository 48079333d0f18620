"""A badge for each release, as an SVG and as JSON for shields.io: whether anything diverges from the spec."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from nnconform.conformance.report import findings
from nnconform.conformance.words import clean

from . import parts, tallies
from .releases import Release, slug

# White text has a contrast of 4.5 or more on each; they are the verdicts' colours on a light page.
GOOD, BAD, UNKNOWN = "0b6e5f", "b3261e", "5b636c"
# About the widths of Verdana at 11 pixels. The SVG says how wide its text is, so that another font is fitted to it.
NARROW, WIDE, OTHER, FULL = 4.5, 10.5, 7.0, 11.0
PADDING = 7.0


@dataclass(frozen=True)
class Badge:
    """What a badge says.

    Attributes:
        label: whose it is.
        message: what came of the run.
        color: of the message's ground, six hexadecimal digits.
        title: all of it, with the versions and the spec's.
    """

    label: str
    message: str
    color: str
    title: str

    @property
    def json(self) -> str:
        """The badge as shields.io takes it from an address (https://shields.io/badges/endpoint-badge)."""
        said = {"schemaVersion": 1, "label": self.label, "message": self.message, "color": self.color}
        return json.dumps(said, indent=1) + "\n"

    def svg(self, address: str) -> str:
        """The badge as a picture that stands at an address of the site."""
        left, right = (width(text) + 2 * PADDING for text in (self.label, self.message))
        return parts.render("badge.svg", address, self.title, badge=self, left=left, right=right, padding=PADDING)


def pages(site: parts.Site) -> Iterator[tuple[str, str]]:
    """Yield the badges: of each framework's newest release by the framework's name, and of each release by its own."""
    for framework, releases in site.releases.items():
        newest = releases[-1]
        name = f"{framework} {newest.version}" if newest.versions else framework
        yield from _files(slug(framework), of(newest, name))
        for release in releases:
            yield from _files(release.anchor, of(release, release.title))


def _files(name: str, badge: Badge) -> Iterator[tuple[str, str]]:
    yield f"badges/{name}.json", badge.json
    address = f"badges/{name}.svg"
    yield address, badge.svg(address)


def of(release: Release, name: str) -> Badge:
    """Return the badge of a release.

    Args:
        release: whose.
        name: what it is called.
    """
    message, color = _message(release)
    report = release.source.report
    title = f"{release.title}: {message} ({len(release.results):,} results, spec {report.spec}, {report.created[:10]})"
    # XML has no control characters, not even escaped.
    return Badge(clean(f"nnconform {name}"), message, color, clean(title))


def _message(release: Release) -> tuple[str, str]:
    """Return what came of a run: what nothing explains is told in any case, that there is none only of a whole run."""
    counts = tallies.total(release)
    failed = findings.count_failed(counts)
    bad = [f"{counts['diverges']:,} diverge"] * bool(counts["diverges"]) + [f"{failed:,} failed"] * bool(failed)
    if not release.whole:
        return ", ".join(["incomplete", *bad]), BAD if bad else UNKNOWN
    return (", ".join(bad), BAD) if bad else ("no divergence", GOOD)


def width(text: str) -> float:
    """Return about how wide a text is, in pixels."""
    return sum(map(_width, text))


def _width(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return FULL
    if character in " .,:;|!'()[]ijlftr":
        return NARROW
    return WIDE if character in "mwMW@%" else OTHER
