"""A page per framework: its releases, the changes of each, and tables of the results."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from . import counts, frame
from .release_changes import compare
from .releases import Release, Site, slug


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the pages of the frameworks."""
    for name, releases in site.releases.items():
        address = f"frameworks/{slug(name)}.html"
        yield address, frame.render("framework.html", address, name, name=name, **_values(releases))


def _values(releases: Sequence[Release]) -> dict[str, object]:
    changes = [None, *itertools.starmap(compare, itertools.pairwise(releases))]
    newest_first = list(reversed(releases))
    tables = [counts.count_by_operation(release) for release in newest_first]
    operations = dict.fromkeys(name for table in tables for name in table)
    return {
        "releases": newest_first,
        "changes": list(reversed(changes)),
        "totals": [counts.count_verdicts(release) for release in newest_first],
        "operations": {name: [table.get(name, {}) for table in tables] for name in operations},
        "implementations": counts.count_by_implementation(newest_first),
        "shared": _shared(newest_first),
    }


def _shared(releases: Sequence[Release]) -> list[str]:
    """Return the packages with the same version in all releases."""
    first = releases[0].versions
    return [name for name, version in first.items() if all(r.versions.get(name) == version for r in releases)]
