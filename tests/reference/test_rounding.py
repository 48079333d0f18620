"""One rounding from an exact number to each format is to nearest, ties to even."""

from __future__ import annotations

import bisect
import math
import random
from decimal import Decimal
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

from nnconform.reference.exact import exact, precision
from nnconform.reference.rounding import FORMATS, round_floats, round_number, round_to

HALVES = {"float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}


def positive_numbers(dtype: str) -> np.ndarray:
    """Every finite number from 0 up, in the order of their bit patterns: every second one is even."""
    values = np.arange(2**15, dtype=np.uint16).view(HALVES[dtype])
    with np.errstate(invalid="ignore"):  # to look at a signalling NaN signals
        return values[np.isfinite(values)].astype(np.float64)


@pytest.mark.parametrize("dtype", HALVES)
def test_every_number_of_a_half_format_stays_itself(dtype):
    numbers = positive_numbers(dtype)
    np.testing.assert_array_equal(round_to(exact(numbers), dtype), numbers)


@pytest.mark.parametrize("dtype", HALVES)
def test_every_midpoint_of_a_half_format_ties_to_even(dtype):
    numbers = positive_numbers(dtype)
    midpoints = (numbers[:-1] + numbers[1:]) / 2
    even = np.where(np.arange(len(midpoints)) % 2 == 0, numbers[:-1], numbers[1:])
    np.testing.assert_array_equal(round_to(exact(midpoints), dtype), even)
    np.testing.assert_array_equal(round_to(exact(-midpoints), dtype), -even)


@pytest.mark.parametrize("dtype", HALVES)
def test_the_least_step_off_a_midpoint_goes_to_the_nearer_number(dtype):
    numbers = positive_numbers(dtype)
    midpoints = (numbers[:-1] + numbers[1:]) / 2
    np.testing.assert_array_equal(round_to(exact(np.nextafter(midpoints, -1)), dtype), numbers[:-1])
    np.testing.assert_array_equal(round_to(exact(np.nextafter(midpoints, math.inf)), dtype), numbers[1:])


@pytest.mark.parametrize("dtype", HALVES)
def test_floats_round_as_decimals_do_at_and_around_every_tie_of_a_half_format(dtype):
    numbers = positive_numbers(dtype)
    midpoints = (numbers[:-1] + numbers[1:]) / 2
    even = np.where(np.arange(len(midpoints)) % 2 == 0, numbers[:-1], numbers[1:])
    np.testing.assert_array_equal(round_floats(numbers, dtype), numbers)
    for sign in (1, -1):
        np.testing.assert_array_equal(round_floats(sign * midpoints, dtype), sign * even)
        np.testing.assert_array_equal(round_floats(sign * np.nextafter(midpoints, -1), dtype), sign * numbers[:-1])
        np.testing.assert_array_equal(round_floats(sign * np.nextafter(midpoints, np.inf), dtype), sign * numbers[1:])


@pytest.mark.parametrize("dtype", FORMATS)
def test_floats_of_every_size_round_as_decimals_do(dtype):
    bits = np.random.default_rng(2).integers(0, 2**64, 4000, dtype=np.uint64).view(np.float64)
    largest = FORMATS[dtype].largest
    with np.errstate(over="ignore"):
        past = np.nextafter(largest * (1 + 2.0 ** -(FORMATS[dtype].bits + 1)), [0, np.inf])
    values = np.concatenate([bits, bits * 2.0**-900, largest * np.array([1, -1]), past, -past, [5e-324, -5e-324]])
    got, wanted = round_floats(values, dtype), round_to(exact(values), dtype)
    np.testing.assert_array_equal(got, wanted)
    known = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(wanted)[known])


def test_bfloat16_is_rounded_once_and_not_by_way_of_float32():
    value = Decimal(1) + Decimal(2) ** -8 + Decimal(2) ** -40
    assert round_number(value, FORMATS["bfloat16"]) == 1 + 2**-7


