"""The numpy control, computing in working precision, is inside its bounds on random cases of every kind.

benchmarks/false_alarms.py does the same on 10,000 cases per operation and dtype.
"""

from __future__ import annotations

import numpy as np
import pytest
from support.conforming import region
from support.random_cases import MAKERS, random_case

from nnconform.adapters import numpy as control
from nnconform.conformance.cases.vector_case import DTYPES
from nnconform.conformance.judging.compare import compare
from nnconform.conformance.vectors.stored_vector import flatten

FUNCTIONS = {i.operation: i.function for i in control.adapter.implementations if not i.defaults}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", MAKERS)
def test_working_precision_is_inside_the_bounds_on_random_cases(operation, dtype):
    outputs = 0
    for number in range(20):
        case = random_case(operation, dtype, number)
        with np.errstate(all="ignore"):
            got = dict(flatten(FUNCTIONS[operation](**case.inputs, **case.attributes)))
        for name, expected in region(case).items():
            comparison = compare(np.asarray(got[name]), expected)
            assert comparison.fits, (case, name, comparison)
            outputs += 1
    assert outputs >= 20


def test_a_case_is_the_same_every_time():
    one, two = (random_case("batch_norm_train", "bfloat16", 5) for _ in range(2))
    assert one.attributes == two.attributes
    np.testing.assert_array_equal(one.inputs["x"], two.inputs["x"])
    assert random_case("batch_norm_train", "bfloat16", 6).attributes != one.attributes


def test_means_are_up_to_a_million_deviations_from_zero():
    ratios = []
    for number in range(200):
        case = random_case("batch_norm_train", "float64", number)
        axis = case.attributes["channel_axis"] % case.inputs["x"].ndim
        rows = np.moveaxis(case.inputs["x"], axis, 0).reshape(case.inputs["x"].shape[axis], -1)
        if rows.shape[1] > 4:
            ratios.extend(np.abs(rows.mean(1)) / rows.std(1))
    assert min(ratios) < 0.5
    assert max(ratios) > 1e5


def test_an_unbiased_variance_is_outside_the_bounds_of_the_biased_one():
    outside = []
    for number in range(40):
        case = random_case("batch_norm_train", "float32", number)
        m = case.inputs["x"].size // len(case.inputs["running_mean"])
        expected = region(case)["batch_variance"]
        if 4 <= m <= 64 and (expected.values > 0).all():
            wrong = (expected.values * np.float32(m / (m - 1))).astype(np.float32)
            outside.append(not compare(wrong, expected).fits)
    assert len(outside) > 10
    assert np.mean(outside) > 0.9
