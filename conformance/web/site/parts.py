"""What all pages of a site are made of: the reports by release, links between pages, templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from nnconform.conformance.web import templates

from .releases import Release, Source, slug

STYLES = ("base.css", "site/site.css", "site/spec.css")
# What stands in the head of every page: its name in the menu, and where it is.
MENU = (
    ("Overview", "index.html"),
    ("Compatibility", "compatibility.html"),
    ("Dialects", "dialects.html"),
    ("Spec", "spec/index.html"),
    ("Reports", "reports.html"),
)


@dataclass(frozen=True)
class Site:
    """What a site shows.

    Attributes:
        sources: the reports, the oldest first.
        releases: by framework, the oldest first.
    """

    sources: Sequence[Source]
    releases: Mapping[str, Sequence[Release]]

    @property
    def newest(self) -> Sequence[Release]:
        """The newest release of each framework."""
        return [found[-1] for found in self.releases.values()]


def results(release: Release, root: str = "", **filters: str) -> str:
    """Return the address of a release's results in the page of its report.

    Args:
        release: whose.
        root: the way from the page that has the link to the site's folder, "" or "../".
        filters: of the report's page: operation, implementation, mode, profile, verdict, dialect, clause.
    """
    wanted = {"view": "results", "framework": release.framework, **filters}
    return f"{root}reports/{quote(release.source.name)}.html#{urlencode(wanted)}"


def vector(release: Release, name: str, root: str = "") -> str:
    """Return the address of a vector in the page of a release's report."""
    return f"{root}reports/{quote(release.source.name)}.html#{urlencode({'view': 'vector', 'vector': name})}"


def framework(release: Release, root: str = "") -> str:
    """Return the address of a release on its framework's page."""
    return f"{root}frameworks/{quote(slug(release.framework))}.html#{quote(release.anchor)}"


def style() -> str:
    """Return the style of all pages: that of reports, and what only a site has."""
    return "".join(map(templates.read, STYLES))


def render(template: str, address: str, title: str, **values: Any) -> str:
    """Return a page.

    Args:
        template: its file in ``templates``.
        address: where the page stands on the site, ``spec/numerics.html``.
        title: of the page.
        values: what the template shows; text is escaped, ``markupsafe.Markup`` is not.
    """
    values |= {"address": address, "title": title, "root": "../" * address.count("/"), "menu": MENU}
    return templates.render(template, results=results, vector=vector, framework=framework, **values)
