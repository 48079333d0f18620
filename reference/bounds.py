"""Error bounds that every correct implementation keeps, element by element (spec/numerics.md, Bounds).

All functions return b, the most by which a value computed in the working precision u may differ from the exact one,
before its last rounding into storage; ``stored`` turns b into the bound that stands in a vector. They work on exact
Decimal arrays; those of elementwise operations work on float64 arrays too, for sweeps over all inputs of a half
format, whose bounds are far above the roundings of float64. Symbols are those of the spec: gamma_n = n u / (1 - n u),
A = |gamma| r, xh = (x - mu) r, hats for computed values, m elements a channel, D_z the bound of z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from . import exact
from .clipping import Gradients, global_norm
from .exact import Array
from .rounding import FORMATS, round_floats, round_number

# Underflow in float32 or float64 arithmetic may be flushed to zero; float16 is computed in float32.
HALF = ("float16", "bfloat16")
# The most elements of a sum whose bound allows adding them one after the other (NUM-11).
SEQUENTIAL = 4096


@dataclass(frozen=True)
class Precision:
    """The precision that a bound speaks of, in the number system of the arrays that it meets.

    Attributes:
        u: unit roundoff of the arithmetic.
        us: unit roundoff of the storage dtype.
        eta: absolute slack for a result that is flushed to zero.
    """

    u: Any
    us: Any
    eta: Any

    def gamma(self, n: int) -> Any:
        """Return gamma_n = n u / (1 - n u), the relative error of n roundings (Higham 2002, Lemma 3.1).

        Raises:
            ValueError: n u is 1 or more, where the bound has no meaning.
        """
        if n * self.u >= 1:
            raise ValueError(f"gamma_n has no meaning for n = {n} at u = {self.u}")
        return n * self.u / (1 - n * self.u)

    def terms(self, n: int) -> int:
        """Return how many roundings a sum of n terms may suffer: n, or fewer where it must be blocked."""
        return n if n <= SEQUENTIAL else SEQUENTIAL + math.ceil(math.log2(n / SEQUENTIAL))


def working(storage: str, like: Array | None = None) -> Precision:
    """Return the precision that a correct implementation computes in; half formats compute in float32.

    Args:
        storage: the dtype that results are stored in.
        like: an array of the number system that the bounds are computed in; Decimals when None.
    """
    arithmetic = FORMATS["float32" if storage in HALF else storage]
    numbers = arithmetic.unit, FORMATS[storage].unit, arithmetic.smallest_normal
    return Precision(*(n if like is None or exact.is_exact(like) else float(n) for n in numbers))


def storage(dtype: str, like: Array | None = None) -> Precision:
    """Return the precision of an implementation that rounds every operation to ``dtype``; ``like`` as above."""
    p = working(dtype, like)
    return replace(p, u=p.us)


def stored(values: Array, bounds: Array, dtype: str) -> Array:
    """Return the bound around the stored values as float64: 0 where the value is not finite.

    Rounding to nearest is monotone, so what lies within b of the exact e is stored between RN(e - b)
    and RN(e + b): the bound is the greater of the two distances from RN(e) (NUM-2).

    Args:
        values: the exact values, Decimals; or float64 numbers near them, for half formats.
        bounds: b, at least 0, of the same shape.
        dtype: the storage dtype.

    Returns:
        The bounds; infinite where one reaches beyond the dtype's largest number, or b is not a number.
    """
    if not exact.is_exact(values):
        return _stored_floats(values, bounds, dtype)
    target = FORMATS[dtype]
    result = np.zeros(values.shape, np.float64)
    for (index, value), b in zip(exact.elements(values), bounds.ravel().tolist(), strict=True):
        if not value.is_finite() or b == 0:
            continue
        centre = round_number(value, target)
        if math.isinf(centre):
            continue
        # The distances as Decimals: their difference in float64 could round down.
        ends = [Decimal(round_number(value + step, target)) - Decimal(centre) for step in (b, -b)]
        if not all(end.is_finite() for end in ends):
            result[index] = math.inf
        elif any(ends):
            result[index] = math.nextafter(float(max(map(abs, ends))), math.inf)
    return result


def _stored_floats(values: Array, bounds: Array, dtype: str) -> Array:
    centre = round_floats(values, dtype)
    with np.errstate(invalid="ignore"):
        # e + b and e - b, one float64 further out for their rounding.
        ends = np.nextafter(values + bounds, np.inf), np.nextafter(values - bounds, -np.inf)
        # Differences of numbers of a format of at most 24 digits, near each other: exact in float64.
        distance = exact.maximum(*(np.abs(round_floats(end, dtype) - centre) for end in ends))
    distance = np.where(np.isnan(distance), np.inf, distance)
    return np.where(np.isfinite(centre) & (bounds != 0), distance, 0.0)


def elu(x: Array, y: Array, p: Precision) -> Array:
    """Bound of ELU's value: 16 u relative, 8 ULP, where x <= 0, a measured budget for expm1 (BOUND-ELU)."""
    return np.where(x > 0, exact.full(x.shape, 0.0, x), 16 * p.u * exact.absolute(y) + p.eta)


