"""The size of changes: the element that moved most and, if both sides keep whole tensors, the distance in ULP."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nnconform.conformance.judging.compare import digest
from nnconform.conformance.model.change import Change, Distance, Element
from nnconform.conformance.model.diff import Distribution, Drift
from nnconform.conformance.model.result import Output, Result, Worst
from nnconform.conformance.running.outputs import Key
from nnconform.conformance.vectors.tensors import Array

from .changes import OutputTest, exceeds, moved_by_report
from .distance import ElementDistances, comparable, element_distances

Tensors = Mapping[Key, Array]
Index = tuple[int, ...]


class _FreeZeros(NamedTuple):
    """The latitude of a vector whose zeros have no sign, for ``digest``."""

    latitude: tuple[str, ...] = ("sign-of-zero",)


@dataclass
class _ChangedOutput:
    """An output that changed, on both sides.

    Attributes:
        change: its change.
        old: in the old report; None if it was not there.
        new: in the new report; None if it is not there.
        tensors: old and new, None if they were not kept.
        distances: between the tensors, if they are comparable.
    """

    change: Change
    old: Output | None
    new: Output | None
    tensors: tuple[Array | None, Array | None]
    distances: ElementDistances | None = None

    @property
    def worst(self) -> Iterator[Worst]:
        """The worst elements of the new and the old output."""
        return (output.worst for output in (self.new, self.old) if output is not None and output.worst is not None)


class Measurements:
    """Measures all outputs that changed together.

    Attributes:
        sides_with_tensors: whether the old and the new side keep tensors.
    """

    def __init__(self, old: Tensors | None, new: Tensors | None) -> None:
        self._tensors = old, new
        self.sides_with_tensors = old is not None, new is not None
        self._foreign: tuple[set[Key], set[Key]] = (set(), set())
        self._outputs: list[_ChangedOutput] = []

    def _tensor(self, side: int, call: Result | Change, name: str, output: Output | None) -> Array | None:
        """Return the tensor of an output if its digest is the report's.

        Which digest that is depends on the vector: if the sign of zeros is free, they were made equal before.
        """
        tensors = self._tensors[side]
        key = (call.framework, call.implementation, call.mode, call.vector, name)
        tensor = None if tensors is None else tensors.get(key)
        reported = None if output is None else output.digest
        if tensor is None or any(digest(tensor, latitude) == reported for latitude in (None, _FreeZeros())):
            return tensor
        self._foreign[side].add(key)
        return None

    @property
    def foreign_tensors(self) -> tuple[int, int]:
        """The number of tensors of each side whose digest is not that of its report."""
        return len(self._foreign[0]), len(self._foreign[1])

    def _pair(
        self, call: Result | Change, name: str, old: Output | None, new: Output | None
    ) -> tuple[Array | None, Array | None]:
        return self._tensor(0, call, name, old), self._tensor(1, call, name, new)

    def moved_test(self, result: Result) -> OutputTest:
        """Return a test that is true of diverging outputs of a call that differ by more than the bound.

        Reports have bounds for the worst elements only, so tensors are compared at these.
        """

        def moved(name: str, old: Output, new: Output) -> bool:
            if moved_by_report(old, new):
                return True
            a, b = self._pair(result, name, old, new)
            if a is None or b is None or not comparable(a, b):
                return False
            worst = [output.worst for output in (old, new) if output.worst is not None]
            return any(exceeds(_number(a, w.index), _number(b, w.index), w.bound) for w in worst)

        return moved

    def add(self, change: Change, old: Output | None, new: Output | None) -> None:
        """Add a change of an output, to be measured with all others."""
        self._outputs.append(_ChangedOutput(change, old, new, self._pair(change, change.output, old, new)))

    def measure(self) -> list[Change]:
        """Compute all distances; return the changes with their elements and distances."""
        measurable = [output for output in self._outputs if comparable(*output.tensors)]
        pairs = [(a, b) for a, b in (output.tensors for output in measurable) if a is not None and b is not None]
        for output, distances in zip(measurable, element_distances(pairs), strict=True):
            output.distances = distances
        return [_measured(output) for output in self._outputs]

    def drift(self) -> list[Drift]:
        """Return the drift by framework, operation and output; the distances must be computed."""
        groups: dict[tuple[str, str, str], list[_ChangedOutput]] = defaultdict(list)
        for output in self._outputs:
            change = output.change
            if change.kind == "drifted":
                groups[change.framework, change.operation, change.output.partition("[")[0]].append(output)
        return [Drift(*key, len(groups[key]), _distribution(groups[key])) for key in sorted(groups)]


def _measured(output: _ChangedOutput) -> Change:
    distance = None
    if (d := output.distances) is not None:
        distance = Distance(d.ulps.size, d.count, _rounded(d.worst))
    return dataclasses.replace(output.change, element=_element(output), distance=distance)


def _rounded(value: float) -> float:
    """Return a distance with 4 significant digits, as a diff has it."""
    return float(f"{value:.4g}")


def _distribution(outputs: Sequence[_ChangedOutput]) -> Distribution | None:
    """Return the distribution of distances; None if no tensors were kept."""
    measured = [(output.change, output.distances) for output in outputs if output.distances is not None]
    if not measured:
        return None
    ulps = np.concatenate([d.ulps[d.changed] for _, d in measured])
    median, p99 = np.quantile(ulps, (0.5, 0.99), method="inverted_cdf") if ulps.size else (0.0, 0.0)
    # The first of equals, in the order of the results.
    change, distances = max(measured, key=lambda item: item[1].worst)
    return Distribution(
        sum(d.ulps.size for _, d in measured),
        int(ulps.size),
        _rounded(float(median)),
        _rounded(float(p99)),
        _rounded(distances.worst),
        change.vector,
        change.implementation,
        change.mode,
    )


def _element(output: _ChangedOutput) -> Element | None:
    """Return the element that moved most, with its old, new and expected value as far as they are known.

    Bounds are known of the worst elements only. Of these, it is the one that moved most for its bound. If none moved,
    or none is known, it is the element that moved most in ULP.
    """
    index = _index(output)
    if index is None:
        return None
    return Element(
        index,
        _value(output.tensors[0], output.old, index),
        _value(output.tensors[1], output.new, index),
        next((worst.expected for worst in output.worst if worst.index == index), None),
    )


def _index(output: _ChangedOutput) -> Index | None:
    distances, tensor = output.distances, output.tensors[0]
    fallback = next((worst.index for worst in output.worst), None)
    if distances is None or tensor is None:
        return fallback
    moves = [(_move(output, worst), worst.index) for worst in output.worst] if output.change.kind != "drifted" else []
    move, index = max(moves, key=lambda item: item[0], default=(0.0, ()))
    if move > 0:
        return index
    if distances.worst_position < 0:
        return fallback
    return tuple(int(i) for i in np.unravel_index(distances.worst_position, tensor.shape))


def _move(output: _ChangedOutput, worst: Worst) -> float:
    """Return the distance between the old and the new value of an element, in bounds."""
    old, new = (_number(tensor, worst.index) for tensor in output.tensors)
    if not exceeds(old, new, 0.0):
        return 0.0
    move = abs(new - old)
    return move / worst.bound if math.isfinite(move) and worst.bound > 0 else math.inf


def _number(tensor: Array | None, index: Index) -> float:
    """Return an element; NaN without a tensor, or if a damaged report names an element that is not in it."""
    return float(tensor[index]) if tensor is not None and _inside(index, tensor.shape) else math.nan


def _value(tensor: Array | None, output: Output | None, index: Index) -> float | None:
    """Return an element from the tensor or else from the report; None if neither has it."""
    if tensor is not None and tensor.dtype.kind != "c" and _inside(index, tensor.shape):
        return float(tensor[index])
    worst = None if output is None else output.worst
    return worst.got if worst is not None and worst.index == index else None


def _inside(index: Index, shape: tuple[int, ...]) -> bool:
    return len(index) == len(shape) and all(i < n for i, n in zip(index, shape, strict=True))
