"""The reference's rounding of a Decimal is right on ties, beside them, among subnormals and where numbers overflow."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from nnconform.reference.exact import precision
from nnconform.reference.rounding import FORMATS as THEIR_FORMATS
from nnconform.reference.rounding import is_unsettled, round_number, round_to

from .numbers import FORMATS, Format, nearest, power

# Digits that hold every tie below exactly, and an offset of 2^-1000 of it.
DIGITS = 2000
OFFSETS = [Fraction(side * (1 + extra), 2**bits) for side in (-1, 1) for bits, extra in ((200, 0), (300, 0), (1000, 2))]


def decimal(number: Fraction) -> Decimal:
    """The Decimal of a fraction whose denominator is a power of two, exactly."""
    with precision(DIGITS):
        result = Decimal(number.numerator) / Decimal(number.denominator)
    assert Fraction(result) == number
    return result


def significands(target: Format, stream: random.Random) -> list[int]:
    """Ends of the range, both parities, and a few from within."""
    low, high = 2 ** (target.bits - 1), 2**target.bits - 1
    return [low, low + 1, high - 1, high, *(stream.randint(low, high) for _ in range(20))]


def ties(dtype: str) -> list[tuple[Fraction, float, float]]:
    """Midpoints of neighbours, with the number below and the number above: normal, subnormal, and the overflow."""
    target, stream = FORMATS[dtype], random.Random(dtype)
    exponents = [target.least, target.least + 1, -1, 0, 1, target.greatest - 1, target.greatest]
    steps = [(s, e + 1 - target.bits) for e in exponents for s in significands(target, stream)]
    last = target.least + 1 - target.bits
    steps += [(s, last) for s in [0, 1, 2, 3, *(stream.randrange(2 ** (target.bits - 1)) for _ in range(20))]]
    top = power(target.greatest + 1)
    found = []
    for s, e in steps:
        above = (s + 1) * power(e)
        found.append(((2 * s + 1) * power(e - 1), float(s * power(e)), math.inf if above == top else float(above)))
    return found


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_tie_goes_to_the_even_neighbour(dtype):
    last = FORMATS[dtype].least + 1 - FORMATS[dtype].bits
    for tie, below, above in ties(dtype):
        # The significand of ``below`` as an integer: of a normal number the step is that of its size.
        exponent = max(math.frexp(below)[1] - FORMATS[dtype].bits, last) if below else last
        even = below if Fraction(below) / power(exponent) % 2 == 0 else above
        for sign in (1, -1):
            assert round_number(decimal(sign * tie), THEIR_FORMATS[dtype]) == sign * even, (dtype, sign * tie)


@pytest.mark.parametrize("dtype", FORMATS)
def test_two_to_the_minus_200_beside_a_tie_decides_it(dtype):
    for tie, below, above in ties(dtype):
        for offset in OFFSETS:
            value, wanted = tie * (1 + offset), below if offset < 0 else above
            assert round_number(decimal(value), THEIR_FORMATS[dtype]) == wanted, (dtype, tie, offset)
            assert round_number(decimal(-value), THEIR_FORMATS[dtype]) == -wanted, (dtype, -tie, offset)


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_number_moved_by_almost_half_a_step_stays_itself(dtype):
    for _, below, above in ties(dtype):
        if below == 0 or math.isinf(above):
            continue
        step = Fraction(above) - Fraction(below)
        for part in (0, Fraction(1, 4), Fraction(1, 2) - Fraction(1, 2**200)):
            assert round_number(decimal(Fraction(below) + part * step), THEIR_FORMATS[dtype]) == below
            assert round_number(decimal(Fraction(above) - part * step), THEIR_FORMATS[dtype]) == above


@pytest.mark.parametrize("dtype", FORMATS)
def test_rounding_to_an_array_agrees_with_rounding_as_integers(dtype):
    stream, target = random.Random(f"{dtype} wide"), FORMATS[dtype]
    lowest, highest = target.least - target.bits - 3, target.greatest + 3
    numbers = [
        Fraction(stream.choice((-1, 1)) * stream.getrandbits(220)) * power(stream.randint(lowest, highest) - 220)
        for _ in range(3000)
    ]
    got = round_to(np.array([decimal(n) for n in numbers], object), dtype)
    wanted = np.array([nearest(n, dtype) for n in numbers])
    np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(np.signbit(got), np.signbit(wanted))


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_negative_number_that_rounds_to_zero_keeps_its_sign(dtype):
    least = power(FORMATS[dtype].least + 1 - FORMATS[dtype].bits)
    for number in (least / 2, least / 2 - power(-1500), power(-1500)):
        assert math.copysign(1, round_number(decimal(-number), THEIR_FORMATS[dtype])) == -1
        assert math.copysign(1, round_number(decimal(number), THEIR_FORMATS[dtype])) == 1


@pytest.mark.parametrize("dtype", FORMATS)
def test_only_what_is_beside_a_tie_in_its_last_digits_is_unsettled(dtype):
    target = THEIR_FORMATS[dtype]
    for tie, below, _ in ties(dtype):
        with precision(DIGITS):
            exact = decimal(tie)
            beside = [exact * (1 + side * Decimal(10) ** -1500) for side in (-1, 1)]
        assert not is_unsettled(exact, target, 1400)
        assert [is_unsettled(value, target, 1400) for value in beside] == [True, True]
        assert [is_unsettled(value, target, 1510) for value in beside] == [False, False]
        assert not is_unsettled(Decimal(below), target, 40)
