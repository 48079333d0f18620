"""Error bounds of batch normalization, element by element (spec/numerics.md, BOUND-BN-TRAIN to BOUND-RUNNING).

As in ``bounds``: exact Decimal arrays in, b before the last rounding out. Symbols are those of the spec: A = |gamma| r,
xh = (x - mu) r, m elements a channel, D_z the bound of z.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from . import batch_norm, exact
from .bounds import Precision
from .exact import Array


class Statistics(NamedTuple):
    """A channel's mean and variance, and the bounds of both, shape (C,)."""

    mean: Array
    variance: Array
    d_mean: Array
    d_variance: Array


def moments(x: Array, channel_axis: int, p: Precision, *, single_pass: bool = False) -> Statistics:
    """Bounds of a channel's mean and variance (BOUND-BN-TRAIN).

    Args:
        x: the batch.
        channel_axis: as in the operation.
        p: the arithmetic's precision.
        single_pass: the variance is mean(x^2) - mean(x)^2, the accuracy dialect single-pass-variance.
    """
    axes, _ = batch_norm.channels(x, channel_axis)
    mean, variance = batch_norm.moments(x, channel_axis)
    m = p.terms(exact.count(x, axes))
    # D_mu = gamma_{m+1} mean|x| + 3 eta
    d_mean = p.gamma(m + 1) * exact.mean(exact.absolute(x), axes) + 3 * p.eta
    if single_pass:
        # gamma_{m+3} q + (2 |mu| D_mu + D_mu^2)(1 + gamma_2) + gamma_2 mu^2,   q = mean(x^2)
        square = exact.mean(x * x, axes)
        shift = (2 * exact.absolute(mean) * d_mean + d_mean * d_mean) * (1 + p.gamma(2))
        d_variance = p.gamma(m + 3) * square + shift + p.gamma(2) * mean * mean
    else:
        # gamma_{m+4} v + (1 + gamma_{m+4}) D_mu^2
        d_variance = p.gamma(m + 4) * variance + (1 + p.gamma(m + 4)) * d_mean * d_mean
    return Statistics(mean, variance, d_mean, d_variance + 5 * p.eta)


def given(mean: Array, variance: Array, p: Precision) -> Statistics:
    """Statistics that are inputs, as in evaluation: known exactly, but for eta."""
    nothing = exact.full(mean.shape, 0.0, mean)
    return Statistics(mean, variance, nothing, nothing + p.eta)


def spread(s: Statistics, epsilon: float, p: Precision) -> Array:
    """rho: the relative error of r = (v + epsilon)^-1/2, from the exact range of v (BOUND-BN-TRAIN)."""
    e = exact.number(epsilon, s.variance)
    # The computed variance is no less than 0.
    least = exact.maximum(s.variance + e - s.d_variance, exact.full(s.variance.shape, epsilon, s.variance))
    greatest = s.variance + e + s.d_variance
    rho = exact.maximum(
        exact.sqrt((s.variance + e) / least) - 1,
        np.asarray(1 - exact.sqrt((s.variance + e) / greatest)),
    )
    # An infinite variance gives r = 0 in any precision.
    rho = np.where(exact.isfinite(s.variance) | exact.isnan(s.variance), rho, exact.full(rho.shape, 0.0, rho))
    return np.asarray((1 + rho) * (1 + p.gamma(4)) - 1)


