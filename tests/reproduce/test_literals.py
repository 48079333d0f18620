"""Arrays as Python text give back the very bits, however the framework casts the literals."""

from __future__ import annotations

import math
import re

import ml_dtypes
import numpy as np
import pytest

from nnconform.adapters import SparseGradient
from nnconform.conformance.reproduce.literals import WIDTH, Arrays, exact_literals, literals
from nnconform.conformance.vectors.described_tensors import Repeated
from nnconform.conformance.vectors.tensors import DTYPES, Array

FLOATS = ("float64", "float32", "float16", "bfloat16")
# Numbers at the ends of the formats, and those whose decimals are awkward.
SPECIAL = [0.0, -0.0, 1.0, -3.0, 0.1, 1 / 3, 65504.0, 1e-8, 6e-8, 1.2e-38, 1e-40, 9.2e-41, math.inf, -math.inf]


def numbers(dtype: str) -> Array:
    rng = np.random.default_rng(20)
    with np.errstate(all="ignore"):
        patterns = rng.integers(0, 2**16, 2000, np.uint16)
        spread = rng.standard_normal(400) * 10.0 ** rng.integers(-12, 12, 400)
        wide = np.concatenate([SPECIAL, spread])
        if dtype in ("float16", "bfloat16"):
            values = np.concatenate([wide.astype(DTYPES[dtype]), patterns.view(DTYPES[dtype])])
        else:
            values = wide.astype(DTYPES[dtype])
        return values[~np.isnan(values.astype(np.float64))]


def bits(a: Array) -> list[int]:
    return np.ascontiguousarray(a).view(f"u{a.dtype.itemsize}").ravel().tolist()


def evaluated(expression: str) -> Array:
    return eval(expression, {"np": np, "nan": math.nan, "inf": math.inf, "ml_dtypes": ml_dtypes})


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_literal_gives_the_number_back_cast_at_once_or_by_way_of_float32(dtype):
    values = numbers(dtype)
    with np.errstate(over="ignore"):
        parsed = np.array([float(word) for word in literals(values, dtype)])
        assert bits(parsed.astype(DTYPES[dtype])) == bits(values)
        if dtype != "float64":
            assert bits(parsed.astype(np.float32).astype(DTYPES[dtype])) == bits(values)


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_literal_is_a_python_float(dtype):
    values = np.concatenate([numbers(dtype), np.array([np.nan]).astype(DTYPES[dtype])])
    assert all(type(evaluated(word)) is float for word in literals(values, dtype))


def test_a_decimal_that_some_cast_takes_elsewhere_is_written_in_full():
    # 1 + 2^-8 is halfway between two numbers of bfloat16; what is just above is on it once it has been a float32.
    above = "1.00390625000001"
    assert exact_literals(["0.1", above, above], np.array([0.10009765625, 1.0, 1.0078125]), "bfloat16") == [
        "0.1",
        "1.0",
        "1.0078125",
    ]


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (2, 1, 2, 3), (40, 3)])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_an_expression_gives_the_array_back(dtype, shape):
    value = np.resize(numbers(dtype), shape).astype(dtype)
    array = evaluated(Arrays("numpy").within("", value, ""))
    assert (array.dtype, array.shape, bits(array)) == (value.dtype, shape, bits(value))


@pytest.mark.parametrize("value", [0.0, 1.0, -0.0, np.nan])
@pytest.mark.parametrize("shape", [(3,), (0,), (0, 3), (2, 2)])
def test_a_constant_array_gives_itself_back(value, shape):
    array = np.full(shape, value, np.float32)
    copy = evaluated(Arrays("numpy").within("", array, ""))
    assert (copy.dtype, copy.shape, bits(copy)) == (array.dtype, shape, bits(array))


def test_negative_zeros_are_not_written_as_zeros():
    assert Arrays("torch")("x", np.array([-0.0, -0.0], np.float32)) == "x = torch.tensor([-0.0, -0.0])"


def test_bfloat16_is_written_in_exact_values_where_only_numpy_reads_it():
    value = np.array([0.1, 3.0], ml_dtypes.bfloat16)
    assert Arrays("numpy")("x", value) == "x = np.array([0.10009765625, 3.0])"


@pytest.mark.parametrize(
    ("framework", "text"),
    [
        ("torch", "x = torch.tensor([0.1, 3.0], dtype=torch.bfloat16)"),
        ("tensorflow", "x = tf.constant([0.1, 3.0], tf.bfloat16)"),
        ("jax", "x = jnp.array([0.1, 3.0], jnp.bfloat16)"),
    ],
)
def test_a_framework_casts_to_its_own_bfloat16(framework, text):
    assert Arrays(framework)("x", np.array([0.1, 3.0], ml_dtypes.bfloat16)) == text


def test_subnormal_bfloat16_numbers_do_not_go_through_a_list_of_tensorflow():
    text = Arrays("tensorflow")("x", np.array([1e-39], ml_dtypes.bfloat16))
    assert text == "x = tf.constant(np.array([1e-39], tf.bfloat16.as_numpy_dtype))"


def test_a_dtype_is_named_where_it_is_not_the_default_one():
    narrow = np.array([0.5], np.float32)
    assert Arrays("jax")("x", narrow) == "x = jnp.array([0.5])"
    assert Arrays("jax", wide=True)("x", narrow) == "x = jnp.array([0.5], jnp.float32)"
    assert Arrays("jax", wide=True)("x", narrow.astype(np.float64)) == "x = jnp.array([0.5])"


@pytest.mark.parametrize("framework", ["torch", "tensorflow", "jax"])
def test_long_arrays_are_a_few_lines_of_numpy(framework):
    repeated = Arrays(framework)("x", Repeated(np.array([0.5, -1.5], np.float32), (5_000_000, 2)))
    every = Arrays(framework)("x", np.arange(1 << 16, dtype=np.uint16).view(ml_dtypes.bfloat16))
    assert "np.resize(x_block, (5_000_000, 2))" in repeated
    assert "np.arange(2**16, dtype=np.uint16)" in every
    assert max(len(repeated), len(every)) < 200


def test_a_sparse_gradient_has_its_rows_values_and_shape():
    sparse = SparseGradient(np.array([3, 0]), np.array([[0.5], [1.5]], np.float32), (5, 1))
    assert Arrays("torch")("g", sparse).splitlines() == [
        "rows = torch.tensor([3, 0])",
        "values = torch.tensor([[0.5],",
        "                       [1.5]])",
        "g = torch.sparse_coo_tensor(rows[None], values, (5, 1))",
    ]


@pytest.mark.parametrize("framework", ["numpy", "torch", "tensorflow", "jax"])
def test_lines_are_not_wider_than_a_page(framework):
    text = Arrays(framework)("x", numbers("float16")[:400].reshape(20, 20))
    assert max(map(len, re.split("\n", text))) <= WIDTH + 4
