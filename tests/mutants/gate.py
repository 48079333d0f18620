"""Run mutants of the control through the suite, and list the vectors that catch them.

A mutant runs in this process; everything else is as in a run. The worker's loop answers the lines that the harness
sends, and the harness judges the answers and diagnoses dialects, all of which are on.
"""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nnconform.adapters import Adapter
from nnconform.adapters.worker import hello, load, serve
from nnconform.conformance.judging.dialect_diagnosis import diagnose
from nnconform.conformance.judging.judge import judge
from nnconform.conformance.model.calls import Answer, Hello
from nnconform.conformance.model.result import Result
from nnconform.conformance.running import messages as wire
from nnconform.conformance.running.selection import Selection, calls_for
from nnconform.conformance.vectors.vector import Vector

from .mutant import Mutant, WrongMutant

DTYPES = ("float64", "float32", "float16", "bfloat16")


@dataclass
class Sight:
    """The vectors that catch a mutant in one operation and dtype.

    Attributes:
        hunting: the vectors that catch it and hunt its kind.
        others: the vectors that catch it and hunt something else.
    """

    hunting: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


@dataclass
class Finding:
    """The vectors that catch a mutant.

    Attributes:
        mutant: the mutant.
        sights: by operation and dtype.
        misnamed: outputs that a dialect of another kind explains, and that diverge on no vector.
    """

    mutant: Mutant
    sights: Mapping[tuple[str, str], Sight]
    misnamed: Sequence[str]

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes in which every operation of the mutant is caught."""
        return tuple(d for d in DTYPES if all(self.sights[o, d].hunting for o in self.mutant.operations.split()))

    @property
    def catches(self) -> int:
        """The number of vectors that hunt its kind and catch it."""
        return sum(len(sight.hunting) for sight in self.sights.values())

    @property
    def problems(self) -> list[str]:
        """The violations of the gate's rules; empty for a mutant that is caught."""
        problems = [
            f"{'/'.join(at)}: {text}" for at, sight in self.sights.items() for text in self._problems_in(at[1], sight)
        ]
        return [*problems, *self.misnamed]

    def _problems_in(self, dtype: str, sight: Sight) -> Iterator[str]:
        unseen = self.mutant.unseen.get(dtype)
        if unseen is None and not sight.hunting:
            others = f"; {', '.join(sight.others[:3])} see it and do not hunt it" if sight.others else ""
            yield f"no vector that hunts {self.mutant.kind} catches it{others}"
        if unseen is not None and sight.hunting:
            yield f"{sight.hunting[0]} sees it, though listed as unseen ({unseen})"


def results_of(adapter: Adapter, vectors: Iterable[Vector]) -> list[Result]:
    """Return the results of an adapter after the diagnosis of dialects.

    Raises:
        WrongMutant: an answer breaks the contract of adapters, so that a run would not judge it.
    """
    by_id = {vector.id: vector for vector in vectors}
    greeting, results = Hello.from_json(hello(adapter, 1)), []
    calls = [(v, call) for v in by_id.values() for call in calls_for(v, greeting, (), Selection())]
    lines = b"".join(wire.request(v, [(call.implementation, call.mode)]) for v, call in calls)
    messages: list[Mapping[str, Any]] = []
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        serve(adapter, io.BytesIO(lines), messages.append)
    for (vector, call), message in zip(calls, messages, strict=True):
        if message["status"] == "fault":
            raise WrongMutant(f"{vector.id}: {message['reason']}")
        outputs = wire.outputs(message.get("outputs", {}))
        answer = Answer(call, message["status"], message.get("reason", ""), outputs)
        results.append(judge(adapter.name, vector, (), answer))
    return diagnose(results, by_id)


def results_of_source(name: str, source: str, vectors: Iterable[Vector]) -> list[Result]:
    """Return the results of the adapter with this source; see ``results_of``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name.replace('-', '_').replace('.', '_')}.py"
        path.write_text(source)
        return results_of(load(str(path)), vectors)


def relevant_vectors(vectors: Iterable[Vector], operations: Sequence[str], names: Sequence[str]) -> list[Vector]:
    """Return the vectors of some operations, without the slow ones for other faults or dialects.

    Args:
        vectors: all vectors.
        operations: names of operations.
        names: the faults or dialects to show.
    """
    fans = any("fan" in name or name.startswith("default-") for name in names)
    return [v for v in vectors if v.operation in operations and _relevant(v, names, fans=fans)]


def _relevant(vector: Vector, names: Sequence[str], *, fans: bool) -> bool:
    if vector.extremes:  # a sample of 84 MB
        return bool(set(names) & set(vector.hunts))
    if vector.first:  # sums of ten million numbers
        named = {part for dialect in vector.dialects for part in dialect.split("+")}
        return bool(set(names) & {*vector.hunts, *named})
    # Kernels of other kinds have other fans; those of dense layers show a wrong law as well.
    return fans or not vector.operation.startswith("he_") or vector.attributes["kind"] == "dense"


def find(mutant: Mutant, vectors: Sequence[Vector]) -> Finding:
    """Run a mutant on the relevant vectors of its operations.

    Args:
        mutant: it may change nothing; then no vector catches it.
        vectors: all vectors.
    """
    operations = mutant.operations.split()
    relevant = relevant_vectors(vectors, operations, mutant.kind.split())
    results = results_of_source(mutant.name, mutant.source, relevant)
    sights = {(operation, dtype): Sight() for operation in operations for dtype in DTYPES}
    hunts = {vector.id: set(vector.hunts) for vector in relevant}
    for result in results:
        if _caught(mutant, result):
            sight = sights[result.operation, result.dtype]
            hunted = set(mutant.kind.split()) & hunts[result.vector]
            (sight.hunting if hunted else sight.others).append(result.vector)
    return Finding(mutant, sights, _misnamed(mutant, results))


def _caught(mutant: Mutant, result: Result) -> bool:
    """Return True if a result shows the mutant; a dialect that is not the mutant's does not."""
    names = {result.dialect, *(output.dialect for output in result.outputs.values())}
    return result.verdict in ("diverges", "error") or bool(names & set(mutant.dialect.split()))


def _misnamed(mutant: Mutant, results: Sequence[Result]) -> list[str]:
    """Describe the outputs that a dialect of another kind explains, and that diverge nowhere."""
    own, diverging = set(mutant.dialect.split()), set()
    explained: dict[tuple[str, str], str] = {}
    for result in results:
        for name, output in result.outputs.items():
            place = result.operation, name.partition("[")[0]
            if output.verdict == "diverges":
                diverging.add(place)
            elif output.verdict == "dialect" and output.dialect not in own:
                explained[place] = f"{result.vector}: {output.dialect} explains {name}"
    return [text for place, text in explained.items() if place not in diverging]