@dataclass(frozen=True)
class Normalized:
    """The quantities that the bounds of y and of the gradients share; arrays broadcast against x.

    Attributes:
        x: the batch.
        mean: mu.
        d_mean: D_mu.
        r: (v + epsilon)^-1/2.
        rho: the relative error of r.
        p: the arithmetic's precision.
    """

    x: Array
    mean: Array
    d_mean: Array
    r: Array
    rho: Array
    p: Precision

    @classmethod
    def of(cls, x: Array, s: Statistics, epsilon: float, channel_axis: int, p: Precision) -> Normalized:
        """Return the shared part for a batch with the statistics ``s``."""
        _, wide = batch_norm.channels(x, channel_axis)
        e = exact.number(epsilon, x)
        r = exact.number(1.0, x) / exact.sqrt(s.variance + e)
        return cls(x, wide(s.mean), wide(s.d_mean), wide(r), wide(spread(s, epsilon, p)), p)

    @property
    def xh(self) -> Array:
        """(x - mu) r."""
        return (self.x - self.mean) * self.r

    @property
    def sizes(self) -> Array:
        """|x| + |mu| + D_mu: the size of the terms that are rounded in a difference that is multiplied out."""
        return exact.absolute(self.x) + exact.absolute(self.mean) + self.d_mean

    def affine(self, gamma: Array, beta: Array) -> Array:
        """Bound of gamma (x - mu) r + beta, computed directly or folded to x s + (beta - mu s)."""
        p, distance, rise = self.p, exact.absolute(self.x - self.mean), 1 + self.rho
        a = exact.absolute(gamma) * self.r
        # A (|x - mu| rho + (1 + rho)(gamma_4 (|x| + |mu| + D_mu) + D_mu)) + gamma_2 |beta|, the bound of the folded
        # form; that of the direct one is never larger.
        folded = a * (distance * self.rho + rise * (p.gamma(4) * self.sizes + self.d_mean))
        # 2 ((A + r)(1 + rho) + |gamma| + 3) eta
        slack = 2 * ((a + self.r) * rise + exact.absolute(gamma) + 3) * p.eta
        return np.asarray(folded + p.gamma(2) * exact.absolute(beta) + slack)


class GradientBounds(NamedTuple):
    """Bounds of dx, the shape of x, and of dgamma and dbeta, (C,)."""

    dx: Array
    dgamma: Array
    dbeta: Array


def _parameters(n: Normalized, dy: Array, channel_axis: int) -> tuple[Array, Array]:
    """Bounds of dgamma, in any of its forms, and of dbeta (BOUND-BN-TRAIN)."""
    axes, _ = batch_norm.channels(n.x, channel_axis)
    count = exact.count(dy, axes)
    m, eta = n.p.terms(count), n.p.eta
    size = exact.absolute(dy)
    whole, sizes = exact.total(size, axes), exact.total(size * n.sizes, axes)
    if not count:  # the sum of nothing is 0, and there are no statistics
        return whole + eta, whole + eta
    r, rho, d_mean = (a.reshape(whole.shape) for a in (n.r, n.rho, n.d_mean))
    # (1 + rho) r (D_mu |sum(dy)| + gamma_{m+4} sum(|dy| (|x| + |mu| + D_mu))) + rho |sum(dy xh)|
    shift = d_mean * exact.absolute(exact.total(dy, axes))
    error = (1 + rho) * r * (shift + n.p.gamma(m + 4) * sizes) + rho * exact.absolute(exact.total(dy * n.xh, axes))
    # 3 (1 + r (1 + rho))(sum|dy| + m) eta
    slack = 3 * (1 + r * (1 + rho)) * (whole + count) * eta + eta
    # dbeta: gamma_m sum|dy| + m (1 + gamma_m) eta
    return error + slack, n.p.gamma(m) * whole + count * (1 + n.p.gamma(m)) * eta + eta


