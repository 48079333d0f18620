"""The dialects of clipping act exactly where the arithmetic overflows or underflows, and not beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from nnconform.reference import exact
from nnconform.reference.case import Case
from nnconform.reference.variants import OPERATIONS


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with exact.precision(700):
        yield


def clipped(values: Sequence[Any], clipnorm: float, dtype: str = "float32", **rules: Any) -> list[float]:
    """The gradients after clipping by their common norm, one after the other, and that norm."""
    gradients = [None if v is None else exact.exact(v) for v in values]
    case = Case({"gradients": gradients}, {"gradients": dtype}, {"clipnorm": clipnorm})
    made = OPERATIONS["clip_by_global_norm"](case, **rules)
    return [float(d) for output in made.values() for d in np.asarray(output.values, object).ravel()]


def same(one: Sequence[float], other: Sequence[float]) -> bool:
    return np.array_equal(one, other, equal_nan=True)


# 255^2 + 21^2 + 6^2 + 1 + 1 = 65504, float16's largest number
FULL = [255.0, 21.0, 6.0, 1.0, 1.0]


@pytest.mark.parametrize(("rule", "factor"), [("zero", 0.0), ("nan", math.nan)])
def test_squares_overflow_beyond_the_largest_number_and_not_at_it(rule, factor):
    assert same(clipped([FULL], 1.0, "float16", overflow=rule), clipped([FULL], 1.0, "float16"))
    found = clipped([FULL, None, [1.0]], 1.0, "float16", overflow=rule)
    assert same(found, [*[factor] * 6, math.inf])


@pytest.mark.parametrize("special", [math.inf, math.nan])
@pytest.mark.parametrize("rule", [{"overflow": "zero"}, {"underflow": True}, {"product_underflow": True}], ids=str)
def test_an_infinity_or_a_nan_neither_overflows_nor_underflows(special, rule):
    gradients = [[special], [2.0**-140]]
    assert same(clipped(gradients, 2.0**-20, **rule), clipped(gradients, 2.0**-20))


# Powers of two by dtype: the greatest whose square is rounded to 0, and the least whose square is not.
LOST = {"float64": (-538, -537), "float32": (-75, -74), "float16": (-13, -12), "bfloat16": (-75, -74)}
SCALARS = {"float64": np.float64, "float32": np.float32, "float16": np.float16, "bfloat16": np.float32}


@pytest.mark.parametrize("dtype", LOST)
def test_squares_underflow_where_the_arithmetic_gives_zero(dtype):
    lost, kept = (2.0**power for power in LOST[dtype])
    arithmetic = SCALARS[dtype]
    assert arithmetic(lost) * arithmetic(lost) == 0 < arithmetic(kept) * arithmetic(kept)
    # Nothing is clipped by a norm of 0.
    assert clipped([[lost, -lost], None], lost / 4, dtype, underflow=True) == [lost, -lost, 0.0]
    for gradients in ([[-kept, lost]], [[lost], [kept]]):
        assert same(clipped(gradients, lost / 4, dtype, underflow=True), clipped(gradients, lost / 4, dtype))


@pytest.mark.parametrize("dtype", LOST)
def test_products_with_the_threshold_underflow_where_the_arithmetic_gives_zero(dtype):
    lost, kept = (2.0**power for power in LOST[dtype])
    c = min(lost, 2.0**-14)
    for gradients in ([[lost, -lost]], [[-lost], [lost / 2]]):
        assert clipped(gradients, c, dtype, product_underflow=True)[:2] == [0.0, 0.0]
    above = kept * (kept / c)
    for gradients in ([[lost / 8, -above]], [[lost / 8], [above]]):
        assert same(clipped(gradients, c, dtype, product_underflow=True), clipped(gradients, c, dtype))


def test_half_formats_differ_in_the_arithmetic_of_their_squares():
    tiny = float(ml_dtypes.bfloat16(2.0**-20))
    assert same(clipped([[tiny]], tiny / 4, "bfloat16", underflow=True), clipped([[tiny]], tiny / 4, "bfloat16"))
    assert clipped([[tiny]], tiny / 4, "float16", underflow=True) == [tiny, 0.0]


def test_a_denominator_makes_the_scale_smaller_and_at_most_one():
    assert clipped([[3.0, 4.0]], 1.0, denominator=5.0) == [0.3, 0.4, 5.0]
    assert clipped([[3.0, 4.0]], 20.0, denominator=5.0) == [3.0, 4.0, 5.0]
    assert clipped([[3.0, 4.0]], math.inf, denominator=5.0) == [3.0, 4.0, 5.0]
    assert clipped([None], 1.0, denominator=5.0) == [0.0]


def test_what_becomes_of_an_infinite_norm():
    assert same(clipped([[math.inf, 1.0]], 2.0), [math.nan, 0.0, math.inf])
    for special in (math.inf, math.nan):
        assert np.isnan(clipped([[special, 1.0]], 2.0, infinite_is_nan=True)[:2]).all()
    assert clipped([[3.0, 4.0]], 10.0, infinite_is_nan=True) == [3.0, 4.0, 5.0]


def test_zero_by_zero_needs_both_zeros():
    assert same(clipped([[0.0]], 0.0, zero_by_zero=True), [math.nan, 0.0])
    assert clipped([[0.0]], 1.0, zero_by_zero=True) == [0.0, 0.0]
    assert clipped([[1.0]], 0.0, zero_by_zero=True) == [0.0, 1.0]


def test_only_an_infinite_threshold_is_nan_where_infinite_thresholds_are():
    assert same(clipped([[1.0]], math.inf, infinite_limit_is_nan=True), [math.nan, 1.0])
    assert clipped([[1.0]], 2.0, infinite_limit_is_nan=True) == [1.0, 1.0]


def test_only_a_threshold_of_zero_is_off_where_zero_is_off():
    assert clipped([[1.0]], 0.0, zero_is_off=True) == [1.0, 1.0]
    assert clipped([[1.0]], 0.5, zero_is_off=True) == [0.5, 1.0]


@pytest.mark.parametrize(
    ("shape", "left"), [((31,), 0), ((32,), 32), ((33,), 32), ((63,), 32), ((3, 23), 64), ((), 0), ((0,), 0)]
)
def test_blocks_of_32_weights_stay_in_the_order_of_memory_and_the_rest_take_the_step(shape, left):
    given = {"weights": [exact.exact(np.ones(shape))], "gradients": [exact.exact(np.ones(shape))]}
    case = Case(given, dict.fromkeys(given, "float16"), {"learning_rate": 0.5})
    [stepped] = OPERATIONS["sgd_step"](case, blocks_stay=True).values()
    assert stepped.values.shape == shape
    assert [float(d) for d in stepped.values.ravel()] == [1.0] * left + [0.5] * (math.prod(shape) - left)
    assert [d > 0 for d in stepped.bound.ravel()] == [False] * left + [True] * (math.prod(shape) - left)
