"""The bounds are the formulas of spec/numerics.md: here they are evaluated as that page has them, by mpmath.

One channel at a time, scalars, sums over lists; to 40 digits, at which the products of small errors show too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf, sqrt

from nnconform.reference import batch_norm_bounds, bounds, exact

Numbers = Sequence[mpf]
FORMATS = {"float64": (53, -1022), "float32": (24, -126), "float16": (11, -14), "bfloat16": (8, -126)}


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with exact.precision(90), mpmath.workdps(70):
        yield


def coarse(us: float = 1 / 16, eta: str = "0") -> bounds.Precision:
    """A precision in which errors are as large as the numbers: u = 1/64."""
    return bounds.Precision(Decimal(1) / 64, Decimal(us), Decimal(eta))


U = mpf(1) / 64


def gamma_(n: int, u: mpf = U) -> mpf:
    return n * u / (1 - n * u)


def mp(a: Any) -> list[mpf]:
    return [mpf(str(d)) for d in np.asarray(a, object).ravel()]


def assert_same(got: Any, wanted: Numbers | mpf) -> None:
    wanted = wanted if isinstance(wanted, list | tuple) else [wanted]
    for one, other in zip(mp(got), wanted, strict=True):
        assert abs(one - other) <= abs(other) * mpf(10) ** -40, (float(one), float(other))


def exactly(values: Any) -> exact.Array:
    return exact.exact(np.asarray(values, float))


def mean(values: Numbers) -> mpf:
    return mpmath.fsum(values) / len(values)


# NUM-6, NUM-11 and the symbols


def test_gamma_n_is_nu_over_one_minus_nu():
    p = bounds.Precision(Decimal("0.125"), Decimal("0.125"), Decimal(0))
    assert p.gamma(0) == 0
    assert p.gamma(1) == Decimal(1) / 7
    assert p.gamma(3) == Decimal("0.6")
    assert p.gamma(7) == 7


@pytest.mark.parametrize("n", [8, 9])
def test_gamma_n_has_no_meaning_from_nu_of_one_on(n):
    with pytest.raises(ValueError, match="no meaning"):
        bounds.Precision(Decimal("0.125"), Decimal("0.125"), Decimal(0)).gamma(n)


@pytest.mark.parametrize(
    ("n", "effective"), [(0, 0), (1, 1), (4096, 4096), (4097, 4097), (8192, 4097), (8193, 4098), (10**7, 4108)]
)
def test_a_long_sum_counts_as_blocks_added_pairwise(n, effective):
    assert coarse().terms(n) == effective


@pytest.mark.parametrize(
    ("dtype", "u", "eta"),
    [("float64", 53, -1022), ("float32", 24, -126), ("float16", 24, -126), ("bfloat16", 24, -126)],
)
def test_half_precision_computes_in_float32_and_stores_its_own(dtype, u, eta):
    found = bounds.working(dtype)
    assert_same([found.u, found.us, found.eta], [mpf(2) ** -u, mpf(2) ** -FORMATS[dtype][0], mpf(2) ** eta])


@pytest.mark.parametrize("dtype", FORMATS)
def test_half_throughout_keeps_the_slack_of_the_arithmetic_that_it_should_have_used(dtype):
    u, eta = mpf(2) ** -FORMATS[dtype][0], mpf(2) ** (-1022 if dtype == "float64" else -126)
    found = bounds.storage(dtype)
    assert_same([found.u, found.us, found.eta], [u, u, eta])


# NUM-2: the stored bound


@pytest.mark.parametrize(
    ("value", "b", "wanted"),
    [
        (1.0, 2.0**-11, 2.0**-11),  # upwards the tie goes back to 1, downwards the numbers are closer
        (-1.0, 2.0**-11, 2.0**-11),
        (1.0, 2.0**-12, 0.0),  # a tie on both sides
        (1.0, 2.0**-12 + 2.0**-50, 2.0**-11),
        (1.0, 2.0**-11 + 2.0**-50, 2.0**-10),
        (1.0 + 2.0**-12, 2.0**-13, 0.0),  # the value is rounded first
        (1.0, 0.0, 0.0),
        (0.0, 2.0**-24, 2.0**-24),
        (2048.0, 1.0, 1.0),
        (65504.0, 15.0, 0.0),
        (-65504.0, 32.0, math.inf),
        (65500.0, 100.0, math.inf),
        (70000.0, 1.0, 0.0),  # it is stored as an infinity, which is compared as one
        (math.inf, 1.0, 0.0),
        (math.nan, 1.0, 0.0),
        (1.0, math.nan, math.inf),
        (1.0, math.inf, math.inf),
    ],
)
def test_a_stored_bound_reaches_to_what_the_ends_are_stored_as(value, b, wanted):
    found = bounds.stored(exactly([value]), exactly([b]), "float16")
    # One step of float64 more, so that its own rounding is never below.
    assert found == (math.nextafter(wanted, math.inf) if wanted else 0)


def test_each_element_has_its_own_stored_bound():
    found = bounds.stored(exactly([[1.0, 2.0], [4.0, 8.0]]), exactly([[0, 2.0**-10], [2.0**-8, 0]]), "float16")
    assert (found > 0).tolist() == [[False, True], [True, False]]


# BOUND-ELU

X = [-2.0, -0.5, 0.0, 0.75]


def test_the_bound_of_elu_is_16_u_of_its_value_up_to_zero_and_nothing_above():
    found = bounds.elu(exactly(X), exactly([-0.75, 0.5, 0.0, 0.75]), coarse(eta="0.001"))
    assert_same(found, [16 * U * mpf("0.75") + mpf("0.001"), 16 * U / 2 + mpf("0.001"), mpf("0.001"), mpf(0)])


def test_the_bound_of_elus_gradient_is_4_u_of_its_value_up_to_zero_and_nothing_above():
    found = bounds.elu_vjp(exactly(X), exactly([-0.75, 0.5, 0.0, 0.75]), coarse(eta="0.001"))
    assert_same(found, [4 * U * mpf("0.75") + mpf("0.001"), 2 * U + mpf("0.001"), mpf("0.001"), mpf(0)])


def test_exp_minus_one_is_off_by_4_u_of_alpha_whatever_x():
    found = bounds.exp_minus_one(exactly(X), -1.5, coarse(eta="0.001"))
    assert_same(found, [*[6 * U + mpf("0.001")] * 3, mpf(0)])


def test_the_gradient_from_the_output_is_off_by_4_u_of_alpha_dy():
    found = bounds.gradient_from_output(exactly(X), exactly([2.0, -4.0, 0.0, 1.0]), -1.5, coarse(eta="0.001"))
    assert_same(found, [12 * U + mpf("0.001"), 24 * U + mpf("0.001"), mpf("0.001"), mpf(0)])


# BOUND-NORM and BOUND-SGD

GRADIENTS = [exactly([3.0, -1.0, 2.0]), None, exactly([[4.0, 0.5]])]


def relative(count: int, tensors: int, u: mpf = U) -> mpf:
    return gamma_(count + tensors + 4, u) / 2 + gamma_(3, u)


def test_the_norm_is_off_by_half_of_its_sums_roundings():
    assert_same(bounds.norm_roundings(GRADIENTS, coarse()), relative(5, 2))
    assert_same(bounds.norm_roundings([None], coarse()), relative(0, 0))


def test_squares_that_underflow_in_float16_are_each_off_by_half_its_smallest_number():
    u = mpf(2) ** -11
    wanted = relative(5, 2, u) + 5 * mpf(2) ** -25 / mpf("30.25")
    assert_same(bounds.norm_roundings(GRADIENTS, bounds.storage("float16")), wanted)
    for other in ([exactly([0.0])], [exactly([math.inf])]):
        assert_same(bounds.norm_roundings(other, bounds.storage("float16")), relative(1, 1, u))
    assert_same(bounds.norm_roundings(GRADIENTS, bounds.working("float16")), relative(5, 2, mpf(2) ** -24))


@pytest.mark.parametrize("each", [False, True])
def test_a_clipped_gradient_is_off_by_its_norm_and_four_roundings(each):
    values = [exactly([0.75, -0.25, 0.5]), None, exactly([[1.0, 0.125]])]
    bound = bounds.clip_by_norm if each else bounds.clip_by_global_norm
    found = bound(GRADIENTS, values, 1.0, coarse(eta="0.001"))
    assert found[1] is None
    for got, value, count in zip(found, values, [3, 0, 2], strict=True):
        if got is not None and value is not None:
            r = relative(count, 1) if each else relative(5, 2)
            assert_same(got, [abs(v) * (r + gamma_(4)) * (1 + r) + mpf("0.001") for v in mp(value)])


@pytest.mark.parametrize(
    ("gradient", "clipnorm", "divisor"),
    [
        ([3.0, 4.0], 2.0, mpf(5)),
        ([3.0, 4.0], 8.0, mpf(8)),
        ([0.0, 0.0], 0.0, None),
        ([3.0, 4.0], math.inf, None),
        ([math.inf, 4.0], 8.0, mpf(8)),
    ],
)
def test_a_product_that_underflows_in_float16_is_off_by_half_its_smallest_number(gradient, clipnorm, divisor):
    value = exactly([0.5, 0.25])
    [found] = bounds.clip_by_global_norm([exactly(gradient)], [value], clipnorm, bounds.storage("float16"))
    u = mpf(2) ** -11
    square = mpmath.fsum(mpf(g) ** 2 for g in gradient)
    r = relative(2, 1, u) + (2 * mpf(2) ** -25 / square if 0 < square < math.inf else 0)
    slack = mpf(2) ** -126 + (mpf(2) ** -25 / divisor if divisor else 0)
    assert_same(found, [v * (r + gamma_(4, u)) * (1 + r) + slack for v in (mpf("0.5"), mpf("0.25"))])


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_step_is_off_by_two_roundings_of_the_move_one_of_the_weight_and_what_clipping_adds(dtype):
    weights, values, errors = [exactly([1.0, -2.0])], [exactly([0.5, 3.0])], [exactly([2.0**-9, 0.0])]
    [found] = bounds.sgd_step(weights, values, errors, learning_rate=-0.25, dtype=dtype)
    u, eta = mpf(2) ** -FORMATS[dtype][0], mpf(2) ** (-1022 if dtype == "float64" else -126)
    wanted = []
    for w, v, b in [(mpf(1), mpf("0.5"), mpf(2) ** -9), (mpf(-2), mpf(3), mpf(0))]:
        # b_g is the stored bound: in half precision the gradient was rounded, if it was clipped.
        b_g = b + u * abs(v) if b and dtype in ("float16", "bfloat16") else b
        moved = gamma_(2, u) * (1 + u) * abs(v) / 4 + u * abs(w + v / 4)
        wanted.append(moved + (1 + gamma_(3, u)) * b_g / 4 + eta)
    assert_same(found, wanted)


def test_a_weight_without_gradient_has_the_bound_0():
    found = bounds.sgd_step([exactly([1.0, 2.0])], [None], [None], learning_rate=0.5, dtype="float32")
    assert_same(found[0], [mpf(0), mpf(0)])


# Batch normalization: two channels of four elements

BATCH = np.array([[1.0, -3.0], [2.5, 0.5], [-0.5, 2.0], [4.0, 1.25]])
UPSTREAM = np.array([[0.5, 1.0], [-1.25, 2.0], [3.0, -0.75], [1.5, 0.25]])
GAMMA, BETA, EPSILON = [-1.5, 0.75], [0.5, -2.0], 0.5
M = 4


class Channel:
    """One channel of ``BATCH`` with the bounds of the spec's page, eta being 0."""

    def __init__(self, c: int, *, single_pass: bool = False, given: bool = False, us: mpf | None = None) -> None:
        self.x, self.dy = [mpf(v) for v in BATCH[:, c]], [mpf(v) for v in UPSTREAM[:, c]]
        self.g, self.beta, self.us = mpf(GAMMA[c]), mpf(BETA[c]), us
        self.single_pass = single_pass
        self.mu = mean(self.x)
        self.v = mean([(x - self.mu) ** 2 for x in self.x])
        self.r = 1 / sqrt(self.v + EPSILON)
        self.A = abs(self.g) * self.r
        self.d_mu = mpf(0) if given else gamma_(M + 1) * mean([abs(x) for x in self.x])
        self.d_v = mpf(0) if given else self._d_v()
        lo = max(self.v + EPSILON - self.d_v, EPSILON * (1 - 2 * U))
        hi = self.v + EPSILON + self.d_v
        rho0 = max(sqrt((self.v + EPSILON) / lo) - 1, 1 - sqrt((self.v + EPSILON) / hi))
        self.rho = (1 + rho0) * (1 + gamma_(4)) - 1
        self.xh = [(x - self.mu) * self.r for x in self.x]
        self.d_xh = [max(self.forms(x, self.r)) for x in self.x]

    def _d_v(self) -> mpf:
        if not self.single_pass:
            return gamma_(M + 4) * self.v + (1 + gamma_(M + 4)) * self.d_mu**2
        q = mean([x**2 for x in self.x])
        shift = (2 * abs(self.mu) * self.d_mu + self.d_mu**2) * (1 + gamma_(2))
        return gamma_(M + 3) * q + shift + gamma_(2) * self.mu**2 + U * self.v

    def forms(self, x: mpf, a: mpf) -> tuple[mpf, mpf]:
        far, d_mu, rho = abs(x - self.mu), self.d_mu, self.rho
        direct = far * ((1 + rho) * (1 + gamma_(3)) - 1) + d_mu * (1 + rho) * (1 + gamma_(3))
        folded = far * rho + (1 + rho) * (gamma_(4) * (abs(x) + abs(self.mu) + d_mu) + d_mu)
        return a * direct * (1 + U), a * folded * (1 + U)

    @property
    def y(self) -> list[mpf]:
        found = []
        for x, xh in zip(self.x, self.xh, strict=True):
            direct, folded = self.forms(x, self.A)
            found.append(max(direct, folded + gamma_(2) * abs(self.beta)) + U * abs(self.g * xh + self.beta))
        return found

    def _sums(self) -> tuple[mpf, mpf]:
        terms = list(zip(self.dy, self.xh, self.d_xh, strict=True))
        d_xh = mpmath.fsum(abs(dy) * d for dy, _, d in terms)
        return d_xh, mpmath.fsum(abs(dy) * (abs(xh) + d) for dy, xh, d in terms)

    @property
    def dgamma(self) -> mpf:
        d_xh, sizes = self._sums()
        return d_xh + gamma_(M + 4) * sizes

    @property
    def dgamma_folded(self) -> mpf:
        sizes = mpmath.fsum(abs(dy) * (abs(x) + abs(self.mu)) for dy, x in zip(self.dy, self.x, strict=True))
        whole = abs(mpmath.fsum(dy * (x - self.mu) for dy, x in zip(self.dy, self.x, strict=True)))
        return self.r * ((1 + self.rho) * gamma_(M + 4) * sizes + self.rho * whole)

    @property
    def dbeta(self) -> mpf:
        return gamma_(M) * mpmath.fsum(abs(dy) for dy in self.dy)

    @property
    def dx(self) -> list[mpf]:
        gb, h = mean(self.dy), mean([dy * xh for dy, xh in zip(self.dy, self.xh, strict=True)])
        d_xh, sizes = self._sums()
        d_gb = gamma_(M + 1) * mean([abs(dy) for dy in self.dy])
        d_h = d_xh / M + gamma_(M + 4) * sizes / M
        spread = mean([abs(x - self.mu) for x in self.x])
        cube, found = (1 + self.rho) ** 3, []
        for x, dy, xh, d in zip(self.x, self.dy, self.xh, self.d_xh, strict=True):
            t = dy - gb - xh * h
            T = d_gb + d * abs(h) + (abs(xh) + d) * d_h
            T += gamma_(8) * (abs(dy) + abs(gb) + (abs(xh) + d) * abs(h))
            T += self.r * (2 * self.d_mu + gamma_(M + 4) * spread) * abs(h)
            if self.single_pass:
                T += self.r * (1 + self.rho) * gamma_(8) * (abs(x) + abs(self.mu) + self.d_mu) * (abs(h) + d_h)
            b = self.A * (cube * (1 + gamma_(8)) * T + (cube - 1) * (abs(t) + abs(xh * h))) + U * self.A * abs(t)
            if self.us is not None:
                b += gamma_(3, self.us) * self.A * (abs(dy) + abs(gb) + abs(xh * h))
            found.append(b)
        return found

    @property
    def dx_given(self) -> list[mpf]:
        return [abs(dy) * self.A * ((1 + self.rho) * (1 + gamma_(3)) - 1) for dy in self.dy]


