"""The number of results with each verdict, for the rows of tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from nnconform.conformance.model.result import Result
from nnconform.conformance.report.findings import DEFAULTS
from nnconform.conformance.vectors.operations import OUTPUTS

from .releases import Release

Key = TypeVar("Key", bound=Hashable)


def count_verdicts(release: Release) -> Counter[str]:
    """Return the counts of a release, without defaults."""
    return Counter(result.verdict for result in release.results if not result.is_default)


def count_by_operation(release: Release) -> dict[str, Counter[str]]:
    """Return the counts by operation, in the spec's order, and those of all defaults at the end."""
    counts = _count_by(release, lambda result: DEFAULTS if result.is_default else result.operation)
    return {name: counts[name] for name in (*OUTPUTS, DEFAULTS) if name in counts}


def count_by_implementation(releases: Sequence[Release]) -> dict[str, dict[str, list[Counter[str]]]]:
    """Return the counts by operation, implementation and release, without defaults."""
    tables = [
        _count_by(release, lambda result: (result.operation, result.implementation, result.is_default))
        for release in releases
    ]
    counts: dict[str, dict[str, list[Counter[str]]]] = {}
    for operation in OUTPUTS:
        keys = (key for table in reversed(tables) for key in table if key[0] == operation and not key[2])
        names = dict.fromkeys(name for _, name, _ in keys)
        if names:
            counts[operation] = {
                name: [table.get((operation, name, False), Counter()) for table in tables] for name in names
            }
    return counts


def _count_by(release: Release, key: Callable[[Result], Key]) -> dict[Key, Counter[str]]:
    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    for result in release.results:
        counts[key(result)][result.verdict] += 1
    return counts
