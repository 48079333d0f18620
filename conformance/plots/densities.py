"""The densities of the laws of random samples, scaled to deviation 1."""

from __future__ import annotations

import math

from nnconform.conformance.judging.distribution import CUT, NORMAL
from nnconform.reference.initialization import TRUNCATED_DEVIATION

# The width of the axis in deviations, and the number of parts of a curved line.
WIDEST, STEPS = 4.0, 80
# The share of a normal law inside the cut.
INSIDE = 1 - 2 * NORMAL.cdf(-CUT)


def outline(law: str) -> tuple[list[float], list[float]]:
    """Return the density of a law as the x and y of a line, vertical at the bounds."""
    end = math.sqrt(3) if law == "uniform" else CUT / TRUNCATED_DEVIATION if law == "truncated_normal" else WIDEST
    steps = 1 if law == "uniform" else STEPS
    z = [end * (2 * i / steps - 1) for i in range(steps + 1)]
    return [-WIDEST, -end, *z, end, WIDEST], [0.0, 0.0, *(density(law, v) for v in z), 0.0, 0.0]


def density(law: str, z: float) -> float:
    """Return the density of a law at ``z``.

    Args:
        law: normal, truncated_normal or uniform.
        z: in deviations of the law.
    """
    if law == "normal":
        return NORMAL.pdf(z)
    if law == "uniform":
        return 1 / (2 * math.sqrt(3)) if abs(z) <= math.sqrt(3) * (1 + 1e-12) else 0.0
    whole = z * TRUNCATED_DEVIATION
    return NORMAL.pdf(whole) * TRUNCATED_DEVIATION / INSIDE if abs(whole) <= CUT * (1 + 1e-12) else 0.0
