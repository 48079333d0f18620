"""The extremes of right samples are inside their interval, and those of a leak of one in a million are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpmath import mp

from nnconform.conformance.judging.compare import compare
from nnconform.reference.extremes import interval, support_end
from nnconform.reference.initialization import Law, he_normal_law, he_stddev, he_uniform_law

N, FAN = 20_971_520, 4096
NORMAL, UNIFORM = he_normal_law(FAN), he_uniform_law(FAN)
WHOLE = Law("normal", he_stddev(FAN), math.inf)
NARROW = Law("truncated_normal", he_stddev(FAN) * 0.87962566103423978, 2 * he_stddev(FAN))
LAWS = {law.law: law for law in (NORMAL, UNIFORM, WHOLE)}


def extremes_of(law: Law, seed: int) -> tuple[float, float]:
    """Return the extremes of N independent elements, from those of N uniform draws."""
    stream = np.random.default_rng(seed)
    # The largest of n uniform draws is the n-th root of one.
    beyond = [-math.expm1(math.log(stream.random()) / N) for _ in range(2)]
    low, high = (_exceeded(law, q) for q in beyond)
    return float(np.float32(-low)), float(np.float32(high))


def _exceeded(law: Law, q: float) -> float:
    """Return the number that one element exceeds with the probability q."""
    if law.law == "uniform":
        return law.bound * (1 - 2 * q)
    with mp.workdps(30):
        if law.law == "normal":
            return float(law.stddev * mp.sqrt(2) * mp.erfinv(1 - 2 * mp.mpf(q)))
        inside = mp.erf(mp.sqrt(2))
        return float(law.bound / 2 * mp.sqrt(2) * mp.erfinv(inside * (1 - 2 * mp.mpf(q))))


def fits(vector, low: float, high: float) -> bool:
    return compare(np.float32([low, high]), vector.expected["sample"]).fits


@pytest.fixture(params=["he_normal", "he_uniform"])
def vector_and_law(request, published):
    """A vector with extremes, and its law."""
    return published[f"{request.param}/extremes/float32"], NORMAL if request.param == "he_normal" else UNIFORM


@pytest.mark.parametrize("seed", range(20))
def test_the_extremes_of_a_right_sample_conform(vector_and_law, seed):
    vector, law = vector_and_law
    assert fits(vector, *extremes_of(law, seed))


@pytest.mark.parametrize("seed", range(20))
def test_one_element_in_a_million_beyond_the_end_does_not_conform(vector_and_law, seed):
    vector, law = vector_and_law
    low, high = extremes_of(law, seed)
    # Of N elements 21 are beyond, by a thousandth of the law's own numbers on average: the largest of them by more.
    leaked = law.bound * (1 + np.random.default_rng(seed).exponential(1e-3, 21).max())
    assert not fits(vector, low, float(np.float32(leaked)))
    assert not fits(vector, -float(np.float32(leaked)), high)


@pytest.mark.parametrize("seed", range(3))
def test_the_extremes_of_a_whole_sample_of_float32_conform_and_leaks_in_it_do_not(published, seed):
    vector, stream = published["he_uniform/extremes/float32"], np.random.default_rng(seed)
    sample = (stream.random(N, np.float32) * 2 - 1) * np.float32(UNIFORM.bound)
    assert fits(vector, sample.min(), sample.max())
    leaking = stream.random(N) < 1e-6
    sample[leaking] *= np.float32(1.5)
    assert not fits(vector, sample.min(), sample.max())


def test_draws_of_as_few_values_as_those_of_jax_conform(vector_and_law):
    vector, law = vector_and_law
    # The end's own value is not among them, and those next to it are not drawn: (1 - 9 / 2^23)^N is 2e-10.
    for missing in range(9):
        q = (missing + 1) / 2**23
        assert fits(vector, -float(np.float32(_exceeded(law, q))), float(np.float32(_exceeded(law, q))))


def test_an_end_that_is_off_by_a_few_parts_in_a_million_does_not_conform(vector_and_law):
    vector, law = vector_and_law
    for off in (-1.7e-5, 1.7e-5) if law is NORMAL else (-4.5e-6, 4.5e-6):
        for seed in range(20):
            low, high = extremes_of(law, seed)
            assert not fits(vector, low * (1 + off), high * (1 + off)), (off, seed)


@pytest.mark.parametrize(("one", "other"), [("nan", 0.04), (0.04, "nan"), ("inf", 0.04)])
def test_extremes_that_are_no_numbers_do_not_conform(vector_and_law, one, other):
    assert not fits(vector_and_law[0], float(one), float(other))


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_an_interval_begins_where_p_is_left_and_is_two_steps_of_float32_wider_at_most(law):
    centre, bound = interval(law, N)
    p = -math.expm1(-11 * math.log(10) / N) + 2**-21
    low = _exceeded(law, p)
    assert low * (1 - 2**-22) <= centre - bound <= low * (1 + 1e-13)
    assert np.float32(centre) == centre


@pytest.mark.parametrize("law", [NORMAL, UNIFORM])
def test_an_interval_ends_at_the_support(law):
    centre, bound = interval(law, N)
    assert centre + bound == support_end(law, "float32")
    assert law.bound < centre + bound <= law.bound * (1 + 6 * 2**-24)


def test_of_a_law_without_end_it_ends_where_none_of_the_draws_falls():
    centre, bound = interval(WHOLE, N)
    assert math.isclose(centre + bound, _exceeded(WHOLE, 1e-11 / N), rel_tol=2**-22)
    assert centre + bound >= _exceeded(WHOLE, 1e-11 / N)


@pytest.mark.parametrize(("dialect", "law"), [("untruncated-normal", WHOLE), ("uncorrected-truncation", NARROW)])
def test_dialects_lie_apart_and_hold_their_own_samples(published, dialect, law):
    vector = published["he_normal/extremes/float32"]
    for seed in range(20):
        got = np.float32(extremes_of(law, seed))
        assert compare(got, vector.prescribed[dialect]["sample"]).fits
        assert not compare(got, vector.expected["sample"]).fits


@pytest.mark.parametrize("law", [NORMAL._replace(levels=128), NORMAL._replace(accuracy=0.01)])
def test_laws_of_half_precision_have_no_such_interval(law):
    with pytest.raises(ValueError, match="drawn and scaled in float32"):
        interval(law, N)
