"""What pictures of a random sample are drawn from: a histogram and quantiles, in units of the expected deviation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnconform.conformance.vectors.vector import LawTensor

from .sample import Sample

# The histogram's range: twice what the widest law with a bound has, the truncated normal one (2.27).
LOW, HIGH = -4.0, 4.0
BINS = 64
# Between neighbouring quantiles lies one of so many equal parts of the sample.
PARTS = 32
# Significant digits of a quantile: more than a picture shows.
DIGITS = 5


def of_sample(sample: Sample, expected: LawTensor) -> dict[str, Any]:
    """Return the law, and a histogram and quantiles of a sample in units of the law's deviation.

    Args:
        sample: NaNs are left out.
        expected: the law that it should follow.

    Returns:
        ``law`` (name, and bound in the unit of the sample), ``histogram`` (low, high, and a count a bin, what lies
        beyond the ends in the first and last bin), and ``quantiles`` (the elements below or at which 0, 1/32, ..., 1 of
        the sample lie). Without histogram and quantiles where there is no number, or the law has no deviation.
    """
    found: dict[str, Any] = {"law": {"name": expected.law, "bound": expected.bound}}
    values, counts = sample.counted
    numbers = ~np.isnan(values)
    if not numbers.any() or not expected.stddev > 0:
        return found
    z, up_to = values[numbers] / expected.stddev, np.cumsum(counts[numbers])
    # How many lie below each edge of a bin; what lies beyond the ends is in the first and the last bin.
    below = np.append(0, up_to)[np.searchsorted(z, np.linspace(LOW, HIGH, BINS + 1)[1:-1])]
    in_bins = np.diff(np.concatenate([[0], below, up_to[-1:]]))
    # Elements of the sample, not means of neighbours: an infinite one stays what it is.
    quantiles = z[np.searchsorted(up_to, np.arange(PARTS + 1) / PARTS * up_to[-1])]
    return found | {
        "histogram": {"low": LOW, "high": HIGH, "counts": [int(count) for count in in_bins]},
        "quantiles": [rounded(float(q), DIGITS) for q in quantiles],
    }


def rounded(value: float, digits: int) -> float:
    """Return a number rounded to so many significant digits; one that is not finite as it is."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else value
