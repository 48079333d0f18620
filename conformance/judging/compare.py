"""Compare one output with its expected values; all verdicts on values rest on this comparison."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nnconform.conformance.vectors.tensors import DTYPES, Array, shape_text, widened
from nnconform.conformance.vectors.vector import Tensor
from nnconform.reference.rounding import FORMATS


@dataclass(frozen=True)
class Comparison:
    """The comparison of an output with a tensor of expected values.

    Attributes:
        fits: whether every element is inside its bound, special values, dtype and shape included.
        ratio: the worst error over its bound; infinite if the bound is 0 or a special value is wrong.
        ulp: the error of the worst element in units in the last place of the expected value.
        worst: the position of the worst element, in row-major order; -1 if there is none.
        problem: the mismatch of dtype or shape; "" if both are right.
    """

    fits: bool
    ratio: float = 0.0
    ulp: float = 0.0
    worst: int = -1
    problem: str = ""


def shape_problem(got: Array, dtype: str, shape: tuple[int, ...]) -> str:
    """Return the mismatch of an output's dtype or shape, or ""."""
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
    """Return error over bound for each element: 0 if both are the same, infinite if they are not comparable."""
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


def ratios(got: Array, expected: Tensor) -> Array:
    """Return error over bound for each element, in row-major order, of an output of the right dtype and shape."""
    assert expected.values is not None
    assert expected.bound is not None
    wide, bound = widened(got), expected.bound.ravel()
    signed = "sign-of-zero" not in expected.latitude
    ratio = _ratios(wide, widened(expected.values), bound, signed_zero=signed)
    if expected.flushed is None:
        return ratio
    return np.minimum(ratio, _ratios(wide, widened(expected.flushed), bound, signed_zero=signed))


def compare(got: Array, expected: Tensor) -> Comparison:
    """Compare an output with expected values, element by element (NUM-2 to NUM-5, NUM-7).

    Args:
        got: the output, of any dtype and shape.
        expected: the expected values.
    """
    if "any" in expected.latitude:  # NUM-8: recorded, not judged
        return Comparison(True)
    if problem := shape_problem(got, expected.dtype, expected.shape):
        return Comparison(False, float("inf"), float("inf"), problem=problem)
    if expected.values is None or expected.bound is None or got.size == 0:
        return Comparison(True)
    ratio = ratios(got, expected)
    wide, values = widened(got), widened(expected.values)
    worst = int(np.argmax(ratio))
    ulp = 0.0
    if ratio[worst] > 0:
        one, other = wide[worst], values[worst]
        with np.errstate(all="ignore"):
            ulp = float(np.abs(one - other) / spacing(other, expected.dtype))
    return Comparison(bool(ratio[worst] <= 1), float(ratio[worst]), math.inf if math.isnan(ulp) else ulp, worst)


def canonical(got: Array, expected: Tensor | Any) -> Array:
    """Return an output with its NaNs, and its zeros of a free sign, made alike."""
    result = np.array(got)
    if result.dtype.kind in "fV" or result.dtype == DTYPES["bfloat16"]:
        result[np.isnan(widened(result)).reshape(result.shape)] = np.nan
        if "sign-of-zero" in getattr(expected, "latitude", ()):
            result[result == 0] = 0
    return result


def digest(got: Array, expected: Tensor | Any) -> str:
    """Return a digest of an output's canonical bytes."""
    alike = canonical(got, expected)
    head = f"{alike.dtype.name}{shape_text(alike.shape)}".encode()
    return hashlib.sha256(head + alike.tobytes()).hexdigest()[:16]


class Wrong(NamedTuple):
    """The results for every number of a dtype that are not the exact result rounded once.

    Attributes:
        inputs: the number of inputs.
        differ: the number of results that differ.
        ulp: the largest difference.
        position: of the largest difference.
    """

    inputs: int
    differ: int
    ulp: float
    position: int


def count_wrong(got: Array, expected: Tensor) -> Wrong | None:
    """Count the elements that are not the exact result rounded once; None if dtype or shape is wrong.

    Args:
        got: the output for every number of a dtype.
        expected: the exact results, rounded once.
    """
    assert expected.values is not None
    if shape_problem(got, expected.dtype, expected.shape):
        return None
    alike, right = canonical(got, expected), canonical(expected.values, expected)
    wide, values = widened(alike), widened(right)
    with np.errstate(all="ignore"):
        ulps = np.where(wide == values, 0.0, np.abs(wide - values) / spacing(values, expected.dtype))
    # Compare bits: the sign of a zero and infinities count too.
    same = (alike.view(np.uint16) == right.view(np.uint16)) | (np.isnan(wide) & np.isnan(values))
    ulps = np.where(same, 0.0, np.where(np.isnan(ulps), np.inf, ulps))
    worst = int(np.argmax(ulps))
    return Wrong(int(same.size), int(np.count_nonzero(~same)), float(ulps[worst]), worst)
