"""The scale of a sample, computed from its standard draws (spec/numerics.md, Laws)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nnconform.conformance.vectors.tensors import Array
from nnconform.reference.rounding import FORMATS

from .compare import spacing

# With fewer elements, draws of another stream could give a scale too.
LEAST = 64
# This number of elements, evenly spaced, determines a scale to far less than a unit in the last place.
ENOUGH = 16_384
# One element in this number may be no multiple of its draw.
OTHERS = 1000


class Scale(NamedTuple):
    """The least and the greatest number that the elements allow as their scale."""

    low: float
    high: float

    def offset(self, expected: float) -> float:
        """Return the distance from ``expected`` to the allowed scales; negative if all of them are smaller."""
        return max(self.low - expected, 0.0) + min(self.high - expected, 0.0)

    def nearest(self, expected: float) -> float:
        """Return the number nearest to ``expected`` that the elements allow."""
        return expected + self.offset(expected)


def recovered(sample: Array, draws: Array, *, affine: bool) -> Scale | None:
    """Return the scales s such that the elements may be their draws times s; None if there is none.

    Each element x = RN(z s) allows an interval of s. An implementation that adds as well (uniform draws u of [0, 1),
    x = 2 s u - s) rounds twice. Draws that were rounded after the multiplication are off by half a unit too. One
    element in a thousand may differ: an end that wrapped round must not hide the scale of all others.

    Args:
        sample: any shape and float dtype.
        draws: in the same shape and dtype.
        affine: the implementation may scale and shift draws of [0, 1), with one rounding more.
    """
    step = max(sample.size // ENOUGH, 1)
    x, z = (a.ravel()[::step].astype(np.float64) for a in (sample, draws))
    name = sample.dtype.name
    if name not in FORMATS or draws.dtype != sample.dtype or not (np.isfinite(z).all() and z.any()):
        return None
    z = -z if np.dot(x, z) < 0 else z  # the sign of draws of a symmetric law may be flipped
    x, z = np.where(z < 0, -x, x)[z != 0], np.abs(z[z != 0])
    own, of_draws = spacing(x, name) / 2, spacing(z, name) / 2
    nothing = np.zeros_like(z)
    # 2 s u is up to 2 s, and so is half a unit of it.
    shifted = float(spacing(np.array([2 * np.max(np.abs(x))]), name)[0]) / 2 if affine else 0.0
    for error, of_draw in ((own, nothing), (own + shifted, nothing), (own + shifted, of_draws)):
        apart = z > 2 * of_draw
        if np.count_nonzero(apart) < LEAST:
            return None
        low = (x - error)[apart] / np.where(x < error, z - of_draw, z + of_draw)[apart]
        high = (x + error)[apart] / np.where(x < -error, z + of_draw, z - of_draw)[apart]
        others = low.size // OTHERS
        # The quotients are rounded themselves.
        least = float(np.partition(low, -1 - others)[-1 - others]) * (1 - 2**-52)
        most = float(np.partition(high, others)[others]) * (1 + 2**-52)
        if least <= most:
            return Scale(least, most)
    return None
