"""Exact numbers, and their one rounding to a format: fractions, roots and exponentials, none of them Decimals.

A fraction is rounded as integers. ``Root`` and ``Exponential`` are enclosed in an interval by mpmath, at 256 bits or
more, which decides the rounding where both ends round alike. Where they do not, the value is next to a tie: a root
is then compared with the tie in integers, and an exponential, which is never a tie (Lindemann: e^x of a rational x
other than 0 is transcendental), is enclosed more narrowly.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from mpmath import mp, mpf

BITS = 256
MOST_BITS = 2**15


class Format(NamedTuple):
    bits: int  # of the significand, the hidden one included
    least: int  # exponent of the smallest normal number
    greatest: int  # exponent of the largest numbers


FORMATS = {
    "float64": Format(53, -1022, 1023),
    "float32": Format(24, -126, 127),
    "float16": Format(11, -14, 15),
    "bfloat16": Format(8, -126, 127),
}

Real = Fraction | float  # a float here is NaN, an infinity, or a stored number with the sign of its zero


def power(exponent: int) -> Fraction:
    """2^exponent."""
    return Fraction(2**exponent) if exponent >= 0 else Fraction(1, 2**-exponent)


def sign(number: Real) -> int:
    return (number > 0) - (number < 0)


def real(number: Real) -> Real:
    """A stored number as a fraction; NaN and infinities stay floats."""
    return number if isinstance(number, Fraction) or not math.isfinite(number) else Fraction(number)


def plus(a: Real, b: Real) -> Real:
    a, b = real(a), real(b)
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a + b
    return sum(x for x in (a, b) if isinstance(x, float))


def times(a: Real, b: Real) -> Real:
    a, b = real(a), real(b)
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a * b
    # What an infinity or NaN gives depends on the other factor's sign alone.
    return math.prod(x if isinstance(x, float) else float(sign(x)) for x in (a, b))


def total(numbers: Iterable[Real]) -> Real:
    result: Real = Fraction(0)
    for number in numbers:
        result = plus(result, number)
    return result


# A numerator and a denominator, not in lowest terms: to reduce them is what would take the time.
Ratio = tuple[int, int]


class Root(NamedTuple):
    """start + slope / sqrt(radicand), radicand > 0."""

    start: Fraction
    slope: Fraction
    radicand: Fraction

    def enclosed(self, bits: int) -> tuple[Ratio, Ratio]:
        with mp.workprec(bits):
            start, slope = _mpf(self.start), _mpf(self.slope)
            part = slope / mp.sqrt(_mpf(self.radicand))
            # Seven roundings of at most 2^-bits, each on a number no larger than |start| + |part|.
            margin = mp.ldexp(abs(start) + abs(part), 4 - bits)
            return _ends(start + part, margin)

    def side(self, of: Fraction) -> int:
        """The sign of this number less ``of``, found without any rounding."""
        gap = of - self.start
        if sign(self.slope) != sign(gap):
            return sign(sign(self.slope) - sign(gap))
        return sign(gap) * sign(self.slope**2 - gap**2 * self.radicand)


class Exponential(NamedTuple):
    """factor (e^x - less), less 0 or 1, x < 0."""

    factor: Fraction
    x: float
    less: int

    def enclosed(self, bits: int) -> tuple[Ratio, Ratio]:
        if self.x < -4000:
            # 0 < e^x < 2^-5000. All boundaries between roundings, and all factors, are multiples of 2^-2200 below
            # 2^2200, so any such number leaves the result on the same side of every boundary.
            factor, denominator = self.factor.as_integer_ratio()
            ends = [(factor * (i - (self.less << 5001)), denominator << 5001) for i in (1, 2)]
            return ends[0], ends[1]
        with mp.workprec(bits):
            x, factor = mpf(self.x), _mpf(self.factor)
            value = factor * (mp.expm1(x) if self.less else mp.exp(x))
            # x and the factor are exact at 256 bits; a function and a product, with room for six units of the last.
            margin = mp.ldexp(abs(value), 3 - bits)
            return _ends(value, margin)


Number = Real | Root | Exponential


def _mpf(number: Fraction) -> mpf:
    return mpf(number.numerator) / number.denominator


def _ends(value: mpf, margin: mpf) -> tuple[Ratio, Ratio]:
    """value - margin and value + margin, exactly."""
    (negative, size, exponent, _), (_, reach, least, _) = value._mpf_, margin._mpf_
    last = min(int(exponent), int(least), 0)
    middle = (-1 if negative else 1) * int(size) << (int(exponent) - last)
    reach = int(reach) << (int(least) - last)
    return (middle - reach, 1 << -last), (middle + reach, 1 << -last)


def line(start: Real, slope: Real, radicand: Fraction) -> Number:
    """start + slope / sqrt(radicand), where start and slope may be NaN or infinite."""
    start, slope = real(start), real(slope)
    if isinstance(start, Fraction) and isinstance(slope, Fraction):
        return Root(start, slope, radicand) if slope else start
    return plus(start, slope)


def nearest(number: Number, dtype: str) -> float:
    """Round once to the dtype, to nearest, ties to even; the float holds the result exactly."""
    if isinstance(number, float):
        if number == 0 or not math.isfinite(number):
            return number
        return _rounded(number.as_integer_ratio(), FORMATS[dtype])
    if isinstance(number, Fraction):
        return _rounded(number.as_integer_ratio(), FORMATS[dtype])
    bits = BITS
    while bits <= MOST_BITS:
        low, high = (_rounded(end, FORMATS[dtype]) for end in number.enclosed(bits))
        if low == high and math.copysign(1, low) == math.copysign(1, high):
            return low
        if isinstance(number, Root):
            return _decided(number, low, high, dtype)
        bits *= 2
    raise AssertionError(f"{number} is not decided at {MOST_BITS} bits")


def _decided(number: Root, low: float, high: float, dtype: str) -> float:
    if low == high == 0:
        return math.copysign(0.0, number.side(Fraction(0)))
    top = power(FORMATS[dtype].greatest + 1)
    ends: list[Fraction] = [Fraction(end) if math.isfinite(end) else sign(end) * top for end in (low, high)]
    tie = (ends[0] + ends[1]) / 2
    side = number.side(tie)
    return _rounded(tie.as_integer_ratio(), FORMATS[dtype]) if side == 0 else high if side > 0 else low


def _rounded(number: Ratio, target: Format) -> float:
    numerator, denominator = abs(number[0]), number[1]
    if numerator == 0:
        return 0.0
    # The format's last digit at this size is 2^last, and the number so many times that.
    last = max(_exponent(numerator, denominator), target.least) + 1 - target.bits
    significand, rest = divmod(numerator << max(-last, 0), denominator << max(last, 0))
    twice = 2 * rest - (denominator << max(last, 0))
    significand += twice > 0 or (twice == 0 and significand % 2)
    above = significand.bit_length() + last > target.greatest + 1
    result = math.inf if above else math.ldexp(significand, last)
    return result if number[0] > 0 else -result


def _exponent(numerator: int, denominator: int) -> int:
    """The e of 2^e <= numerator / denominator < 2^(e + 1)."""
    guess = numerator.bit_length() - denominator.bit_length()
    return guess if denominator << max(guess, 0) <= numerator << max(-guess, 0) else guess - 1


DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?")
WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "-0.0": -0.0}


def number_of(word: str, dtype: str) -> float:
    """The number of the dtype that a word of a vector stands for (FORMAT-6)."""
    if word in WORDS:
        return WORDS[word]
    assert DECIMAL.fullmatch(word), f"{word!r} is no decimal"
    exact = Fraction(word)
    result = nearest(exact, dtype)
    assert math.isfinite(result), f"{word} becomes infinite in {dtype}"
    assert result or not exact, f"{word} becomes 0 in {dtype}"
    return result
