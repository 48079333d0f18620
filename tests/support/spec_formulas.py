"""What the tests of bounds share: mpmath numbers, and a precision in which every term of a bound shows."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from nnconform.reference import bounds, exact

Numbers = Sequence[mpf]
BITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}
# The smallest normal number of the arithmetic of each storage dtype.
ETA = {"float64": -1022, "float32": -126, "float16": -126, "bfloat16": -126}
# A precision in which errors are as large as the numbers, so that every term of a bound shows.
U, US, SLACK = mpf(1) / 64, mpf(1) / 16, mpf(1) / 1024


def coarse(us: mpf = US) -> bounds.Precision:
    return bounds.Precision(Decimal(1) / 64, Decimal(float(us)), Decimal(1) / 1024)


def gamma_(n: int, u: mpf = U) -> mpf:
    return (1 - u) ** -n - 1


def mp(a: Any) -> list[mpf]:
    return [mpf(d if isinstance(d, float) else str(d)) for d in np.asarray(a, object).ravel()]


def assert_same(got: Any, wanted: Numbers | mpf) -> None:
    wanted = wanted if isinstance(wanted, list | tuple) else [wanted]
    for one, other in zip(mp(got), wanted, strict=True):
        assert abs(one - other) <= abs(other) * mpf(10) ** -40, (float(one), float(other))


def exactly(values: Any) -> exact.Array:
    return exact.exact(np.asarray(values, float))


def mean(values: Numbers) -> mpf:
    return mpmath.fsum(values) / len(values)
