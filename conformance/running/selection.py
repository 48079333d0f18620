"""Which vectors and calls a run makes: what the user asked for, and what must run beside it."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .frameworks import UsageError, suggestion

if TYPE_CHECKING:
    from nnconform.conformance.model.calls import Call, Hello
    from nnconform.conformance.model.result import Result
    from nnconform.conformance.vectors.vector import Vector


FILTERS = {
    "operations": "--operation",
    "vectors": "--vector",
    "implementations": "--implementation",
    "profiles": "--profile",
    "dtypes": "--dtype",
    "modes": "--mode",
}
# Vectors of a filtered run that only show whether a dialect may be named: benign ones, and those that hunt it.
WITNESSES = 4
HUNTERS = 2


@dataclass(frozen=True)
class Selection:
    """What to run, or what of a run to draw: globs, any of which may match, and ids; none means everything."""

    operations: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    implementations: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    ids: Collection[str] = ()
    frameworks: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The filters as they are given on the command line, or ""."""
        options = {"frameworks": "", **FILTERS}
        return " ".join(f"{option} {glob}".strip() for name, option in options.items() for glob in getattr(self, name))

    def takes(self, vector: Vector) -> bool:
        """Return whether a vector is selected."""
        return self._takes(vector.operation, vector.id, vector.profile, vector.dtype)

    def takes_result(self, result: Result) -> bool:
        """Return whether a result of a report is selected."""
        return (
            self._takes(result.operation, result.vector, result.profile, result.dtype)
            and matches(result.framework, self.frameworks)
            and matches(result.implementation, self.implementations)
            and matches(result.mode, self.modes)
        )

    def _takes(self, operation: str, vector: str, profile: str, dtype: str) -> bool:
        return (
            matches(operation, self.operations)
            and matches(vector, self.vectors)
            and matches(profile, self.profiles)
            and matches(dtype, self.dtypes)
            and (not self.ids or vector in self.ids)
        )


def matches(text: str, globs: Sequence[str]) -> bool:
    """Say whether ``text`` matches one of ``globs``; anything matches none."""
    return not globs or any(fnmatch.fnmatchcase(text, glob) for glob in globs)


def with_witnesses(chosen: Sequence[Vector], everything: Sequence[Vector]) -> list[Vector]:
    """Return the chosen vectors and, beside them, a few that decide which of their dialects may be named (NUM-10).

    For each operation and dtype these are benign vectors; for each dialect that is listed, vectors that hunt it in the
    same dtype, or in float32 and float64. A run of all vectors has them already.
    """
    added: dict[str, Vector] = {}
    left: Counter[tuple[str, ...]] = Counter()
    for v in chosen:
        left[v.operation, v.dtype] = WITNESSES if v.prescribed else 0
        for part in (part for dialect in v.prescribed for part in dialect.split("+")):
            for dtype in (v.dtype, "float32", "float64"):
                left[v.operation, dtype, part] = HUNTERS
    taken = {v.id for v in chosen}
    for v in everything:
        hunted = [(v.operation, v.dtype, part) for part in v.hunts]
        benign = [(v.operation, v.dtype)] if v.profile in ("core", "half") and v.compiled else []
        for key in (key for key in (*benign, *hunted) if left[key] > 0):
            left[key] -= 1
            if v.id not in taken:
                added[v.id] = v
    return [*chosen, *added.values()]


def calls_for(vector: Vector, hello: Hello, only: Sequence[str], selection: Selection) -> list[Call]:
    """Return the calls to make on a vector: compiled modes run a few vectors, slow modes when asked for.

    What not every implementation can be asked is put to those that say that they take it (PROTOCOL-3). Where the plain
    mode compiles each shape too, it runs many lengths only when the vector is asked for by name.
    """
    from nnconform.conformance.model.calls import Call

    plain = hello.modes[0]
    result = []
    for served in hello.implementations:
        if served.operation != vector.operation or served.defaults != (vector.profile == "defaults"):
            continue
        if not vector.needs <= served.takes:
            continue
        if not matches(served.name, only) or not matches(served.name, selection.implementations):
            continue
        for mode in served.modes:
            few = vector.lengths and hello.compiles_shapes and not selection.vectors
            asked = matches(mode, selection.modes) if selection.modes else mode not in hello.on_request
            if asked and (vector.compiled or (mode == plain and not few)):
                result.append(Call(served.name, mode))
    return result


def check_filters(selection: Selection, vectors: Sequence[Vector]) -> None:
    """Refuse a filter that no vector matches, by itself or together with the others.

    Raises:
        UsageError: there is one.
    """
    fields: dict[str, Callable[[Vector], str]] = {
        "operations": lambda v: v.operation,
        "vectors": lambda v: v.id,
        "profiles": lambda v: v.profile,
        "dtypes": lambda v: v.dtype,
    }
    for name, field in fields.items():
        values = {field(v) for v in vectors}
        for glob in getattr(selection, name):
            if not any(matches(value, (glob,)) for value in values):
                raise UsageError(f"{FILTERS[name]} {glob} matches nothing{suggestion(glob, values)}")
    if vectors and not any(selection.takes(v) for v in vectors):
        raise UsageError("no vector matches all of these filters together; leave one out")
