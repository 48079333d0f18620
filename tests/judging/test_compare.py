"""An output is inside its bound or it is not; special values, signs, dtypes and shapes come first."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

from nnconform.conformance.judging.compare import compare, digest
from nnconform.conformance.vectors.vector import Tensor

NAN, INF = math.nan, math.inf


def tensor(values, bound=0.0, *, dtype="float32", latitude=(), flushed=None) -> Tensor:
    values = np.asarray(values).astype(dtype)
    bound = np.broadcast_to(np.float64(bound), values.shape)
    flushed = None if flushed is None else np.asarray(flushed, dtype)
    return Tensor(dtype, values.shape, values, bound, frozenset(latitude), flushed)


def fits(got, values, bound=0.0, **options) -> bool:
    return compare(np.asarray(got, np.float32), tensor(values, bound, **options)).fits


def test_an_error_as_large_as_its_bound_conforms_and_a_larger_one_does_not():
    assert fits([1.25], [1.0], 0.25)
    assert not fits([1.25], [1.0], 0.2499)
    assert fits([0.75], [1.0], 0.25)


def test_a_bound_of_zero_asks_for_the_same_number():
    assert fits([0.1], [0.1])
    assert not fits([np.nextafter(np.float32(0.1), 1)], [0.1])


def test_each_element_has_its_own_bound():
    assert fits([1.5, 2.0], [1.0, 2.0], [0.5, 0.0])
    assert not fits([1.0, 2.5], [1.0, 2.0], [0.5, 0.0])


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_special_values_match_themselves_and_nothing_else(value):
    assert fits([value], [value])
    for other in {NAN, INF, -INF, 0.0, 3e38} - {value}:
        if not (math.isnan(value) and math.isnan(other)):
            assert not fits([other], [value], INF)
            assert not fits([value], [other], 1e300)


def test_the_sign_of_a_zero_counts():
    assert not fits([-0.0], [0.0], 1.0)
    assert not fits([0.0], [-0.0], 1.0)


def test_the_sign_of_a_zero_is_free_if_the_vector_frees_it():
    assert fits([-0.0], [0.0], latitude=["sign-of-zero"])
    assert not fits([-1e-30], [0.0], latitude=["sign-of-zero"])


def test_a_flushed_subnormal_conforms_only_where_the_vector_lists_it():
    assert fits([0.0], [1e-40], flushed=[0.0])
    assert fits([1e-40], [1e-40], flushed=[0.0])
    assert not fits([5e-41], [1e-40], flushed=[0.0])
    assert not fits([0.0], [1e-40])


def test_another_dtype_is_a_problem_for_all_numbers():
    comparison = compare(np.ones(2), tensor([1, 1], INF))
    assert not comparison.fits
    assert comparison.problem == "dtype float64, wanted float32"


@pytest.mark.parametrize("shape", [(1,), (2, 1), (), (0,)])
def test_another_shape_is_a_problem_even_if_it_broadcasts(shape):
    comparison = compare(np.ones(shape, np.float32), tensor([1, 1], INF))
    assert not comparison.fits
    assert comparison.problem.startswith("shape ")


@pytest.mark.parametrize("dtype", [np.int32, np.bool_, np.complex64, np.str_])
def test_outputs_that_are_no_floats_are_problems_and_not_errors(dtype):
    got = np.ones(2).astype(dtype)
    assert compare(got, tensor([1, 1])).problem
    assert digest(got, tensor([1, 1]))


def test_an_empty_output_conforms_by_dtype_and_shape():
    assert fits(np.zeros((0, 3)), np.zeros((0, 3)))
    assert not fits(np.zeros((3, 0)), np.zeros((0, 3)))


@pytest.mark.parametrize("got", [np.float32([NAN]), np.float16([1.0]), np.float32([1.0, 2.0])])
def test_an_output_that_is_recorded_and_not_judged_conforms(got):
    assert compare(got, Tensor("float32", (1,), None, None, frozenset({"any"}))).fits


def test_the_worst_element_is_the_one_furthest_over_its_bound_and_its_error_is_returned():
    comparison = compare(np.float32([1.5, 2.25, 3.0]), tensor([1.0, 2.0, 3.0], [0.5, 0.125, 0.0]))
    assert (comparison.worst, comparison.ratio, comparison.ulp) == (1, 2.0, 2**20)


@pytest.mark.parametrize(
    ("dtype", "unit"), [("float64", 2**-52), ("float32", 2**-23), ("float16", 2**-10), ("bfloat16", 2**-7)]
)
def test_errors_are_counted_in_units_of_the_last_place(dtype, unit):
    got = np.array([1 + 3 * unit, 2 - unit]).astype(dtype)
    assert compare(got, tensor([1.0, 2.0], dtype=dtype)).ulp == 3
    assert compare(got[1:], tensor([2.0], dtype=dtype)).ulp == 0.5


def test_units_of_subnormal_numbers_do_not_shrink():
    least = np.float32(1e-45)
    assert compare(np.array([3 * least]), tensor([least])).ulp == 2


def test_digests_tell_numbers_dtypes_and_shapes_apart():
    plain, free = tensor([0.0]), tensor([0.0], latitude=["sign-of-zero"])
    outputs = [np.float32([1, 2]), np.float32([2, 1]), np.float64([1, 2]), np.float32([[1, 2]])]
    assert len({digest(a, plain) for a in outputs}) == 4
    assert digest(np.float32([-0.0]), plain) != digest(np.float32([0.0]), plain)
    assert digest(np.float32([-0.0]), free) == digest(np.float32([0.0]), free)


@pytest.mark.parametrize(("dtype", "bits"), [("float32", "u4"), (ml_dtypes.bfloat16, "u2"), ("float16", "u2")])
def test_digests_do_not_depend_on_the_payload_or_sign_of_a_nan(dtype, bits):
    nan = np.array([NAN]).astype(dtype)
    others = nan.view(bits) ^ 1, nan.view(bits) ^ (1 << (8 * nan.itemsize - 1))
    assert {digest(other.view(dtype), None) for other in others} == {digest(nan, None)}


def test_a_digest_leaves_the_output_as_it_is():
    got = np.float32([-0.0])
    digest(got, tensor([0.0], latitude=["sign-of-zero"]))
    assert np.signbit(got[0])
