"""How many results have each verdict, by what a table has rows for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from nnconform.conformance.vectors.operations import OUTPUTS

from .releases import Release, Row

# What a table of operations calls the results whose hyperparameters the framework chose.
DEFAULTS = "defaults"
Key = TypeVar("Key", bound=Hashable)


def total(release: Release) -> Counter[str]:
    """Return how many results of a release have each verdict, those of the profile ``defaults`` aside."""
    return Counter(row["verdict"] for row in release.rows if row["profile"] != DEFAULTS)


def by_operation(release: Release) -> dict[str, Counter[str]]:
    """Return the counts by operation, in the spec's order; those of the profile ``defaults`` last, by themselves."""
    found = _by(release, lambda row: DEFAULTS if row["profile"] == DEFAULTS else row["operation"])
    return {name: found[name] for name in (*OUTPUTS, DEFAULTS) if name in found}


def by_implementation(releases: Sequence[Release]) -> dict[str, dict[str, list[Counter[str]]]]:
    """Return the counts by operation, implementation and release; without those of the profile ``defaults``."""
    tables = [
        _by(release, lambda row: (row["operation"], row["implementation"], row["profile"])) for release in releases
    ]
    summed: list[dict[tuple[str, str], Counter[str]]] = [defaultdict(Counter) for _ in releases]
    for place, table in enumerate(tables):
        for (operation, name, profile), counts in table.items():
            if profile != DEFAULTS:
                summed[place][operation, name].update(counts)
    result: dict[str, dict[str, list[Counter[str]]]] = {}
    for operation in OUTPUTS:
        names = dict.fromkeys(name for table in reversed(summed) for of, name in table if of == operation)
        if names:
            result[operation] = {name: [table.get((operation, name), Counter()) for table in summed] for name in names}
    return result


def _by(release: Release, key: Callable[[Row], Key]) -> dict[Key, Counter[str]]:
    found: dict[Key, Counter[str]] = defaultdict(Counter)
    for row in release.rows:
        found[key(row)][row["verdict"]] += 1
    return found


def verdict(counts: Mapping[str, int]) -> str:
    """Return the verdict that matters most of those that there are, "" where there is none."""
    order = ("crash", "timeout", "error", "diverges", "dialect", "conforms", "unsupported")
    return next((name for name in order if counts.get(name)), "")
