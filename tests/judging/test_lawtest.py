"""A sample of the right law passes whatever the seed, and each wrong law is refused."""

from __future__ import annotations

import itertools
import math

import ml_dtypes
import numpy as np
import pytest

from nnconform.conformance.judging import law_tests
from nnconform.conformance.judging.distribution import Distribution
from nnconform.conformance.judging.law_tests import CRITICAL_Z, RATE, compare
from nnconform.conformance.judging.sample import Sample
from nnconform.conformance.vectors.vector import LawTensor
from nnconform.reference.initialization import Law, he_normal_law, he_uniform_law

N, FAN = 65_536, 72
NORMAL, UNIFORM = he_normal_law(FAN), he_uniform_law(FAN)
PLAIN = Law("normal", NORMAL.stddev, math.inf)
DTYPES = ["float64", "float32", "float16", ml_dtypes.bfloat16]


def truncated(seed: int, deviation: float, cut: float = 2.0) -> np.ndarray:
    """Draw from a normal law of a deviation, cut at ``cut`` of its deviations."""
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


def tensor(law: Law, shape: tuple[int, ...] = (N,), dtype: str = "float32") -> LawTensor:
    return LawTensor(dtype, shape, *law)


def refusal(sample: np.ndarray, law: Law, dtype: str = "float32", draws: np.ndarray | None = None) -> str:
    return compare(Sample(sample.astype(dtype), draws), tensor(law, sample.shape, dtype)).problem


@pytest.mark.parametrize("law", [NORMAL, UNIFORM, PLAIN], ids=lambda law: law.law)
@pytest.mark.parametrize("seed", range(20))
def test_a_right_sample_passes_for_every_seed(law, seed):
    assert refusal(right(law, seed), law) == ""


@pytest.mark.parametrize("law", [NORMAL, UNIFORM, PLAIN], ids=lambda law: law.law)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_right_sample_passes_in_every_dtype(law, dtype):
    assert refusal(right(law, 0), law, np.dtype(dtype).name) == ""


