"""Distances between tensors: exact in units in the last place, and the same for a pair alone and among others."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from nnconform.conformance.diff.distance import comparable, element_distances

F32 = np.float32
STEPS = {
    "the next number": (F32(1), np.nextafter(F32(1), F32(2)), 1.0, True),
    "equal": (F32(1), F32(1), 0.0, False),
    "equal NaNs": (F32(np.nan), -F32(np.nan), 0.0, False),
    "equal infinities": (F32(np.inf), F32(np.inf), 0.0, False),
    "zeros of other signs": (F32(0), F32(-0.0), 0.0, True),
    "a NaN that was a number": (F32(1), F32(np.nan), np.inf, True),
    "an infinity of the other sign": (F32(np.inf), F32(-np.inf), np.inf, True),
    "from zero to the least number": (F32(0), F32(2.0**-149), 1.0, True),
    "to the other side of zero": (F32(-(2.0**-149)), F32(2.0**-149), 2.0, True),
    "twice": (F32(1), F32(2), 2.0**22, True),
    "from one end to the other": (
        np.float64(1.7976931348623157e308),
        np.float64(-1.7976931348623157e308),
        2.0**54 - 2,
        True,
    ),
    "in bfloat16": (ml_dtypes.bfloat16(1), ml_dtypes.bfloat16(1.0078125), 1.0, True),
    "in float16": (np.float16(65504), np.float16(65472), 1.0, True),
    "integers": (np.int64(3), np.int64(-4), 7.0, True),
}


@pytest.mark.parametrize(("old", "new", "ulps", "changed"), STEPS.values(), ids=STEPS.keys())
def test_the_distance_is_in_units_in_the_last_place_of_the_larger(old, new, ulps, changed):
    (result,) = element_distances([(np.array([old]), np.array([new]))])
    assert result.changed.tolist() == [changed]
    assert result.ulps.tolist() == [ulps]


def test_pairs_of_all_dtypes_and_shapes_are_measured_together_and_come_back_in_order():
    pairs = [
        (np.zeros(shape, dtype), np.full(shape, position % 2, dtype))
        for position, (shape, dtype) in enumerate(
            [((2, 3), F32), ((), np.float64), ((0,), F32), ((4,), F32), ((1,), np.float64)]
        )
    ]
    assert [d.count for d in element_distances(pairs)] == [0, 1, 0, 4, 0]
    assert [d.worst_position for d in element_distances(pairs)] == [-1, 0, -1, 0, -1]


@pytest.mark.parametrize(
    ("old", "new", "alike"),
    [
        (np.zeros(2), np.zeros(2), True),
        (np.zeros(2, ml_dtypes.bfloat16), np.zeros(2, ml_dtypes.bfloat16), True),
        (np.zeros(2), np.zeros(2, np.float32), False),
        (np.zeros(2), np.zeros((2, 1)), False),
        (np.zeros(2, complex), np.zeros(2, complex), False),
        (None, np.zeros(2), False),
    ],
)
def test_only_tensors_of_one_dtype_and_shape_and_of_real_numbers_are_comparable(old, new, alike):
    assert comparable(old, new) is alike
