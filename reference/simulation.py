"""Working-precision runs of the accuracy dialects, to show that a vector can see them.

Each operation is rounded as IEEE arithmetic rounds it, sums run from the first to the last element (so that
``sequential`` changes nothing), and exponentials are correctly rounded, so the result is the same on every machine.
All arrays are float64 and hold numbers of the precision in question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from . import batch_norm, exact
from .bounds import HALF
from .exact import Array
from .rounding import round_floats, round_to
from .variants import Case

Round = Callable[[Array], Array]


def rounder(dtype: str) -> Round:
    """Return the function that rounds a float64 array to ``dtype``, once."""
    return partial(round_floats, dtype=dtype)


def _arithmetic(dtype: str, *, half: bool) -> str:
    return "float32" if dtype in HALF and not half else dtype


def _add(a: Array, axes: tuple[int, ...], fl: Round) -> Array:
    """Return the sum over ``axes``, element after element."""
    kept = [axis for axis in range(a.ndim) if axis not in axes]
    rows = np.transpose(a, [*axes, *kept]).reshape(-1, *(a.shape[axis] for axis in kept))
    total = np.zeros(rows.shape[1:])
    for row in rows:
        total = fl(total + row)
    return total


def elu(case: Case, *, exp_minus_one: bool = False, from_output: bool = False, half: bool = False) -> dict[str, Array]:
    """ELU by exp(x) - 1, or its gradient from y, or rounded to half throughout."""
    dtype, alpha = case.dtypes["x"], case.attributes["alpha"]
    arithmetic = _arithmetic(dtype, half=half)
    fl, store = rounder(arithmetic), rounder(dtype)
    x, dy = case.inputs["x"], case.inputs["dy"]
    below = exact.minimum(x, exact.full(x.shape, 0.0, x))
    power = round_to(exact.exp(below), arithmetic)
    small = fl(power - 1) if exp_minus_one else round_to(exact.expm1(below), arithmetic)
    y = fl(alpha * small)
    slope = fl(y + alpha) if from_output else fl(alpha * power)
    wide_x, wide_dy = round_to(x, dtype), round_to(dy, dtype)
    return {
        "y": store(np.where(wide_x > 0, wide_x, y)),
        "dx": store(np.where(wide_x > 0, wide_dy, fl(wide_dy * slope))),
    }


def batch_norm_train(
    case: Case,
    *,
    unbiased: bool = False,
    single_pass: bool = False,
    half: bool = False,
    sequential: bool = False,
    epsilon: float | None = None,
    momentum: float | None = None,
) -> dict[str, Array]:
    """Batch normalization with a single-pass variance (clamped at 0), or rounded to half throughout."""
    inputs, attributes, axis = case.inputs, case.attributes, case.attributes["channel_axis"]
    epsilon = attributes["epsilon"] if epsilon is None else epsilon
    momentum = attributes["momentum"] if momentum is None else momentum
    dtype, kept = case.dtypes["x"], case.dtypes["running_mean"]
    fl, store = rounder(_arithmetic(dtype, half=half)), rounder(dtype)
    hold = rounder(kept)
    x, dy = round_to(inputs["x"], dtype), round_to(inputs["dy"], dtype)
    old = [round_to(inputs[name], kept) for name in ("running_mean", "running_variance")]
    gamma = round_to(inputs["gamma"], kept) if "gamma" in inputs else np.ones(old[0].shape)
    beta = round_to(inputs["beta"], kept) if "beta" in inputs else np.zeros(old[0].shape)
    axes, wide = batch_norm.channels(x, axis)
    m = x.size // x.shape[axis]
    mean = fl(_add(x, axes, fl) / m)
    centred = fl(x - wide(mean))
    if single_pass:
        square = fl(_add(fl(x * x), axes, fl) / m)
        variance = np.maximum(fl(square - fl(mean * mean)), 0)
    else:
        variance = fl(_add(fl(centred * centred), axes, fl) / m)
    r = fl(1 / fl(np.sqrt(fl(variance + fl(np.asarray(epsilon))))))
    xh = fl(centred * wide(r))
    products = fl(dy * xh)
    h, gb = fl(_add(products, axes, fl) / m), fl(_add(dy, axes, fl) / m)
    inner = fl(fl(dy - wide(gb)) - fl(xh * wide(h)))
    spread = fl(variance * m / (m - 1)) if unbiased else variance
    rest = fl(np.asarray(1 - momentum))
    moved = [hold(fl(fl(o * momentum) + fl(new * rest))) for o, new in zip(old, (mean, spread), strict=True)]
    return {
        "y": store(fl(fl(xh * wide(gamma)) + wide(beta))),
        "batch_mean": hold(mean),
        "batch_variance": hold(variance),
        "running_mean": moved[0],
        "running_variance": moved[1],
        "dx": store(fl(wide(fl(gamma * r)) * inner)),
        "dgamma": hold(_add(products, axes, fl)),
        "dbeta": hold(_add(dy, axes, fl)),
    }


def batch_norm_eval(
    case: Case, *, half: bool = False, sequential: bool = False, epsilon: float | None = None
) -> dict[str, Array]:
    """Batch normalization in evaluation, rounded to half throughout."""
    inputs, axis, dtype = case.inputs, case.attributes["channel_axis"], case.dtypes["x"]
    epsilon = case.attributes["epsilon"] if epsilon is None else epsilon
    kept = case.dtypes["running_mean"]
    fl = rounder(_arithmetic(dtype, half=half))
    x, dy = round_to(inputs["x"], dtype), round_to(inputs["dy"], dtype)
    mean, variance = (round_to(inputs[name], kept) for name in ("running_mean", "running_variance"))
    gamma = round_to(inputs["gamma"], kept) if "gamma" in inputs else np.ones(mean.shape)
    beta = round_to(inputs["beta"], kept) if "beta" in inputs else np.zeros(mean.shape)
    axes, wide = batch_norm.channels(x, axis)
    r = fl(1 / fl(np.sqrt(fl(variance + fl(np.asarray(epsilon))))))
    xh = fl(fl(x - wide(mean)) * wide(r))
    return {
        "y": fl(fl(xh * wide(gamma)) + wide(beta)),
        "dx": fl(dy * wide(fl(gamma * r))),
        "dgamma": _add(fl(dy * xh), axes, fl),
        "dbeta": _add(dy, axes, fl),
    }


def _norm(arrays: Sequence[Any], fl: Round) -> Array:
    total = np.zeros(())
    for a in arrays:
        total = fl(total + _add(fl(a * a), tuple(range(a.ndim)), fl))
    return fl(np.sqrt(total))


def clip_by_norm(
    case: Case, *, half: bool = False, sequential: bool = False, denominator: float = 0.0, everywhere: bool = False
) -> dict[str, Array]:
    """Clipping by norm, rounded to the storage dtype throughout; ``everywhere``: by one norm."""
    dtype, limit = case.dtypes["gradients"], case.attributes["clipnorm"]
    fl = rounder(_arithmetic(dtype, half=half))
    gradients = [None if g is None else round_to(g, dtype) for g in case.inputs["gradients"]]
    present = [g for g in gradients if g is not None]
    result = {}
    for i, g in enumerate(gradients):
        if g is None:
            continue
        norm = _norm(present if everywhere else [g], fl)
        scale = np.minimum(fl(limit / fl(norm + denominator)), 1)
        result[f"gradients[{i}]"] = rounder(dtype)(fl(g * scale))
        if everywhere:
            result["global_norm"] = norm
    return result


def clip_by_global_norm(
    case: Case, *, half: bool = False, sequential: bool = False, denominator: float = 0.0
) -> dict[str, Array]:
    """Clipping by the common norm, rounded to the storage dtype throughout."""
    return clip_by_norm(case, half=half, denominator=denominator, everywhere=True)


SIMULATIONS: dict[str, Callable[..., dict[str, Array]]] = {
    "elu": elu,
    "batch_norm_train": batch_norm_train,
    "batch_norm_eval": batch_norm_eval,
    "clip_by_norm": clip_by_norm,
    "clip_by_global_norm": clip_by_global_norm,
}
