"""The bounds of batch normalization are the formulas of spec/numerics.md, evaluated by mpmath.

One channel at a time, scalars, sums over lists; to 40 digits, at which the products of small errors show too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf, sqrt
from support.spec_formulas import SLACK, US, U, assert_same, coarse, exactly, gamma_, mean, mp

from nnconform.reference import batch_norm_bounds, exact


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with exact.precision(90), mpmath.workdps(70):
        yield


# Batch normalization: channels of four elements; the second batch has nearly constant ones far from 0

BATCHES = [
    [[1.0, -3.0], [2.5, 0.5], [-0.5, 2.0], [4.0, 1.25]],
    [[3.0, -9.0], [3.0, -9.0], [3.0, -9.0625], [3.0625, -9.0]],
]
UPSTREAM = [[0.5, 1.0], [-1.25, 2.0], [3.0, -0.75], [1.5, 0.25]]
GAMMA, BETA, EPSILON, M = [-1.5, 0.75], [0.5, -2.0], 0.5, 4
batches = pytest.mark.parametrize("batch", BATCHES, ids=["spread", "nearly constant"])


class Channel:
    """One channel of a batch with the bounds of the spec's page."""

    def __init__(
        self,
        batch: Any,
        c: int,
        *,
        single_pass: bool = False,
        given: bool = False,
        as_far_as_zero: bool = False,
        us: mpf = U,
    ) -> None:
        self.x, self.dy = ([mpf(row[c]) for row in rows] for rows in (batch, UPSTREAM))
        self.g, self.beta, self.us, self.single_pass = mpf(GAMMA[c]), mpf(BETA[c]), us, single_pass
        self.mu = mean(self.x)
        self.v = mean([(x - self.mu) ** 2 for x in self.x])
        self.d_mu = mpf(0) if given else gamma_(M + 1) * mean([abs(x) for x in self.x]) + 3 * SLACK
        self.d_v = SLACK if given else self.v if as_far_as_zero else self._d_v()
        self.r = 1 / sqrt(self.v + EPSILON)
        self.A = abs(self.g) * self.r
        lo, hi = max(self.v + EPSILON - self.d_v, mpf(EPSILON)), self.v + EPSILON + self.d_v
        rho0 = max(sqrt((self.v + EPSILON) / lo) - 1, 1 - sqrt((self.v + EPSILON) / hi))
        self.rho = (1 + rho0) * (1 + gamma_(4)) - 1
        self.xh = [(x - self.mu) * self.r for x in self.x]
        self.S = [abs(x) + abs(self.mu) + self.d_mu for x in self.x]
        self.gb = mean(self.dy)
        self.h = mean([dy * xh for dy, xh in zip(self.dy, self.xh, strict=True)])
        self.dy_size = mean([abs(dy) for dy in self.dy])

    def _d_v(self) -> mpf:
        if not self.single_pass:
            return gamma_(M + 4) * self.v + (1 + gamma_(M + 4)) * self.d_mu**2 + 5 * SLACK
        q = mean([x**2 for x in self.x])
        shift = (2 * abs(self.mu) * self.d_mu + self.d_mu**2) * (1 + gamma_(2))
        return gamma_(M + 3) * q + shift + gamma_(2) * self.mu**2 + 5 * SLACK

    @property
    def y(self) -> list[mpf]:
        rho, d_mu, found = self.rho, self.d_mu, []
        f_y = 2 * ((self.A + self.r) * (1 + rho) + abs(self.g) + 3) * SLACK
        for x, xh, S in zip(self.x, self.xh, self.S, strict=True):
            far, y = abs(x - self.mu), abs(self.g * xh + self.beta)
            direct = far * ((1 + rho) * (1 + gamma_(3)) - 1) + d_mu * (1 + rho) * (1 + gamma_(3))
            folded = far * rho + (1 + rho) * (gamma_(4) * S + d_mu)
            direct, folded = self.A * direct * (1 + U) + U * y, self.A * folded + gamma_(2) * abs(self.beta)
            found.append(max(direct, folded) + f_y)
        return found

    @property
    def dgamma(self) -> mpf:
        whole = abs(mpmath.fsum(dy * xh for dy, xh in zip(self.dy, self.xh, strict=True)))
        sizes = mpmath.fsum(abs(dy) * S for dy, S in zip(self.dy, self.S, strict=True))
        shift = self.d_mu * abs(mpmath.fsum(self.dy))
        b = self.rho * whole + (1 + self.rho) * self.r * (shift + gamma_(M + 4) * sizes)
        return b + 3 * (1 + self.r * (1 + self.rho)) * (M * self.dy_size + M) * SLACK + SLACK

    @property
    def dbeta(self) -> mpf:
        return gamma_(M) * M * self.dy_size + M * (1 + gamma_(M)) * SLACK + SLACK

    @property
    def dx(self) -> list[mpf]:
        r, rho, h = self.r, self.rho, abs(self.h)
        sizes = mean([abs(dy) * S for dy, S in zip(self.dy, self.S, strict=True)])
        D_h = r * (self.d_mu * abs(self.gb) + gamma_(M + 4) * sizes)
        H = h + D_h
        centred = mean([abs(x - self.mu) for x in self.x]) + self.d_mu
        Q = (1 + gamma_(16)) * r * (self.d_mu + gamma_(M + 8) * centred) * H
        found = []
        for dy, xh, S in zip(self.dy, self.xh, self.S, strict=True):
            D_c = r * (self.d_mu + gamma_(12 if self.single_pass else 4) * S)
            X = abs(xh) + D_c
            P = gamma_(16) * X * H + X * D_h + D_c * h
            t, xhh = abs(dy - self.gb - xh * self.h), abs(xh * self.h)
            b = rho * t + ((1 + rho) ** 3 - (1 + rho)) * xhh
            b += (1 + rho) * (gamma_(8) * abs(dy) + gamma_(M + 8) * self.dy_size)
            b = self.A * (b + (1 + rho) ** 3 * (P + Q))
            if self.single_pass and self.d_v >= self.v:
                b += self.A * xhh
            lost = self.A * (4 + r * H + r * X * (3 + self.dy_size)) + r + abs(self.g) + 8
            b += 2 * (1 + rho) ** 3 * lost * SLACK
            if self.us != U:
                b += gamma_(3, self.us) * (self.A * (abs(dy) + abs(self.gb) + xhh) + b)
            found.append(b)
        return found

    @property
    def dx_given(self) -> list[mpf]:
        f = 2 * ((1 + self.rho) * self.r + abs(self.g) + 1) * SLACK
        return [abs(dy) * self.A * ((1 + self.rho) * (1 + gamma_(3)) - 1) + f for dy in self.dy]


