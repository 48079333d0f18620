"""Clipping and the SGD step, from spec/gradient-clipping.md."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from .document import Sparse, Tensor
from .numbers import Number, Real, Root, line, plus, real, times, total
from .result import NoMeaning, Result

Elements = list[Any]


def dense(gradient: Tensor | Sparse | None) -> Elements | None:
    """The elements of a gradient: stored numbers, or the exact sums of a sparse one's rows (FORMAT-10)."""
    if gradient is None or isinstance(gradient, Tensor):
        return gradient if gradient is None else list(gradient.values)
    width = math.prod(gradient.shape[1:])
    total: list[Real] = [Fraction(0)] * math.prod(gradient.shape)
    for i, value in enumerate(gradient.values.values):
        place = gradient.rows[i // width] * width + i % width
        total[place] = plus(total[place], value)
    return total


def by_value(elements: Elements, c: float) -> Elements:
    # CLIP-VALUE-1: min(max(g, -c), c); CLIP-VALUE-2: NaN stays; CLIP-VALUE-4: what is inside is returned unchanged.
    return [c if g > c else -c if g < -c else g for g in elements]


def square_of_norm(groups: Sequence[Elements], repeats: Sequence[int]) -> Real:
    """n^2 of groups of elements, each group counted as often as it stands in its gradient (FORMAT-17)."""
    squares = (total(times(g, g) for g in group) for group in groups)
    return total(times(square, Fraction(often)) for square, often in zip(squares, repeats, strict=True))


def by_norm(elements: Elements, square: Real, c: float) -> list[Number]:
    """CLIP-NORM-1 with n^2 = ``square``: g where n <= c, g c / n otherwise."""
    if isinstance(square, float) and math.isnan(square):
        return [math.nan] * len(elements)  # CLIP-NORM-6
    if c == math.inf or square <= Fraction(c) ** 2:
        return elements  # CLIP-NORM-2, CLIP-NORM-3, CLIP-NORM-10
    if isinstance(square, float):
        return [times(g, 0.0) for g in elements]  # CLIP-NORM-7
    return [g if g == 0 and c > 0 else line(Fraction(0), times(g, c), square) for g in elements]


def clipped(gradients: Sequence[Elements | None], repeats: Sequence[int], kind: str, c: float) -> list[Any]:
    if math.isnan(c) or c < 0:
        raise NoMeaning  # CLIP-VALUE-7, CLIP-NORM-11, CLIP-GLOBAL-11
    if kind == "clipvalue":
        return [g if g is None else by_value(g, c) for g in gradients]
    if kind == "clipnorm":
        pairs = zip(gradients, repeats, strict=True)
        return [g if g is None else by_norm(g, square_of_norm([g], [often]), c) for g, often in pairs]
    common = common_square(gradients, repeats)
    return [g if g is None else by_norm(g, common, c) for g in gradients]


def common_square(gradients: Sequence[Elements | None], repeats: Sequence[int]) -> Real:
    present = [(g, often) for g, often in zip(gradients, repeats, strict=True) if g is not None]
    return square_of_norm([g for g, _ in present], [often for _, often in present])


def _results(name: str, values: Sequence[Elements | None], like: Sequence[Any]) -> dict[str, Any]:
    return {
        f"{name}[{i}]": v if v is None else Result(_dtype(g), g.shape, v, _repeats(g))
        for i, (v, g) in enumerate(zip(values, like, strict=True))
    }


def _dtype(gradient: Tensor | Sparse) -> str:
    return gradient.values.dtype if isinstance(gradient, Sparse) else gradient.dtype


def _repeats(gradient: Tensor | Sparse | None) -> int:
    return gradient.times if isinstance(gradient, Tensor) else 1


def clip(inputs: Mapping[str, Any], attributes: Mapping[str, Any], *, kind: str, name: str) -> dict[str, Any]:
    """clip_by_value and clip_by_norm."""
    gradients = inputs["gradients"]
    repeats = [_repeats(g) for g in gradients]
    return _results("gradients", clipped([dense(g) for g in gradients], repeats, kind, attributes[name]), gradients)


def clip_by_global_norm(inputs: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    found = clip(inputs, attributes, kind="global_clipnorm", name="clipnorm")
    gradients = inputs["gradients"]
    present = [g for g in gradients if g is not None]
    square = common_square([dense(g) for g in gradients], [_repeats(g) for g in gradients])
    # CLIP-GLOBAL-13: n = sqrt(n^2), here as n^2 / sqrt(n^2)
    norm: Number = square if isinstance(square, float) or square == 0 else Root(Fraction(0), square, square)
    dtype = _dtype(present[0]) if present else None
    return found | {"global_norm": Result(dtype or "", (), [norm])}


def sgd_step(inputs: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    weights, gradients = inputs["weights"], [dense(g) for g in inputs["gradients"]]
    thresholds = {k: v for k, v in attributes.items() if k != "learning_rate"}
    for kind, c in thresholds.items():
        gradients = clipped(gradients, [_repeats(g) for g in inputs["gradients"]], kind, c)  # SGD-2
    rate = attributes.get("learning_rate", 0.01)  # SGD-7
    pairs = zip(weights, gradients, strict=True)
    # SGD-3: a weight without a gradient is unchanged.
    new = [w.values if g is None else [_step(*wg, rate) for wg in zip(w.values, g, strict=True)] for w, g in pairs]
    return _results("weights", new, weights)


def _step(w: float, g: Number, rate: float) -> Number:
    # SGD-1: w - learning_rate g
    if isinstance(g, Root):
        return line(w, times(-rate, g.slope), g.radicand)
    return plus(w, times(-rate, real(g)))  # type: ignore[arg-type]
