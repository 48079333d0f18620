"""Decide whether a random sample follows a law (spec/numerics.md, Laws).

At n = 65,536 and the critical values below, a right sample is refused with a probability of about 1e-9 a test.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from nnconform.conformance.suite.tensors import Array
from nnconform.conformance.suite.vectors import LawTensor
from nnconform.reference.bounds import working
from nnconform.reference.initialization import TRUNCATED_DEVIATION
from nnconform.reference.rounding import FORMATS, round_number

from .compare import Comparison, shape_problem

# Two-sided normal quantile of 1e-9.
CRITICAL_Z = 6.109
# Where a truncated normal law is cut, in deviations of the whole law.
CUT = 2.0


def critical_distance(n: int) -> float:
    """Return the Kolmogorov-Smirnov distance that a right sample of ``n`` exceeds with probability 1e-9."""
    return math.sqrt(math.log(2e9) / (2 * n))


@functools.cache
def even_moments(law: str) -> tuple[float, float, float]:
    """Return E[z^2], E[z^4] and E[z^8] of a law scaled to deviation 1."""
    if law == "normal":
        return 1.0, 3.0, 105.0
    if law == "uniform":
        return 1.0, 9 / 5, 9.0
    # m_k = (k - 1) m_{k-2} - 2 c^(k-1) phi(c) / (2 Phi(c) - 1) for a standard normal law cut at +-c
    inside = math.erf(CUT / math.sqrt(2))
    density = math.exp(-CUT * CUT / 2) / math.sqrt(2 * math.pi)
    moments = {0: 1.0}
    for k in range(2, 9, 2):
        moments[k] = (k - 1) * moments[k - 2] - 2 * CUT ** (k - 1) * density / inside
    scale = moments[2]
    return 1.0, moments[4] / scale**2, moments[8] / scale**4


def distribution(law: str, z: Array) -> Array:
    """Return the distribution function of a law scaled to deviation 1."""
    if law == "uniform":
        return np.clip(0.5 + z / (2 * math.sqrt(3)), 0, 1)
    unit = z if law == "normal" else np.clip(z * TRUNCATED_DEVIATION, -CUT, CUT)
    cumulated = np.array([math.erf(v) for v in (unit / math.sqrt(2)).tolist()])
    return 0.5 * (1 + (cumulated if law == "normal" else cumulated / math.erf(CUT / math.sqrt(2))))


def statistics(sample: Array, law: str, stddev: float, bound: float, dtype: str) -> dict[str, float]:
    """Return each test's statistic over its critical value: up to 1 in a sample that follows the law.

    Args:
        sample: any shape and float dtype.
        law: ``normal``, ``truncated_normal`` or ``uniform``.
        stddev: standard deviation of the samples.
        bound: no sample may exceed it; infinite for ``normal``.
        dtype: the sample's, whose rounding may move the largest element beyond the bound.
    """
    z = np.sort(sample.astype(np.float64).ravel()) / stddev
    n = z.size
    if not np.isfinite(z).all():
        return {"support": math.inf}
    _, fourth, eighth = even_moments(law)
    support = 0.0
    if math.isfinite(bound):
        # |x| <= RN(B (1 + 4u)): the bound is computed in the working precision, the sample rounded once.
        limit = round_number(Decimal(bound) * (1 + 4 * working(dtype).u), FORMATS[dtype])
        support = float(np.max(np.abs(sample.astype(np.float64)))) / limit
    square = z * z
    # The deviation of each mean is known from the law's moments.
    deviations = {
        "mean": (float(np.mean(z)), math.sqrt(1 / n)),
        "variance": (float(np.mean(square)) - 1, math.sqrt((fourth - 1) / n)),
        "fourth moment": (float(np.mean(square * square)) - fourth, math.sqrt((eighth - fourth**2) / n)),
    }
    steps = distribution(law, z)
    above = np.arange(1, n + 1) / n - steps
    below = steps - np.arange(n) / n
    distance = float(max(np.max(above), np.max(below)))
    result = {name: abs(value) / (CRITICAL_Z * scale) for name, (value, scale) in deviations.items()}
    result |= {"Kolmogorov-Smirnov": distance / critical_distance(n)}
    return {"support": support, **result, "neighbours": _neighbours(sample, stddev) / CRITICAL_Z}


def _neighbours(sample: Array, stddev: float) -> float:
    """Return the greatest z of the correlation of neighbours along an axis, 0 for independent elements (INIT-11)."""
    z = sample.astype(np.float64) / stddev
    worst = 0.0
    for axis in range(z.ndim):
        along = np.moveaxis(z, axis, 0)
        products = along[1:] * along[:-1]
        if products.size:
            worst = max(worst, abs(float(np.sum(products))) / math.sqrt(products.size))
    return worst


def compare(sample: Array, expected: LawTensor) -> Comparison:
    """Compare a sample with the law that it should follow; the problem names the tests that it fails."""
    if problem := shape_problem(sample, expected.dtype, expected.shape):
        return Comparison(False, math.inf, math.inf, problem=problem)
    found = statistics(sample, expected.law, expected.stddev, expected.bound, expected.dtype)
    # The support is a hard bound: just inside is not "nearly refused".
    worst = max((v for k, v in found.items() if k != "support"), default=0.0)
    failed = [name for name, value in found.items() if value > 1]
    ratio = max(worst, found["support"]) if found["support"] > 1 else worst
    problem = f"not {expected.law} of deviation {expected.stddev:.6g}: {_words(failed, found)}" if failed else ""
    return Comparison(not failed, ratio, 0.0, problem=problem)


def _words(failed: Sequence[str], found: dict[str, float]) -> str:
    return ", ".join(f"{name} {found[name]:.3g} times its critical value" for name in failed)


def measured(sample: Array) -> dict[str, float]:
    """Return a sample's own deviation and largest size, for a report."""
    wide = sample.astype(np.float64)
    return {"stddev": float(np.std(wide)), "largest": float(np.max(np.abs(wide), initial=0.0))}
