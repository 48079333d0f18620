"""Both number systems of the reference give IEEE's answers, special values included."""

from __future__ import annotations

import decimal
import itertools
import math
from collections.abc import Callable, Iterator
from decimal import Decimal

import numpy as np
import pytest

from nnconform.reference import exact

SPECIAL = np.array(
    [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -5e-324, 1.0, -1.0, 1e-5, -2.5, 709.0, -745.0, 1.7e308]
)
FIRST, SECOND = (np.array(column) for column in zip(*itertools.product(SPECIAL, SPECIAL), strict=True))

System = Callable[[object], exact.Array]


@pytest.fixture(params=["float64", "Decimal"])
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    with exact.precision(60):
        yield exact.exact if request.param == "Decimal" else np.float64


def floats(a: exact.Array) -> exact.Array:
    return np.asarray(a, np.float64)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (exact.isnan, np.isnan),
        (exact.isfinite, np.isfinite),
        (exact.signbit, np.signbit),
        (exact.negative, np.negative),
        (exact.absolute, np.abs),
        (exact.sqrt, np.sqrt),
        (exact.exp, np.exp),
        (exact.expm1, np.expm1),
    ],
    ids=lambda function: function.__name__,
)
def test_functions_of_one_number_agree_with_ieee(system, ours, theirs):
    with np.errstate(all="ignore"):
        got, wanted = floats(ours(system(SPECIAL))), np.asarray(theirs(SPECIAL), np.float64)
    known = ~np.isnan(wanted)
    np.testing.assert_allclose(got, wanted, rtol=2.3e-16)
    np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(wanted)[known])


@pytest.mark.parametrize(("ours", "theirs"), [(exact.maximum, np.maximum), (exact.minimum, np.minimum)])
def test_maximum_and_minimum_keep_nan_from_either_side(system, ours, theirs):
    np.testing.assert_array_equal(floats(ours(system(FIRST), system(SECOND))), theirs(FIRST, SECOND))


@pytest.mark.parametrize("limit", [0.0, 1.0, math.inf])
def test_clip_brings_everything_but_nan_between_the_limits(system, limit):
    got = floats(exact.clip(system(SPECIAL), *system([-limit, limit])))
    np.testing.assert_array_equal(got, np.clip(SPECIAL, -limit, limit))


def test_clip_returns_a_negative_zero_inside_the_limits_as_it_is(system):
    assert exact.signbit(exact.clip(system([-0.0]), *system([-1.0, 1.0])))[0]


def test_the_sum_of_nothing_is_zero_and_its_mean_is_nan(system):
    empty = system(np.zeros((0, 3)))
    np.testing.assert_array_equal(floats(exact.total(empty, (0,))), np.zeros(3))
    assert exact.isnan(exact.mean(empty, (0,))).all()


def test_sums_and_means_run_over_the_axes_that_are_named(system):
    a = system(np.arange(24.0).reshape(2, 3, 4))
    np.testing.assert_array_equal(floats(exact.total(a, (0, 2))), [60.0, 92.0, 124.0])
    np.testing.assert_array_equal(floats(exact.mean(a, (0, 2))), [7.5, 11.5, 15.5])
    assert float(exact.mean(a)) == 11.5


def test_repeated_elements_count_in_sums_and_leave_means_alone(system):
    a = system(np.arange(6.0).reshape(2, 3))
    with exact.repeated(10_000_000):
        assert (exact.count(a), exact.count(a, (0,)), exact.count(a, ())) == (60_000_000, 20_000_000, 10_000_000)
        np.testing.assert_array_equal(floats(exact.total(a, (1,))), [3e7, 12e7])
        np.testing.assert_array_equal(floats(exact.mean(a, (1,))), [1.0, 4.0])
    assert exact.count(a) == 6
    assert float(exact.total(a)) == 15.0


def test_sums_carry_nan_and_infinities(system):
    rows = system([[math.inf, 1.0], [math.inf, -math.inf], [math.nan, 1.0]])
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(floats(exact.total(rows, (1,))), [math.inf, math.nan, math.nan])


@pytest.mark.parametrize(
    "function",
    [exact.negative, exact.absolute, exact.sqrt, exact.exp, exact.expm1, exact.total, exact.mean],
    ids=lambda function: function.__name__,
)
def test_results_of_rank_zero_are_arrays(system, function):
    result = function(system(np.asarray(2.0)))
    assert isinstance(result, np.ndarray)
    assert result.shape == ()


@pytest.mark.parametrize("value", [0.0, 0.1, -2.5])
def test_an_attribute_is_exactly_its_float64_in_both_systems(system, value):
    like = system([1.0])
    assert exact.number(value, like) == value
    assert list(exact.full((2,), value, like)) == [value, value]


def test_a_small_expm1_keeps_all_its_digits():
    with exact.precision(50):
        got = exact.expm1(exact.exact(np.asarray(2.0**-80)))[()]
        x = Decimal(2) ** -80
        # e^x - 1 = x + x^2 / 2 + x^3 / 6 + ...
        assert abs(got - (x + x * x / 2 + x**3 / 6)) < x * Decimal(10) ** -48


@pytest.mark.parametrize("x", [-100.0, -140.0, -1000.0, -1e300])
def test_the_expm1_of_a_number_far_below_zero_is_above_minus_one_even_times_a_factor(x):
    with exact.precision(60):
        got = exact.expm1(exact.exact(np.asarray(x)))[()]
        assert -1 < got < Decimal("-0.999999999999999999999999999999")
        for factor in (1.5, 0.1, 1e300):
            assert -Decimal(factor) < Decimal(factor) * got


def test_a_float64_becomes_the_decimal_that_it_is():
    assert exact.exact([0.1])[0] == Decimal("0.1000000000000000055511151231257827021181583404541015625")
    assert exact.digits(exact.exact([0.5, 0.1, math.inf])) == 55


def test_precision_raises_nothing_and_ends_with_its_block():
    before = decimal.getcontext().prec
    with exact.precision(123):
        assert Decimal(1) / Decimal(0) == Decimal("inf")
        assert (Decimal(0) / Decimal(0)).is_nan()
        assert decimal.getcontext().prec == 123
    assert decimal.getcontext().prec == before
