"""The bounds are the formulas of spec/numerics.md: here they are evaluated as that page has them, by mpmath.

One channel at a time, scalars, sums over lists; to 40 digits, at which the products of small errors show too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf, sqrt
from support.spec_formulas import BITS, ETA, SLACK, US, U, assert_same, coarse, exactly, gamma_, mp

from nnconform.reference import bounds, exact


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with exact.precision(90), mpmath.workdps(70):
        yield


# NUM-6, NUM-11 and the symbols


def test_gamma_n_is_what_n_factors_change_at_most():
    p = bounds.Precision(Decimal("0.5"), Decimal("0.5"), Decimal(0))
    assert [p.gamma(n) for n in (0, 1, 3)] == [0, 1, 7]
    floats = bounds.Precision(0.5, 0.5, 0.0)
    np.testing.assert_allclose([floats.gamma(n) for n in (0, 1, 3)], [0, 1, 7], rtol=1e-15)


@pytest.mark.parametrize(
    ("n", "effective"), [(0, 0), (1, 1), (4096, 4096), (4097, 4097), (8192, 4097), (8193, 4098), (10**7, 4108)]
)
def test_a_long_sum_counts_as_blocks_added_pairwise_unless_it_is_sequential(n, effective):
    assert bounds.precision("float32", half=False, sequential=False).terms(n) == effective
    assert bounds.precision("float32", half=False, sequential=True).terms(n) == n
    assert coarse().terms(n) == effective


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("like", [None, Decimal(1), 1.0], ids=str)
def test_half_precision_computes_in_float32_and_stores_its_own(dtype, like):
    array = None if like is None else np.asarray(like)
    u = mpf(2) ** -(53 if dtype == "float64" else 24)
    us, eta = mpf(2) ** -BITS[dtype], mpf(2) ** ETA[dtype]
    found = bounds.precision(dtype, half=False, sequential=False, like=array)
    assert_same([found.u, found.us, found.eta], [u, us, eta])
    # float16's own subnormal numbers begin far above float32's.
    lost = mpf(2) ** -25 if dtype == "float16" else eta
    throughout = bounds.precision(dtype, half=True, sequential=False, like=array)
    assert_same([throughout.u, throughout.us, throughout.eta], [us, us, lost])
    kind = float if isinstance(like, float) else Decimal
    assert {type(value) for p in (found, throughout) for value in (p.u, p.us, p.eta)} == {kind}


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


@pytest.mark.parametrize(
    ("value", "b", "wanted"),
    [
        (1.0, 2.0**-12, 2.0**-11),  # below 1 that is a tie, but for the rounding of the difference
        (1.0, 2.0**-13, 0.0),
        (1.0, 2.0**-11 + 2.0**-50, 2.0**-10),
        (1.0 + 2.0**-11, 0.0, 0.0),  # nothing is off, so nothing moves off the tie
        (2048.0, 1.0, 2.0),
        (-2048.0, 1.0, 2.0),
        (65504.0, 32.0, math.inf),
        (math.inf, 1.0, 0.0),
        (math.nan, 1.0, 0.0),
        (1.0, math.nan, math.inf),
    ],
)
def test_a_stored_bound_in_float64_reaches_one_float64_further(value, b, wanted):
    assert bounds.stored(np.array([value]), np.array([b]), "float16") == wanted


# BOUND-ELU: x, dy, and E = expm1(x) of our choice

X, DY, E = [-2.0, -0.5, 0.0, -1.0, 0.75], [2.0, -4.0, 1.0, 0.0, 3.0], [0.875, 0.25, 0.0, 0.5, 0.0]


@pytest.mark.parametrize("alpha", [-1.5, 0.25])
class TestElu:
    def rows(self, alpha: float, wanted: Any) -> list[mpf]:
        """``wanted`` of |E| and dy where x <= 0, with its slack; 0 above."""
        found = [wanted(mpf(e), abs(mpf(dy))) for dy, e in zip(DY, E, strict=True)]
        return [*found[:-1], mpf(0)]

    def y(self, alpha: float) -> exact.Array:
        return -exactly(E) * Decimal(alpha)

    def lost(self, alpha: float, times: mpf) -> mpf:
        return 2 * (1 + abs(mpf(alpha))) * times * (1 + gamma_(2)) * SLACK

    def test_its_value(self, alpha):
        def wanted(e, _):
            b = abs(mpf(alpha)) * (min(14 * U * e, 4 * U) * (1 + gamma_(2)) + gamma_(2) * e)
            return b + self.lost(alpha, mpf(1))

        assert_same(bounds.elu(exactly(X), self.y(alpha), alpha, coarse()), self.rows(alpha, wanted))

    def test_its_gradient(self, alpha):
        def wanted(e, dy):
            dx = abs(mpf(alpha)) * (1 - e) * dy
            return dx * ((1 + 6 * U) * (1 + gamma_(3)) - 1) + self.lost(alpha, 1 + dy)

        dx = exactly(DY) * Decimal(alpha) * (1 - exactly(E))
        found = bounds.elu_vjp(exactly(X), exactly(DY), dx, alpha, coarse())
        assert_same(found, self.rows(alpha, wanted))

    def test_exp_minus_one(self, alpha):
        def wanted(e, _):
            b = abs(mpf(alpha)) * (6 * U * (1 - e) * (1 + gamma_(3)) + gamma_(3) * e)
            return b + self.lost(alpha, mpf(1))

        assert_same(bounds.exp_minus_one(exactly(X), self.y(alpha), alpha, coarse()), self.rows(alpha, wanted))

    @pytest.mark.parametrize("us", [U, US])
    def test_the_gradient_from_the_output(self, alpha, us):
        def wanted(e, dy):
            held = us * e if us != U else 0
            b = abs(mpf(alpha)) * dy * (gamma_(3) * (1 - e) + (6 * U + U * e + held) * (1 + gamma_(4)))
            return b + self.lost(alpha, 1 + dy)

        found = bounds.gradient_from_output(exactly(X), self.y(alpha), exactly(DY), alpha, coarse(us))
        assert_same(found, self.rows(alpha, wanted))


def test_an_elu_of_alpha_zero_is_off_by_underflow_alone():
    nothing = exactly([0.0, 0.0])
    for found in (
        bounds.elu(exactly([-1.0, 1.0]), nothing, 0.0, coarse()),
        bounds.exp_minus_one(exactly([-1.0, 1.0]), nothing, 0.0, coarse()),
        bounds.gradient_from_output(exactly([-1.0, 1.0]), nothing, nothing, 0.0, coarse()),
    ):
        assert_same(found, [2 * (1 + gamma_(2)) * SLACK, mpf(0)])


# BOUND-NORM, BOUND-HALF and BOUND-SGD

GRADIENTS = [exactly([3.0, -1.0, 2.0]), None, exactly([[4.0, 0.5]])]


def norm_k(count: int, tensors: int) -> int:
    return math.ceil((count + tensors) / 2) + 4


@pytest.mark.parametrize("more", [(), (2,)])
def test_the_norm_is_off_by_half_of_the_roundings_of_its_sum(more):
    assert_same(bounds.norm_error(GRADIENTS, coarse(), *more), gamma_(norm_k(5, 2) + sum(more)))
    assert_same(bounds.norm_error(GRADIENTS[:1], coarse(), *more), gamma_(norm_k(3, 1) + sum(more)))
    assert_same(bounds.norm_error([None], coarse(), *more), gamma_(4 + sum(more)))


def test_squares_that_underflow_in_float16_are_each_off_by_half_its_smallest_number():
    u, half = mpf(2) ** -11, bounds.storage("float16")
    lost = 5 * mpf(2) ** -25 / mpf("30.25")
    assert_same(bounds.norm_error(GRADIENTS, half), (1 + gamma_(norm_k(5, 2), u)) / sqrt(1 - lost) - 1)
    for other in ([exactly([0.0])], [exactly([math.inf])], [exactly([math.nan])]):
        assert_same(bounds.norm_error(other, half), gamma_(norm_k(1, 1), u))
    assert_same(bounds.norm_error(GRADIENTS, bounds.working("float16")), gamma_(norm_k(5, 2), mpf(2) ** -24))
    assert_same(bounds.norm_error(GRADIENTS, bounds.storage("bfloat16")), gamma_(norm_k(5, 2), mpf(2) ** -8))


def test_a_norm_that_may_be_lost_altogether_has_no_bound():
    half = bounds.storage("float16")
    # N eta is 0.8, 1, 1.5 and 2 times the sum of squares.
    assert bounds.norm_error([exactly([2.0**-12, 2.0**-13])], half).is_finite()
    for lost in ([2.0**-12, 0.0], [2.0**-12, 0.0, 0.0], [2.0**-13, 2.0**-13]):
        assert bounds.norm_error([exactly(lost)], half) == math.inf


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("more", [(), (2,)])
def test_a_clipped_gradient_is_off_by_its_norm_and_five_roundings(each, more):
    values = [exactly([0.75, -0.25, 0.0]), None, exactly([[1.0, 0.125]])]
    bound = bounds.clip_by_norm if each else bounds.clip_by_global_norm
    found = bound(GRADIENTS, values, 1.0, coarse(), *more)
    assert found[1] is None
    for got, value, count in zip(found, values, [3, 0, 2], strict=True):
        if got is not None and value is not None:
            k = (norm_k(count, 1) if each else norm_k(5, 2)) + 5 + sum(more)
            assert_same(got, [abs(v) * gamma_(k) + SLACK for v in mp(value)])


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
    square = mpmath.fsum(mpf(g) ** 2 for g in gradient)
    lost = 2 * mpf(2) ** -25 / square if 0 < square < math.inf else 0
    relative = (1 + gamma_(norm_k(2, 1) + 5, mpf(2) ** -11)) / sqrt(1 - lost) - 1
    slack = mpf(2) ** -25 * (1 + (1 / divisor if divisor else 0))
    assert_same(found, [v * relative + slack for v in (mpf("0.5"), mpf("0.25"))])


def test_only_float16_arithmetic_loses_products():
    [found] = bounds.clip_by_global_norm([exactly([3.0])], [exactly([1.0])], 1.0, bounds.storage("bfloat16"))
    assert_same(found, gamma_(norm_k(1, 1) + 5, mpf(2) ** -8) + mpf(2) ** -126)


def test_a_gradient_of_zero_stays_near_zero_where_the_norm_has_no_bound():
    [found] = bounds.clip_by_global_norm(
        [exactly([0.0, 2.0**-14])], [exactly([0.0, 2.0**-14])], math.inf, bounds.storage("float16")
    )
    assert [float(d) for d in found] == [2.0**-25, math.inf]


@pytest.mark.parametrize("rows", [False, True], ids=["dense", "two rows"])
@pytest.mark.parametrize("dtype", BITS)
def test_a_step_is_off_by_two_roundings_of_the_move_one_of_the_weight_and_what_clipping_adds(dtype, rows):
    weights, values, errors = [exactly([1.0, -2.0])], [exactly([0.5, 3.0])], [exactly([2.0**-9, 0.0])]
    sums = {0: exactly([1.5, 5.0])} if rows else {}
    [found] = bounds.sgd_step(weights, values, errors, learning_rate=-0.25, dtype=dtype, sums=sums)
    u, eta = mpf(2) ** -BITS[dtype], mpf(2) ** (-25 if dtype == "float16" else ETA[dtype])
    wanted = []
    for w, v, b, size in [(1, "0.5", mpf(2) ** -9, "1.5"), (-2, "3", mpf(0), "5")]:
        # In half precision the gradient was rounded once more, if it was clipped.
        b_g = b + u * abs(mpf(v)) if b and dtype in ("float16", "bfloat16") else b
        moved = abs(w + mpf(v) / 4)
        both = gamma_(4, u) * mpf(size) / 4 + gamma_(2, u) * moved
        one = gamma_(2, u) * (1 + u) * abs(mpf(v)) / 4 + u * moved
        wanted.append((both if rows else one) + (1 + gamma_(4, u)) * b_g / 4 + 3 * eta)
    assert_same(found, wanted)


def test_a_weight_without_gradient_has_the_bound_0():
    found = bounds.sgd_step([exactly([1.0, 2.0])], [None], [None], learning_rate=0.5, dtype="float32", sums={})
    assert_same(found[0], [mpf(0), mpf(0)])
