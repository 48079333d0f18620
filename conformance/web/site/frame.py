"""The frame of all pages of a site: template, menu and style."""

from __future__ import annotations

from typing import Any

from nnconform.conformance.web import templates

from .links import release_link, results_link, vector_link

STYLES = ("base.css", "site/site.css", "site/spec.css")
# Titles and addresses.
MENU = (
    ("Overview", "index.html"),
    ("Compatibility", "compatibility.html"),
    ("Dialects", "dialects.html"),
    ("Spec", "spec/index.html"),
    ("Reports", "reports.html"),
)
LINKS = {"results_link": results_link, "vector_link": vector_link, "release_link": release_link}


def style() -> str:
    """Return the style of all pages: that of reports, and the site's own."""
    return "".join(map(templates.read_text, STYLES))


def render(template: str, address: str, title: str, **values: Any) -> str:
    """Return a page.

    Args:
        template: its file in ``templates``.
        address: of the page on the site, ``spec/numerics.html``.
        title: of the page.
        values: for the template; text is escaped, ``markupsafe.Markup`` is not.
    """
    frame = {"address": address, "title": title, "root": "../" * address.count("/"), "menu": MENU}
    return templates.render(template, **frame, **LINKS, **values)
