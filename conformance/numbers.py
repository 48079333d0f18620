"""Numbers as reports and texts have them."""

from __future__ import annotations

import math
from typing import Any

# An object of a JSON document.
Json = dict[str, Any]


def number(value: float) -> float | str:
    """Return a number as a JSON document holds it: those that are not finite as strings."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def rounded(value: float, digits: int = 4) -> float:
    """Return a number with so many significant digits; one that is not finite unchanged."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else value


def shortened(value: float) -> float | str:
    """Return a number with four significant digits, as a JSON document holds it."""
    return number(rounded(value))


def decimal(value: float, digits: int = 8) -> str:
    """Return a number as text with so many significant digits at most."""
    return f"{value:.{digits}g}"


def distinct_decimals(*values: float) -> list[str]:
    """Return numbers with four significant digits, or with as many more as the first two need to differ."""
    for digits in range(4, 18):
        texts = [_padded_decimal(value, digits) for value in values]
        if len(set(texts[:2])) == len(set(values[:2])):
            break
    return texts


def _padded_decimal(value: float, digits: int) -> str:
    if value == 0:
        return "-0" if math.copysign(1.0, value) < 0 else "0"
    return f"{value:#.{digits}g}".removesuffix(".") if math.isfinite(value) else str(value)
