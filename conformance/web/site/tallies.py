"""How many results have each verdict, by what a table has rows for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from nnconform.conformance.model.result import Result
from nnconform.conformance.report.findings import DEFAULTS
from nnconform.conformance.vectors.operations import OUTPUTS

from .releases import Release

Key = TypeVar("Key", bound=Hashable)


def total(release: Release) -> Counter[str]:
    """Return how many results of a release have each verdict, those of the profile ``defaults`` aside."""
    return Counter(result.verdict for result in release.results if not result.is_default)


def by_operation(release: Release) -> dict[str, Counter[str]]:
    """Return the counts by operation, in the spec's order; those of the profile ``defaults`` last, by themselves."""
    found = _by(release, lambda result: DEFAULTS if result.is_default else result.operation)
    return {name: found[name] for name in (*OUTPUTS, DEFAULTS) if name in found}


def by_implementation(releases: Sequence[Release]) -> dict[str, dict[str, list[Counter[str]]]]:
    """Return the counts by operation, implementation and release; without those of the profile ``defaults``."""
    tables = [
        _by(release, lambda result: (result.operation, result.implementation, result.is_default))
        for release in releases
    ]
    counts: dict[str, dict[str, list[Counter[str]]]] = {}
    for operation in OUTPUTS:
        named = (key for table in reversed(tables) for key in table if key[0] == operation and not key[2])
        names = dict.fromkeys(name for _, name, _ in named)
        if names:
            counts[operation] = {
                name: [table.get((operation, name, False), Counter()) for table in tables] for name in names
            }
    return counts


def _by(release: Release, key: Callable[[Result], Key]) -> dict[Key, Counter[str]]:
    found: dict[Key, Counter[str]] = defaultdict(Counter)
    for result in release.results:
        found[key(result)][result.verdict] += 1
    return found
