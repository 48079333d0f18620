"""The dialects of batch normalization act exactly where the arithmetic overflows, and not beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from nnconform.reference import exact
from nnconform.reference.case import Case
from nnconform.reference.variants import OPERATIONS


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with exact.precision(100):
        yield


def gradients(x: Sequence[float], dy: Sequence[float], *, gamma: float = 1.0, dialect: bool = True) -> list[float]:
    """The dx of one channel of variance 1/1600 or so, without an epsilon."""
    arrays = {"x": x, "dy": dy, "gamma": [gamma], "beta": [0.0], "running_mean": [0.0], "running_variance": [1.0]}
    inputs = {name: exact.exact(np.asarray(value)) for name, value in arrays.items()}
    inputs |= {name: inputs[name].reshape(-1, 1) for name in ("x", "dy")}
    attributes = {"epsilon": 0.0, "momentum": 0.5, "channel_axis": 1}
    case = Case(inputs, dict.fromkeys(inputs, "float16"), attributes)
    made = OPERATIONS["batch_norm_train"](case, cube_overflow=dialect)["dx"]
    infinite = [not math.isfinite(d) for d in made.values.ravel()]
    assert [d == 0 for d in made.bound.ravel()] == infinite if any(infinite) else True
    return [float(d) for d in made.values.ravel()]


# The mean is 3 / 1024.
SPREAD = [24 / 1024, -18 / 1024, 3 / 1024, 3 / 1024]


# float16's largest number is 65504 = 40.3097^3: a deviation of 0.0248078.
@pytest.mark.parametrize(("deviation", "finite"), [(0.02481, True), (0.0248, False)])
def test_the_third_power_overflows_above_the_largest_number_of_float16(deviation, finite):
    found = gradients([deviation, -deviation], [1.0, 0.5])
    assert [math.isfinite(d) for d in found] == [finite] * 2


def test_the_gradient_is_infinite_where_x_and_the_mean_differ_in_sign_and_else_nan():
    # The sum of dy (x - mean) is positive, so that v has the gradient -infinity.
    found = gradients(SPREAD, [1.0, 0.0, 0.0, 0.0])
    assert np.array_equal(found, [math.nan, math.inf, math.nan, math.nan], equal_nan=True)


def test_a_negative_gamma_turns_the_sign_and_no_gradient_of_the_variance_is_nan():
    assert gradients(SPREAD, [1.0, 0.0, 0.0, 0.0], gamma=-2.0)[1] == -math.inf
    assert all(math.isnan(d) for d in gradients(SPREAD, [0.0, 0.0, 1.0, 0.0]))


def test_a_gamma_of_zero_makes_the_gradient_nan():
    assert all(math.isnan(d) for d in gradients(SPREAD, [1.0, 0.0, 0.0, 0.0], gamma=0.0))


def test_without_the_dialect_the_gradient_is_finite():
    assert all(math.isfinite(d) for d in gradients(SPREAD, [1.0, 0.0, 0.0, 0.0], dialect=False))
