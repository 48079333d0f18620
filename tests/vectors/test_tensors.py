"""The text of a tensor is exact, and a text that does not fit is refused."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from nnconform.conformance.vectors.tensors import (
    DTYPES,
    TensorError,
    format_bound,
    format_data,
    parse_bound,
    parse_data,
)
from nnconform.reference.exact import precision


def assert_same_numbers(got: np.ndarray, expected: np.ndarray) -> None:
    assert got.dtype == expected.dtype
    with np.errstate(invalid="ignore"):  # to look at a signalling NaN signals
        number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(got), ~number)
    np.testing.assert_array_equal(got[number].view(f"u{got.itemsize}"), expected[number].view(f"u{got.itemsize}"))


def round_trip(values: np.ndarray) -> np.ndarray:
    dtype = values.dtype.name
    with np.errstate(invalid="ignore"):
        return parse_data(format_data(values, dtype), dtype, values.shape, "it")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_bit_pattern_of_a_half_format_round_trips(dtype):
    values = np.arange(2**16, dtype=np.uint16).view(DTYPES[dtype])
    assert_same_numbers(round_trip(values), values)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_bit_patterns_round_trip(dtype):
    bits = np.random.default_rng(0).bytes(20_000 * DTYPES[dtype].itemsize)
    values = np.frombuffer(bits, DTYPES[dtype])
    assert_same_numbers(round_trip(values), values)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_special_values_have_words_of_their_own(dtype):
    values = np.array([math.nan, math.inf, -math.inf, -0.0, 0.0, 3.0]).astype(DTYPES[dtype])
    assert format_data(values, dtype) == "nan inf -inf -0.0 0 3"
    assert_same_numbers(round_trip(values), values)


@pytest.mark.parametrize(
    ("dtype", "text"), [("float64", "0.1"), ("float32", "0.1"), ("float16", "0.1"), ("bfloat16", "0.1")]
)
def test_numbers_are_written_with_no_more_digits_than_they_need(dtype, text):
    assert format_data(parse_data("0.1", dtype, [], "it"), dtype) == text


@pytest.mark.parametrize(("power", "text"), [(-119, "1.51e-36"), (-59, "1.74e-18"), (64, "1.85e+19"), (-133, "9e-41")])
def test_a_power_of_two_is_written_as_the_shortest_decimal_on_either_side(power, text):
    # 2^64 is 1.845e19. 1.84e19 is nearer to it than 1.85e19, but rounds to the number below: the step is half as wide.
    value = np.array(2.0**power, DTYPES["bfloat16"])
    assert format_data(value, "bfloat16") == text
    assert_same_numbers(round_trip(value), value)


def test_integers_round_trip_at_the_ends_of_their_range():
    text = "-9223372036854775808 0 9223372036854775807"
    assert format_data(parse_data(text, "int64", [3], "it"), "int64") == text


@pytest.mark.parametrize("shape", [[], [0], [2, 0, 3], [2, 3]])
def test_shapes_survive(shape):
    assert round_trip(np.ones(shape, np.float32)).shape == tuple(shape)


def test_a_bound_that_is_read_is_never_below_the_bound_that_was_written():
    stream = np.random.default_rng(0)
    bounds = stream.random(20_000) * 10.0 ** stream.integers(-320, 300, 20_000)
    parsed = parse_bound(format_bound(bounds), bounds.shape, "it")
    assert (parsed >= bounds).all()
    assert all(Fraction(r) <= Fraction(b) * Fraction("1.01") for r, b in zip(parsed, bounds, strict=True) if b > 1e-300)


@pytest.mark.parametrize(("bounds", "text"), [([0.5, 0.5], "5.00e-1"), ([0.0, math.inf], "0 inf"), ([0.0], "0")])
def test_equal_bounds_are_written_once(bounds, text):
    assert format_bound(np.array(bounds)) == text
    np.testing.assert_array_equal(parse_bound(text, [len(bounds)], "it"), bounds)


@pytest.mark.parametrize(
    ("text", "dtype", "shape", "message"),
    [
        ("1 2 3", "float32", [2], "3 numbers for the shape [2]; wanted 2"),
        ("", "float32", [], "0 numbers"),
        ("1 fine", "float64", [2], "'fine'"),
        ("1,5", "float64", [1], "','"),
        ("1 65520", "float16", [2], "element 1 is 65520, which does not fit float16"),
        ("3.5e38", "float32", [1], "does not fit float32"),
        ("3.5e38", "bfloat16", [1], "does not fit bfloat16"),
        ("1e400", "float64", [1], "does not fit float64"),
        ("1e-60", "float32", [1], "does not fit float32"),
        ("-1e-10", "float16", [1], "does not fit float16"),
        ("1E-400", "float64", [1], "does not fit float64"),
        ("1.5", "int64", [1], "wanted integers of 64 bits"),
        ("9223372036854775808", "int64", [1], "wanted integers of 64 bits"),
    ],
)
def test_data_that_do_not_fit_are_refused_by_name(text, dtype, shape, message):
    with pytest.raises(TensorError, match=r"^the tensor") as refusal:
        parse_data(text, dtype, shape, "the tensor")
    assert message in str(refusal.value)


@pytest.mark.parametrize("text", ["0", "-0.0", "0e5", "0.000", "inf", "-inf", "nan"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_zeros_and_infinities_that_are_meant_are_no_overflow(text, dtype):
    got = float(parse_data(text, dtype, [], "it"))
    assert got == float(text) or math.isnan(float(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3", "3 bounds"),
        ("1 -1", "negative"),
        ("nan", "not a number"),
        ("1 fine", "'fine'"),
        ("", "0 bounds"),
    ],
)
def test_bounds_that_make_no_sense_are_refused_by_name(text, message):
    with pytest.raises(TensorError, match=r"^the bound") as refusal:
        parse_bound(text, [2], "the bound")
    assert message in str(refusal.value)


@pytest.mark.parametrize("text", ["1_000", "Infinity", "\u0661"])
def test_a_number_for_python_alone_is_refused(text):
    with pytest.raises(TensorError):
        parse_data(text, "float64", [1], "it")


@pytest.mark.parametrize(
    ("dtype", "tie", "below", "above"),
    [
        ("float32", 1 + Fraction(1, 2**24), 1.0, 1 + 2**-23),
        ("float16", 1 + Fraction(3, 2**11), 1 + 2**-10, 1 + 2**-9),
        ("float16", Fraction(1, 2**25), None, 2**-24),
        ("float16", Fraction(65520), 65504.0, None),
        ("bfloat16", 1 + Fraction(1, 2**8), 1.0, 1 + 2**-7),
        ("bfloat16", Fraction(3, 2**134), 2.0**-133, 2.0**-132),
    ],
)
def test_a_decimal_is_rounded_once_and_not_by_way_of_float64(dtype, tie, below, above):
    # 200 digits of the tie, and then a one: float64 sees the tie alone.
    for end, expected in ((-1, below), (1, above)):
        with precision(300):
            exactly = Decimal(tie.numerator) / Decimal(tie.denominator)
            text = str(exactly + end * exactly.scaleb(-200)).replace("E", "e")
        if expected is None:
            with pytest.raises(TensorError, match="does not fit"):
                parse_data(text, dtype, [], "it")
        else:
            assert float(parse_data(text, dtype, [], "it")) == expected
