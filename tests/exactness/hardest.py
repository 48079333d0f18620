"""The inputs of a half format whose ELU lies nearest to a tie, found by trying every one below 0."""

from __future__ import annotations

import numpy as np
from mpmath import mp

from nnconform.conformance.vectors.tensors import DTYPES

from .numbers import FORMATS, Format


def hardest(dtype: str, alpha: float, count: int) -> list[float]:
    """The ``count`` inputs x < 0 for which alpha (e^x - 1) is nearest to a tie, in parts of the step there."""
    bits = np.arange(1, 2**15, dtype=np.uint16) | np.uint16(2**15)
    with np.errstate(invalid="ignore"):
        x = bits.view(DTYPES[dtype]).astype(np.float64)
    # Below -40 all values are those of -alpha but for what other tests look at.
    x = x[np.isfinite(x) & (x > -40)]
    # float64 sees the gap to 2^-40 of a step; of what it finds the nearest are looked at more closely.
    near = x[np.argsort(_rough_gap(x, alpha, FORMATS[dtype]), kind="stable")][: 10 * count]
    return sorted(near.tolist(), key=lambda a: _gap(a, alpha, FORMATS[dtype]))[:count]


def _rough_gap(x: np.ndarray, alpha: float, target: Format) -> np.ndarray:
    value = np.abs(alpha * np.expm1(x))
    exponent = np.maximum(np.frexp(value)[1] - 1, target.least)
    return np.abs(np.ldexp(value, target.bits - 1 - exponent) % 1 - 0.5)


def _gap(x: float, alpha: float, target: Format) -> float:
    """How far alpha (e^x - 1) is from the nearest tie, in steps of the format there."""
    with mp.workprec(256):
        value = abs(mp.mpf(alpha) * mp.expm1(mp.mpf(x)))
        exponent = max(int(mp.floor(mp.log(value, 2))), target.least)
        return float(abs(mp.ldexp(value, target.bits - 1 - exponent) % 1 - 0.5))
