"""The vectors and calls of a run: those that the user selects, and those that a diagnosis needs."""

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
# Extra vectors of a filtered run, which decide if a dialect may be named: benign ones, and those that hunt it.
WITNESSES = 4
HUNTERS = 2


@dataclass(frozen=True)
class Selection:
    """Filters of a run, or of the results to draw: globs, any of which may match, and ids; empty for all."""

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
        """The filters as command-line options, or ""."""
        options = {"frameworks": "", **FILTERS}
        return " ".join(f"{option} {glob}".strip() for name, option in options.items() for glob in getattr(self, name))

    def takes(self, vector: Vector) -> bool:
        """Match a vector with the filters."""
        return self._takes(vector.operation, vector.id, vector.profile, vector.dtype)

    def takes_result(self, result: Result) -> bool:
        """Match a result of a report with the filters."""
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
    """Match a text with any of some globs; without globs, every text matches."""
    return not globs or any(fnmatch.fnmatchcase(text, glob) for glob in globs)


def with_witnesses(selected: Sequence[Vector], everything: Sequence[Vector]) -> list[Vector]:
    """Return the selected vectors and a few more that decide if their dialects may be named (NUM-10).

    For each operation and dtype these are benign vectors; for each listed dialect, vectors that hunt it in the same
    dtype, or in float32 and float64. A run of all vectors has them already.
    """
    added: dict[str, Vector] = {}
    needed: Counter[tuple[str, ...]] = Counter()
    for v in selected:
        needed[v.operation, v.dtype] = WITNESSES if v.prescribed else 0
        for part in (part for dialect in v.prescribed for part in dialect.split("+")):
            for dtype in (v.dtype, "float32", "float64"):
                needed[v.operation, dtype, part] = HUNTERS
    ids = {v.id for v in selected}
    for v in everything:
        hunted = [(v.operation, v.dtype, part) for part in v.hunts]
        benign = [(v.operation, v.dtype)] if v.profile in ("core", "half") and v.compiled else []
        for key in (key for key in (*benign, *hunted) if needed[key] > 0):
            needed[key] -= 1
            if v.id not in ids:
                added[v.id] = v
    return [*selected, *added.values()]


def calls_for(vector: Vector, hello: Hello, only: Sequence[str], selection: Selection) -> list[Call]:
    """Return the calls to make on a vector: compiled modes run a few vectors, slow modes only on request.

    A vector with special needs runs on implementations that declare them (PROTOCOL-3). If the plain mode compiles each
    shape too, it runs many lengths only if the user names the vector.
    """
    from nnconform.conformance.model.calls import Call

    plain = hello.modes[0]
    result = []
    for implementation in hello.implementations:
        if implementation.operation != vector.operation or implementation.defaults != (vector.profile == "defaults"):
            continue
        if not vector.needs <= implementation.takes:
            continue
        if not matches(implementation.name, only) or not matches(implementation.name, selection.implementations):
            continue
        for mode in implementation.modes:
            few = vector.lengths and hello.compiles_shapes and not selection.vectors
            selected = matches(mode, selection.modes) if selection.modes else mode not in hello.on_request
            if selected and (vector.compiled or (mode == plain and not few)):
                result.append(Call(implementation.name, mode))
    return result


def check_filters(selection: Selection, vectors: Sequence[Vector]) -> None:
    """Refuse filters that match no vector, alone or together.

    Raises:
        UsageError: a filter matches nothing.
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
