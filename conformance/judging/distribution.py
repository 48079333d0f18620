"""The laws of random samples in units of their deviation: distribution functions, moments, quantiles."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from nnconform.conformance.vectors.tensors import Array
from nnconform.reference.initialization import TRUNCATED_DEVIATION

# The end of a truncated normal law, in deviations of the uncut law.
CUT = 2.0
# The end of the table of an endless law, and the knots of a table. Between them it is linear, to 2e-9.
WIDEST = 8.5
KNOTS = 2**16 + 1
HIGHEST_MOMENT = 8
NORMAL = NormalDist()


@dataclass(frozen=True)
class Distribution:
    """A law of mean 0, in units of the deviation that it has if its draws are continuous.

    Attributes:
        law: ``normal``, ``truncated_normal`` or ``uniform``.
        levels: its uniform draws are k / levels, k from 0 to levels - 1; 0 for continuous draws.
    """

    law: str
    levels: int = 0

    @classmethod
    @functools.cache
    def of(cls, law: str, levels: int = 0) -> Distribution:
        """Return the distribution, always the same object, so that its table is computed once."""
        return cls(law, levels)

    @property
    def end(self) -> float:
        """The largest value of the law, or a value that it practically never exceeds."""
        return {"normal": WIDEST, "truncated_normal": CUT / TRUNCATED_DEVIATION, "uniform": math.sqrt(3)}[self.law]

    @functools.cached_property
    def atoms(self) -> Array:
        """The values of a law whose draws have levels, ascending."""
        return np.array([-self.end, *(self.quantile(k / self.levels) for k in range(1, self.levels))])

    @functools.cached_property
    def moments(self) -> tuple[float, ...]:
        """E[z^k] for k from 0 to ``HIGHEST_MOMENT``."""
        if self.levels:
            return tuple(float(np.mean(self.atoms**k)) for k in range(HIGHEST_MOMENT + 1))
        even = {"normal": _normal, "truncated_normal": _truncated, "uniform": _uniform}[self.law]
        return tuple(even(k) if k % 2 == 0 else 0.0 for k in range(HIGHEST_MOMENT + 1))

    @functools.cached_property
    def _table(self) -> tuple[Array, Array]:
        knots = np.linspace(-self.end, self.end, KNOTS)
        return knots, np.array([self.probability(z) for z in knots.tolist()])

    def probability(self, z: float) -> float:
        """Return P(Z <= z) for continuous draws."""
        if self.law == "uniform":
            return min(max(0.5 + z / (2 * math.sqrt(3)), 0.0), 1.0)
        if self.law == "normal":
            return NORMAL.cdf(z)
        return 0.5 * (1 + math.erf(min(max(z * TRUNCATED_DEVIATION, -CUT), CUT) / math.sqrt(2)) / _inside())

    def below(self, z: Array) -> Array:
        """Return P(Z <= z) of an array of any shape, to 2e-9."""
        if self.levels:
            return np.searchsorted(self.atoms, z, side="right") / self.levels
        return np.interp(z, *self._table)

    def quantile(self, p: float) -> float:
        """Return the z with P(Z <= z) = p, for 0 < p < 1 and continuous draws."""
        if self.law == "uniform":
            return math.sqrt(3) * (2 * p - 1)
        if self.law == "normal":
            return NORMAL.inv_cdf(p)
        low = NORMAL.cdf(-CUT)
        return NORMAL.inv_cdf(low + p * (1 - 2 * low)) / TRUNCATED_DEVIATION

    def exceeded(self, p: float) -> float:
        """Return the size that |Z| exceeds with probability ``p``; 0 for 1 or more."""
        return -self.quantile(p / 2) if p < 1 else 0.0


def _inside() -> float:
    """Return the probability that a standard normal variable is within the cut."""
    return math.erf(CUT / math.sqrt(2))


def _normal(k: int) -> float:
    return float(math.prod(range(1, k, 2)))


def _uniform(k: int) -> float:
    return 3 ** (k / 2) / (k + 1)


def _truncated(k: int) -> float:
    # m_k = (k - 1) m_{k-2} - 2 c^(k-1) phi(c) / (2 Phi(c) - 1) for a standard normal law cut at +-c
    density = math.exp(-CUT * CUT / 2) / math.sqrt(2 * math.pi)
    raw = [1.0]
    for j in range(2, k + 1, 2):
        raw.append((j - 1) * raw[-1] - 2 * CUT ** (j - 1) * density / _inside())
    return raw[-1] / (raw[1] if k else 1.0) ** (k // 2)
