"""The meanings of a name. It may have several; their order decides, and ``--as`` chooses another."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from nnconform.conformance.model.verdicts import VERDICTS
from nnconform.conformance.report.last_run import LastRun
from nnconform.conformance.running import frameworks
from nnconform.conformance.vectors import dialects, index
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.operations import OUTPUTS

# First the names that only the spec gives, last those that others give. An operation comes before a framework or an
# implementation of the same name, since several of them implement it.
KINDS = ("table", "clause", "operation", "dialect", "fault", "verdict", "framework", "implementation", "vector")
# The page that compares the frameworks' default hyperparameters.
TABLE = "defaults"
LISTS = "clauses, dialects, operations, frameworks, implementations, vectors"
MANY = 40


class UnknownName(Exception):
    """A name has no meaning; the message has similar names."""


@dataclass(frozen=True)
class Meaning:
    """A kind, one of ``KINDS``, and the full name of one thing of that kind."""

    kind: str
    name: str


def names(run: LastRun | None) -> Mapping[str, Callable[[], Iterable[str]]]:
    """Return functions that list the names of each kind; that of vectors, which reads their files, is the last."""
    entries = run.report.frameworks if run else ()
    return {
        "table": lambda: (TABLE,),
        "clause": clauses,
        "operation": lambda: OUTPUTS,
        "dialect": dialects.dialects,
        "fault": dialects.faults,
        "verdict": lambda: VERDICTS,
        "framework": lambda: (*frameworks.available(), *frameworks.PARTS, *(entry.name for entry in entries)),
        "implementation": lambda: [i.name for entry in entries for i in entry.implementations],
        "vector": lambda: [*index.vector_ids(), *(run.report.asked if run else ())],
    }


def meanings(word: str, run: LastRun | None, kind: str | None = None) -> list[Meaning]:
    """Return all meanings of a name in the order of ``KINDS``; of a glob, everything that it matches.

    Args:
        word: a name as the user writes it; a clause in any case, a vector with or without its dtype.
        run: which knows the implementations.
        kind: the only kind to look for.

    Raises:
        UnknownName: there is no such name, or no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise UnknownName(f"--as {kind}: unknown kind; choose one of {', '.join(KINDS)}")
    listings = {k: listing for k, listing in names(run).items() if kind in (None, k)}
    matches = [Meaning(k, name) for k, listing in listings.items() for name in _matching(k, word, listing)]
    if not matches:
        raise UnknownName(_unknown(word, run, listings))
    return list(dict.fromkeys(matches))


def _matching(kind: str, word: str, listing: Callable[[], Iterable[str]]) -> list[str]:
    if is_glob(word):
        return [name for name in listing() if fnmatch.fnmatchcase(name, word)]
    if kind == "clause":
        word = word.upper()
    if kind == "dialect" and "+" in word:
        parts = [part.strip() for part in word.split("+")]
        return ["+".join(parts)] if set(parts) <= set(listing()) else []
    if kind == "vector":
        if "/" not in word:
            return []
        ids = list(listing())
        return [word] if word in ids else [name for name in ids if name.startswith(f"{word.rstrip('/')}/")]
    return [word] if word in listing() else []


def is_glob(word: str) -> bool:
    """Return whether a word is a pattern of names."""
    return "*" in word or "?" in word


def _unknown(word: str, run: LastRun | None, listings: Mapping[str, Callable[[], Iterable[str]]]) -> str:
    """Return a message with the names that contain an unknown one, or else look like it."""
    every = list(dict.fromkeys(name for listing in listings.values() for name in listing()))
    bare = word.strip("*?").lower()
    near = [name for name in every if len(bare) > 2 and bare in name.lower()]
    near = sorted(near, key=len)[:3] or difflib.get_close_matches(word, every, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    runs = "" if run else " Names of implementations come from a run, and there is none yet; `nnconform run` makes one."
    return f"unknown name {word!r}{hint}\n`nnconform list KIND` prints all names; KIND is one of {LISTS}.{runs}"
