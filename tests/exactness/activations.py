"""relu and elu, from spec/activations.md."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .document import Tensor
from .numbers import Exponential, Number, Real, real, times
from .result import FREE, NoMeaning, Result


def relu(inputs: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Result]:
    x, dy = inputs["x"], repeated(inputs["dy"])
    # RELU-1: y = max(x, 0). RELU-4: NaN gives NaN in y, and dx has no meaning there.
    y: list[Any] = [a if a > 0 or math.isnan(a) else 0.0 for a in x.values]
    # RELU-2, RELU-3: dx = dy where x > 0, and 0 where x <= 0.
    dx: list[Any] = [FREE if math.isnan(a) else d if a > 0 else 0.0 for a, d in zip(x.values, dy, strict=True)]
    return {"y": Result(x.dtype, x.shape, y), "dx": Result(x.dtype, x.shape, dx)}


def repeated(tensor: Tensor) -> list[Any]:
    """All elements of a tensor, those of a block again and again."""
    return tensor.values * tensor.times


def elu(inputs: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Result]:
    x, dy, alpha = inputs["x"], repeated(inputs["dy"]), attributes.get("alpha", 1.0)  # ELU-10
    if not math.isfinite(alpha):
        raise NoMeaning  # ELU-6
    y: list[Any] = [elu_value(a, alpha) for a in x.values]
    dx: list[Any] = [elu_gradient(a, d, alpha) for a, d in zip(x.values, dy, strict=True)]
    return {"y": Result(x.dtype, x.shape, y), "dx": Result(x.dtype, x.shape, dx)}


def elu_value(x: float, alpha: float) -> Number:
    if x > 0 or math.isnan(x):
        return x
    if math.isinf(x):
        return real(-alpha)  # ELU-4
    # ELU-1: y = alpha (e^x - 1)
    return _exponential(real(alpha), x, 1)


def elu_gradient(x: float, dy: float, alpha: float) -> Number:
    if x > 0:
        return dy
    if math.isnan(x):
        return x
    # ELU-2, ELU-3: dx = dy alpha e^x
    if math.isinf(x):
        return times(times(dy, alpha), 0.0)
    return _exponential(times(dy, alpha), x, 0)


def _exponential(factor: Real, x: float, less: int) -> Number:
    if isinstance(factor, float) or factor == 0:
        return factor  # e^x > 0 leaves NaN, infinities and 0 as they are
    if x == 0:
        return factor * (1 - less)
    return Exponential(factor, x, less)
