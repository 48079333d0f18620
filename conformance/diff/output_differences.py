"""How large changes are: the element that tells most, and where whole tensors were kept, the distance in ULP."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nnconform.conformance.judging.compare import digest
from nnconform.conformance.numbers import number
from nnconform.conformance.running.outputs import Key
from nnconform.conformance.vectors.tensors import Array

from .changes import Difference, Question, Row, exceeds, moved_by_report
from .distance import Distance, comparable, distances
from .sides import RowKey

Tensors = Mapping[Key, Array]
Index = tuple[int, ...]


class _FreeZeros(NamedTuple):
    """What a vector allows whose zeros have no sign, for ``digest``."""

    latitude: tuple[str, ...] = ("sign-of-zero",)


@dataclass
class _Output:
    """One output that changed, on both sides.

    Attributes:
        key: of its row.
        operation: the row's.
        name: its flat name.
        kind: of its change.
        old: what the old report says of it; empty where it was not there.
        new: what the new report says of it.
        tensors: old and new, None where they were not kept.
        distance: between the tensors, where they can be compared.
    """

    key: RowKey
    operation: str
    name: str
    kind: str
    old: Row
    new: Row
    tensors: tuple[Array | None, Array | None]
    distance: Distance | None = None


class Measures:
    """Measures the outputs that changed, all together.

    Attributes:
        kept: whether each side kept tensors.
    """

    def __init__(self, old: Tensors | None, new: Tensors | None) -> None:
        self._tensors = old, new
        self.kept = old is not None, new is not None
        self._strange: tuple[set[Key], set[Key]] = (set(), set())
        self._wanted: dict[tuple[RowKey, str], _Output] = {}

    def _tensor(self, side: int, key: RowKey, name: str, output: Row) -> Array | None:
        """Return a tensor if it is the one that the report speaks of.

        Which digest that has depends on the vector: where the sign of zeros is free they were made alike before.
        """
        tensors = self._tensors[side]
        place = (*key[:4], name)
        tensor = None if tensors is None else tensors.get(place)
        if tensor is None or any(digest(tensor, allowed) == output.get("digest") for allowed in (None, _FreeZeros())):
            return tensor
        self._strange[side].add(place)
        return None

    @property
    def strange_counts(self) -> tuple[int, int]:
        """How many tensors of each side are not those that its report gives the digest of."""
        return len(self._strange[0]), len(self._strange[1])

    def _pair(self, key: RowKey, name: str, old: Row, new: Row) -> tuple[Array | None, Array | None]:
        return self._tensor(0, key, name, old), self._tensor(1, key, name, new)

    def mover(self, key: RowKey) -> Question:
        """Return what says whether an output of a row that diverges on both sides moved by more than its bound.

        Bounds stand in reports for the worst elements only, so it is at these that tensors are looked up.
        """

        def moved(name: str, old: Row, new: Row) -> bool:
            if moved_by_report(old, new):
                return True
            a, b = self._pair(key, name, old, new)
            if a is None or b is None or not comparable(a, b):
                return False
            worst = [output["worst"] for output in (old, new) if "worst" in output]
            return any(
                exceeds(float(a[tuple(w["index"])]), float(b[tuple(w["index"])]), float(w["bound"])) for w in worst
            )

        return moved

    def want(self, key: RowKey, new: Row, old: Row, difference: Difference) -> None:
        """Take in a change of two rows, to be measured with all others."""
        if name := difference.output:
            a, b = old["outputs"].get(name, {}), new["outputs"].get(name, {})
            pair = self._pair(key, name, a, b)
            self._wanted[key, name] = _Output(key, new["operation"], name, difference.kind, a, b, pair)

    def measure(self) -> None:
        """Compute the distances of all that was taken in."""
        chosen = [output for output in self._wanted.values() if comparable(*output.tensors)]
        pairs = [(a, b) for a, b in (output.tensors for output in chosen) if a is not None and b is not None]
        for output, distance in zip(chosen, distances(pairs), strict=True):
            output.distance = distance

    def of(self, key: RowKey, name: str) -> dict[str, Any]:
        """Return ``element`` and ``ulp`` of a change, as far as they are known."""
        output = self._wanted.get((key, name))
        if output is None:
            return {}
        result: dict[str, Any] = {}
        if (element := _element(output)) is not None:
            result["element"] = element
        if (d := output.distance) is not None:
            result["ulp"] = {"elements": d.ulps.size, "changed": d.count, "worst": _short(d.worst)}
        return result

    def drift(self) -> list[dict[str, Any]]:
        """Return the distribution of the change of drifted outputs, by framework, operation and output."""
        groups: dict[tuple[str, str, str], list[_Output]] = defaultdict(list)
        for output in self._wanted.values():
            if output.kind == "drifted":
                groups[output.key[0], output.operation, output.name.partition("[")[0]].append(output)
        return [
            dict(zip(("framework", "operation", "output"), group, strict=True)) | _distribution(outputs)
            for group, outputs in sorted(groups.items(), key=lambda item: item[0])
        ]


def _short(value: float) -> float | str:
    """Return a number to 4 digits, as reports have them."""
    return number(float(f"{value:.4g}")) if math.isfinite(value) else number(value)


def _distribution(outputs: Sequence[_Output]) -> dict[str, Any]:
    """Return how far outputs drifted; only how many, where no tensors were kept."""
    measured = [(output, output.distance) for output in outputs if output.distance is not None]
    if not measured:
        return {"tensors": len(outputs)}
    apart = np.concatenate([d.ulps[d.changed] for _, d in measured])
    middle, high = np.quantile(apart, (0.5, 0.99), method="inverted_cdf") if apart.size else (0.0, 0.0)
    # The first of equals, in the order of the results.
    worst, distance = max(measured, key=lambda item: item[1].worst)
    return {
        "tensors": len(outputs),
        "elements": sum(d.ulps.size for _, d in measured),
        "changed": int(apart.size),
        "median": _short(float(middle)),
        "p99": _short(float(high)),
        "worst": _short(distance.worst),
        "vector": worst.key[3],
        "implementation": worst.key[1],
        "mode": worst.key[2],
    }


def _element(output: _Output) -> dict[str, Any] | None:
    """Return the element that tells most of a change: its index, and what is known of old, new and expected value.

    Bounds are known of the worst elements alone. The one of these that moved most for its bound is it; where none
    moved, or none is known, it is the element that moved most in ULP.
    """
    index = _index(output)
    if index is None:
        return None
    values = {
        "old": _value(output.tensors[0], output.old, index),
        "new": _value(output.tensors[1], output.new, index),
        "expected": next((w["expected"] for w in _worst(output) if tuple(w["index"]) == index), None),
    }
    return {"index": list(index)} | {name: value for name, value in values.items() if value is not None}


def _worst(output: _Output) -> Iterator[Row]:
    return (side["worst"] for side in (output.new, output.old) if "worst" in side)


def _index(output: _Output) -> Index | None:
    places = [tuple(w["index"]) for w in _worst(output)]
    d, shaped = output.distance, output.tensors[0]
    if d is None or shaped is None:
        return places[0] if places else None
    moves = [(_move(output, w), tuple(w["index"])) for w in _worst(output)] if output.kind != "drifted" else []
    move, index = max(moves, key=lambda item: item[0], default=(0.0, ()))
    if move > 0:
        return index
    if d.position < 0:
        return places[0] if places else None
    return tuple(int(i) for i in np.unravel_index(d.position, shaped.shape))


def _move(output: _Output, worst: Row) -> float:
    """Return by how many bounds an element moved."""
    old, new = (_number(tensor, tuple(worst["index"])) for tensor in output.tensors)
    if not exceeds(old, new, 0.0):
        return 0.0
    move = abs(new - old)
    bound = float(worst["bound"])
    return move / bound if math.isfinite(move) and bound > 0 else math.inf


def _number(tensor: Array | None, index: Index) -> float:
    return math.nan if tensor is None else float(tensor[index])


def _value(tensor: Array | None, output: Row, index: Index) -> float | str | None:
    """Return an element as the document has it, from the tensor or from the report, or None where neither has it."""
    if tensor is not None and tensor.dtype.kind != "c" and _inside(index, tensor.shape):
        return number(float(tensor[index]))
    worst = output.get("worst")
    return worst["got"] if worst is not None and tuple(worst["index"]) == index else None


def _inside(index: Index, shape: tuple[int, ...]) -> bool:
    return len(index) == len(shape) and all(i < n for i, n in zip(index, shape, strict=True))
