"""Bit patterns of the 16-bit formats: the number of each, and the bytes of a list of numbers (FORMAT-19)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable

from .numbers import FORMATS

WIDTH = 16


def every(dtype: str) -> list[float]:
    """Element i is the number whose bit pattern is i."""
    assert dtype in ("float16", "bfloat16")
    return [number(pattern, dtype) for pattern in range(1 << WIDTH)]


def number(pattern: int, dtype: str) -> float:
    digits, least = FORMATS[dtype].bits - 1, FORMATS[dtype].least
    rest, fraction = divmod(pattern, 1 << digits)
    negative, exponent = divmod(rest, 1 << (WIDTH - 1 - digits))
    if exponent == (1 << (WIDTH - 1 - digits)) - 1:
        size = math.nan if fraction else math.inf
    elif exponent == 0:
        size = math.ldexp(fraction, least - digits)
    else:
        size = math.ldexp((1 << digits) + fraction, least + exponent - 1 - digits)
    return -size if negative else size


def pattern(value: float, dtype: str) -> int:
    """The pattern of a number of the format; of a NaN the quiet one of positive sign without payload."""
    digits, least = FORMATS[dtype].bits - 1, FORMATS[dtype].least
    infinity = (1 << (WIDTH - 1)) - (1 << digits)
    if math.isnan(value):
        return infinity + (1 << (digits - 1))
    sign = (1 << (WIDTH - 1)) if math.copysign(1, value) < 0 else 0
    if math.isinf(value):
        return sign + infinity
    exponent = max(math.frexp(value)[1] - 1, least) if value else least
    significand = math.ldexp(abs(value), digits - exponent)
    assert significand == int(significand) < 2 << digits, f"{value} is no {dtype}"
    # A normal number's hidden digit adds 1 to the exponent's field; a subnormal has none.
    return sign + ((exponent - least) << digits) + int(significand)


def digest(values: Iterable[float], dtype: str, *, signed: bool) -> str:
    """SHA-256 of the little-endian bytes; zeros of a free sign count as +0."""
    patterns = (0 if v == 0 and not signed else pattern(v, dtype) for v in values)
    return f"sha256:{hashlib.sha256(b''.join(p.to_bytes(2, 'little') for p in patterns)).hexdigest()}"
