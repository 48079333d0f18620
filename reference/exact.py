"""The differences between the two number systems of the reference: float64, and Decimal in object arrays.

``+ - * /``, comparison, ``np.sqrt`` and ``np.where`` work on both. This module has the functions that do not: object
arrays lose NaN in ``np.maximum``, ``-Decimal(0)`` is +0, the sum of nothing is the integer 0, Decimal has no expm1 and
refuses a Python float as an operand.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Axes = tuple[int, ...] | None

# How often every element of an array counts in sums.
_times: ContextVar[int] = ContextVar("_times", default=1)


@contextmanager
def precision(digits: int) -> Iterator[None]:
    """Compute Decimals to ``digits`` digits with IEEE's special values: no exception is raised.

    The context belongs to the thread that enters it.
    """
    context = decimal.Context(
        prec=digits,
        rounding=decimal.ROUND_HALF_EVEN,
        Emin=decimal.MIN_EMIN,
        Emax=decimal.MAX_EMAX,
        traps=[],
    )
    with decimal.localcontext(context):
        yield


@contextmanager
def repeated(times: int) -> Iterator[None]:
    """Let every element of an array count as ``times`` equal ones in ``total``, ``mean`` and ``count``.

    So long sums are evaluated on short arrays. It belongs to the thread, or task, that enters it.
    """
    token = _times.set(times)
    try:
        yield
    finally:
        _times.reset(token)


def is_exact(a: Array) -> bool:
    """Return True if ``a`` holds Decimals, or is one: NumPy makes those of zero-dimensional object arrays."""
    return np.asarray(a).dtype == object


def exact(a: Any) -> Array:
    """Return the floating-point array ``a`` as Decimals of exactly its values, an object array of its shape."""
    values = np.asarray(a, np.float64)
    result = np.empty(values.shape, object)
    for index in np.ndindex(values.shape):
        result[index] = Decimal(float(values[index]))
    return result


def digits(a: Array) -> int:
    """Return the most significant decimal digits that any finite element of the exact array ``a`` has."""
    return max((len(d.as_tuple().digits) for d in a.ravel() if d.is_finite()), default=1)


def elements(a: Array) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield the position and the value of every element of an exact array, in row-major order."""
    return zip(np.ndindex(a.shape), a.ravel().tolist(), strict=True)


def number(value: float, like: Array) -> Any:
    """Return the attribute ``value`` (exactly that float64) as a scalar of the number system of ``like``."""
    return Decimal(value) if is_exact(like) else np.float64(value)


def full(shape: tuple[int, ...], value: float, like: Array) -> Array:
    """Return an array filled with ``value`` in the number system of ``like``."""
    return np.full(shape, number(value, like))


def _each(function: Any, a: Array, dtype: type) -> Array:
    return np.asarray(np.frompyfunc(function, 1, 1)(a), dtype)


def isnan(a: Array) -> Array:
    """Return a mask of the NaNs in ``a``."""
    return _each(Decimal.is_nan, a, bool) if is_exact(a) else np.isnan(a)


def isfinite(a: Array) -> Array:
    """Return a mask of the finite elements of ``a``."""
    return _each(Decimal.is_finite, a, bool) if is_exact(a) else np.isfinite(a)


def signbit(a: Array) -> Array:
    """Return a mask of the elements of ``a`` with a minus sign, including that of a zero."""
    return _each(Decimal.is_signed, a, bool) if is_exact(a) else np.signbit(a)


def negative(a: Array) -> Array:
    """Return -a; the sign of a zero changes too."""
    return _each(Decimal.copy_negate, a, object) if is_exact(a) else np.asarray(-a)


def absolute(a: Array) -> Array:
    """Return |a|; no Decimal is rounded."""
    return _each(Decimal.copy_abs, a, object) if is_exact(a) else np.asarray(np.abs(a))


def sqrt(a: Array) -> Array:
    """Return the square root; NaN below zero."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sqrt(a))


def exp(a: Array) -> Array:
    """Return e^a."""
    return np.asarray(np.exp(a))


# e^d - 1 is computed with this number of additional digits, and leaves as many of the context's last digits free for
# later computations.
GUARD = 25


def _expm1(d: Decimal) -> Decimal:
    if not d.is_finite() or d == 0:
        return d if d == 0 else d.exp() - 1
    # e^d - 1 of a d of 10^-k loses k digits: compute with k more, then round to the context's precision.
    with decimal.localcontext() as context:
        least = Decimal(10) ** -max(context.prec - GUARD, context.prec // 2)
        context.prec += abs(d.adjusted()) + GUARD
        # For a great negative d the digits would be those of -1. The value is above -1, which decides a tie at -alpha,
        # so e^d is raised to the smallest number that the digits can hold.
        result = max(d.exp(), least) - 1
    return +result


def expm1(a: Array) -> Array:
    """Return e^a - 1 to full relative accuracy; expm1(-0) is -0.

    Of a Decimal so far below 0 that the result is within 10^(``GUARD`` - p) of -1, p the digits of the context, the
    result is that far above -1: the side on which it lies is kept, and more would be lost in the next operation.
    """
    return _each(_expm1, a, object) if is_exact(a) else np.asarray(np.expm1(a))


def maximum(a: Array, b: Array) -> Array:
    """Return the greater of ``a`` and ``b``; NaN if either is NaN."""
    return np.where(isnan(a), a, np.where(isnan(b), b, np.where(a > b, a, b)))


def minimum(a: Array, b: Array) -> Array:
    """Return the smaller of ``a`` and ``b``; NaN if either is NaN."""
    return np.where(isnan(a), a, np.where(isnan(b), b, np.where(a < b, a, b)))


def clip(a: Array, low: Array, high: Array) -> Array:
    """Return ``a`` brought into [low, high]; an element inside is returned as it is, NaN stays NaN."""
    return np.where(a > high, high, np.where(a < low, low, a))


def count(a: Array, axes: Axes = None) -> int:
    """Return the number of elements in a sum over ``axes`` (all when None), each as often as it is ``repeated``."""
    return math.prod(a.shape if axes is None else (a.shape[axis] for axis in axes)) * _times.get()


def total(a: Array, axes: Axes = None) -> Array:
    """Return the sum over ``axes`` (all when None), of elements as often ``repeated``; the sum of nothing is 0."""
    once = np.asarray(np.sum(a, axis=axes, initial=number(0.0, a)))
    return np.asarray(once * number(float(_times.get()), a))


def mean(a: Array, axes: Axes = None) -> Array:
    """Return the mean over ``axes`` (all when None); the mean of nothing is NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total(a, axes) / number(float(count(a, axes)), a))
