"""Sums of one element after the other, the prey of the long vectors (NUM-11)."""

from __future__ import annotations

import numpy as np
import pytest

from nnconform.conformance.cases.vector_case import VectorCase, tensor
from nnconform.conformance.generating import sequential
from nnconform.conformance.vectors.described_tensors import Repeated


def case(operation, dtype, inputs, **attributes):
    return VectorCase(operation, "long", dtype, "range", ("NUM-11",), ("h",), attributes, inputs, first=10)


def clipping(elements, dtype="float32"):
    block = tensor("sequential", [10], dtype)
    return case("clip_by_norm", dtype, {"gradients": [Repeated(block, (elements,))]}, clipnorm=1.0)


def in_a_loop(numbers):
    total = numbers.dtype.type(0)
    for number in numbers:
        total = total + number
    return total


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_norm_is_added_in_order_in_its_own_precision(dtype):
    long_case = clipping(2000, dtype)
    [gradient] = long_case.inputs["gradients"]
    whole = gradient.whole()
    expected = gradient.block * (whole.dtype.type(1) / np.sqrt(in_a_loop(whole * whole)))
    got = sequential.outputs(long_case)["gradients[0]"]
    assert got.dtype == dtype
    assert got.tolist() == expected.tolist()


def test_a_gradient_below_the_threshold_is_left_as_it_is():
    small = case("clip_by_norm", "float32", {"gradients": [Repeated(np.float32([1e-4] * 10), (100,))]}, clipnorm=1.0)
    assert sequential.outputs(small)["gradients[0]"].tolist() == np.float32([1e-4] * 10).tolist()


def test_moments_are_added_in_order_channel_by_channel():
    x = Repeated(tensor("moments", [10], "float32"), (1000, 2))
    got = sequential.outputs(case("batch_norm_train", "float32", {"x": x}))
    for channel in (0, 1):
        column = x.whole()[:, channel]
        mean = in_a_loop(column) / np.float32(1000)
        assert got["batch_mean"][channel] == mean
        assert got["batch_variance"][channel] == in_a_loop((column - mean) ** 2) / np.float32(1000)


def test_on_a_long_sum_the_order_shows():
    long_case = clipping(5_000_000)
    [gradient] = long_case.inputs["gradients"]
    pairwise = gradient.block / np.sqrt(np.sum(gradient.whole() ** 2))
    got = sequential.outputs(long_case)["gradients[0]"]
    assert np.abs(got / pairwise - 1).max() > 1e-4
