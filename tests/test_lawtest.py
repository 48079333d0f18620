"""A sample of the right law passes whatever the seed, and each wrong law is refused."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

from nnconform.conformance.judging.lawtest import compare, statistics
from nnconform.conformance.suite.vectors import LawTensor
from nnconform.reference.initialization import Law, he_normal_law, he_uniform_law

N, FAN = 65_536, 72
NORMAL, UNIFORM = he_normal_law(FAN), he_uniform_law(FAN)
PLAIN = Law("normal", NORMAL.stddev, math.inf)


def truncated(seed: int, deviation: float, cut: float = 2.0) -> np.ndarray:
    """Draw from a normal law of a deviation, cut at ``cut`` of its own deviations."""
    z = np.random.default_rng(seed).standard_normal(2 * N)
    return deviation * z[np.abs(z) <= cut][:N]


def right(law: Law, seed: int) -> np.ndarray:
    stream = np.random.default_rng(seed)
    match law.law:
        case "normal":
            return stream.normal(0, law.stddev, N)
        case "uniform":
            return stream.uniform(-law.bound, law.bound, N)
    return truncated(seed, law.bound / 2)


def refusal(sample: np.ndarray, law: Law, dtype: str = "float32") -> str:
    return compare(sample.astype(dtype), LawTensor(dtype, (len(sample),), *law)).problem


@pytest.mark.parametrize("law", [NORMAL, UNIFORM, PLAIN], ids=lambda law: law.law)
@pytest.mark.parametrize("seed", range(20))
def test_a_right_sample_passes_whatever_the_seed(law, seed):
    assert refusal(right(law, seed), law) == ""


@pytest.mark.parametrize("law", [NORMAL, UNIFORM], ids=lambda law: law.law)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", ml_dtypes.bfloat16], ids=str)
def test_a_right_sample_passes_in_every_dtype(law, dtype):
    assert refusal(right(law, 0), law, np.dtype(dtype).name) == ""


WRONG = {
    "untruncated": (NORMAL, lambda seed: right(PLAIN, seed)),
    "uncorrected": (NORMAL, lambda seed: truncated(seed, NORMAL.stddev)),
    "cut at three": (NORMAL, lambda seed: truncated(seed, NORMAL.stddev / 0.9866, cut=3.0)),
    "uniform for normal": (NORMAL, lambda seed: right(UNIFORM, seed)),
    "normal for uniform": (UNIFORM, lambda seed: right(NORMAL, seed)),
    "3 % too wide": (NORMAL, lambda seed: 1.03 * right(NORMAL, seed)),
    "3 % too narrow": (NORMAL, lambda seed: 0.97 * right(NORMAL, seed)),
    "uniform 3 % too narrow": (UNIFORM, lambda seed: 0.97 * right(UNIFORM, seed)),
    "mean off": (NORMAL, lambda seed: right(NORMAL, seed) * 0.97 + 0.05 * NORMAL.stddev),
    "one sign": (UNIFORM, lambda seed: np.abs(right(UNIFORM, seed))),
    "constant": (UNIFORM, lambda seed: np.full(N, UNIFORM.stddev)),
    "zeros": (NORMAL, lambda seed: np.zeros(N)),
    "half of it zeros": (NORMAL, lambda seed: right(NORMAL, seed) * (np.arange(N) % 2)),
    "two values": (UNIFORM, lambda seed: np.sign(right(UNIFORM, seed)) * UNIFORM.stddev),
    "one NaN": (NORMAL, lambda seed: np.append(right(NORMAL, seed)[:-1], math.nan)),
    "one infinity": (UNIFORM, lambda seed: np.append(right(UNIFORM, seed)[:-1], math.inf)),
    "one element outside": (
        UNIFORM,
        lambda seed: np.append(right(UNIFORM, seed)[:-1], 1.001 * UNIFORM.bound),
    ),
    "no gain": (NORMAL, lambda seed: right(NORMAL, seed) / math.sqrt(2)),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("law", "draw"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_sample_is_refused_whatever_the_seed(law, draw, seed):
    assert refusal(draw(seed), law).startswith(f"not {law.law} of deviation")


def test_a_refusal_names_the_test_that_failed():
    assert "support" in refusal(np.append(right(UNIFORM, 0)[:-1], 0.2 + UNIFORM.bound), UNIFORM)
    assert "mean" in refusal(right(UNIFORM, 0) + 0.1, UNIFORM)


def test_dtype_and_shape_come_before_the_law():
    asked = LawTensor("float32", (N,), *NORMAL)
    assert compare(right(NORMAL, 0), asked).problem == "dtype float64, wanted float32"
    assert compare(right(NORMAL, 0).astype("f4").reshape(256, 256), asked).problem.startswith("shape [256, 256]")


def test_a_sample_at_its_very_bound_is_inside_after_rounding_to_half():
    edge = np.append(right(UNIFORM, 1)[:-1], UNIFORM.bound)
    assert statistics(edge.astype("float16"), *UNIFORM, "float16")["support"] <= 1
