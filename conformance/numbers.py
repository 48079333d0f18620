"""Numbers as reports and texts have them."""

from __future__ import annotations

import math


def number(value: float) -> float | str:
    """Return a number as the report holds it: those that are not finite as strings."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value
