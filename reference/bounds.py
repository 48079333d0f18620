"""Error bounds that every correct implementation keeps, element by element (spec/numerics.md, Bounds).

All functions return b, the most by which a value computed in the working precision u may differ from the exact one,
before its last rounding into storage; ``stored`` turns b into the bound of a vector. They work on exact
Decimal arrays; those of elementwise operations work on float64 arrays too, for sweeps over all inputs of a half
format, whose bounds are far above the roundings of float64. Symbols are those of the spec: gamma_n = n u / (1 - n u),
A = |gamma| r, xh = (x - mu) r, hats for computed values, m elements a channel, D_z the bound of z.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
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
# Assumptions on libraries (BOUND-ELU): exp within 3 ULP; expm1 within 7 ULP, and within 4 u absolutely below 0.
EXP_ULP = 3
EXPM1_ULP = 7
EXPM1_UNITS = 4


@dataclass(frozen=True)
class Precision:
    """The precision that a bound speaks of, in the number system of the arrays that it meets.

    Attributes:
        u: unit roundoff of the arithmetic.
        us: unit roundoff of the storage dtype.
        eta: the most that one operation loses to underflow.
        blocked: long sums are taken pairwise or in blocks (NUM-11), not one element after the other.
    """

    u: Any
    us: Any
    eta: Any
    blocked: bool = True

    def gamma(self, n: int) -> Any:
        """Return gamma_n = (1 - u)^-n - 1, the most that n factors (1 + d) or 1 / (1 + d) with |d| <= u change.

        It is at most Higham's n u / (1 - n u) (2002, Lemma 3.1) and holds for every n.
        """
        if isinstance(self.u, Decimal):
            return (1 - self.u) ** -n - 1
        return math.expm1(-n * math.log1p(-self.u))

    def terms(self, n: int) -> int:
        """Return n_eff: the roundings of a sum of n terms, fewer than n if a long sum must be blocked (NUM-11)."""
        if n <= SEQUENTIAL or not self.blocked:
            return n
        return SEQUENTIAL + math.ceil(math.log2(n / SEQUENTIAL))


def working(dtype: str, like: Array | None = None) -> Precision:
    """Return the precision that a correct implementation computes in; half formats compute in float32.

    Args:
        dtype: that results are stored in.
        like: an array of the number system that the bounds are computed in; Decimals when None.
    """
    arithmetic = FORMATS["float32" if dtype in HALF else dtype]
    kind = Decimal if like is None or exact.is_exact(like) else float
    return Precision(kind(arithmetic.unit), kind(FORMATS[dtype].unit), kind(arithmetic.smallest_normal))


def storage(dtype: str, like: Array | None = None) -> Precision:
    """Return the precision of an implementation that rounds every operation to ``dtype``; ``like`` as above."""
    p = working(dtype, like)
    # float16 has subnormal numbers wherever it is computed in: half of the least one is lost.
    least = FORMATS["float16"].smallest_normal * FORMATS["float16"].unit
    return replace(p, u=p.us, eta=type(p.eta)(least) if dtype == "float16" else p.eta)


def precision(dtype: str, *, half: bool, sequential: bool, like: Array | None = None) -> Precision:
    """Return the precision of an implementation with or without two accuracy dialects.

    Args:
        dtype: of the results.
        half: half-precision-arithmetic.
        sequential: sequential-accumulation.
        like: as for ``working``.
    """
    p = storage(dtype, like) if half else working(dtype, like)
    return replace(p, blocked=not sequential)


def stored(values: Array, bounds: Array, dtype: str) -> Array:
    """Return the bound around the stored values as float64: 0 if a value is not finite.

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


def _where_negative(x: Array, bound: Array, times: Array, alpha: float, p: Precision) -> Array:
    """Return a bound of ELU if x <= 0, else 0: for x > 0 the result is an input."""
    # Lost to underflow, times the other factor or on its own: alpha, the exponential, the products.
    #   2 (1 + |alpha|) times (1 + gamma_2) eta,   times = 1 for the value, 1 + |dy| for the gradient
    slack = 2 * (1 + abs(exact.number(alpha, x))) * times * (1 + p.gamma(2)) * p.eta
    return np.where(x > 0, exact.full(x.shape, 0.0, x), bound + slack)


def elu(x: Array, y: Array, alpha: float, p: Precision) -> Array:
    """Bound of ELU's value alpha expm1(x) (BOUND-ELU)."""
    # |alpha| (D (1 + gamma_2) + gamma_2 |E|),   E = expm1(x),   D = min(14 u |E|, 4 u)
    e = _expm1_size(y, alpha)
    library = exact.minimum(2 * EXPM1_ULP * p.u * e, exact.full(x.shape, 1.0, x) * (EXPM1_UNITS * p.u))
    size = abs(exact.number(alpha, x))
    bound = size * (library * (1 + p.gamma(2)) + p.gamma(2) * e)
    return _where_negative(x, bound, exact.full(x.shape, 1.0, x), alpha, p)


def elu_vjp(x: Array, dy: Array, dx: Array, alpha: float, p: Precision) -> Array:
    """Bound of ELU's gradient dy alpha e^x computed from x (BOUND-ELU)."""
    # |dx| ((1 + 6 u)(1 + gamma_3) - 1), without a difference that float64 would round
    relative = 2 * EXP_ULP * p.u * (1 + p.gamma(3)) + p.gamma(3)
    return _where_negative(x, relative * exact.absolute(dx), 1 + exact.absolute(dy), alpha, p)


