"""New entries for a list of known divergences: as few and as narrow as cover a set of results and nothing else."""

from __future__ import annotations

import glob
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence, Set
from fnmatch import fnmatchcase
from typing import NamedTuple

from .file import Entry
from .scope import Row, Seen, seen

# So few vectors are listed one by one; a glob stands for more.
LISTED = 3


class New(NamedTuple):
    """A new entry, without reason and link, and the results that it covers."""

    entry: Entry
    rows: list[Row]


def entries_for(
    wanted: Sequence[Row], rows: Sequence[Row], vectors: Sequence[str], *, held: Set[int] = frozenset()
) -> list[New]:
    """Return entries that cover results, and beside them at most results of profile defaults with the same verdict.

    There are one or more for each framework, implementation, operation, and verdict or dialects.

    Args:
        wanted: the results to cover, among ``rows``.
        rows: all of the report.
        vectors: the ids of all vectors.
        held: ``id`` of the rows that other entries cover: none of ``wanted``.
    """
    peers: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        peers[_implementation(row)].append(row)
    groups: dict[tuple[tuple[str, ...], Seen], set[int]] = defaultdict(set)
    for row in wanted:
        groups[_implementation(row), seen(row)].add(id(row))
    return [
        new
        for (implementation, what), group in groups.items()
        for new in _entries(what, group, peers[implementation], vectors, held)
    ]


def _implementation(row: Row) -> tuple[str, str, str]:
    return row["framework"], row["implementation"], row["operation"]


def _entries(what: Seen, wanted: Set[int], peers: Sequence[Row], vectors: Sequence[str], held: Set[int]) -> list[New]:
    """Return the entries of one implementation and operation: for all modes where they agree, or mode by mode."""
    having = [row for row in peers if seen(row) == what]
    free = [row for row in having if id(row) in wanted or (row["profile"] == "defaults" and id(row) not in held)]
    mixed = {row["vector"] for row in peers if seen(row) != what or id(row) in held}
    ways: tuple[Callable[[Row], str], ...] = (
        lambda row: str(row["mode"]) if row["vector"] in mixed else "*",
        lambda row: str(row["mode"]),
    )
    found = []
    for way in ways:
        parts: dict[str, list[Row]] = defaultdict(list)
        for row in free:
            parts[way(row)].append(row)
        found.append([new for mode, part in parts.items() for new in _of_mode(mode, part, wanted, having, vectors)])
    return min(found, key=len)


def _of_mode(
    mode: str, free: Sequence[Row], wanted: Set[int], having: Sequence[Row], vectors: Sequence[str]
) -> Iterator[New]:
    """Yield the entries of one mode, or of all of them where it is ``*``.

    Args:
        mode: the glob that they get.
        free: the rows that they may cover.
        wanted: ``id`` of those that they must.
        having: all rows of the implementation and operation with their verdict.
        vectors: the ids of all vectors.
    """
    having = [row for row in having if mode in ("*", row["mode"])]
    names = list(dict.fromkeys(row["vector"] for row in free if id(row) in wanted))
    vectors = [name for name in vectors if name.startswith(f"{free[0]['operation']}/")]
    also = {row["vector"] for row in free}
    for pattern, covered in _globs(names, also, {row["vector"] for row in having}, vectors):
        rows = [row for row in having if row["vector"] in covered]
        yield New(_entry(rows[0], mode, pattern, len(covered)), rows)


def _entry(row: Row, mode: str, pattern: str, covers: int) -> Entry:
    implementation = glob.escape(row["implementation"])
    return Entry(0, row["framework"], "", implementation, mode, pattern, "", *seen(row), covers, "", "")


def _globs(
    wanted: Sequence[str], also: Set[str], having: Set[str], vectors: Sequence[str]
) -> Iterator[tuple[str, Set[str]]]:
    """Yield globs, and what each covers: all of ``wanted``, something of ``also`` perhaps, and nothing twice.

    Args:
        wanted: ids to cover.
        also: ids that may be covered too.
        having: all ids that a glob would cover if it took them.
        vectors: all ids; of two globs that cover as much, the better takes fewer of them.
    """
    if len(wanted) <= LISTED:
        yield from ((glob.escape(name), {name}) for name in wanted)
        return
    patterns = {pattern for name in wanted for pattern in _candidates(name)}
    takes = {pattern: {name for name in having if fnmatchcase(name, pattern)} for pattern in patterns}
    reach = {pattern: sum(fnmatchcase(name, pattern) for name in vectors) for pattern in patterns}
    left, allowed = set(wanted), set(wanted) | also
    while left:
        honest = [pattern for pattern in patterns if takes[pattern] <= allowed]
        best = max(honest, key=lambda pattern: (len(takes[pattern] & left), -reach[pattern], pattern))
        yield best, takes[best]
        allowed -= takes[best]
        left -= takes[best]


def _candidates(name: str) -> Iterator[str]:
    """Yield globs that take a vector: its id, then by dtype, by name, by the words that its name begins with."""
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
