"""Error bounds of batch normalization, element by element (spec/numerics.md, BOUND-BN-TRAIN to BOUND-RUNNING).

As in ``bounds``: exact Decimal arrays in, b before the last rounding out. Symbols are those of the spec: A = |gamma| r,
xh = (x - mu) r, m elements a channel, D_z the bound of z.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    # D_mu = gamma_{m+1} mean|x|
    d_mean = p.gamma(m + 1) * exact.mean(exact.absolute(x), axes) + p.eta
    if single_pass:
        # gamma_{m+3} q + (2 |mu| D_mu + D_mu^2)(1 + gamma_2) + gamma_2 mu^2 + u v,   q = mean(x^2)
        square = exact.mean(x * x, axes)
        shift = (2 * exact.absolute(mean) * d_mean + d_mean * d_mean) * (1 + p.gamma(2))
        d_variance = p.gamma(m + 3) * square + shift + p.gamma(2) * mean * mean + p.u * variance
    else:
        # gamma_{m+4} v + (1 + gamma_{m+4}) D_mu^2
        d_variance = p.gamma(m + 4) * variance + (1 + p.gamma(m + 4)) * d_mean * d_mean
    return Statistics(mean, variance, d_mean, d_variance + p.eta)


def given(mean: Array, variance: Array, p: Precision) -> Statistics:
    """Statistics that are inputs, as in evaluation: known exactly, but for eta."""
    nothing = exact.full(mean.shape, 0.0, mean)
    return Statistics(mean, variance, nothing, nothing + p.eta)


def spread(s: Statistics, epsilon: float, p: Precision) -> Array:
    """rho: the relative error of r = (v + epsilon)^-1/2, from the exact range of v (BOUND-BN-TRAIN)."""
    e = exact.number(epsilon, s.variance)
    # The least that v + epsilon can be computed as: a variance is no less than 0, epsilon rounds by u.
    floor = np.full(s.variance.shape, e * (1 - 2 * p.u), object)
    least = exact.maximum(s.variance + e - s.d_variance, floor)
    greatest = s.variance + e + s.d_variance
    rho = exact.maximum(
        exact.sqrt((s.variance + e) / least) - 1,
        np.asarray(1 - exact.sqrt((s.variance + e) / greatest), object),
    )
    # An infinite variance gives r = 0 in any precision.
    rho = np.where(exact.isfinite(s.variance) | exact.isnan(s.variance), rho, exact.full(rho.shape, 0.0, rho))
    return np.asarray((1 + rho) * (1 + p.gamma(4)) - 1)


@dataclass(frozen=True)
class Normalized:
    """What the bounds of y and of the gradients share; arrays broadcast against x.

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

    def _forms(self, a: Array) -> tuple[Array, Array]:
        """Bounds of a (x - mu) times the sign of gamma, with a = |gamma| r: computed directly, and folded."""
        p, distance, rise = self.p, exact.absolute(self.x - self.mean), 1 + self.rho
        # A (|x - mu| ((1 + rho)(1 + gamma_3) - 1) + D_mu (1 + rho)(1 + gamma_3))(1 + u)
        direct = a * (distance * (rise * (1 + p.gamma(3)) - 1) + self.d_mean * rise * (1 + p.gamma(3)))
        # A (|x - mu| rho + (1 + rho)(gamma_4 (|x| + |mu| + D_mu) + D_mu))(1 + u)
        sizes = exact.absolute(self.x) + exact.absolute(self.mean) + self.d_mean
        folded = a * (distance * self.rho + rise * (p.gamma(4) * sizes + self.d_mean))
        return direct * (1 + p.u), folded * (1 + p.u)

    def affine(self, gamma: Array, beta: Array) -> Array:
        """Bound of gamma (x - mu) r + beta, computed directly or folded to x s + (beta - mu s)."""
        direct, folded = self._forms(exact.absolute(gamma) * self.r)
        y = exact.absolute(self.xh * gamma + beta)
        # Folding adds gamma_2 |beta|; in both forms the last addition rounds to u |y|.
        folded = folded + self.p.gamma(2) * exact.absolute(beta)
        return np.asarray(exact.maximum(direct, folded) + self.p.u * y + self.p.eta)

    @property
    def d_xh(self) -> Array:
        """Bound of xh, by either form."""
        return exact.maximum(*self._forms(self.r))


class GradientBounds(NamedTuple):
    """Bounds of dx, the shape of x, and of dgamma and dbeta, (C,)."""

    dx: Array
    dgamma: Array
    dbeta: Array


