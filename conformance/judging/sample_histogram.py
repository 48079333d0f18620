"""The data of a random sample's plots: a histogram and quantiles, in units of the expected deviation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnconform.conformance.model.result import Histogram, Output, SampleLaw
from nnconform.conformance.numbers import rounded
from nnconform.conformance.vectors.vector import LawTensor

from .sample import Sample

# The histogram's range: nearly twice that of the widest law with a bound, the truncated normal one (2.27).
LOW, HIGH = -4.0, 4.0
BINS = 64
# The number of equal parts of the sample between neighbouring quantiles.
PARTS = 32
# Significant digits of a quantile, more than a plot shows.
DIGITS = 5


def with_plot_data(output: Output, sample: Sample, expected: LawTensor) -> Output:
    """Return an output with its law, and a histogram and quantiles in units of the law's deviation.

    Args:
        output: of the sample.
        sample: NaNs are left out.
        expected: its law.

    Returns:
        The first and the last bin of the histogram hold the elements beyond its ends too. There are no histogram and
        quantiles if the sample has no number, or the law has no deviation.
    """
    output = replace(output, law=SampleLaw(expected.law, expected.bound))
    values, counts = sample.value_counts
    numbers = ~np.isnan(values)
    if not numbers.any() or not expected.stddev > 0:
        return output
    z, up_to = values[numbers] / expected.stddev, np.cumsum(counts[numbers])
    # Elements below each edge of a bin.
    below = np.append(0, up_to)[np.searchsorted(z, np.linspace(LOW, HIGH, BINS + 1)[1:-1])]
    in_bins = np.diff(np.concatenate([[0], below, up_to[-1:]]))
    # Elements of the sample, not means of neighbours: an infinite one stays infinite.
    quantiles = z[np.searchsorted(up_to, np.arange(PARTS + 1) / PARTS * up_to[-1])]
    histogram = Histogram(LOW, HIGH, tuple(int(count) for count in in_bins))
    return replace(output, histogram=histogram, quantiles=tuple(rounded(float(q), DIGITS) for q in quantiles))
