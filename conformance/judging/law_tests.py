"""Test random samples against laws (spec/numerics.md, Laws).

Each test rejects a correct sample with a probability of at most ``RATE``; those of the support, of patterns and of
scales never do.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from nnconform.conformance.model.result import Measured
from nnconform.conformance.vectors.described_tensors import every
from nnconform.conformance.vectors.tensors import widened
from nnconform.conformance.vectors.vector import LawTensor
from nnconform.reference.bounds import HALF, working
from nnconform.reference.rounding import FORMATS, round_number

from .compare import Comparison, shape_problem, spacing
from .distribution import Distribution
from .sample import Correlation, Sample

# The largest probability of a false alarm of one test.
RATE = 1e-11
# The two-sided normal quantile of 5e-12: with the skewness of the means at n = 65,536, the total stays below RATE.
CRITICAL_Z = 6.9
# If a sample is rounded twice, or its scale is off, more elements may be equal: it needs this share of the values only.
ROUNDED_TWICE = 0.5
# From this number of elements of float32 and float64, more than half must differ.
LONG = 1000


class Statistic(NamedTuple):
    """One test's statistic over its critical value: at most 1 for a sample that follows the law.

    Attributes:
        name: of the test.
        ratio: statistic over critical value.
        random: a correct sample may fail it, with a probability of at most ``RATE``.
        graded: the ratio grows from 0 with the error; if not, that of a correct sample may be just below 1.
    """

    name: str
    ratio: float
    random: bool = True
    graded: bool = True


def critical_distance(n: int) -> float:
    """Return the Kolmogorov-Smirnov distance that a correct sample of ``n`` exceeds with probability ``RATE``."""
    return math.sqrt(math.log(2 / RATE) / (2 * n))


def critical_sum(terms: int, sums: int) -> float:
    """Return the size that the largest of some sums of products exceeds with probability ``RATE``.

    The elements are independent; ``terms`` is the number of products in each sum.

    Bernstein's inequality: the products have variance 1 and E|p|^k <= k! / 2 (spec/numerics.md, Laws).
    """
    needed = math.log(2 * sums / RATE)
    return math.sqrt(2 * terms * needed) + needed


@functools.cache
def expected_distinct(law: str, stddev: float, dtype: str, n: int) -> tuple[float, float]:
    """Return the number of different values in ``n`` samples of a half format: the mean, and the largest shortfall.

    The numbers of times that values are drawn are negatively associated, so Bernstein's inequality holds for the number
    of values that are drawn at all.
    """
    values = np.unique(widened(every(dtype, "every-but-nan")))
    values = values[np.isfinite(values)]
    ends = (values[1:] + values[:-1]) / 2
    shares = np.diff(Distribution.of(law).below(np.array([-np.inf, *ends, np.inf]) / stddev))
    missed = (1 - shares[shares > 0]) ** n
    needed = math.log(1 / RATE)
    return float(np.sum(1 - missed)), math.sqrt(2 * float(np.sum(missed * (1 - missed))) * needed) + needed


def accuracy(law: LawTensor) -> float:
    """Return the relative error that the scale of a law's samples may have (FORMAT-12)."""
    return 4 * float(working(law.dtype).u) if law.accuracy is None else law.accuracy


def expected_scale(law: LawTensor) -> float:
    """Return the factor of standard draws: normal ones, cut at 2 or not, or uniform ones of [-1, 1]."""
    return {"normal": law.stddev, "truncated_normal": law.bound / 2, "uniform": law.bound}[law.law]


def limit(law: LawTensor, n: int) -> float:
    """Return the largest absolute value that one of ``n`` elements may have.

    RN(B (1 + a)): the sample is rounded once. The bound of an endless law is one that a correct sample seldom exceeds.
    """
    bound = law.bound
    if math.isinf(bound):
        bound = law.stddev * Distribution.of(law.law).exceeded(RATE / n)
    return round_number(Decimal(bound) * (1 + Decimal(accuracy(law))), FORMATS[law.dtype])


