"""Batch normalization as a vector asks it, and as the dialects have it; see ``variants``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from . import batch_norm, batch_norm_bounds, bounds, exact
from .case import Case, Output, Outputs, zeros_like
from .exact import Array
from .rounding import FORMATS


def batch_norm_train(
    case: Case,
    *,
    unbiased: bool = False,
    single_pass: bool = False,
    half: bool = False,
    sequential: bool = False,
    epsilon: float | None = None,
    momentum: float | None = None,
    empty_is_nan: bool = False,
    cube_overflow: bool = False,
    statistics: str = "",
) -> Outputs:
    """Batch normalization in training, over one step or several.

    Args:
        case: x and dy are stacked on a leading axis when the attributes have ``steps``.
        unbiased: the running variance takes m / (m - 1) of the batch's.
        single_pass: the variance is mean(x^2) - mean(x)^2.
        half: everything is computed in the storage dtype.
        sequential: long sums are taken one element after the other.
        epsilon: instead of the attribute's.
        momentum: likewise.
        empty_is_nan: dgamma of an empty batch is NaN.
        cube_overflow: the gradient takes the third power of r in float16, where it is infinite above 65504.
        statistics: the dtype of the statistics: ``input`` for that of x, ``float32``, or "" for the parameters'.
    """
    inputs, attributes = case.inputs, case.attributes
    epsilon = attributes["epsilon"] if epsilon is None else epsilon
    momentum = attributes["momentum"] if momentum is None else momentum
    kept, dtype = case.dtypes["running_mean"], case.dtypes["x"]
    noted = {"": kept, "input": dtype, "float32": "float32"}[statistics]
    held = noted if statistics == "float32" else kept
    p = bounds.precision(dtype, half=half, sequential=sequential)
    running = [_Running(inputs[name], zeros_like(inputs[name])) for name in ("running_mean", "running_variance")]
    several = "steps" in attributes
    made: list[Outputs] = []
    for x, dy in zip(inputs["x"], inputs["dy"], strict=True) if several else [(inputs["x"], inputs["dy"])]:
        s = batch_norm_bounds.moments(x, attributes["channel_axis"], p, single_pass=single_pass)
        step = _train_step(case, x, dy, s, epsilon, p, noted, single_pass=single_pass)
        if empty_is_nan and not x.size:
            step["dgamma"] = step["dgamma"]._replace(values=exact.full(s.mean.shape, math.nan, x))
        if cube_overflow:
            step["dx"] = _with_infinite_cube(case, x, dy, s, epsilon, step["dx"])
        made.append(step)
        m = Decimal(exact.count(x, batch_norm.channels(x, attributes["channel_axis"])[0]))
        bessel = m / (m - 1) if unbiased else Decimal(1)
        # The quotient and the product may be two roundings more than a division by m - 1.
        factor = p.gamma(2) if unbiased else Decimal(0)
        d_variance = s.d_variance + factor * (s.variance + s.d_variance)
        news = (s.mean, s.d_mean), (s.variance * bessel, d_variance * bessel)
        ends = [old.after(new, d_new, momentum, p) for old, (new, d_new) in zip(running, news, strict=True)]
        # Between steps the statistics are stored.
        us = bounds.working(held).us
        running = [_Running(end.value, end.error + us * (exact.absolute(end.value) + end.error)) for end in ends]
    result = _stacked(made) if several else made[0]
    if "gamma" not in inputs:
        del result["dgamma"], result["dbeta"]
    for name, end in zip(("running_mean", "running_variance"), ends, strict=True):
        result[name] = Output(end.value, end.error, held)
    return result


class _Running(NamedTuple):
    """A running statistic and its bound, shape (C,)."""

    value: Array
    error: Array

    def after(self, new: Array, d_new: Array, momentum: float, p: bounds.Precision) -> _Running:
        """Return it after a step towards ``new``, whose bound is ``d_new``."""
        return _Running(
            batch_norm.moving(self.value, new, momentum),
            batch_norm_bounds.moving(self.value, new, self.error, d_new, momentum, p),
        )


def _train_step(
    case: Case,
    x: Array,
    dy: Array,
    s: batch_norm_bounds.Statistics,
    epsilon: float,
    p: bounds.Precision,
    noted: str,
    *,
    single_pass: bool,
) -> Outputs:
    """Return the outputs of one training step but the running statistics."""
    axis, dtype, kept = case.attributes["channel_axis"], case.dtypes["x"], case.dtypes["running_mean"]
    gamma, beta = _affine(case.inputs, s.mean)
    n = batch_norm_bounds.Normalized.of(x, s, epsilon, axis, p)
    _, wide = batch_norm.channels(x, axis)
    # The running statistics do not enter y (BN-TRAIN-19).
    y = batch_norm.batch_norm_train(
        x, gamma, beta, s.mean, s.variance, epsilon=epsilon, momentum=1.0, channel_axis=axis
    ).y
    g = batch_norm.batch_norm_train_vjp(x, gamma, dy, epsilon=epsilon, channel_axis=axis)
    d = batch_norm_bounds.batch_norm_train_vjp(x, gamma, dy, s, epsilon, axis, p, single_pass=single_pass)
    return {
        "y": Output(y, n.affine(wide(gamma), wide(beta)), dtype),
        "batch_mean": Output(s.mean, s.d_mean, noted),
        "batch_variance": Output(s.variance, s.d_variance, noted),
        "dx": Output(g.dx, d.dx, dtype),
        "dgamma": Output(g.dgamma, d.dgamma, kept),
        "dbeta": Output(g.dbeta, d.dbeta, kept),
    }


def _with_infinite_cube(
    case: Case, x: Array, dy: Array, s: batch_norm_bounds.Statistics, epsilon: float, dx: Output
) -> Output:
    """Return dx after an overflow of r^3: the gradient of v is infinite, and so is each part that it adds to dx.

    With v = mean(x^2) - mu^2 these parts are x D and -mu D, where D = -infinity sum(dy (x - mu)) gamma.
    """
    axes, wide = batch_norm.channels(x, case.attributes["channel_axis"])
    gamma, _ = _affine(case.inputs, s.mean)
    largest = Decimal(FORMATS["float16"].largest)
    # r^3 > largest without a root
    over = wide((s.variance + Decimal(epsilon)) ** 3 * largest**2 < 1)
    d = Decimal("-infinity") * gamma * exact.total(dy * (x - wide(s.mean)), axes)
    values = x * wide(d) - wide(s.mean * d)
    return Output(np.where(over, values, dx.values), np.where(over, zeros_like(dx.bound), dx.bound), dx.dtype)


def _stacked(steps: Sequence[Outputs]) -> Outputs:
    return {
        name: Output(
            np.stack([step[name].values for step in steps]),
            np.stack([step[name].bound for step in steps]),
            output.dtype,
        )
        for name, output in steps[0].items()
    }


def _affine(inputs: Mapping[str, Any], like: Array) -> tuple[Array, Array]:
    one = exact.full(like.shape, 1.0, like)
    return inputs.get("gamma", one), inputs.get("beta", one - one)


def batch_norm_eval(
    case: Case, *, half: bool = False, sequential: bool = False, epsilon: float | None = None
) -> Outputs:
    """Batch normalization in evaluation.

    Args:
        case: the inputs, dtypes and attributes.
        half: everything is computed in the storage dtype.
        sequential: long sums are taken one element after the other.
        epsilon: instead of the attribute's.
    """
    inputs, axis = case.inputs, case.attributes["channel_axis"]
    epsilon = case.attributes["epsilon"] if epsilon is None else epsilon
    x, dy, mean, variance = inputs["x"], inputs["dy"], inputs["running_mean"], inputs["running_variance"]
    gamma, beta = _affine(inputs, mean)
    kept, dtype = case.dtypes["running_mean"], case.dtypes["x"]
    p = bounds.precision(dtype, half=half, sequential=sequential)
    s = batch_norm_bounds.given(mean, variance, p)
    _, wide = batch_norm.channels(x, axis)
    y = batch_norm.batch_norm_eval(x, gamma, beta, mean, variance, epsilon=epsilon, channel_axis=axis)
    g = batch_norm.batch_norm_eval_vjp(x, gamma, mean, variance, dy, epsilon=epsilon, channel_axis=axis)
    d = batch_norm_bounds.batch_norm_eval_vjp(x, gamma, dy, s, epsilon, axis, p)
    n = batch_norm_bounds.Normalized.of(x, s, epsilon, axis, p)
    result = {
        "y": Output(y, n.affine(wide(gamma), wide(beta)), dtype),
        "running_mean": Output(mean, zeros_like(mean), kept),
        "running_variance": Output(variance, zeros_like(variance), kept),
        "dx": Output(g.dx, d.dx, dtype),
    }
    if "gamma" in inputs:
        result["dgamma"] = Output(g.dgamma, d.dgamma, kept)
        result["dbeta"] = Output(g.dbeta, d.dbeta, kept)
    return result
