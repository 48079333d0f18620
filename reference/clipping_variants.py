"""Clipping and the SGD step as a vector asks them, and as the dialects have them; see ``variants``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from . import bounds, clipping, exact
from .case import Case, Output, Outputs, zeros_like
from .rounding import FORMATS, Format


def clip_by_value(case: Case, *, zero_is_off: bool = False, rows_apart: bool = False) -> Outputs:
    """Clipping by value; ``zero_is_off``: a threshold of 0 does nothing; ``rows_apart``: before rows are added."""
    gradients, limit = case.inputs["gradients"], case.attributes["clipvalue"]
    off = zero_is_off and limit == 0
    parts = _rows(case) if rows_apart else gradients
    values = parts if off else clipping.clip_by_value(parts, clipvalue=limit)
    if rows_apart:
        values = _summed(case, values)
    return _listed("gradients", values, [g if g is None else zeros_like(g) for g in gradients], case)


def _rows(case: Case) -> list[Any]:
    """Return the gradients, the sparse ones as their rows, not added up."""
    return [case.rows[i][1] if i in case.rows else g for i, g in enumerate(case.inputs["gradients"])]


def _summed(case: Case, values: Sequence[Any]) -> list[Any]:
    """Return gradients as dense arrays; ``values`` has the rows of sparse ones."""
    result = list(values)
    for i, (indices, _) in case.rows.items():
        total = zeros_like(case.inputs["gradients"][i])
        for row, value in zip(indices, values[i], strict=True):
            total[row] = total[row] + value
        result[i] = total
    return result


def _listed(name: str, values: Sequence[Any], errors: Sequence[Any], case: Case) -> Outputs:
    return {
        f"{name}[{i}]": Output(v, e, case.dtypes["gradients"])
        for i, (v, e) in enumerate(zip(values, errors, strict=True))
        if v is not None
    }


class NormRules(NamedTuple):
    """A way of clipping by norm; the defaults are the clauses'.

    Attributes:
        everywhere: one norm over all variables instead of one per variable.
        denominator: added to the norm in the scale c / (n + denominator), which is then at most 1.
        zero_is_off: a threshold of 0 does nothing.
        overflow: what becomes of the gradients when the sum of squares overflows: "" (as the clause), "zero", "nan".
        underflow: squares that underflow are lost, so that the norm is 0 and nothing is clipped.
        product_underflow: the gradient is multiplied by the threshold first; products that underflow give 0.
        infinite_is_nan: an infinite norm makes every element NaN.
        zero_by_zero: a norm of 0 at a threshold of 0 gives NaN.
        infinite_limit_is_nan: an infinite threshold gives NaN.
        half: everything is computed in the storage dtype.
        sequential: long sums are taken one element after the other.
        rows_apart: the norm of a sparse gradient is that of its rows, before those of one index are added.
    """

    everywhere: bool = False
    denominator: float = 0.0
    zero_is_off: bool = False
    overflow: str = ""
    underflow: bool = False
    product_underflow: bool = False
    infinite_is_nan: bool = False
    zero_by_zero: bool = False
    infinite_limit_is_nan: bool = False
    half: bool = False
    sequential: bool = False
    rows_apart: bool = False


def _clip_group(group: Sequence[Any], limit: float, rules: NormRules, dtype: str) -> list[Any]:
    present = [g for g in group if g is not None]
    if not present or (rules.zero_is_off and limit == 0):
        return list(group)
    norm, c, nan = clipping.global_norm(present), Decimal(limit), Decimal("nan")

    def all_times(scale: Decimal) -> list[Any]:
        return [g if g is None else np.asarray(g * scale, object) for g in group]

    if rules.overflow and _overflows(present, dtype):
        return all_times(Decimal(0) if rules.overflow == "zero" else nan)
    if rules.underflow and _underflows(present, dtype):
        return list(group)
    if rules.product_underflow and _lost((d * c for d in _elements(present)), dtype):
        return all_times(Decimal(0))
    if rules.infinite_is_nan and not exact.isfinite(norm):
        return all_times(nan)
    if (rules.zero_by_zero and limit == 0 and norm == 0) or (rules.infinite_limit_is_nan and c.is_infinite()):
        return all_times(nan)
    if rules.denominator:
        return all_times(min(c / (norm[()] + Decimal(rules.denominator)), Decimal(1)))
    return [g if g is None else clipping.scaled(g, norm, limit) for g in group]


def _clip_norms(case: Case, limit: float, rules: NormRules, *, one_norm: bool) -> tuple[list[Any], list[Any]]:
    gradients, dtype = _rows(case) if rules.rows_apart else case.inputs["gradients"], case.dtypes["gradients"]
    p = bounds.precision(dtype, half=rules.half, sequential=rules.sequential)
    together = one_norm or rules.everywhere
    groups = [list(gradients)] if together else [[g] for g in gradients]
    values = [v for group in groups for v in _clip_group(group, limit, rules, dtype)]
    bound = bounds.clip_by_global_norm if together else bounds.clip_by_norm
    # The sum of two rows of one index is rounded, in the elements and in the norm.
    errors = bound(gradients, values, limit, p, 2 * bool(_repeated(case)))
    if rules.rows_apart:
        return _summed(case, values), _rows_summed(case, values, errors, p)
    return values, errors


def _repeated(case: Case) -> list[int]:
    """Return the places of the sparse gradients with an index that occurs more than once."""
    return [i for i, (indices, _) in case.rows.items() if len(set(indices.tolist())) < len(indices)]


def _rows_summed(case: Case, values: Sequence[Any], errors: Sequence[Any], p: bounds.Precision) -> list[Any]:
    """Return the bound of gradients whose rows are clipped before those of one index are added."""
    sizes = [v if v is None else exact.absolute(v) for v in values]
    rounded = [
        e if i not in case.rows else e + p.gamma(len(case.rows[i][0])) * (e + sizes[i]) for i, e in enumerate(errors)
    ]
    return _summed(case, rounded)


def clip_by_norm(case: Case, **rules: Any) -> Outputs:
    """Clipping every variable by its own norm; ``rules`` are those of ``NormRules``."""
    made = _clip_norms(case, case.attributes["clipnorm"], NormRules(**rules), one_norm=False)
    return _listed("gradients", *made, case)


def clip_by_global_norm(case: Case, **rules: Any) -> Outputs:
    """Clipping all variables by their common norm, a further output."""
    made = _clip_norms(case, case.attributes["clipnorm"], NormRules(**rules), one_norm=True)
    gradients = _rows(case) if rules.get("rows_apart") else case.inputs["gradients"]
    dtype = case.dtypes["gradients"]
    p = bounds.precision(dtype, half=bool(rules.get("half")), sequential=bool(rules.get("sequential")))
    absent = all(g is None for g in gradients)
    norm = exact.exact(0.0) if absent else clipping.global_norm(gradients)
    relative = bounds.norm_error(gradients, p, 2 * bool(_repeated(case)))
    error = np.asarray(norm * relative + p.eta if norm != 0 else norm, object)
    if rules.get("overflow") and _overflows(gradients, dtype):
        norm = exact.full((), math.inf, norm)
    if rules.get("underflow") and _underflows(gradients, dtype):
        norm = zeros_like(norm)
    return _listed("gradients", *made, case) | {"global_norm": Output(norm, error, dtype)}


def _arithmetic(dtype: str) -> Format:
    """Return the format of the arithmetic, whose range squares and products may leave: float32 for bfloat16."""
    return FORMATS["float32" if dtype == "bfloat16" else dtype]


def _overflows(gradients: Sequence[Any], dtype: str) -> bool:
    """Return True if the squares of finite gradients add up to more than the arithmetic's largest number."""
    total: Any = sum((exact.total(g * g)[()] for g in gradients if g is not None), Decimal(0))
    return bool(total.is_finite()) and bool(total > Decimal(_arithmetic(dtype).largest))


