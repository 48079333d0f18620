"""New entries for a list of known divergences: as few and as narrow as cover a set of results and nothing else."""

from __future__ import annotations

import glob
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence, Set
from fnmatch import fnmatchcase
from typing import NamedTuple

from nnconform.conformance.model.result import Result

from .file import Entry
from .scope import Outcome, outcome

# Up to this many vectors are listed one by one; a glob covers more.
MOST_LISTED = 3


class NewEntry(NamedTuple):
    """A new entry, without reason and link, and the results that it covers."""

    entry: Entry
    results: list[Result]


def entries_for(
    targets: Sequence[Result], results: Sequence[Result], vectors: Sequence[str], *, excluded: Set[int] = frozenset()
) -> list[NewEntry]:
    """Return entries that cover results and, besides, at most results of profile defaults with the same verdict.

    There are one or more for each framework, implementation, operation, and verdict or dialects.

    Args:
        targets: the results to cover, among ``results``.
        results: all of the report.
        vectors: the ids of all vectors.
        excluded: ``id`` of the results that other entries cover: none of ``targets``.
    """
    peers: dict[tuple[str, ...], list[Result]] = defaultdict(list)
    for result in results:
        peers[_implementation(result)].append(result)
    groups: dict[tuple[tuple[str, ...], Outcome], set[int]] = defaultdict(set)
    for result in targets:
        groups[_implementation(result), outcome(result)].add(id(result))
    return [
        new
        for (implementation, common), group in groups.items()
        for new in _entries(common, group, peers[implementation], vectors, excluded)
    ]


def _implementation(result: Result) -> tuple[str, str, str]:
    return result.framework, result.implementation, result.operation


def _entries(
    common: Outcome, targets: Set[int], peers: Sequence[Result], vectors: Sequence[str], excluded: Set[int]
) -> list[NewEntry]:
    """Return the entries of one implementation and operation: for all modes if they agree, or mode by mode."""
    alike = [result for result in peers if outcome(result) == common]
    free = [r for r in alike if id(r) in targets or (r.is_default and id(r) not in excluded)]
    mixed = {result.vector for result in peers if outcome(result) != common or id(result) in excluded}
    mode_globs: tuple[Callable[[Result], str], ...] = (
        lambda result: result.mode if result.vector in mixed else "*",
        lambda result: result.mode,
    )
    choices = []
    for mode_glob in mode_globs:
        parts: dict[str, list[Result]] = defaultdict(list)
        for result in free:
            parts[mode_glob(result)].append(result)
        choices.append([new for mode, part in parts.items() for new in _of_mode(mode, part, targets, alike, vectors)])
    return min(choices, key=len)


def _of_mode(
    mode: str, free: Sequence[Result], targets: Set[int], alike: Sequence[Result], vectors: Sequence[str]
) -> Iterator[NewEntry]:
    """Yield the entries of one mode, or of all modes if it is ``*``.

    Args:
        mode: the glob of the entries.
        free: the results that they may cover.
        targets: ``id`` of the results that they must cover.
        alike: all results of the implementation and operation with their outcome.
        vectors: the ids of all vectors.
    """
    alike = [result for result in alike if mode in ("*", result.mode)]
    names = list(dict.fromkeys(result.vector for result in free if id(result) in targets))
    vectors = [name for name in vectors if name.startswith(f"{free[0].operation}/")]
    allowed = {result.vector for result in free}
    for pattern, covered in _globs(names, allowed, {result.vector for result in alike}, vectors):
        results = [result for result in alike if result.vector in covered]
        yield NewEntry(_entry(results[0], mode, pattern, len(covered)), results)


def _entry(result: Result, mode: str, pattern: str, covers: int) -> Entry:
    implementation = glob.escape(result.implementation)
    return Entry(0, result.framework, "", implementation, mode, pattern, "", *outcome(result), covers, "", "")


def _globs(
    targets: Sequence[str], allowed: Set[str], alike: Set[str], vectors: Sequence[str]
) -> Iterator[tuple[str, Set[str]]]:
    """Yield globs and the ids that each covers: all targets, perhaps others that are allowed, and none twice.

    Args:
        targets: ids to cover.
        allowed: ids that may be covered.
        alike: all ids that a glob covers if it matches them.
        vectors: all ids; of two globs that cover equally many, the better matches fewer of them.
    """
    if len(targets) <= MOST_LISTED:
        yield from ((glob.escape(name), {name}) for name in targets)
        return
    patterns = {pattern for name in targets for pattern in _candidates(name)}
    covers = {pattern: {name for name in alike if fnmatchcase(name, pattern)} for pattern in patterns}
    reach = {pattern: sum(fnmatchcase(name, pattern) for name in vectors) for pattern in patterns}
    rest, free = set(targets), set(targets) | allowed
    while rest:
        valid = [pattern for pattern in patterns if covers[pattern] <= free]
        best = max(valid, key=lambda pattern: (len(covers[pattern] & rest), -reach[pattern], pattern))
        yield best, covers[best]
        free -= covers[best]
        rest -= covers[best]


def _candidates(name: str) -> Iterator[str]:
    """Yield globs that match a vector: its id, then by dtype, by name, by the first words of its name."""
    operation, _, rest = glob.escape(name).partition("/")
    title, _, dtype = rest.rpartition("/")
    words = title.split("-")
    yield glob.escape(name)
    yield f"{operation}/*"
    yield f"{operation}/*/{dtype}"
    yield f"{operation}/{title}/*"
    for number in range(1, len(words)):
        begin = "-".join(words[:number])
        yield f"{operation}/{begin}-*"
        yield f"{operation}/{begin}-*/{dtype}"
