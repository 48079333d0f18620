"""Points of the error curves in a report: an error against a property of the inputs, one call at a time.

A point is the worst element of a call in one binade of that property. The report joins the points of all vectors
(conformance/report/curves.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nnconform.conformance.model.result import Point, Points
from nnconform.conformance.vectors.described_tensors import prefixes
from nnconform.conformance.vectors.tensors import Array, widened
from nnconform.conformance.vectors.vector import Tensor, Vector

from .compare import shape_problem, spacing

# A channel whose mean is a smaller part of its deviation is as good as centred.
CENTRED = 2.0**-4


def of_answer(vector: Vector, outputs: Mapping[str, Array | None]) -> Points:
    """Return the points that a call adds to the curves, by part of the operation.

    Args:
        vector: its vector; one that is not judged, one of profile defaults and a long sum add no points.
        outputs: its outputs by flat name; outputs of a wrong dtype or shape add no points.
    """
    makers = {
        "elu": _elu,
        "batch_norm_train": _variance,
        "clip_by_norm": _each_scale,
        "clip_by_global_norm": _common_scale,
    }
    # The error of a long sum (``first``) grows with its length, which would hide the curve.
    if vector.operation not in makers or vector.unjudged or vector.profile == "defaults" or vector.first:
        return {}
    return makers[vector.operation](vector, outputs)


def _elu(vector: Vector, outputs: Mapping[str, Array | None]) -> Points:
    """Return the worst error of y in ULP per binade of |x|, for negative and for positive x; x is the exponent."""
    pair, x = _comparable(vector, outputs, "y"), vector.inputs.get("x", np.zeros(0))
    x = widened(prefixes(x, vector.lengths) if vector.lengths else x)
    if pair is None or x.size != pair.got.size:
        return {}
    ulps = pair.ulps([] if pair.expected.flushed is None else [widened(pair.expected.flushed)])
    by_side: dict[str, list[Point]] = {}
    for side, mask in {"negative": x < 0, "positive": x > 0}.items():
        mask &= np.isfinite(x)
        binades, place = np.unique(np.frexp(x[mask])[1] - 1, return_inverse=True)
        worst = np.zeros(binades.size)
        np.maximum.at(worst, place, ulps[mask])
        by_side[side] = [(int(b), float(b), float(y)) for b, y in zip(binades, worst, strict=True)]
    return {side: points for side, points in by_side.items() if points}


def _variance(vector: Vector, outputs: Mapping[str, Array | None]) -> Points:
    """Return each channel's error of the batch variance in ULP, against |mean| / deviation.

    If an API does not return the batch variance, it is the error of the running variance. The variances of dialects
    (n / (n - 1), another momentum) count as exact here.
    """
    mean, variance = (_values(vector.expected.get(f"batch_{name}")) for name in ("mean", "variance"))
    if vector.profile not in ("core", "range") or vector.steps or mean is None or variance is None:
        return {}
    name = "running_variance" if outputs.get("batch_variance") is None else "batch_variance"
    pair = _comparable(vector, outputs, name)
    if pair is None:
        return {}
    others = [_values(outputs[name]) for outputs in vector.prescribed.values() if name in outputs]
    ulps = pair.ulps([values for values in others if values is not None])
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.abs(mean) / np.sqrt(variance)
    finite = np.isfinite(x)
    return _binned(name, np.maximum(x[finite], CENTRED), ulps[finite])


def _each_scale(vector: Vector, outputs: Mapping[str, Array | None]) -> Points:
    return _scales(vector, outputs, [[name] for name in _gradients(vector)])


def _common_scale(vector: Vector, outputs: Mapping[str, Array | None]) -> Points:
    return _scales(vector, outputs, [list(_gradients(vector))])


def _scales(vector: Vector, outputs: Mapping[str, Array | None], groups: Sequence[Sequence[str]]) -> Points:
    """Return the relative error of the scale of each group of gradients, against their norm over the threshold.

    The scale is the least-squares factor from the expected to the actual gradients, so that the rounding of single
    elements does not count. Vectors of profile range, whose norms are so large or tiny that their squares overflow or
    vanish, are a separate part.
    """
    norms = {name: _norm(gradient) for name, gradient in _gradients(vector).items()}
    threshold = vector.attributes.get("clipnorm", 0.0)
    if not 0 < threshold < math.inf or not all(map(math.isfinite, norms.values())):
        return {}
    x, y = [], []
    for names in groups:
        pairs = [pair for name in names if (pair := _comparable(vector, outputs, name))]
        factor = _factor(pairs) if len(pairs) == len(names) else None
        if factor is not None:
            x.append(math.hypot(*(norms[name] for name in names)) / threshold)
            y.append(abs(factor - 1))
    return _binned("scale-range" if vector.profile == "range" else "scale", np.array(x), np.array(y))


def _factor(pairs: Sequence[_Pair]) -> float | None:
    """Return the least-squares factor, sum(got * expected) / sum(expected^2); None if all expected values are 0."""
    if not pairs:
        return None
    got, expected = (np.concatenate(part) for part in zip(*((p.got, p.values) for p in pairs), strict=True))
    largest = float(np.max(np.abs(expected), initial=0.0))
    if largest == 0 or not math.isfinite(largest):
        return None
    if not np.isfinite(got).all():
        return math.inf
    # Divided by the largest, no square overflows or vanishes.
    unit = expected / largest
    return float(np.sum(got / largest * unit) / np.sum(unit * unit))


def _gradients(vector: Vector) -> dict[str, Array]:
    """Return the input gradients by flat name; none if one of them is sparse."""
    gradients = vector.inputs.get("gradients", [])
    named = {f"gradients[{i}]": value for i, value in enumerate(gradients) if value is not None}
    return named if all(isinstance(value, np.ndarray) for value in named.values()) else {}


def _norm(gradient: Array) -> float:
    """Return the norm of a gradient, computed in float64 and scaled, so that no square overflows or vanishes."""
    wide = widened(gradient)
    largest = float(np.max(np.abs(wide), initial=0.0))
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(float(np.sum(np.square(wide / largest))))


def _values(tensor: object) -> Array | None:
    """Return the expected values as float64 on one axis; None if the output is not judged, or absent."""
    if not isinstance(tensor, Tensor) or tensor.values is None or "any" in tensor.latitude:
        return None
    return widened(tensor.values)


class _Pair(NamedTuple):
    """An output and the exact values, both as float64 on one axis, and the expected tensor."""

    got: Array
    values: Array
    expected: Tensor

    def ulps(self, others: Iterable[Array]) -> Array:
        """Return each element's error in ULP: its distance from the exact value, or from a nearer one of ``others``."""
        nearest = np.full(self.got.shape, math.inf)
        with np.errstate(invalid="ignore", over="ignore"):
            for values in (self.values, *others):
                error = np.where(self.got == values, 0.0, np.abs(self.got - values))
                nearest = np.fmin(nearest, error)
            return np.asarray(nearest / spacing(self.values, self.expected.dtype))


def _comparable(vector: Vector, outputs: Mapping[str, Array | None], name: str) -> _Pair | None:
    """Return an output with its expected values; None if they are not comparable."""
    got, expected = outputs.get(name), vector.expected.get(name)
    values = _values(expected)
    if got is None or values is None or not isinstance(expected, Tensor):
        return None
    return None if shape_problem(got, expected.dtype, expected.shape) else _Pair(widened(got), values, expected)


def _binned(part: str, x: Array, y: Array) -> Points:
    """Return the worst y of each binade of x, with its x."""
    return {part: list(worst_of(_with_binades(x, y)))} if x.size else {}


def _with_binades(x: Array, y: Array) -> Iterator[Point]:
    yield from ((math.frexp(a)[1] - 1, float(a), float(b)) for a, b in zip(x, y, strict=True))


def worst_of(points: Iterable[Point]) -> list[Point]:
    """Return the point of the greatest y in each binade, from left to right; of equal ones the first."""
    worst: dict[int, Point] = {}
    for binade, x, y in points:
        if binade not in worst or y > worst[binade][2]:
            worst[binade] = (binade, x, y)
    return sorted(worst.values())
