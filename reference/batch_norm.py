"""Batch normalization in training and in evaluation, with gradients (spec/batch-normalization.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from . import exact
from .exact import Array


class Trained(NamedTuple):
    """The outputs of one training step: y of the shape of x, and four statistics of shape (C,)."""

    y: Array
    batch_mean: Array
    batch_variance: Array
    running_mean: Array
    running_variance: Array


class Gradients(NamedTuple):
    """Gradients: dx of the shape of x; dgamma and dbeta of shape (C,), also for a layer without affine."""

    dx: Array
    dgamma: Array
    dbeta: Array


def channels(x: Array, channel_axis: int) -> tuple[tuple[int, ...], Callable[[Array], Array]]:
    """Return the axes to reduce over, and the function that shapes a (C,) array to broadcast against ``x``.

    Args:
        x: rank 2 or more.
        channel_axis: -x.ndim to x.ndim - 1.
    """
    kept = channel_axis % x.ndim
    shape = [x.shape[kept] if axis == kept else 1 for axis in range(x.ndim)]
    return tuple(axis for axis in range(x.ndim) if axis != kept), lambda a: a.reshape(shape)


def moments(x: Array, channel_axis: int) -> tuple[Array, Array]:
    """Return the mean and the biased variance of each channel, shape (C,) (BN-TRAIN-1, BN-TRAIN-2)."""
    axes, wide = channels(x, channel_axis)
    # mu = sum(x) / m,   v = sum((x - mu)^2) / m                 Ioffe and Szegedy 2015, Algorithm 1
    mu = exact.mean(x, axes)
    centred = x - wide(mu)
    return mu, exact.mean(centred * centred, axes)


def moving(old: Array, new: Array, momentum: float) -> Array:
    """Return the running statistic after a step, shape (C,); momentum is the old value's weight (BN-TRAIN-4)."""
    # momentum old + (1 - momentum) new                         Keras: BatchNormalization
    one = exact.number(1.0, old)
    kept = exact.number(momentum, old)
    return np.asarray(old * kept + new * (one - kept))


def _normalizer(variance: Array, epsilon: float) -> Array:
    # r = 1 / sqrt(v + epsilon)
    return np.asarray(exact.number(1.0, variance) / exact.sqrt(variance + exact.number(epsilon, variance)))


def _normalize(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    mean: Array,
    variance: Array,
    epsilon: float,
    channel_axis: int,
) -> Array:
    _, wide = channels(x, channel_axis)
    # y = gamma (x - mu) / sqrt(v + epsilon) + beta
    y = (x - wide(mean)) * wide(_normalizer(variance, epsilon))
    if gamma is not None:
        y = y * wide(gamma)
    return y if beta is None else y + wide(beta)


def batch_norm_train(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    running_mean: Array,
    running_variance: Array,
    *,
    epsilon: float,
    momentum: float,
    channel_axis: int,
) -> Trained:
    """Return the normalized batch and the statistics after one training step.

    Source: Ioffe and Szegedy 2015, Algorithm 1; Keras BatchNormalization for the running statistics, which
    move towards the biased variance (the paper's Algorithm 2 takes m / (m - 1) of it).

    Args:
        x: rank 2 to 5, m elements in each of C channels.
        gamma: (C,), or None for 1.
        beta: (C,), or None for 0.
        running_mean: (C,), before the step.
        running_variance: (C,), before the step.
        epsilon: at least 0, added to the variance inside the root.
        momentum: 0 to 1, the weight of the old running value.
        channel_axis: -x.ndim to x.ndim - 1.
    """
    mean, variance = moments(x, channel_axis)
    return Trained(
        _normalize(x, gamma, beta, mean, variance, epsilon, channel_axis),
        mean,
        variance,
        moving(running_mean, mean, momentum),
        moving(running_variance, variance, momentum),
    )


def batch_norm_train_vjp(x: Array, gamma: Array | None, dy: Array, *, epsilon: float, channel_axis: int) -> Gradients:
    """Return the gradients of sum(dy * y) in training: mean and variance depend on x (BN-TRAIN-6 to 8).

    Source: Ioffe and Szegedy 2015, section 3, the chain rule of which this is the closed form.

    Args:
        x: as for ``batch_norm_train``.
        gamma: (C,), or None for 1.
        dy: the upstream gradient, the shape of x.
        epsilon: as for ``batch_norm_train``.
        channel_axis: as for ``batch_norm_train``.
    """
    axes, wide = channels(x, channel_axis)
    mean, variance = moments(x, channel_axis)
    r = _normalizer(variance, epsilon)
    xh = (x - wide(mean)) * wide(r)
    # dx = gamma r (dy - mean(dy) - xh mean(dy xh)),   dgamma = sum(dy xh),   dbeta = sum(dy)
    scale = r if gamma is None else gamma * r
    inner = dy - wide(exact.mean(dy, axes)) - xh * wide(exact.mean(dy * xh, axes))
    return Gradients(wide(scale) * inner, exact.total(dy * xh, axes), exact.total(dy, axes))


def batch_norm_eval(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    running_mean: Array,
    running_variance: Array,
    *,
    epsilon: float,
    channel_axis: int,
) -> Array:
    """Return x normalized with the running statistics, the shape of x (BN-EVAL-1).

    Args:
        x: rank 2 to 5, C channels.
        gamma: (C,), or None for 1.
        beta: (C,), or None for 0.
        running_mean: (C,).
        running_variance: (C,).
        epsilon: at least 0.
        channel_axis: -x.ndim to x.ndim - 1.
    """
    return _normalize(x, gamma, beta, running_mean, running_variance, epsilon, channel_axis)


def batch_norm_eval_vjp(
    x: Array,
    gamma: Array | None,
    running_mean: Array,
    running_variance: Array,
    dy: Array,
    *,
    epsilon: float,
    channel_axis: int,
) -> Gradients:
    """Return the gradients of sum(dy * y) in evaluation: the statistics are constants (BN-EVAL-3 to 5).

    Args:
        x: as for ``batch_norm_eval``.
        gamma: (C,), or None for 1.
        running_mean: (C,).
        running_variance: (C,).
        dy: the upstream gradient, the shape of x.
        epsilon: at least 0.
        channel_axis: -x.ndim to x.ndim - 1.
    """
    axes, wide = channels(x, channel_axis)
    r = _normalizer(running_variance, epsilon)
    xh = (x - wide(running_mean)) * wide(r)
    # dx = dy gamma r,   dgamma = sum(dy xh),   dbeta = sum(dy)
    scale = r if gamma is None else gamma * r
    return Gradients(dy * wide(scale), exact.total(dy * xh, axes), exact.total(dy, axes))
