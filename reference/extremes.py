"""The range of the largest element of a long random sample (spec/numerics.md, Laws, "Extremes")."""

from __future__ import annotations

import math
from decimal import Decimal
from statistics import NormalDist

import numpy as np

from .bounds import working
from .initialization import Law
from .rounding import FORMATS, round_number

# How seldom a right sample's extreme is beyond an end of its interval.
CHANCE = 1e-11
# Draws of float32 have 2^23 values or more. The end of the support may lack one of them, and what rounding moves an
# element by is less than the others.
ROOM = 4 / 2**23
STANDARD = NormalDist()
# Phi(-2), by which a normal law is cut on either side.
BEYOND = math.erfc(math.sqrt(2)) / 2


def interval(law: Law, count: int) -> tuple[float, float]:
    """Return the centre, a float32, and the half-width of the range of the largest of ``count`` elements.

    The smallest lies as far below 0, since the laws are symmetric. The upper end is a number of float32: no element
    is beyond it, or of a law without end, none with a probability of 1 - ``CHANCE``. The lower end is rounded down.

    Args:
        law: of the sample, in float32.
        count: of its elements; independent.

    Raises:
        ValueError: a law with few levels, or of another accuracy than that of float32.
    """
    if law.levels or law.accuracy is not None:
        raise ValueError(f"the extremes of {law} are not those of a sample that is drawn and scaled in float32")
    low, high = _ends(law, count)
    # A float32 at or below the middle, so that the interval ends at ``high`` and holds ``low``.
    middle = (low + high) / 2
    centre = np.float32(middle)
    # As floats: NumPy would round the middle to float32 before it compares.
    if float(centre) > middle:
        centre = np.nextafter(centre, np.float32(0))
    return float(centre), high - float(centre)


def _ends(law: Law, count: int) -> tuple[float, float]:
    # (1 - p)^n = CHANCE: no element is where one falls with the probability p.
    p = -math.expm1(math.log(CHANCE) / count) + ROOM
    if law.law == "normal":
        # n q = CHANCE: an element is where one falls with the probability q.
        high = np.float32(-law.stddev * STANDARD.inv_cdf(CHANCE / count))
        return -law.stddev * STANDARD.inv_cdf(p), float(np.nextafter(high, np.float32(np.inf)))
    # B (1 - r) with P(x > B (1 - r)) = p.
    inside = 1 - 2 * p if law.law == "uniform" else -STANDARD.inv_cdf(BEYOND + p * (1 - 2 * BEYOND)) / 2
    return law.bound * inside, support_end(law, "float32")


def support_end(law: Law, dtype: str) -> float:
    """Return the largest number that a sample of a bounded law may have, RN(B (1 + 4u)).

    Args:
        law: with a finite bound.
        dtype: of the sample.
    """
    return round_number(Decimal(law.bound) * (1 + 4 * working(dtype).u), FORMATS[dtype])
