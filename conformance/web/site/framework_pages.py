"""A page for each framework: its releases and what each changed, and tables of its results over them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from . import history, parts, tallies
from .releases import Release, slug


def pages(site: parts.Site) -> Iterator[tuple[str, str]]:
    """Yield the pages of the frameworks."""
    for name, found in site.releases.items():
        address = f"frameworks/{slug(name)}.html"
        yield address, parts.render("framework.html", address, name, name=name, **_values(found))


def _values(found: Sequence[Release]) -> dict[str, object]:
    changes = [None, *(history.between(old, new) for old, new in itertools.pairwise(found))]
    counted = [tallies.by_operation(release) for release in found]
    operations = dict.fromkeys(name for counts in reversed(counted) for name in counts)
    newest_first = list(reversed(found))
    return {
        "releases": newest_first,
        "changes": list(reversed(changes)),
        "totals": [tallies.total(release) for release in newest_first],
        "operations": {name: [counts.get(name, {}) for counts in reversed(counted)] for name in operations},
        "implementations": tallies.by_implementation(newest_first),
        "shared": _shared(newest_first),
    }


def _shared(found: Sequence[Release]) -> list[str]:
    """Return the packages whose version is the same in all releases, and need not be told of each."""
    return [name for name, version in found[0].versions.items() if all(r.versions.get(name) == version for r in found)]
