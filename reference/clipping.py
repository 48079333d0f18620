"""Gradient clipping by value and by norm, and the SGD step that it lives in (spec/gradient-clipping.md).

``gradients`` is a sequence of arrays, one a variable; None where a variable has no gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import exact
from .exact import Array

Gradients = Sequence[Array | None]


def clip_by_value(gradients: Gradients, *, clipvalue: float) -> list[Array | None]:
    """Return every element brought into [-clipvalue, clipvalue] (CLIP-VALUE-1).

    Source: Keras optimizers, ``clipvalue``.

    Args:
        gradients: arrays of any shapes; NaN stays NaN, None stays None.
        clipvalue: at least 0; infinite to change nothing.
    """
    # g <- min(max(g, -c), c)
    return [
        g if g is None else exact.clip(g, exact.number(-clipvalue, g), exact.number(clipvalue, g)) for g in gradients
    ]


def global_norm(gradients: Gradients) -> Array:
    """Return the Euclidean norm of all elements of all present gradients together; 0 when there are none."""
    present = [g for g in gradients if g is not None]
    if not present:
        return np.asarray(0.0)
    # n = sqrt(sum over variables of sum(g^2))
    squares = sum((exact.total(g * g) for g in present[1:]), exact.total(present[0] * present[0]))
    return exact.sqrt(np.asarray(squares))


def scaled(gradient: Array, norm: Array, clipnorm: float) -> Array:
    """Return ``gradient`` unchanged if ``norm`` <= clipnorm, else times clipnorm / norm.

    Source: Pascanu et al. 2013, Algorithm 1. A NaN norm makes every element NaN; an infinite one makes the
    finite elements 0 and the infinite ones NaN.
    """
    # g <- g if n <= c, g (c / n) otherwise
    limit = exact.number(clipnorm, norm)
    if bool(norm <= limit):
        return gradient
    with np.errstate(invalid="ignore"):
        return np.asarray(gradient * (limit / norm))


def clip_by_norm(gradients: Gradients, *, clipnorm: float) -> list[Array | None]:
    """Return every variable's gradient, on its own, scaled to a norm of at most clipnorm (CLIP-NORM-1).

    Source: Keras optimizers, ``clipnorm``: "the gradient of each weight is individually clipped".

    Args:
        gradients: arrays of any shapes; None stays None.
        clipnorm: at least 0; infinite to change nothing.
    """
    return [g if g is None else scaled(g, global_norm([g]), clipnorm) for g in gradients]


def clip_by_global_norm(gradients: Gradients, *, clipnorm: float) -> list[Array | None]:
    """Return all gradients scaled by one factor to a common norm of at most clipnorm (CLIP-GLOBAL-1).

    Source: Pascanu et al. 2013, Algorithm 1; Keras optimizers, ``global_clipnorm``.

    Args:
        gradients: arrays of any shapes; None stays None and adds nothing to the norm.
        clipnorm: at least 0; infinite to change nothing.
    """
    norm = global_norm(gradients)
    return [g if g is None else scaled(g, norm, clipnorm) for g in gradients]


def clipped(
    gradients: Gradients,
    *,
    clipvalue: float | None = None,
    clipnorm: float | None = None,
    global_clipnorm: float | None = None,
) -> list[Array | None]:
    """Return the gradients clipped in the one way that is given, or as they are (SGD-2).

    Raises:
        ValueError: more than one of the three is given.
    """
    if sum(value is not None for value in (clipvalue, clipnorm, global_clipnorm)) > 1:
        raise ValueError("only one of clipvalue, clipnorm and global_clipnorm can be given")
    if clipvalue is not None:
        return clip_by_value(gradients, clipvalue=clipvalue)
    if clipnorm is not None:
        return clip_by_norm(gradients, clipnorm=clipnorm)
    if global_clipnorm is not None:
        return clip_by_global_norm(gradients, clipnorm=global_clipnorm)
    return list(gradients)


def sgd_step(
    weights: Sequence[Array],
    gradients: Gradients,
    *,
    learning_rate: float,
    clipvalue: float | None = None,
    clipnorm: float | None = None,
    global_clipnorm: float | None = None,
) -> list[Array]:
    """Return the weights after one step of gradient descent on the clipped gradients (SGD-1 to SGD-3).

    Source: Keras optimizers.SGD with momentum 0.

    Args:
        weights: arrays of any shapes.
        gradients: one a weight, of its shape, or None to leave the weight unchanged.
        learning_rate: a finite number.
        clipvalue: as for ``clip_by_value``.
        clipnorm: as for ``clip_by_norm``.
        global_clipnorm: as for ``clip_by_global_norm``.

    Raises:
        ValueError: more than one clip is given.
    """
    used = clipped(gradients, clipvalue=clipvalue, clipnorm=clipnorm, global_clipnorm=global_clipnorm)
    # w <- w - learning_rate g
    return [w if g is None else w - exact.number(learning_rate, w) * g for w, g in zip(weights, used, strict=True)]