def exp_minus_one(x: Array, y: Array, alpha: float, p: Precision) -> Array:
    """Bound of ELU's value computed as alpha (exp(x) - 1), an accuracy dialect (BOUND-ELU)."""
    # |alpha| (6 u e^x (1 + gamma_3) + gamma_3 |E|)
    e = _expm1_size(y, alpha)
    size = abs(exact.number(alpha, x))
    bound = size * (2 * EXP_ULP * p.u * (1 - e) * (1 + p.gamma(3)) + p.gamma(3) * e)
    return _where_negative(x, bound, exact.full(x.shape, 1.0, x), alpha, p)


def gradient_from_output(x: Array, y: Array, dy: Array, alpha: float, p: Precision) -> Array:
    """Bound of ELU's gradient computed as dy (y + alpha), an accuracy dialect (BOUND-ELU)."""
    # |dy alpha| (gamma_3 e^x + (6 u + u |E|)(1 + gamma_4)), and us |E| where y was stored in half precision
    e = _expm1_size(y, alpha)
    held = p.us * e if p.us != p.u else e - e
    inner = p.gamma(3) * (1 - e) + (2 * EXP_ULP * p.u + p.u * e + held) * (1 + p.gamma(4))
    size = abs(exact.number(alpha, x)) * exact.absolute(dy)
    return _where_negative(x, size * inner, 1 + exact.absolute(dy), alpha, p)


def _expm1_size(y: Array, alpha: float) -> Array:
    """Return |E| = |expm1(x)| of y = alpha E; if alpha is 0, nothing depends on it."""
    return np.asarray(exact.absolute(y) / abs(exact.number(alpha, y))) if alpha else exact.full(y.shape, 0.0, y)


def norm_error(gradients: Gradients, p: Precision, more: int = 0) -> Any:
    """Relative bound of the norm of all the elements of ``gradients``, with ``more`` roundings (BOUND-NORM).

    Where float16 is the arithmetic too, a dialect, squares of ordinary gradients underflow: each is then off by up
    to half its smallest number, 2^-25.

    Returns:
        The bound; infinite where underflow may leave nothing of the sum of squares.
    """
    present = [g for g in gradients if g is not None]
    # gamma_k,   k = ceil((N + T) / 2) + 4,   N elements in T tensors
    count = sum(exact.count(g) for g in present)
    k = math.ceil((p.terms(count) + len(present)) / 2) + 4 + more
    lost = Decimal(0)
    if p.u == FORMATS["float16"].unit:
        square = sum((exact.total(g * g).item() for g in present), Decimal(0))
        lost = count * p.eta / square if square > 0 and square.is_finite() else lost
    # (1 + gamma_k) / sqrt(1 - N eta / sum(g^2)) - 1
    return (1 + p.gamma(k)) / (1 - lost).sqrt() - 1 if lost < 1 else Decimal("inf")


def clip_by_global_norm(
    gradients: Gradients, values: Gradients, clipnorm: float, p: Precision, more: int = 0
) -> list[Array | None]:
    """Bound of gradients clipped by their common norm, on both sides of the threshold (BOUND-NORM).

    Args:
        gradients: before clipping.
        values: the exact results.
        clipnorm: the threshold.
        p: the arithmetic's precision.
        more: roundings of g and the norm beyond those of the clause.
    """
    # |g s| gamma_{k+5}
    relative, slack = norm_error(gradients, p, 5 + more), p.eta
    if p.u == FORMATS["float16"].unit and not math.isinf(clipnorm):
        # g * c, rounded among float16's subnormal numbers before it is divided by max(n, c).
        norm = global_norm(gradients)[()]
        divisor = max(Decimal(float(norm)), Decimal(clipnorm)) if math.isfinite(norm) else Decimal(clipnorm)
        slack += p.eta / divisor if divisor > 0 else 0
    # An infinite bound times a gradient of 0 is none.
    return [v if v is None else np.where(v == 0, slack, exact.absolute(v) * relative + slack) for v in values]


def clip_by_norm(
    gradients: Gradients, values: Gradients, clipnorm: float, p: Precision, more: int = 0
) -> list[Array | None]:
    """Bound of gradients clipped each by its own norm; arguments as for ``clip_by_global_norm``."""
    pairs = zip(gradients, values, strict=True)
    return [bound for g, v in pairs for bound in clip_by_global_norm([g], [v], clipnorm, p, more)]


def sgd_step(
    weights: list[Array],
    values: Gradients,
    errors: Gradients,
    *,
    learning_rate: float,
    dtype: str,
    sums: Mapping[int, Array],
) -> list[Array]:
    """Bound of w - learning_rate g (BOUND-SGD): gamma_2 (1 + u) |lr g| + u |w'|, and the error of a clipped g.

    Args:
        weights: before the step.
        values: the gradients after clipping.
        errors: the bounds of these as ``clip_by_norm`` gives them; 0 where nothing is computed.
        learning_rate: the exact float64 number.
        dtype: of weights and gradients; u is its unit roundoff, also in half precision (NUM-6).
        sums: the sizes of the rows, added up, of each sparse gradient with two rows of one index, by its place.
    """
    result = []
    for i, (w, v, error) in enumerate(zip(weights, values, errors, strict=True)):
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
        if i in sums:
            # The rows may be taken off one after the other: gamma_4 |lr| (|g_1| + |g_2|) + gamma_2 |w'|
            rounded = p.gamma(4) * abs(rate) * sums[i] + p.gamma(2) * moved
        # The product and the difference may underflow.
        result.append((1 + p.gamma(4)) * abs(rate) * error + rounded + 3 * p.eta)
    return result