def layouts(values: Any) -> list[tuple[exact.Array, int]]:
    """The same channels last, and first with the elements of each in two axes."""
    return [(exactly(values), 1), (exactly(np.asarray(values).T.reshape(2, 2, 2)), 0)]


def by_channel(found: Any, axis: int) -> list[list[mpf]]:
    return [mp(channel) for channel in np.moveaxis(np.asarray(found, object), axis, 0)]


@batches
def test_the_bounds_of_mean_and_variance_are_those_of_the_spec(batch):
    for x, axis in layouts(batch):
        for keywords in ({}, {"single_pass": True}):
            found = batch_norm_bounds.moments(x, axis, coarse(), **keywords)
            channels = [Channel(batch, c, **keywords) for c in range(2)]
            assert_same(found.mean, [c.mu for c in channels])
            assert_same(found.variance, [c.v for c in channels])
            assert_same(found.d_mean, [c.d_mu for c in channels])
            assert_same(found.d_variance, [c.d_v for c in channels])


@batches
@pytest.mark.parametrize("keywords", [{}, {"single_pass": True}], ids=str)
@pytest.mark.parametrize("us", [U, US])
def test_the_bounds_of_training_are_those_of_the_spec(batch, keywords, us):
    p = coarse(us)
    for (x, axis), (dy, _) in zip(layouts(batch), layouts(UPSTREAM), strict=True):
        s = batch_norm_bounds.moments(x, axis, p, **keywords)
        n = batch_norm_bounds.Normalized.of(x, s, EPSILON, axis, p)
        wide = [np.moveaxis(exactly(a).reshape(2, *[1] * (x.ndim - 1)), 0, axis) for a in (GAMMA, BETA)]
        g = batch_norm_bounds.batch_norm_train_vjp(x, exactly(GAMMA), dy, s, EPSILON, axis, p, **keywords)
        channels = [Channel(batch, c, us=us, **keywords) for c in range(2)]
        for c, y, dx in zip(channels, by_channel(n.affine(*wide), axis), by_channel(g.dx, axis), strict=True):
            assert_same(y, c.y)
            assert_same(dx, c.dx)
        assert_same(g.dgamma, [c.dgamma for c in channels])
        assert_same(g.dbeta, [c.dbeta for c in channels])