def statistics(sample: Sample, law: LawTensor) -> Iterator[Statistic]:
    """Yield the tests of one sample against a law, the fastest first; none for an empty sample."""
    n, off = sample.size, accuracy(law)
    if not n:
        return
    if not sample.finite:
        yield Statistic("support", math.inf, random=False)
        return
    distribution = Distribution.of(law.law, law.levels)
    yield Statistic("support", sample.largest / limit(law, n), random=math.isinf(law.bound), graded=False)
    reached = distribution.exceeded(math.log(1 / RATE) / n) if not law.levels else 0.0
    if reached:
        least = reached * law.stddev * (1 - off) * (1 - 2.0 ** -FORMATS[law.dtype].bits)
        yield Statistic("reach", least / sample.largest if sample.largest else math.inf, graded=False)
    yield from _moments(sample, law, distribution)
    yield from _distinct(sample, law)
    yield Statistic("Kolmogorov-Smirnov", _distance(sample, law, distribution, off) / critical_distance(n))
    # A larger deviation must not count as dependence.
    square = max(law.stddev**2, sample.moments[2])
    for correlation in sample.correlations:
        yield Statistic(correlation.name, abs(correlation.total) / (square * _critical(correlation)))


def _critical(correlation: Correlation) -> float:
    # Products along an axis share elements; those of two channels do not, and Bernstein's inequality holds for them.
    if correlation.shared:
        return CRITICAL_Z * math.sqrt(correlation.terms)
    return critical_sum(correlation.terms, correlation.sums)


def largest_change(k: int, expected: float, law: LawTensor) -> float:
    """Return the largest change of the mean of z^k by relative errors of ``accuracy`` in all elements.

    They do not change the mean itself: arithmetic that rounds to nearest treats both signs alike. That of draws with
    levels, which are not symmetric, changes by at most accuracy E|z| <= accuracy.
    """
    if k == 1:
        return accuracy(law) if law.levels else 0.0
    return ((1 + accuracy(law)) ** k - 1) * expected


def fewest(n: int) -> int:
    """Return the least number of different values in ``n`` samples of float32 or float64."""
    return n // 2 + 1


def _moments(sample: Sample, law: LawTensor, distribution: Distribution) -> Iterator[Statistic]:
    expected = distribution.moments
    for name, k in (("mean", 1), ("variance", 2), ("fourth moment", 4)):
        spread = math.sqrt((expected[2 * k] - expected[k] ** 2) / sample.size)
        change = largest_change(k, expected[k], law)
        error = abs(sample.moments[k] / law.stddev**k - expected[k])
        yield Statistic(name, error / (CRITICAL_Z * spread + change))


def _distinct(sample: Sample, law: LawTensor) -> Iterator[Statistic]:
    if law.dtype not in HALF:
        # Of 65,536 draws from 2^23 equally likely values, about 256 repeat one; half of a long sample never does.
        if sample.size >= LONG:
            yield Statistic("distinct values", fewest(sample.size) / sample.distinct, graded=False)
        return
    if law.levels:
        yield Statistic("distinct values", sample.distinct / law.levels, random=False, graded=False)
        return
    mean, missing = expected_distinct(law.law, law.stddev, law.dtype, sample.size)
    needed = (mean - missing) * (1.0 if law.accuracy is None else ROUNDED_TWICE)
    yield Statistic("distinct values", needed / sample.distinct, graded=False)


def _distance(sample: Sample, law: LawTensor, distribution: Distribution, off: float) -> float:
    """Return the largest distance of the two distribution functions at the ends of the rounding intervals."""
    lower, upper, below, up_to = sample.steps
    highest = distribution.below((upper + off * np.abs(upper)) / law.stddev)
    lowest = distribution.below((lower - off * np.abs(lower)) / law.stddev)
    return float(max(np.max(up_to - highest), np.max(lowest - below)))


def compare(sample: Sample, law: LawTensor) -> Comparison:
    """Compare a sample with its law; the problem names the tests that it fails."""
    if problem := shape_problem(sample.elements, law.dtype, law.shape):
        return Comparison(False, math.inf, math.inf, problem=problem)
    results = every_test(sample, law)
    failed = [s for s in results if s.ratio > 1]
    worst = max((s.ratio for s in results if s.graded or s.ratio > 1), default=0.0)
    wrong = f"not {law.law} of deviation {law.stddev:.6g}: {_words(failed)}" if failed else ""
    return Comparison(not failed, worst, scale_ulp(sample, law), problem=wrong)


