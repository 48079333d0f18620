"""The elementwise operations and their bounds are the same in float64 as in Decimals, but for float64's rounding."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from nnconform.reference import bounds, exact
from nnconform.reference.dialects import variants_of
from nnconform.reference.rounding import round_floats
from nnconform.reference.variants import OPERATIONS, Case

EDGES = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.0**-14, -(2.0**-15), 2.0**-24, -(2.0**-24), -(2.0**-130)]
CASES = [
    (operation, dtype, variant.name, variant.keywords)
    for operation in ("relu", "elu", "clip_by_value")
    for dtype in ("float16", "bfloat16")
    for variant in variants_of(operation, dtype=dtype, defaults=True)
] + [(operation, "float16", "clause", {}) for operation in ("relu", "elu", "clip_by_value")]


def numbers(dtype: str) -> np.ndarray:
    stream = np.random.default_rng(7)
    spread = stream.standard_normal(150) * 2.0 ** stream.integers(-20, 8, 150)
    return round_floats(np.concatenate([EDGES, spread]), dtype)


def asked(operation: str, dtype: str, x: exact.Array, dy: exact.Array) -> Case:
    if operation == "clip_by_value":
        return Case({"gradients": [x, None, dy]}, {"gradients": dtype}, {"clipvalue": 0.7})
    return Case({"x": x, "dy": dy}, {"x": dtype}, {"alpha": 0.7})


@pytest.mark.parametrize(("operation", "dtype", "name", "keywords"), CASES, ids=lambda v: v if v is str else None)
def test_values_and_bounds_of_elementwise_operations_agree(operation, dtype, name, keywords):
    x = numbers(dtype)
    dy = x[::-1].copy()
    with exact.precision(100), np.errstate(invalid="ignore"):
        precise = OPERATIONS[operation](asked(operation, dtype, exact.exact(x), exact.exact(dy)), **keywords)
        fast = OPERATIONS[operation](asked(operation, dtype, x, dy), **keywords)
        assert precise.keys() == fast.keys()
        for key, output in fast.items():
            assert output.values.dtype == output.bound.dtype == np.float64
            wanted = np.asarray(precise[key].values, np.float64)
            np.testing.assert_allclose(output.values, wanted, rtol=1e-15, atol=0, equal_nan=True)
            np.testing.assert_allclose(output.bound, np.asarray(precise[key].bound, np.float64), rtol=1e-14)
            wide = bounds.stored(precise[key].values, precise[key].bound, dtype)
            np.testing.assert_allclose(bounds.stored(output.values, output.bound, dtype), wide, rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_all_inputs_of_a_half_format_take_a_fraction_of_a_second(dtype):
    with np.errstate(invalid="ignore"):
        x = np.arange(2**16, dtype=np.uint16).view(np.dtype(getattr(ml_dtypes, dtype, dtype))).astype(np.float64)
        made = OPERATIONS["elu"](Case({"x": x, "dy": x}, {"x": dtype}, {"alpha": 1.0}))
        wide = bounds.stored(made["y"].values, made["y"].bound, dtype)
    assert np.isfinite(wide).all()
    assert (wide[x > 0] == 0).all()
    assert (wide[x < 0] > 0).any()