def test_a_variance_that_is_known_as_far_as_zero_may_be_clamped():
    p, (x, axis), (dy, _) = coarse(), layouts(BATCHES[0])[0], layouts(UPSTREAM)[0]
    s = batch_norm_bounds.moments(x, axis, p, single_pass=True)
    s = s._replace(d_variance=s.variance)
    g = batch_norm_bounds.batch_norm_train_vjp(x, exactly(GAMMA), dy, s, EPSILON, axis, p, single_pass=True)
    for c, dx in enumerate(by_channel(g.dx, axis)):
        assert_same(dx, Channel(BATCHES[0], c, single_pass=True, as_far_as_zero=True, us=US).dx)


@batches
def test_the_bounds_of_evaluation_are_those_of_the_spec(batch):
    p, channels = coarse(), [Channel(batch, c, given=True) for c in range(2)]
    for (x, axis), (dy, _) in zip(layouts(batch), layouts(UPSTREAM), strict=True):
        s = batch_norm_bounds.given(*(exactly([float(getattr(c, k)) for c in channels]) for k in ("mu", "v")), p)
        g = batch_norm_bounds.batch_norm_eval_vjp(x, exactly(GAMMA), dy, s, EPSILON, axis, p)
        for c, dx in zip(channels, by_channel(g.dx, axis), strict=True):
            assert_same(dx, c.dx_given)
        assert_same(g.dgamma, [c.dgamma for c in channels])
        assert_same(g.dbeta, [c.dbeta for c in channels])


def test_the_normalizer_of_an_infinite_variance_is_zero_in_any_precision():
    s = batch_norm_bounds.given(exactly([0.0, 0.0]), exactly([math.inf, math.nan]), coarse())
    infinite, unknown = batch_norm_bounds.spread(s, EPSILON, coarse())
    assert_same(infinite, gamma_(4))
    assert unknown.is_nan()


def test_the_sums_of_an_empty_batch_are_off_by_underflow_alone():
    x, p = exactly(np.zeros((0, 2))), coarse()
    s = batch_norm_bounds.given(exactly([0.0, 0.0]), exactly([1.0, 1.0]), p)
    g = batch_norm_bounds.batch_norm_eval_vjp(x, exactly(GAMMA), x, s, EPSILON, 1, p)
    assert_same(g.dgamma, [SLACK, SLACK])
    assert_same(g.dbeta, [SLACK, SLACK])


def test_a_running_statistic_is_off_by_the_bounds_of_the_old_and_of_the_new_one():
    old, new, d_old, d_new = exactly([-2.0]), exactly([3.0]), exactly([0.125]), exactly([0.25])
    found = batch_norm_bounds.moving(old, new, d_old, d_new, 0.75, coarse())
    w, four = mpf("0.25"), gamma_(4)
    both = ((w + 2 * U) / 4 + (mpf("0.75") + 2 * U) / 8) * (1 + four)
    assert_same(found, both + four * (2 + w * (3 + 2)) + 2 * U * (2 + 3) + 4 * SLACK)