def comparable(sample: Sample, law: LawTensor) -> bool:
    """Return True if a sample has the dtype and shape of its law."""
    return not shape_problem(sample.elements, law.dtype, law.shape)


def fits(sample: Sample, law: LawTensor) -> bool:
    """Return True if a sample has a law's dtype and shape and passes all its tests; the first failure ends them."""
    return comparable(sample, law) and all(s.ratio <= 1 for s in tests(sample, law))


def every_test(sample: Sample, law: LawTensor) -> list[Statistic]:
    """Return the statistics of all tests of a sample against a law, computed once."""
    if law not in sample.tested:
        sample.tested[law] = list(tests(sample, law))
    return sample.tested[law]


def tests(sample: Sample, law: LawTensor) -> Iterator[Statistic]:
    """Yield all tests of a sample, or of several (``pattern``), against a law."""
    if not law.pattern:
        yield from statistics(sample, law)
        yield from _scale(sample, law)
        return
    yield from _pattern(sample, law)
    for i in (law.pattern.index(letter) for letter in sorted(set(law.pattern))):
        one = Sample(sample.elements[i], None if sample.draws is None else sample.draws[i])
        yield from statistics(one, law)
        yield from _scale(one, law)


def _scale(sample: Sample, law: LawTensor) -> Iterator[Statistic]:
    if scale := sample.scale(law.law):
        expected = expected_scale(law)
        yield Statistic("scale", abs(scale.offset(expected)) / (accuracy(law) * expected), random=False)


def scale_ulp(sample: Sample, law: LawTensor) -> float:
    """Return the error of the scale in units in the last place of the working precision; 0 if it is unknown."""
    scale = None if law.pattern else sample.scale(law.law)
    if scale is None:
        return 0.0
    expected = expected_scale(law)
    unit = spacing(np.array([expected]), "float64" if law.dtype == "float64" else "float32")
    return abs(scale.offset(expected)) / float(unit[0])


def _pattern(sample: Sample, law: LawTensor) -> Iterator[Statistic]:
    """Yield the tests that samples of equal letters are equal and those of different letters are independent."""
    for i, j in itertools.combinations(range(len(law.pattern)), 2):
        one, other = sample.wide[i], sample.wide[j]
        same = np.array_equal(one, other, equal_nan=True)
        if law.pattern[i] == law.pattern[j]:
            yield Statistic(f"sample {j + 1} as sample {i + 1}", 0.0 if same else math.inf, random=False)
        elif sample.finite and one.size:
            total = abs(float(np.sum(one * other)))
            yield Statistic(
                f"sample {j + 1} independent of sample {i + 1}", total / (law.stddev**2 * critical_sum(one.size, 1))
            )


def _words(failed: Sequence[Statistic]) -> str:
    return ", ".join(f"{s.name} {s.ratio:.3g} times its critical value" for s in failed)


def measured(sample: Sample, law: LawTensor) -> Measured:
    """Return statistics of a sample, with the expected ones.

    The fan that the deviation implies, 2 / variance, comes with an interval. It holds the true fan with a probability
    of at least 1 - ``RATE`` if the sample follows its law except for the deviation. A known scale of the same family
    gives the fan exactly; then it lies in the interval.
    """
    values = Measured(sample.stddev, law.stddev, sample.largest, sum(s.random for s in every_test(sample, law)))
    if law.pattern or not sample.finite or not sample.moments[2]:
        return values
    fan, spread = 2 / sample.moments[2], CRITICAL_Z * _spread(sample, law)
    low, high = fan * max(1 - spread, 0.0), fan * (1 + spread)
    if scale := sample.scale(law.law):
        expected = expected_scale(law)
        values = replace(values, scale=scale.nearest(expected), expected_scale=expected)
        exact = 2 / (law.stddev * scale.nearest(expected) / expected) ** 2
        if low <= exact <= high:
            fan = low = high = exact
    return replace(
        values,
        implied_fan=fan,
        implied_fan_low=low,
        implied_fan_high=high,
        expected_fan=2 / law.stddev**2,
        distinct=sample.distinct,
    )


def _spread(sample: Sample, law: LawTensor) -> float:
    """Return the relative deviation of the variance of samples of a law."""
    return math.sqrt((Distribution.of(law.law).moments[4] - 1) / sample.size)