def elu_vjp(x: Array, dx: Array, p: Precision) -> Array:
    """Bound of ELU's gradient computed from x: 4 u relative where x <= 0, exact elsewhere (BOUND-ELU)."""
    return np.where(x > 0, exact.full(x.shape, 0.0, x), 4 * p.u * exact.absolute(dx) + p.eta)


def exp_minus_one(x: Array, alpha: float, p: Precision) -> Array:
    """Bound of ELU's value computed as alpha (exp(x) - 1), an accuracy dialect: 4 |alpha| u absolute."""
    size = 4 * p.u * abs(exact.number(alpha, x))
    return np.where(x > 0, exact.full(x.shape, 0.0, x), size + p.eta)


def gradient_from_output(x: Array, dy: Array, alpha: float, p: Precision) -> Array:
    """Bound of ELU's gradient computed as dy (y + alpha), an accuracy dialect: 4 |alpha| u |dy| absolute."""
    size = 4 * p.u * abs(exact.number(alpha, x))
    return np.where(x > 0, exact.full(x.shape, 0.0, x), size * exact.absolute(dy) + p.eta)


def norm_roundings(gradients: Gradients, p: Precision) -> Any:
    """R: the relative error of the norm of all the elements of ``gradients`` (BOUND-NORM).

    Where float16 is the arithmetic too, a dialect, squares of ordinary gradients underflow: each is then off by up
    to half its smallest number, 2^-25.
    """
    present = [g for g in gradients if g is not None]
    # R = gamma_{N+T+4} / 2 + gamma_3,   N elements in T tensors
    count = sum(exact.count(g) for g in present)
    n = p.terms(count) + len(present) + 4
    relative = p.gamma(n) / 2 + p.gamma(3)
    square = sum((exact.total(g * g).item() for g in present), Decimal(0))
    if p.u == FORMATS["float16"].unit and square > 0 and square.is_finite():
        relative += count * p.u * FORMATS["float16"].smallest_normal / square
    return relative


def clip_by_global_norm(gradients: Gradients, values: Gradients, clipnorm: float, p: Precision) -> list[Array | None]:
    """Bound of gradients clipped by their common norm, on both sides of the threshold (BOUND-NORM).

    Args:
        gradients: before clipping.
        values: the exact results.
        clipnorm: the threshold.
        p: the arithmetic's precision.
    """
    roundings = norm_roundings(gradients, p)
    relative = (roundings + p.gamma(4)) * (1 + roundings)
    slack = p.eta
    if p.u == FORMATS["float16"].unit and not math.isinf(clipnorm):
        # g * c, rounded among float16's subnormal numbers before it is divided by max(n, c).
        norm = global_norm([g for g in gradients if g is not None])[()]
        divisor = max(Decimal(float(norm)), Decimal(clipnorm)) if math.isfinite(norm) else Decimal(clipnorm)
        slack += p.u * FORMATS["float16"].smallest_normal / divisor if divisor > 0 else 0
    return [v if v is None else exact.absolute(v) * relative + slack for v in values]


def clip_by_norm(gradients: Gradients, values: Gradients, clipnorm: float, p: Precision) -> list[Array | None]:
    """Bound of gradients clipped each by its own norm; arguments as for ``clip_by_global_norm``."""
    return [
        bound for g, v in zip(gradients, values, strict=True) for bound in clip_by_global_norm([g], [v], clipnorm, p)
    ]


def sgd_step(
    weights: list[Array],
    values: Gradients,
    errors: Gradients,
    *,
    learning_rate: float,
    dtype: str,
) -> list[Array]:
    """Bound of w - learning_rate g (BOUND-SGD): gamma_2 (1 + u) |lr g| + u |w'|, and what clipping adds to g.

    Args:
        weights: before the step.
        values: the gradients after clipping.
        errors: the bounds of these as ``clip_by_norm`` gives them; 0 where nothing is computed.
        learning_rate: the exact float64 number.
        dtype: of weights and gradients; u is its unit roundoff, also in half precision (NUM-6).
    """
    result = []
    for w, v, error in zip(weights, values, errors, strict=True):
        p = storage(dtype, w)
        if v is None or error is None:
            result.append(exact.full(w.shape, 0.0, w))
            continue
        rate = exact.number(learning_rate, w)
        size, moved = exact.absolute(rate * v), exact.absolute(w - rate * v)
        if p.u != working(dtype, w).u:
            # In half precision a clipped gradient was rounded to storage before the step.
            error = error + np.where(error > 0, p.u * exact.absolute(v), error)
        rounded = p.gamma(2) * (1 + p.u) * size + p.u * moved
        result.append((1 + p.gamma(3)) * abs(rate) * error + rounded + p.eta)
    return result
