"""From a case to a vector: exact expected values, error bounds, and what each dialect would give instead."""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from typing import Any

import numpy as np

from nnconform.reference import bounds, exact, laws, rounding
from nnconform.reference.dialects import Variant, variants_of
from nnconform.reference.simulation import SIMULATIONS
from nnconform.reference.variants import OPERATIONS, Case, Output, Outputs

from .cases import VectorCase
from .tensors import Array, dtype_name, format_bound, format_data, parse_bound


class GenerationError(Exception):
    """A case that makes no sound vector; the message names the vector and what is wrong."""


def _exact_input(value: Any) -> Any:
    """Return an input as exact numbers: a sparse gradient as the dense sum that it stands for."""
    if isinstance(value, list | tuple) and not hasattr(value, "dense_shape"):
        return [_exact_input(v) for v in value]
    if hasattr(value, "dense_shape"):
        total = exact.exact(np.zeros(value.dense_shape))
        for row, values in zip(value.indices, exact.exact(value.values), strict=True):
            total[row] = total[row] + values
        return total
    return None if value is None else exact.exact(value)


def _input_dtype(value: Any) -> str:
    if isinstance(value, list):
        return next((_input_dtype(v) for v in value if v is not None), "float32")
    return dtype_name(value.values if hasattr(value, "dense_shape") else value)


def _exact_case(case: VectorCase) -> Case:
    attributes = {**case.assumed, **case.attributes}
    if case.steps:
        attributes["steps"] = case.steps
    dtypes = {name: _input_dtype(value) for name, value in case.inputs.items()}
    if all(g is None for g in case.inputs.get("gradients", [0])):
        dtypes["gradients"] = case.dtype
    rows = {
        i: (g.indices, exact.exact(g.values))
        for i, g in enumerate(case.inputs.get("gradients", ()))
        if hasattr(g, "dense_shape")
    }
    return Case({name: _exact_input(v) for name, v in case.inputs.items()}, dtypes, attributes, rows)


def _digits(case: VectorCase) -> int:
    """Return a precision that holds sums of products of what is asked without a rounding that could show.

    The rows of a sparse gradient count one by one: their sum may have more digits than any of them, and 1 + 2^-1000
    has a thousand. So do attributes: a momentum or an epsilon of 1e-200 decides a tie. The old running statistic is
    multiplied by the momentum once a step.
    """
    arrays = [a for v in case.inputs.values() for a in (v if isinstance(v, list) else [v]) if a is not None]
    given = [exact.exact(getattr(a, "values", a)) for a in arrays]
    attributes = {k: exact.exact(v) for k, v in {**case.assumed, **case.attributes}.items() if isinstance(v, float)}
    most = max((exact.digits(a) for a in (*given, *attributes.values())), default=1)
    repeated = exact.digits(attributes["momentum"]) * (case.steps - 1) if case.steps else 0
    return 60 + 2 * most + repeated


# Digits that may be lost where numbers nearly cancel, before a value beside a tie is one that rounding put there.
CANCELLED = 20


class Undecided(Exception):
    """A value is so near a tie that the digits that it was computed to do not say on which side it is."""


