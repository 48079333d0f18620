"""The addresses of releases, results and vectors on the site."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from .releases import Release, slug


def results_link(release: Release, root: str = "", **filters: str) -> str:
    """Return the address of a release's results in the page of its report.

    Args:
        release: of a framework.
        root: the way from the page with the link to the site's folder, "" or "../".
        filters: of the report's page: operation, implementation, mode, profile, verdict, dialect, clause.
    """
    return _report_link(release, root, view="results", framework=release.framework, **filters)


def vector_link(release: Release, vector: str, root: str = "") -> str:
    """Return the address of a vector in the page of a release's report."""
    return _report_link(release, root, view="vector", vector=vector)


def _report_link(release: Release, root: str, **state: str) -> str:
    return f"{root}reports/{quote(release.source.name)}.html#{urlencode(state)}"


def release_link(release: Release, root: str = "") -> str:
    """Return the address of a release on its framework's page."""
    return f"{root}frameworks/{quote(slug(release.framework))}.html#{quote(release.anchor)}"