def _underflows(gradients: Sequence[Any], dtype: str) -> bool:
    return _lost((d * d for d in _elements(gradients)), dtype)


def _elements(gradients: Sequence[Any]) -> Iterator[Decimal]:
    return (d for g in gradients if g is not None for d in g.ravel())


def _lost(results: Iterable[Decimal], dtype: str) -> bool:
    """Return True if all are rounded to 0, as numbers up to half of the smallest one are; a NaN is not."""
    arithmetic = _arithmetic(dtype)
    return all(abs(d) <= arithmetic.smallest_normal * arithmetic.unit for d in results)


# A multiple of what vector registers hold of a half format: 8, 16 or 32 numbers.
BLOCK = 32


def _in_blocks(a: Any) -> Any:
    """Return a mask of the elements in whole blocks in C order, without the last few."""
    return (np.arange(a.size) < a.size // BLOCK * BLOCK).reshape(a.shape)


def sgd_step(
    case: Case,
    *,
    learning_rate: float | None = None,
    float32_rate: bool = False,
    blocks_stay: bool = False,
    **rules: Any,
) -> Outputs:
    """One SGD step on clipped gradients.

    Args:
        case: the inputs, dtypes and attributes.
        learning_rate: instead of the attribute's.
        float32_rate: the learning rate is kept in float32.
        blocks_stay: weights in whole blocks are left as they are; the last few take the step.
        rules: those of ``NormRules``.
    """
    attributes, weights = case.attributes, list(case.inputs["weights"])
    rate = attributes["learning_rate"] if learning_rate is None else learning_rate
    rate = float(np.float32(rate)) if float32_rate else rate
    clips = {k: v for k, v in attributes.items() if k in ("clipvalue", "clipnorm", "global_clipnorm")}
    kind, limit = next(iter(clips.items()), ("", math.inf))
    gradients = case.inputs["gradients"]
    used, errors = list(gradients), [None if g is None else zeros_like(g) for g in gradients]
    if kind == "clipvalue" and not (rules.get("zero_is_off") and limit == 0):
        used = clipping.clipped(gradients, **clips)
    elif kind in ("clipnorm", "global_clipnorm"):
        used, errors = _clip_norms(case, limit, NormRules(**rules), one_norm=kind == "global_clipnorm")
    dtype = case.dtypes["weights"]
    sizes = _summed(case, [None if r is None else exact.absolute(r) for r in _rows(case)])
    sums = {i: sizes[i] for i in _repeated(case)}
    bound = bounds.sgd_step(weights, used, errors, learning_rate=rate, dtype=dtype, sums=sums)
    values = clipping.sgd_step(weights, used, learning_rate=rate)
    if blocks_stay:
        stay = [_in_blocks(w) for w in weights]
        values = [np.where(s, w, v) for s, w, v in zip(stay, weights, values, strict=True)]
        bound = [np.where(s, zeros_like(e), e) for s, e in zip(stay, bound, strict=True)]
    return {f"weights[{i}]": Output(v, e, dtype) for i, (v, e) in enumerate(zip(values, bound, strict=True))}