class _Stored:
    """An output as it stands in a vector: values and bounds on the dtype's grid, and their texts.

    Raises:
        Undecided: a value was computed to the digits of the context, and may be on a tie or beside it.
    """

    def __init__(self, output: Output) -> None:
        self.dtype = output.dtype
        # NumPy makes a bare Decimal of an operation on zero-dimensional object arrays.
        exact_values, bound = np.asarray(output.values, object), np.asarray(output.bound, object)
        target, digits = rounding.FORMATS[output.dtype], decimal.getcontext().prec - CANCELLED
        if any(rounding.is_unsettled(value, target, digits) for _, value in exact.elements(exact_values)):
            raise Undecided
        self.values = rounding.round_to(exact_values, output.dtype)
        wide = bounds.stored(exact_values, bound, output.dtype)
        self.bound_text = format_bound(wide)
        self.bound = parse_bound(self.bound_text, self.values.shape, "bound") if wide.size else wide
        self.data = format_data(self.values, output.dtype)

    @property
    def bounded(self) -> bool:
        """Whether every element has a finite bound."""
        return bool(np.isfinite(self.bound).all())

    def leaves(self, other: _Stored) -> bool:
        """Say whether an implementation of this may leave the other's region, by an eighth of its bound or more."""
        if self.dtype != other.dtype:
            return True
        finite = np.isfinite(self.values) & np.isfinite(other.values)
        with np.errstate(invalid="ignore"):
            beyond = np.abs(self.values - other.values) + self.bound > 1.125 * other.bound
        same = (self.values == other.values) | (np.isnan(self.values) & np.isnan(other.values))
        return bool(np.where(finite, beyond & ((self.bound > other.bound) | ~same), ~same).any())

    def entry(self, expected: _Stored) -> dict[str, Any]:
        """Return what a dialect's entry in a vector says of this output: only what is not as expected."""
        # The same text may name another number in another dtype.
        result = {"dtype": self.dtype} if self.dtype != expected.dtype else {}
        if result or self.data != expected.data:
            result["data"] = self.data
        return {**result, "bound": self.bound_text if self.values.size else ""}

    def differs(self, other: _Stored) -> bool:
        """Say whether some element is further from ``other``'s than both bounds together."""
        finite = np.isfinite(self.values) & np.isfinite(other.values)
        with np.errstate(invalid="ignore"):
            far = np.abs(self.values - other.values) > self.bound + other.bound
        same = (self.values == other.values) | (np.isnan(self.values) & np.isnan(other.values))
        return bool(np.where(finite, far, ~same).any())

    def holds(self, values: Array) -> bool:
        """Say whether every element of ``values`` is inside the bound."""
        finite = np.isfinite(self.values)
        with np.errstate(invalid="ignore"):
            near = np.abs(self.values - values) <= self.bound
        return bool(np.where(finite, near, True).all())


def _stored(outputs: Outputs) -> dict[str, _Stored]:
    return {name: _Stored(output) for name, output in outputs.items()}


def _listed(flat: Mapping[str, Any], case: VectorCase) -> dict[str, Any]:
    """Gather ``gradients[0]``, ``gradients[1]`` into lists, with None where there is nothing."""
    result: dict[str, Any] = {}
    if not flat and case.operation in ("clip_by_value", "clip_by_norm"):
        return {"gradients": [None] * len(case.inputs["gradients"])}
    for name, value in flat.items():
        base, _, rest = name.partition("[")
        if rest:
            result.setdefault(base, [None] * len(case.inputs["gradients"]))[int(rest[:-1])] = value
        else:
            result[name] = value
    return result


def _tensor(stored: _Stored) -> dict[str, Any]:
    return {
        "dtype": stored.dtype,
        "shape": list(stored.values.shape),
        "data": stored.data,
        "bound": stored.bound_text if stored.values.size else "",
    }


def _flush(value: Any, dtype: str) -> Any:
    """Return exact numbers with the subnormal ones of ``dtype`` replaced by zero."""
    if isinstance(value, list):
        return [_flush(v, dtype) for v in value]
    small = np.abs(value) < rounding.FORMATS[dtype].smallest_normal
    return np.where(small & ~exact.isnan(value), exact.full(value.shape, 0.0, value), value)


def _expected(case: VectorCase, asked: Case, right: Mapping[str, _Stored]) -> dict[str, Any]:
    flat = {}
    for name, stored in right.items():
        free = case.latitude.get(name, ())
        if "any" in free:
            flat[name] = {"dtype": stored.dtype, "shape": list(stored.values.shape), "latitude": ["any"]}
            continue
        if not stored.bounded:
            raise GenerationError(f"{case.id}: the bound of {name} is not finite; choose other inputs")
        flat[name] = _tensor(stored)
        zero = bool((stored.values == 0).any())
        if "subnormal-flush" in free:
            flushed = {k: _flush(v, asked.dtypes[k]) for k, v in asked.inputs.items()}
            other = _Stored(OPERATIONS[case.operation](asked._replace(inputs=flushed))[name])
            if other.data == stored.data:
                free = tuple(f for f in free if f != "subnormal-flush")
            else:
                flat[name]["flushed"] = other.data
                zero = zero or bool((other.values == 0).any())
        if not zero:
            free = tuple(f for f in free if f != "sign-of-zero")
        if free:
            flat[name]["latitude"] = list(free)
    return flat