def layouts(values: Any) -> list[tuple[exact.Array, int]]:
    """The same channels last, and first with the elements of each in two axes."""
    return [(exactly(values), 1), (exactly(np.asarray(values).T.reshape(2, 2, 2)), 0)]


def by_channel(found: Any, axis: int) -> list[list[mpf]]:
    return [mp(channel) for channel in np.moveaxis(np.asarray(found, object), axis, 0)]


@pytest.mark.parametrize("single_pass", [False, True])
def test_the_bounds_of_mean_and_variance_are_those_of_the_spec(single_pass):
    for x, axis in layouts(BATCH):
        found = batch_norm_bounds.moments(x, axis, coarse(), single_pass=single_pass)
        channels = [Channel(c, single_pass=single_pass) for c in range(2)]
        assert_same(found.mean, [c.mu for c in channels])
        assert_same(found.variance, [c.v for c in channels])
        assert_same(found.d_mean, [c.d_mu for c in channels])
        assert_same(found.d_variance, [c.d_v for c in channels])


@pytest.mark.parametrize("single_pass", [False, True])
@pytest.mark.parametrize("us", [1 / 64, 1 / 16])
def test_the_bounds_of_training_are_those_of_the_spec(single_pass, us):
    p = coarse(us)
    for (x, axis), (dy, _) in zip(layouts(BATCH), layouts(UPSTREAM), strict=True):
        s = batch_norm_bounds.moments(x, axis, p, single_pass=single_pass)
        n = batch_norm_bounds.Normalized.of(x, s, EPSILON, axis, p)
        wide = [np.moveaxis(exactly(a).reshape(2, *[1] * (x.ndim - 1)), 0, axis) for a in (GAMMA, BETA)]
        g = batch_norm_bounds.batch_norm_train_vjp(x, exactly(GAMMA), dy, s, EPSILON, axis, p, single_pass=single_pass)
        channels = [Channel(c, single_pass=single_pass, us=mpf(us) if us != 1 / 64 else None) for c in range(2)]
        for c, y, dx in zip(channels, by_channel(n.affine(*wide), axis), by_channel(g.dx, axis), strict=True):
            assert_same(y, c.y)
            assert_same(dx, c.dx)
        assert_same(g.dgamma, [c.dgamma for c in channels])
        assert_same(g.dbeta, [c.dbeta for c in channels])


