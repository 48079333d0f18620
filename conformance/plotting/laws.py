"""Density and quantiles of the laws of random samples, scaled to deviation 1."""

from __future__ import annotations

import math
from statistics import NormalDist

from nnconform.reference.initialization import TRUNCATED_DEVIATION

NORMAL = NormalDist()
# Where a truncated normal law is cut, in deviations of the whole law, and what of that law is inside.
CUT = 2.0
INSIDE = 1 - 2 * NORMAL.cdf(-CUT)


def density(law: str, z: float) -> float:
    """Return the density of a law at ``z``.

    Args:
        law: normal, truncated_normal or uniform.
        z: in deviations of the law.
    """
    if law == "normal":
        return NORMAL.pdf(z)
    if law == "uniform":
        return 1 / (2 * math.sqrt(3)) if abs(z) <= math.sqrt(3) else 0.0
    whole = z * TRUNCATED_DEVIATION
    return NORMAL.pdf(whole) * TRUNCATED_DEVIATION / INSIDE if abs(whole) <= CUT else 0.0


def quantile(law: str, share: float) -> float:
    """Return below which number of deviations a ``share`` of a law lies, more than 0 and less than 1 of it."""
    if law == "normal":
        return NORMAL.inv_cdf(share)
    if law == "uniform":
        return math.sqrt(3) * (2 * share - 1)
    return NORMAL.inv_cdf(NORMAL.cdf(-CUT) + share * INSIDE) / TRUNCATED_DEVIATION
