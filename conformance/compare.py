"""Compare one output with what is expected of it: the one way in which the suite decides."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnconform.reference.rounding import FORMATS

from .tensors import DTYPES, Array, shape_text
from .vectors import Tensor


@dataclass(frozen=True)
class Comparison:
    """How an output compares with a tensor of expected values.

    Attributes:
        fits: whether every element is inside its bound, special values, dtype and shape included.
        ratio: the worst error over its bound; infinite where the bound is 0 or a special value is wrong.
        ulp: the worst error in units in the last place of the expected value.
        worst: the position of the worst element, in row-major order; -1 when there is none.
        problem: what is wrong with dtype or shape; "" when they are right.
    """

    fits: bool
    ratio: float = 0.0
    ulp: float = 0.0
    worst: int = -1
    problem: str = ""


def shape_problem(got: Array, dtype: str, shape: tuple[int, ...]) -> str:
    """Return what is wrong with an output's dtype or shape, or ""."""
    if got.dtype != DTYPES[dtype]:
        return f"dtype {got.dtype.name}, wanted {dtype}"
    if got.shape != shape:
        return f"shape {shape_text(got.shape)}, wanted {shape_text(shape)}"
    return ""


def spacing(values: Array, dtype: str) -> Array:
    """Return the unit in the last place of each value in ``dtype``, as float64."""
    target = FORMATS[dtype]
    with np.errstate(over="ignore", invalid="ignore"):
        _, exponent = np.frexp(np.where(np.isfinite(values), values, 1.0))
    return np.asarray(np.ldexp(1.0, np.maximum(exponent - 1, target.least) - (target.bits - 1)))


def _ratios(got: Array, values: Array, bound: Array, *, signed_zero: bool) -> Array:
    """Return error over bound for each element: 0 where both are the same, infinite where they cannot compare."""
    with np.errstate(all="ignore"):
        error = np.abs(got - values)
        ratio = np.where(error == 0, 0.0, error / bound)
    special = ~np.isfinite(got) | ~np.isfinite(values)
    same = (got == values) | (np.isnan(got) & np.isnan(values))
    ratio = np.where(special, np.where(same, 0.0, np.inf), ratio)
    if signed_zero:
        zeros = (got == 0) & (values == 0)
        ratio = np.where(zeros & (np.signbit(got) != np.signbit(values)), np.inf, ratio)
    return ratio


def compare(got: Array, expected: Tensor) -> Comparison:
    """Compare an output with expected values, element by element (NUM-2 to NUM-5, NUM-7).

    Args:
        got: the output, of whatever dtype and shape came.
        expected: values that are judged.
    """
    if "any" in expected.latitude:  # NUM-8: recorded, not judged
        return Comparison(True)
    if problem := shape_problem(got, expected.dtype, expected.shape):
        return Comparison(False, float("inf"), float("inf"), problem=problem)
    if expected.values is None or expected.bound is None or got.size == 0:
        return Comparison(True)
    wide, values = got.astype(np.float64).ravel(), expected.values.astype(np.float64).ravel()
    signed = "sign-of-zero" not in expected.latitude
    ratio = _ratios(wide, values, expected.bound.ravel(), signed_zero=signed)
    if expected.flushed is not None:
        flushed = expected.flushed.astype(np.float64).ravel()
        ratio = np.minimum(ratio, _ratios(wide, flushed, expected.bound.ravel(), signed_zero=signed))
    worst = int(np.argmax(ratio))
    with np.errstate(all="ignore"):
        ulps = np.where(ratio > 0, np.abs(wide - values) / spacing(values, expected.dtype), 0.0)
    ulp = float(np.max(np.where(np.isnan(ulps), np.inf, ulps)))
    return Comparison(bool(ratio[worst] <= 1), float(ratio[worst]), ulp, worst)


def digest(got: Array, expected: Tensor | Any) -> str:
    """Return a digest of an output's bytes; NaNs, and zeros of a free sign, are made alike before."""
    canonical = np.array(got)
    if canonical.dtype.kind in "fV" or canonical.dtype == DTYPES["bfloat16"]:
        canonical[np.isnan(canonical)] = np.nan
        if "sign-of-zero" in getattr(expected, "latitude", ()):
            canonical[canonical == 0] = 0
    head = f"{canonical.dtype.name}{shape_text(canonical.shape)}".encode()
    return hashlib.sha256(head + canonical.tobytes()).hexdigest()[:16]
