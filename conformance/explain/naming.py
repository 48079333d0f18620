"""What a name stands for. One name may stand for several things; their order decides, and `--as` chooses another."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from nnconform.conformance.report.last_run import LastRun
from nnconform.conformance.running import frameworks
from nnconform.conformance.vectors import dialects, index
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.operations import OUTPUTS

from .overview import VERDICTS

# From what only the spec can mean to what others name. An operation comes before a framework or implementation of its
# name, since it is what several of them do.
KINDS = ("table", "clause", "operation", "dialect", "fault", "verdict", "framework", "implementation", "vector")
# Where the frameworks' default hyperparameters are compared: a page of all of them, so it has a name of its own.
TABLE = "defaults"
LISTS = "clauses, dialects, operations, frameworks, implementations, vectors"
MANY = 40


class UnknownName(Exception):
    """A name stands for nothing that is known; the message says what is near."""


@dataclass(frozen=True)
class Meaning:
    """What a name stands for: its kind, one of ``KINDS``, and the name as it is written there."""

    kind: str
    name: str


def names(run: LastRun | None) -> Mapping[str, Callable[[], Iterable[str]]]:
    """Return what gives the names of each kind; vectors last, since their files are read for it."""
    entries = run.report["frameworks"] if run else []
    return {
        "table": lambda: (TABLE,),
        "clause": clauses,
        "operation": lambda: OUTPUTS,
        "dialect": dialects.dialects,
        "fault": dialects.faults,
        "verdict": lambda: VERDICTS,
        "framework": lambda: (*frameworks.available(), *frameworks.PARTS, *(entry["name"] for entry in entries)),
        "implementation": lambda: [i["name"] for entry in entries for i in entry["implementations"]],
        "vector": lambda: [*index.vector_ids(), *(run.report["asked"] if run else ())],
    }


def meanings(word: str, run: LastRun | None, kind: str | None = None) -> list[Meaning]:
    """Return all that a name stands for, in the order of ``KINDS``; a glob stands for all that it matches.

    Args:
        word: as the user gives it; clauses in whatever case, vectors with or without their dtype.
        run: what knows the implementations.
        kind: only of this one.

    Raises:
        UnknownName: there is nothing of that name, or no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise UnknownName(f"--as {kind}: unknown kind; wanted one of {', '.join(KINDS)}")
    makers = {k: make for k, make in names(run).items() if kind in (None, k)}
    found = [Meaning(k, name) for k, make in makers.items() for name in _matching(k, word, make)]
    if not found:
        raise UnknownName(_unknown(word, run, makers))
    return list(dict.fromkeys(found))


def _matching(kind: str, word: str, make: Callable[[], Iterable[str]]) -> list[str]:
    if is_glob(word):
        return [name for name in make() if fnmatch.fnmatchcase(name, word)]
    if kind == "clause":
        word = word.upper()
    if kind == "dialect" and "+" in word:
        parts = [part.strip() for part in word.split("+")]
        return ["+".join(parts)] if set(parts) <= set(make()) else []
    if kind == "vector":
        if "/" not in word:
            return []
        ids = list(make())
        return [word] if word in ids else [name for name in ids if name.startswith(f"{word.rstrip('/')}/")]
    return [word] if word in make() else []


def is_glob(word: str) -> bool:
    """Say whether a word is a pattern of names."""
    return "*" in word or "?" in word


def _unknown(word: str, run: LastRun | None, makers: Mapping[str, Callable[[], Iterable[str]]]) -> str:
    """Return what to say of an unknown name: the names that have it in them, else those that look like it."""
    known = list(dict.fromkeys(name for make in makers.values() for name in make()))
    bare = word.strip("*?").lower()
    near = [name for name in known if len(bare) > 2 and bare in name.lower()]
    near = sorted(near, key=len)[:3] or difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    runs = "" if run else " Implementations are known from a run, and there was none yet: `nnconform run`."
    return f"unknown name {word!r}{hint}\n`nnconform list WHAT` prints all names; WHAT is one of {LISTS}.{runs}"