def test_the_bounds_of_evaluation_are_those_of_the_spec():
    p, channels = coarse(), [Channel(c, given=True) for c in range(2)]
    for (x, axis), (dy, _) in zip(layouts(BATCH), layouts(UPSTREAM), strict=True):
        exactly_known = batch_norm_bounds.moments(x, axis, p)
        s = batch_norm_bounds.given(exactly_known.mean, exactly_known.variance, p)
        g = batch_norm_bounds.batch_norm_eval_vjp(x, exactly(GAMMA), dy, s, EPSILON, axis, p)
        for c, dx in zip(channels, by_channel(g.dx, axis), strict=True):
            assert_same(dx, c.dx_given)
        assert_same(g.dgamma, [max(c.dgamma, c.dgamma_folded) for c in channels])
        assert_same(g.dbeta, [c.dbeta for c in channels])


def test_given_statistics_are_known_but_for_eta():
    s = batch_norm_bounds.given(exactly([1.0]), exactly([2.0]), coarse(eta="0.001"))
    assert_same([s.d_mean[0], s.d_variance[0]], [mpf(0), mpf("0.001")])


def test_a_running_statistic_is_off_by_the_bounds_of_the_old_and_of_the_new_one():
    old, new, d_old, d_new = exactly([-2.0]), exactly([3.0]), exactly([0.125]), exactly([0.25])
    found = batch_norm_bounds.moving(old, new, d_old, d_new, 0.75, coarse(eta="0.001"))
    w, four = mpf("0.25"), gamma_(4)
    wanted = (w + 2 * U) * (1 + four) / 4 + four * (2 + w * (3 + 2)) + 2 * U * (2 + 3) + mpf("0.001")
    assert_same(found, wanted + (mpf("0.75") + 2 * U) * (1 + four) / 8)
