"""One rounding from an exact number to a floating-point format, to nearest, ties to even.

A cast from float64 is not good enough: float64 to bfloat16 by way of float32 rounds twice and gets
1 + 2^-8 + 2^-40 wrong. Here the number is scaled to an integer and rounded as one.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from .exact import Array, elements


class Format(NamedTuple):
    """A binary floating-point format.

    Attributes:
        bits: digits of the significand, the hidden one included.
        least: exponent of the smallest normal number, 2^least.
        greatest: exponent of the largest finite numbers, below 2^(greatest + 1).
    """

    bits: int
    least: int
    greatest: int

    @property
    def unit(self) -> Decimal:
        """The unit roundoff u = 2^-bits."""
        return Decimal(2) ** -self.bits

    @property
    def smallest_normal(self) -> Decimal:
        """The smallest positive normal number; smaller results may be flushed to zero."""
        return Decimal(math.ldexp(1.0, self.least))

    @property
    def largest(self) -> float:
        """The largest finite number."""
        return math.ldexp(2.0 - math.ldexp(1.0, 1 - self.bits), self.greatest)


FORMATS = {
    "float64": Format(53, -1022, 1023),
    "float32": Format(24, -126, 127),
    "float16": Format(11, -14, 15),
    "bfloat16": Format(8, -126, 127),
}


def round_number(value: Decimal, target: Format) -> float:
    """Return ``value`` rounded once to ``target``, as a float that holds it exactly."""
    if value.is_nan():
        return math.nan
    sign = -1.0 if value.is_signed() else 1.0
    # Beyond 10^+-400 no format has a number; as_integer_ratio would write out all the zeros.
    if value.is_infinite() or (value != 0 and value.adjusted() > 400):
        return sign * math.inf
    if value == 0 or value.adjusted() < -400:
        return sign * 0.0
    significand, rest, denominator, last = _split(value, target)
    if 2 * rest > denominator or (2 * rest == denominator and significand % 2):
        significand += 1
    if significand.bit_length() + last > target.greatest + 1:
        return sign * math.inf
    return sign * math.ldexp(significand, last)


def _split(value: Decimal, target: Format) -> tuple[int, int, int, int]:
    """Return significand, rest, denominator and last of |value| = (significand + rest / denominator) * 2^last.

    ``last`` is the exponent of the format's last digit at this size, and 0 <= rest < denominator.
    """
    numerator, denominator = value.copy_abs().as_integer_ratio()
    exponent = numerator.bit_length() - denominator.bit_length()
    if _shifted(numerator, -exponent) < _shifted(denominator, exponent):
        exponent -= 1
    last = max(exponent, target.least) - (target.bits - 1)
    denominator = _shifted(denominator, last)
    return *divmod(_shifted(numerator, -last), denominator), denominator, last


def is_unsettled(value: Decimal, target: Format, digits: int) -> bool:
    """Return True if ``value`` is near a tie of ``target``, but not on it, by less than half of 10^-digits of itself.

    A value that was computed to a few more digits than that may then be on the tie, or on its other side.
    """
    # A number that is shorter than that was not rounded.
    if not value.is_finite() or len(value.as_tuple().digits) < digits or abs(value.adjusted()) > 400:
        return False
    significand, rest, denominator, _ = _split(value, target)
    gap = abs(2 * rest - denominator)
    return gap != 0 and gap * 10**digits < significand * denominator + rest


def _shifted(integer: int, by: int) -> int:
    return integer << by if by > 0 else integer


def round_floats(values: Array, dtype: str) -> Array:
    """Return float64 numbers rounded once to ``dtype``, as float64 numbers that the dtype holds exactly.

    The same numbers as ``round_to`` gives for the Decimals of these values, at the speed of NumPy.

    Args:
        values: float64, of any shape.
        dtype: a key of ``FORMATS``.
    """
    target = FORMATS[dtype]
    # value = significand * 2^last, last being the exponent of the format's last digit at this size.
    _, exponent = np.frexp(values)
    last = np.maximum(exponent - 1, target.least) - (target.bits - 1)
    with np.errstate(over="ignore"):
        rounded = np.ldexp(np.rint(np.ldexp(values, -last)), last)
    return np.asarray(np.where(np.abs(rounded) > target.largest, np.copysign(np.inf, rounded), rounded))


def round_to(values: Array, dtype: str) -> Array:
    """Return an exact array rounded to ``dtype``, as float64 numbers that the dtype holds exactly.

    Args:
        values: object array of Decimals, of any shape.
        dtype: a key of ``FORMATS``.
    """
    result = np.empty(values.shape, np.float64)
    for index, value in elements(values):
        result[index] = round_number(value, FORMATS[dtype])
    return result
