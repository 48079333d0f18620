"""Described tensors: repeated blocks, every number of a half format, and calls for many lengths."""

from __future__ import annotations

import numpy as np
import pytest

from nnconform.conformance.vectors import described_tensors
from nnconform.conformance.vectors.described_tensors import Lazily, Repeated
from nnconform.conformance.vectors.tensors import widened


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_element_i_of_every_number_has_the_bit_pattern_i(dtype):
    assert (described_tensors.every(dtype).view(np.uint16) == np.arange(65536)).all()


@pytest.mark.parametrize(("dtype", "count"), [("float16", 63490), ("bfloat16", 65282)])
def test_every_number_but_nan_keeps_the_order(dtype, count):
    patterns = described_tensors.every(dtype, "every-but-nan").view(np.uint16).astype(int)
    assert patterns.size == count
    assert (np.diff(patterns) > 0).all()
    assert set(range(65536)) - set(patterns) == set(np.flatnonzero(np.isnan(widened(described_tensors.every(dtype)))))


def test_a_repeated_block_fills_its_shape_in_row_major_order():
    repeated = Repeated(np.float32([1, 2, 3]), (2, 3, 2))
    assert repeated.times == 4
    assert repeated.dtype == np.float32
    assert repeated.whole().tolist() == [[[1, 2], [3, 1], [2, 3]]] * 2


def test_prefixes_come_in_the_order_of_the_lengths_and_places_are_their_indices():
    longest = np.array([10, 11, 12])
    assert described_tensors.prefixes(longest, [2, 1, 3]).tolist() == [10, 11, 10, 10, 11, 12]
    assert longest[described_tensors.places([2, 1, 3])].tolist() == [10, 11, 10, 10, 11, 12]


def test_only_a_longer_output_is_cut():
    assert described_tensors.first(np.arange(6).reshape(2, 3), 4).tolist() == [0, 1, 2, 3]
    assert described_tensors.first(np.arange(6).reshape(2, 3), 6).shape == (2, 3)
    assert described_tensors.first(np.arange(6).reshape(2, 3), 0).shape == (2, 3)


def test_a_lazy_value_is_made_at_each_access():
    accesses = []
    lazily = Lazily({"x": lambda: accesses.append("x") or len(accesses)})
    assert (list(lazily), len(lazily), accesses) == (["x"], 1, [])
    assert [lazily["x"], lazily["x"]] == [1, 2]


def test_every_vector_with_a_block_asks_for_the_size_of_the_block(published):
    long = [v for v in published.values() if v.first]
    blocks = [list(vector.inputs.get("gradients", [vector.inputs.get("x")])) for vector in long]
    assert len(long) >= 5
    assert all(block.block.size == vector.first for vector, [block] in zip(long, blocks, strict=True))
