"""What all pages of a site are made of: the reports by release, links between pages, templates."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode

from .releases import Release, Source, slug

HTML = "nnconform.conformance.web.page"
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


@functools.cache
def verdicts() -> Mapping[str, Mapping[str, str]]:
    """Return of each verdict the words ``many`` and ``means`` and the ``shape``, an SVG path of 16 by 16."""
    text = resources.files(HTML).joinpath("verdicts.json").read_text("utf-8")
    found: Mapping[str, Mapping[str, str]] = json.loads(text)
    return found


@functools.cache
def style() -> str:
    """Return the style of all pages: that of reports, and what only a site has."""
    own = "".join(resources.files(__package__).joinpath(name).read_text("utf-8") for name in ("site.css", "spec.css"))
    return resources.files(HTML).joinpath("base.css").read_text("utf-8") + own


@functools.cache
def _environment() -> Any:
    import jinja2

    folder = resources.files(__package__).joinpath("templates")
    loader = jinja2.FunctionLoader(lambda name: folder.joinpath(name).read_text("utf-8"))
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals |= {"verdicts": verdicts(), "menu": MENU}
    environment.globals |= {"results": results, "vector": vector, "framework": framework}
    return environment


def render(template: str, address: str, title: str, **values: Any) -> str:
    """Return a page.

    Args:
        template: the file in ``templates``.
        address: where the page stands on the site, ``spec/numerics.html``.
        title: of the page.
        values: what the template shows; text is escaped, ``markupsafe.Markup`` is not.
    """
    root = "../" * address.count("/")
    found = _environment().get_template(template)
    return str(found.render(address=address, title=title, root=root, **values))
