"""ReLU and ELU, values and gradients (spec/activations.md)."""

from __future__ import annotations

import numpy as np

from . import exact
from .exact import Array


def relu(x: Array) -> Array:
    """Return the rectifier max(x, 0) (clauses RELU-1, RELU-4).

    Args:
        x: any shape, float64 or exact. NaN gives NaN.

    Returns:
        y, the shape of x.
    """
    # y = max(x, 0)
    return exact.maximum(x, exact.full(x.shape, 0.0, x))


def relu_vjp(x: Array, dy: Array) -> Array:
    """Return the gradient of sum(dy * relu(x)) with respect to x (clauses RELU-2, RELU-3).

    The branch selects: what dy holds where x <= 0, even an infinity, does not reach dx.

    Args:
        x: any shape.
        dy: the upstream gradient, the shape of x.

    Returns:
        dx, the shape of x.
    """
    # dx = dy if x > 0, 0 otherwise
    return np.where(x > 0, dy, exact.full(x.shape, 0.0, x))


def elu(x: Array, *, alpha: float) -> Array:
    """Return the exponential linear unit (Clevert et al. 2015, section 3; clauses ELU-1, ELU-4, ELU-6).

    Args:
        x: any shape, float64 or exact. NaN gives NaN, -inf gives -alpha.
        alpha: any finite number.

    Returns:
        y, the shape of x.
    """
    # y = x if x > 0, alpha (e^x - 1) otherwise; the exponential sees no positive x, so it cannot overflow
    below = exact.minimum(x, exact.full(x.shape, 0.0, x))
    return np.where(x > 0, x, exact.number(alpha, x) * exact.expm1(below))


def elu_vjp(x: Array, dy: Array, *, alpha: float) -> Array:
    """Return the gradient of sum(dy * elu(x)) with respect to x (clauses ELU-2, ELU-3, ELU-4).

    Args:
        x: any shape.
        dy: the upstream gradient, the shape of x.
        alpha: as for ``elu``; it is the slope at x = 0.

    Returns:
        dx, the shape of x.
    """
    # dx = dy if x > 0, dy alpha e^x otherwise
    below = exact.minimum(x, exact.full(x.shape, 0.0, x))
    return np.where(x > 0, dy, dy * (exact.number(alpha, x) * exact.exp(below)))