WRONG = {
    "untruncated": (NORMAL, lambda seed: right(PLAIN, seed)),
    "truncated for untruncated": (PLAIN, lambda seed: right(NORMAL, seed)),
    "uncorrected": (NORMAL, lambda seed: truncated(seed, NORMAL.stddev)),
    "cut at three": (NORMAL, lambda seed: truncated(seed, NORMAL.stddev / 0.9866, cut=3.0)),
    "cut at three, for untruncated": (PLAIN, lambda seed: truncated(seed, NORMAL.stddev / 0.9866, cut=3.0)),
    "uniform for normal": (NORMAL, lambda seed: right(UNIFORM, seed)),
    "normal for uniform": (UNIFORM, lambda seed: right(NORMAL, seed)),
    "1 % too wide": (NORMAL, lambda seed: 1.01 * right(NORMAL, seed)),
    "1 % too narrow": (NORMAL, lambda seed: 0.99 * right(NORMAL, seed)),
    "uniform 1 % too narrow": (UNIFORM, lambda seed: 0.99 * right(UNIFORM, seed)),
    "mean off": (NORMAL, lambda seed: right(NORMAL, seed) * 0.97 + 0.05 * NORMAL.stddev),
    "one sign": (UNIFORM, lambda seed: np.abs(right(UNIFORM, seed))),
    "constant": (UNIFORM, lambda seed: np.full(N, UNIFORM.stddev)),
    "zeros": (NORMAL, lambda seed: np.zeros(N)),
    "half of it zeros": (NORMAL, lambda seed: right(NORMAL, seed) * (np.arange(N) % 2)),
    "two values": (UNIFORM, lambda seed: np.sign(right(UNIFORM, seed)) * UNIFORM.stddev),
    "one NaN": (NORMAL, lambda seed: np.append(right(NORMAL, seed)[:-1], math.nan)),
    "one infinity": (UNIFORM, lambda seed: np.append(right(UNIFORM, seed)[:-1], math.inf)),
    "one element outside": (UNIFORM, lambda seed: np.append(right(UNIFORM, seed)[:-1], 1.001 * UNIFORM.bound)),
    "no gain": (NORMAL, lambda seed: right(NORMAL, seed) / math.sqrt(2)),
    "every value twice": (NORMAL, lambda seed: np.tile(right(NORMAL, seed)[: N // 2], 2)),
    "numbers of float16": (NORMAL, lambda seed: right(NORMAL, seed).astype("f2").astype("f4")),
    "sorted": (NORMAL, lambda seed: np.sort(right(NORMAL, seed))),
    "three elements come twice": (NORMAL, lambda seed: _twice(right(NORMAL, seed))),
    "a channel repeats another": (UNIFORM, lambda seed: _repeat_a_row(right(UNIFORM, seed).reshape(64, -1))),
}


def _twice(sample: np.ndarray) -> np.ndarray:
    return np.repeat(sample[: N // 6 * 3].reshape(-1, 1, 3), 2, axis=1).ravel()


def _repeat_a_row(sample: np.ndarray) -> np.ndarray:
    sample[40] = sample[3]
    return sample


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("law", "draw"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_sample_is_refused_whatever_the_seed(law, draw, seed):
    assert refusal(draw(seed), law).startswith(f"not {law.law} of deviation")


def test_a_refusal_names_the_test_that_failed():
    assert "support" in refusal(np.append(right(UNIFORM, 0)[:-1], 0.2 + UNIFORM.bound), UNIFORM)
    assert "reach" in refusal(truncated(0, NORMAL.stddev / 0.9866, cut=3.0), PLAIN)
    assert "mean" in refusal(right(UNIFORM, 0) + 0.1, UNIFORM)
    assert "channels of axis 0" in refusal(_repeat_a_row(right(UNIFORM, 0).reshape(64, -1)), UNIFORM)
    assert "elements 3 apart along axis 0" in refusal(_twice(right(NORMAL, 0)), NORMAL)


def test_dtype_and_shape_come_before_the_law():
    assert compare(Sample(right(NORMAL, 0)), tensor(NORMAL)).problem == "dtype float64, wanted float32"
    square = Sample(right(NORMAL, 0).astype("f4").reshape(256, 256))
    assert compare(square, tensor(NORMAL)).problem.startswith("shape [256, 256]")


def test_a_sample_of_no_elements_has_any_law():
    assert refusal(np.zeros((0, 8)), NORMAL) == ""


def test_a_sample_at_its_very_bound_is_inside_after_rounding_to_half():
    edge = np.append(right(UNIFORM, 1)[:-1], UNIFORM.bound)
    assert refusal(edge, UNIFORM, "float16") == ""


# Draws of few bits, and scales


def few_bits(seed: int, law: Law, levels: int) -> np.ndarray:
    atoms = Distribution.of(law.law, levels).atoms
    return law.stddev * atoms[np.random.default_rng(seed).integers(0, levels, N)]


@pytest.mark.parametrize("law", [NORMAL, UNIFORM], ids=lambda law: law.law)
@pytest.mark.parametrize(("dtype", "levels"), [("bfloat16", 128), ("float16", 1024)])
@pytest.mark.parametrize("seed", range(3))
def test_draws_of_few_bits_follow_their_own_law_and_not_the_other(law, dtype, levels, seed):
    sample = few_bits(seed, law, levels)
    assert "distinct values" in refusal(sample, law, dtype)
    assert refusal(sample, law._replace(levels=levels), dtype) == ""
    assert refusal(right(law, seed), law._replace(levels=levels), dtype) != ""


def test_as_many_values_are_drawn_as_rounding_gives():
    for seed in range(5):
        count = len(np.unique(right(NORMAL, seed).astype(ml_dtypes.bfloat16)))
        mean, missing = law_tests.expected_distinct("truncated_normal", NORMAL.stddev, "bfloat16", N)
        assert abs(count - mean) < missing / 2


PRODUCTS = {
    "product": lambda z, s, dtype: (z.astype(dtype) * dtype(s)).astype(dtype),
    "rounded apart": lambda z, s, dtype: (z * s).astype(dtype),
}


@pytest.mark.parametrize("way", PRODUCTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_a_gain_that_is_wrong_by_1e_5_shows_in_the_draws_and_in_no_statistic(way, dtype):
    z = truncated(1, 1.0)
    for wrong, words in ((1.0, ""), (1 + 1e-5, "scale")):
        sample = PRODUCTS[way](z, NORMAL.bound / 2 * wrong, dtype)
        # A support that ends 1e-5 later needs more samples than these.
        problem = refusal(sample, NORMAL, np.dtype(dtype).name, z.astype(dtype))
        assert (words in problem) if words else problem == ""
        assert "scale" not in refusal(sample, NORMAL, np.dtype(dtype).name)


def test_a_uniform_scale_is_found_though_it_was_shifted():
    unit = np.random.default_rng(1).random(N, np.float32)
    end = np.float32(UNIFORM.bound)
    sample, draws = unit * (2 * end) - end, unit * np.float32(2) - np.float32(1)
    assert refusal(sample, UNIFORM, draws=draws) == ""
    assert "scale" in refusal(sample * np.float32(1 - 1e-5), UNIFORM, draws=draws)


def test_the_error_of_a_scale_is_in_units_of_the_last_place():
    z = truncated(1, 1.0).astype(np.float32)
    tau = np.float32(NORMAL.bound / 2)
    for steps in (0, 1, 3, 7):
        scale = np.float32(tau + steps * np.spacing(tau))
        comparison = compare(Sample(z * scale, z), tensor(NORMAL))
        assert comparison.ulp == pytest.approx(steps, abs=0.6)
        assert comparison.fits == (steps <= 4)


def test_one_element_that_is_no_multiple_of_its_draw_hides_no_scale():
    z = truncated(1, 1.0).astype(np.float32)
    sample = z * np.float32(NORMAL.bound / 2 * (1 - 1e-5))
    sample[7] *= -1
    assert "scale" in refusal(sample, NORMAL, draws=z)


def test_draws_of_the_other_sign_are_draws_as_well():
    z = truncated(1, 1.0).astype(np.float32)
    assert Sample(z * np.float32(NORMAL.bound / 2), -z).scale("truncated_normal") is not None
    assert refusal(z * np.float32(NORMAL.bound / 2), NORMAL, draws=-z) == ""


@pytest.mark.parametrize("draws", [np.zeros(4), np.full(4, 1e-45), np.ones(4), np.full(4, np.nan)], ids=str)
def test_impossible_draws_give_no_scale(draws):
    assert Sample(np.ones(4, np.float32), draws.astype(np.float32)).scale("normal") is None


def test_draws_of_another_stream_give_no_scale():
    sample = Sample(right(NORMAL, 1).astype("f4"), truncated(2, 1.0).astype("f4"))
    assert sample.scale("truncated_normal") is None
    assert compare(sample, tensor(NORMAL)).fits


# Several samples


@pytest.mark.parametrize(
    ("seeds", "words"),
    [((1, 1, 2), ""), ((1, 3, 2), "sample 2 as sample 1"), ((1, 1, 1), "sample 3 independent of sample 1")],
)
def test_samples_of_a_pattern_are_the_same_or_independent(seeds, words):
    sample = np.stack([right(NORMAL, seed) for seed in seeds])
    problem = refusal(sample, NORMAL._replace(pattern="aab"))
    assert words in problem if words else problem == ""


def test_each_of_several_samples_must_follow_the_law():
    sample = np.stack([right(NORMAL, 1), right(PLAIN, 2)])
    assert "support" in refusal(sample, NORMAL._replace(pattern="ab"))


@pytest.mark.parametrize("law", ["normal", "truncated_normal", "uniform"])
def test_the_quantiles_of_a_law_invert_its_distribution_function(law):
    shares = [1e-6, 0.01, 0.25, 0.5, 0.9, 1 - 1e-6]
    probabilities = Distribution.of(law).below(np.array([Distribution.of(law).quantile(share) for share in shares]))
    np.testing.assert_allclose(probabilities, shares, atol=2e-9)


# Rates


# The fourth power of a whole normal law has heavier tails than an exponential, and so no saddlepoint.
@pytest.mark.parametrize(
    ("law", "k"), [*itertools.product(["truncated_normal", "uniform"], [1, 2, 4]), ("normal", 1), ("normal", 2)]
)
def test_the_rate_of_a_moment_is_that_which_is_said(law, k):
    """The tail of the mean of z^k, by the saddlepoint of its cumulants (Lugannani and Rice)."""
    powers = np.array([Distribution.of(law).quantile((i + 0.5) / 20_000) for i in range(20_000)]) ** k
    expected = Distribution.of(law).moments
    spread = math.sqrt((expected[2 * k] - expected[k] ** 2) / N)
    for side in (1, -1):
        assert _tail(side * powers, float(np.mean(side * powers)) + CRITICAL_Z * spread) < RATE / 2


def _tail(values: np.ndarray, above: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(200):
        t = (low + high) / 2
        weights = np.exp(t * (values - values.max()))
        low, high = (t, high) if np.average(values, weights=weights) < above else (low, t)
    weights = np.exp(t * (values - values.max()))
    cumulant = math.log(np.mean(weights)) + t * values.max()
    second = np.average(values**2, weights=weights) - np.average(values, weights=weights) ** 2
    w = math.sqrt(2 * N * (t * above - cumulant))
    u = t * math.sqrt(N * second)
    return 0.5 * math.erfc(w / math.sqrt(2)) + math.exp(-w * w / 2) / math.sqrt(2 * math.pi) * (1 / u - 1 / w)


@pytest.mark.parametrize("law", ["truncated_normal", "uniform"])
@pytest.mark.parametrize("factor", [1.03, 0.97])
def test_a_deviation_that_is_off_by_3_percent_is_missed_less_than_once_in_1e9(law, factor):
    """By the variance alone, whose tail is nearly normal; the support and the reach see more."""
    spread = math.sqrt((Distribution.of(law).moments[4] - 1) / N)
    short_of = abs(factor**2 - 1) / spread - CRITICAL_Z
    assert 0.5 * math.erfc(short_of / factor**2 / math.sqrt(2)) < 1e-9
