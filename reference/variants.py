"""Every operation of the vectors: exact outputs with their bounds, by name, by the clauses or by dialects.

A dialect is a keyword or two of these functions (``dialects.DIALECTS``), and a combination is the union of the keywords
of its parts. Without a keyword a function follows the clauses.
Inputs are exact Decimal arrays, or lists of them with None for an absent gradient; list outputs are named
``gradients[0]``, ``gradients[1]`` and so on. ``relu``, ``elu`` and ``clip_by_value`` take float64 arrays too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from . import activations, bounds, exact
from .batch_norm_variants import batch_norm_eval, batch_norm_train
from .case import Case, Output, Outputs, zeros_like
from .clipping_variants import clip_by_global_norm, clip_by_norm, clip_by_value, sgd_step
from .rounding import FORMATS

__all__ = ["OPERATIONS", "Case", "Output", "Outputs", "elu", "relu"]


def relu(
    case: Case,
    *,
    slope_at_zero: float = 0.0,
    masked_product: bool = False,
    nan_is_zero: bool = False,
    subnormal_passes: bool = False,
) -> Outputs:
    """ReLU; the dialects change the slope at 0, multiply dy with a mask, turn NaN into 0, or pass subnormals on.

    ``subnormal_passes``: the comparison takes a subnormal for 0, and x itself is then the result, also below 0.
    """
    x, dy = case.inputs["x"], case.inputs["dy"]
    y, dx = activations.relu(x), activations.relu_vjp(x, dy)
    if slope_at_zero:
        dx = np.where(x == 0, dy * exact.number(slope_at_zero, dy), dx)
    if masked_product:
        dx = np.asarray(dy * np.where(x > 0, exact.full(x.shape, 1.0, x), zeros_like(x)))
    if nan_is_zero:
        y = np.where(exact.isnan(x), zeros_like(x), y)
    if subnormal_passes:
        least = exact.number(float(FORMATS[case.dtypes["x"]].smallest_normal), x)
        y = np.where(exact.absolute(x) < least, x, y)
    return {
        "y": Output(y, zeros_like(y), case.dtypes["x"]),
        "dx": Output(dx, zeros_like(dx), case.dtypes["x"]),
    }


def elu(
    case: Case,
    *,
    exp_minus_one: bool = False,
    from_output: bool = False,
    half: bool = False,
    nan_passes: bool = False,
) -> Outputs:
    """ELU; the accuracy dialects compute exp(x) - 1, or the gradient from y, or round to half throughout.

    ``nan_passes``: the gradient takes the branch x > 0 for a NaN, and is dy.
    """
    x, dy, alpha, dtype = case.inputs["x"], case.inputs["dy"], case.attributes["alpha"], case.dtypes["x"]
    p = bounds.precision(dtype, half=half, sequential=False, like=x)
    y, dx = activations.elu(x, alpha=alpha), activations.elu_vjp(x, dy, alpha=alpha)
    d_y = bounds.exp_minus_one(x, y, alpha, p) if exp_minus_one else bounds.elu(x, y, alpha, p)
    from_input = bounds.elu_vjp(x, dy, dx, alpha, p)
    d_dx = bounds.gradient_from_output(x, y, dy, alpha, p) if from_output else from_input
    if nan_passes:
        # A value that is passed on is not rounded.
        dx, d_dx = np.where(exact.isnan(x), dy, dx), np.where(exact.isnan(x), zeros_like(dy), d_dx)
    return {"y": Output(y, d_y, dtype), "dx": Output(dx, d_dx, dtype)}


OPERATIONS: Mapping[str, Callable[..., Outputs]] = {
    "relu": relu,
    "elu": elu,
    "batch_norm_train": batch_norm_train,
    "batch_norm_eval": batch_norm_eval,
    "clip_by_value": clip_by_value,
    "clip_by_norm": clip_by_norm,
    "clip_by_global_norm": clip_by_global_norm,
    "sgd_step": sgd_step,
}