def batch_norm_train_vjp(
    x: Array,
    gamma: Array,
    dy: Array,
    s: Statistics,
    epsilon: float,
    channel_axis: int,
    p: Precision,
    *,
    single_pass: bool = False,
) -> GradientBounds:
    """Bounds of dx, dgamma and dbeta in training, in closed form or by automatic differentiation (BOUND-BN-TRAIN).

    Args:
        x: the batch.
        gamma: (C,).
        dy: the upstream gradient.
        s: the statistics with their bounds.
        epsilon: as in the operation.
        channel_axis: as in the operation.
        p: the arithmetic's precision.
        single_pass: dx flows through mean(x^2) - mean(x)^2, whose derivative 2 x / m - 2 mu / m cancels too.
    """
    axes, wide = batch_norm.channels(x, channel_axis)
    n = Normalized.of(x, s, epsilon, channel_axis, p)
    m = p.terms(exact.count(x, axes))
    size, rise = exact.absolute(dy), 1 + n.rho
    a, scale = exact.absolute(wide(gamma)) * n.r, exact.absolute(wide(gamma))

    def mean(values: Array) -> Array:
        return wide(exact.mean(values, axes))

    # h = mean(dy xh), t = dy - mean(dy) - xh h
    gb, h = mean(dy), mean(dy * n.xh)
    t, xhh = exact.absolute(dy - gb - n.xh * h), exact.absolute(n.xh * h)
    # D_h = r (D_mu |mean(dy)| + gamma_{m+4} mean(|dy| (|x| + |mu| + D_mu))),   D_c = r (D_mu + gamma_4 (...))
    d_h = n.r * (n.d_mean * exact.absolute(gb) + p.gamma(m + 4) * mean(size * n.sizes))
    d_c = n.r * (n.d_mean + p.gamma(12 if single_pass else 4) * n.sizes)
    # X = |xh| + D_c,   H = |h| + D_h
    X, H = exact.absolute(n.xh) + d_c, exact.absolute(h) + d_h
    # gamma_16 X H + X D_h + D_c |h|, the error of xh h but for that of r
    product = p.gamma(16) * X * H + X * d_h + d_c * exact.absolute(h)
    # (1 + gamma_16) r (D_mu + gamma_{m+8} (mean|x - mu| + D_mu)) H, the computed derivative of v by mu
    centred = mean(exact.absolute(x - n.mean)) + n.d_mean
    rest = (1 + p.gamma(16)) * n.r * (n.d_mean + p.gamma(m + 8) * centred) * H
    # A (rho |t| + ((1 + rho)^3 - (1 + rho)) |xh h| + (1 + rho)(gamma_8 |dy| + gamma_{m+8} mean|dy|)
    #    + (1 + rho)^3 (product + rest))
    cube = rise * rise * rise
    sums = rise * (p.gamma(8) * size + p.gamma(m + 8) * mean(size))
    dx = a * (n.rho * t + (cube - rise) * xhh + sums + cube * (product + rest))
    if single_pass:
        # A variance that is clamped at 0 has no derivative.
        dx = dx + np.where(wide(s.d_variance >= s.variance), a * xhh, a - a)
    # 2 (1 + rho)^3 (A (4 + r H + r X (3 + mean|dy|)) + r + |gamma| + 8) eta
    slack = 2 * cube * (a * (4 + n.r * H + n.r * X * (3 + mean(size))) + n.r + scale + 8) * p.eta
    dx = dx + slack
    if p.us != p.u:
        # Automatic differentiation may add cotangents that were rounded to the storage dtype already.
        dx = dx + replace(p, u=p.us).gamma(3) * (a * (size + exact.absolute(gb) + xhh) + dx)
    return GradientBounds(dx, *_parameters(n, dy, channel_axis))


def batch_norm_eval_vjp(
    x: Array, gamma: Array, dy: Array, s: Statistics, epsilon: float, channel_axis: int, p: Precision
) -> GradientBounds:
    """Bounds of dx, dgamma and dbeta in evaluation (BOUND-BN-EVAL); arguments as for training."""
    _, wide = batch_norm.channels(x, channel_axis)
    n = Normalized.of(x, s, epsilon, channel_axis, p)
    scale = exact.absolute(wide(gamma))
    # dx = dy gamma r: |dx| ((1 + rho)(1 + gamma_3) - 1) + 2 ((1 + rho) r + |gamma| + 1) eta
    size = exact.absolute(dy) * scale * n.r
    dx = size * ((1 + n.rho) * (1 + p.gamma(3)) - 1) + 2 * ((1 + n.rho) * n.r + scale + 1) * p.eta
    return GradientBounds(dx, *_parameters(n, dy, channel_axis))


def moving(old: Array, new: Array, d_old: Array, d_new: Array, momentum: float, p: Precision) -> Array:
    """Bound of a running statistic after a step (BOUND-RUNNING), from the bounds of the old and new value."""
    kept = exact.number(momentum, old)
    w = exact.number(1.0, old) - kept
    sizes = exact.absolute(old) + w * (exact.absolute(new) + exact.absolute(old))
    # ((w + 2u) D_new + (momentum + 2u) D_old)(1 + gamma_4) + gamma_4 (|old| + w (|new| + |old|)) + 2u (|old| + |new|)
    error = ((w + 2 * p.u) * d_new + (kept + 2 * p.u) * d_old) * (1 + p.gamma(4)) + p.gamma(4) * sizes
    return np.asarray(error + 2 * p.u * (exact.absolute(old) + exact.absolute(new)) + 4 * p.eta)