def _parameters(n: Normalized, dy: Array, channel_axis: int) -> tuple[Array, Array]:
    """Bounds of dgamma, computed directly, and of dbeta."""
    # dbeta: gamma_m sum|dy|;   dgamma: sum|dy| D_xh + gamma_{m+4} sum |dy| (|xh| + D_xh)
    axes, _ = batch_norm.channels(n.x, channel_axis)
    m = n.p.terms(exact.count(dy, axes))
    size, d_xh = exact.absolute(dy), n.d_xh
    products = exact.total(size * (exact.absolute(n.xh) + d_xh), axes)
    dgamma = exact.total(size * d_xh, axes) + n.p.gamma(m + 4) * products
    return dgamma + n.p.eta, n.p.gamma(m) * exact.total(size, axes) + n.p.eta


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
    """Bounds of dx, dgamma and dbeta in training (BOUND-BN-TRAIN).

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
    a, rise = exact.absolute(wide(gamma)) * n.r, 1 + n.rho
    xh, d_xh, size = exact.absolute(n.xh), n.d_xh, exact.absolute(dy)
    gb, h = exact.absolute(wide(exact.mean(dy, axes))), wide(exact.mean(dy * n.xh, axes))
    t = exact.absolute(dy - wide(exact.mean(dy, axes)) - n.xh * h)
    h = exact.absolute(h)
    # gb = mean(dy), h = mean(dy xh), t = dy - gb - xh h, and the bounds of the two means
    d_gb = p.gamma(m + 1) * wide(exact.mean(size, axes))
    d_h = wide(exact.mean(size * d_xh, axes)) + p.gamma(m + 4) * wide(exact.mean(size * (xh + d_xh), axes))
    # T = D_gb + D_xh |h| + (|xh| + D_xh) D_h + gamma_8 (|dy| + |gb| + (|xh| + D_xh)|h|)
    #     + r (2 D_mu + gamma_{m+4} mean|x - mu|)|h|
    distance = wide(exact.mean(exact.absolute(x - n.mean), axes))
    terms = d_gb + d_xh * h + (xh + d_xh) * d_h + p.gamma(8) * (size + gb + (xh + d_xh) * h)
    terms = terms + n.r * (2 * n.d_mean + p.gamma(m + 4) * distance) * h
    if single_pass:
        sizes = exact.absolute(x) + exact.absolute(n.mean) + n.d_mean
        terms = terms + n.r * rise * p.gamma(8) * sizes * (h + d_h)
    # A ((1 + rho)^3 (1 + gamma_8) T + ((1 + rho)^3 - 1)(|t| + |xh h|)) + u |dx|
    cube = rise * rise * rise
    dx = a * (cube * (1 + p.gamma(8)) * terms + (cube - 1) * (t + xh * h)) + p.u * a * t
    if p.us != p.u:
        # Automatic differentiation may add cotangents that were rounded to the storage dtype already.
        rounded = Precision(p.us, p.us, p.eta).gamma(3)
        dx = dx + rounded * a * (size + gb + xh * h)
    return GradientBounds(dx + p.eta, *_parameters(n, dy, channel_axis))


def batch_norm_eval_vjp(
    x: Array, gamma: Array, dy: Array, s: Statistics, epsilon: float, channel_axis: int, p: Precision
) -> GradientBounds:
    """Bounds of dx, dgamma and dbeta in evaluation (BOUND-BN-EVAL); arguments as for training."""
    axes, wide = batch_norm.channels(x, channel_axis)
    n = Normalized.of(x, s, epsilon, channel_axis, p)
    m = p.terms(exact.count(x, axes))
    # dx = dy gamma r: |dx| ((1 + rho)(1 + gamma_3) - 1)
    size = exact.absolute(dy) * exact.absolute(wide(gamma)) * n.r
    dx = size * ((1 + n.rho) * (1 + p.gamma(3)) - 1) + p.eta
    direct, dbeta = _parameters(n, dy, channel_axis)
    # Differentiating the folded form gives r (sum(dy x) - mu sum(dy)), whose sums do not cancel element by element:
    # r ((1 + rho) gamma_{m+4} sum(|dy| (|x| + |mu|)) + rho |sum(dy (x - mu))|)
    r, rho = n.r.reshape(dbeta.shape), n.rho.reshape(dbeta.shape)
    sizes = exact.total(exact.absolute(dy) * (exact.absolute(x) + exact.absolute(n.mean)), axes)
    whole = exact.absolute(exact.total(dy * (x - n.mean), axes))
    folded = r * ((1 + rho) * p.gamma(m + 4) * sizes + rho * whole) + p.eta
    return GradientBounds(dx, exact.maximum(direct, folded), dbeta)


def moving(old: Array, new: Array, d_old: Array, d_new: Array, momentum: float, p: Precision) -> Array:
    """Bound of a running statistic after a step (BOUND-RUNNING), from the bounds of the old and new value."""
    kept = exact.number(momentum, old)
    w = exact.number(1.0, old) - kept
    sizes = exact.absolute(old) + w * (exact.absolute(new) + exact.absolute(old))
    # ((w + 2u) D_new + (momentum + 2u) D_old)(1 + gamma_4) + gamma_4 (|old| + w (|new| + |old|)) + 2u (|old| + |new|)
    error = ((w + 2 * p.u) * d_new + (kept + 2 * p.u) * d_old) * (1 + p.gamma(4)) + p.gamma(4) * sizes
    return np.asarray(error + 2 * p.u * (exact.absolute(old) + exact.absolute(new)) + p.eta)