def test_a_decimal_finer_than_float64_decides_a_tie():
    tie, target = Decimal(1) + Decimal(2) ** -11, FORMATS["float16"]
    with precision(100):
        least = Decimal(10) ** -80
        assert round_number(tie - least, target) == 1
        assert round_number(tie, target) == 1
        assert round_number(tie + least, target) == 1 + 2**-10


@pytest.mark.parametrize("dtype", HALVES)
def test_random_fractions_go_to_the_nearest_number_by_search(dtype):
    stream, numbers = random.Random("nearest"), [Fraction(v) for v in positive_numbers(dtype)]
    for _ in range(2000):
        value = Decimal(stream.randrange(1, 10**30)).scaleb(stream.randrange(-36, -26))
        above = bisect.bisect_left(numbers, Fraction(value))
        nearest = min(numbers[above - 1], numbers[above], key=lambda n: abs(n - Fraction(value)))
        assert round_number(value, FORMATS[dtype]) == nearest


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_random_float64_numbers_round_as_in_numpy(dtype):
    stream = np.random.default_rng(0)
    values = stream.standard_normal(20_000) * 2.0 ** stream.integers(-160, 140, 20_000)
    with np.errstate(over="ignore", under="ignore"):
        np.testing.assert_array_equal(round_to(exact(values), dtype), values.astype(dtype))


def test_random_bit_patterns_of_float64_stay_themselves():
    values = np.random.default_rng(1).integers(0, 2**63, 5000).view(np.float64)
    values = values[np.isfinite(values)]
    np.testing.assert_array_equal(round_to(exact(values), "float64"), values)


@pytest.mark.parametrize(("dtype", "largest"), [("float16", 65504.0), ("float32", float(np.finfo("f4").max))])
def test_numbers_overflow_from_half_a_step_above_the_largest(dtype, largest):
    threshold = (
        Fraction(largest) + (Fraction(largest) - Fraction(float(np.nextafter(np.dtype(dtype).type(largest), 0)))) / 2
    )
    with precision(100):
        edge = Decimal(threshold.numerator)
        assert FORMATS[dtype].largest == largest
        assert round_number(edge - Decimal("1e-20"), FORMATS[dtype]) == largest
        assert round_number(edge, FORMATS[dtype]) == math.inf
        assert round_number(-edge, FORMATS[dtype]) == -math.inf


@pytest.mark.parametrize(
    ("dtype", "least"), [("float16", -24), ("bfloat16", -133), ("float32", -149), ("float64", -1074)]
)
def test_numbers_underflow_to_zero_at_half_of_the_least(dtype, least):
    with precision(1200):
        half = Decimal(2) ** (least - 1)
        above = round_number(half * (1 + Decimal("1e-30")), FORMATS[dtype])
        assert math.copysign(1, round_number(-half, FORMATS[dtype])) == -1
        assert round_number(half, FORMATS[dtype]) == 0
        assert above == math.ldexp(1, least)


@pytest.mark.parametrize("dtype", FORMATS)
def test_special_values_pass_whatever_the_format(dtype):
    values = exact([math.nan, math.inf, -math.inf, 0.0, -0.0])
    for got in (round_to(values, dtype), round_floats(values.astype(np.float64), dtype)):
        np.testing.assert_array_equal(got, [math.nan, math.inf, -math.inf, 0.0, -0.0])
        np.testing.assert_array_equal(np.signbit(got[1:]), [False, True, False, True])


@pytest.mark.parametrize("dtype", FORMATS)
def test_numbers_beyond_every_format_become_infinite_or_zero(dtype):
    assert round_number(Decimal("-1e100000"), FORMATS[dtype]) == -math.inf
    assert round_number(Decimal("1e-100000"), FORMATS[dtype]) == 0


@pytest.mark.parametrize("dtype", FORMATS)
def test_each_format_is_the_one_that_ml_dtypes_knows(dtype):
    info = ml_dtypes.finfo(dtype)
    assert FORMATS[dtype].largest == float(info.max)
    assert float(FORMATS[dtype].smallest_normal) == float(info.smallest_normal)
    assert float(FORMATS[dtype].unit) == float(info.eps) / 2