def _judged(case: VectorCase) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    asked = _exact_case(case)
    run = OPERATIONS[case.operation]
    right = _stored(run(asked))
    variants = list(variants_of(case.operation, dtype=case.dtype, defaults=bool(case.assumed)))
    made = {variant.name: _stored(run(asked, **variant.keywords)) for variant in variants}
    dialects: dict[str, Any] = {}
    proved: set[str] = set()
    for variant in variants:
        parts = [made[part] for part in variant.parts] if len(variant.parts) > 1 else []
        found = {
            name: stored.entry(right[name])
            for name, stored in made[variant.name].items()
            if "any" not in case.latitude.get(name, ())
            and stored.bounded
            and all(stored.leaves(other[name]) for other in (right, *parts))
        }
        if found:
            dialects[variant.name] = _listed(found, case)
            if _shows(variant, case, asked, right, made[variant.name]):
                proved.update(variant.parts)
    for name, pattern in case.raises.items():
        dialects[name] = {"error": pattern}
    return _listed(_expected(case, asked, right), case), dialects, frozenset(proved)


def _shows(
    variant: Variant, case: VectorCase, asked: Case, right: Mapping[str, _Stored], made: Mapping[str, _Stored]
) -> bool:
    """Say whether the vector proves that it sees a dialect.

    A semantic one differs from the expected value, at one element or more, by more than both bounds; a
    working-precision simulation of an accuracy one leaves the conforming bound.
    """
    if len(variant.parts) > 1:
        return False
    if not variant.accuracy:
        return any(stored.differs(right[name]) for name, stored in made.items())
    if case.steps or case.operation not in SIMULATIONS or _empty(asked.inputs):
        return False
    with np.errstate(all="ignore"):
        simulated = SIMULATIONS[case.operation](asked, **variant.keywords)
    return any(not right[name].holds(values) for name, values in simulated.items() if name in right)


def _empty(inputs: Mapping[str, Any]) -> bool:
    arrays = [a for v in inputs.values() for a in (v if isinstance(v, list) else [v]) if a is not None]
    return any(a.size == 0 for a in arrays)


def _law(case: VectorCase) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    attributes = {**case.assumed, **case.attributes}
    right = laws.expected_law(case.operation, attributes)._asdict()
    expected = {"sample": {"dtype": case.dtype, "shape": list(attributes["shape"]), **right}}
    others = laws.law_dialects(case.operation, attributes, defaults=bool(case.assumed))
    return expected, {name: {"sample": law._asdict()} for name, law in others.items()}, frozenset(others)


def _outcome(case: VectorCase, digits: int) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    with exact.precision(digits):
        return _judged(case)


def outcome(case: VectorCase) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    """Return ``expected`` and ``dialects`` of the case's vector, and the dialects that it is proved to see.

    They are computed at p digits and again at 2p: an exact value so near a tie, or a branch so near its
    edge, that p digits do not decide it is refused rather than guessed. So is one beside a tie by less than
    the 2p digits can tell: 3/4 of 1/3 is 1/4, and no number of digits shows it.

    Raises:
        GenerationError: the two differ, a value is beside a tie in its last digits, or a bound is not finite.
    """
    if case.unjudged:
        return {}, {}, frozenset()
    if case.operation in ("he_normal", "he_uniform"):
        return _law(case)
    digits = _digits(case)
    try:
        result = _outcome(case, digits)
        decided = result == _outcome(case, 2 * digits)
    except Undecided:
        decided = False
    if not decided:
        raise GenerationError(f"{case.id}: {digits} digits do not decide every rounding; choose other inputs")
    return result
