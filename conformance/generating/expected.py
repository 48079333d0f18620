"""From a case to a vector: exact expected values, error bounds, and the outputs of each dialect."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nnconform.conformance.cases.vector_case import Every, VectorCase
from nnconform.conformance.vectors.described_tensors import Repeated
from nnconform.conformance.vectors.operations import RANDOM
from nnconform.conformance.vectors.tensors import Array, dtype_name, format_data
from nnconform.reference import exact, laws, rounding
from nnconform.reference.dialects import DIALECTS, Variant, variants_of
from nnconform.reference.extremes import interval
from nnconform.reference.initialization import Law
from nnconform.reference.simulation import SIMULATIONS
from nnconform.reference.variants import OPERATIONS, Case, Outputs

from . import sequential
from .accepted_region import Region, Stored, Undecided
from .expected_exhaustive import every


class GenerationError(Exception):
    """A case makes no sound vector; the message names the vector and the fault."""


def _exact_input(value: Any) -> Any:
    """Return an input as exact numbers, a sparse gradient as its dense sum."""
    if isinstance(value, list | tuple) and not hasattr(value, "dense_shape"):
        return [_exact_input(v) for v in value]
    if isinstance(value, Repeated):
        return exact.exact(value.block).reshape(-1, *value.shape[1:])
    if hasattr(value, "dense_shape"):
        total = exact.exact(np.zeros(value.dense_shape))
        for row, values in zip(value.indices, exact.exact(value.values), strict=True):
            total[row] = total[row] + values
        return total
    return None if value is None else exact.exact(value)


def _input_dtype(value: Any) -> str:
    if isinstance(value, list):
        return next((_input_dtype(v) for v in value if v is not None), "float32")
    if isinstance(value, Every):
        return value.dtype
    return dtype_name(value.values if hasattr(value, "dense_shape") else value)


def exact_case(case: VectorCase) -> Case:
    """Return a case in exact arithmetic; of repeated inputs, one block."""
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
    """Return the digits in which sums of products of the inputs have no visible rounding.

    The rows of a sparse gradient count one by one: their sum may have more digits than any of them, and 1 + 2^-1000
    has a thousand. So do attributes: a momentum or an epsilon of 1e-200 decides a tie. The old running statistic is
    multiplied by the momentum once per step.
    """
    arrays = [a.block if isinstance(a, Repeated) else a for a in case.arrays if a is not None]
    numbers = [exact.exact(getattr(a, "values", a)) for a in arrays]
    attributes = {k: exact.exact(v) for k, v in {**case.assumed, **case.attributes}.items() if isinstance(v, float)}
    most = max((exact.digits(a) for a in (*numbers, *attributes.values())), default=1)
    repeated = exact.digits(attributes["momentum"]) * (case.steps - 1) if case.steps else 0
    return 60 + 2 * most + repeated


def _stored(outputs: Outputs, first: int) -> dict[str, Stored]:
    return {name: Stored(output, first) for name, output in outputs.items()}


def _tensor(stored: Stored) -> dict[str, Any]:
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


def _expected(case: VectorCase, exact_inputs: Case, right: Mapping[str, Stored]) -> dict[str, Any]:
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
            flushed = {k: _flush(v, exact_inputs.dtypes[k]) for k, v in exact_inputs.inputs.items()}
            other = Stored(OPERATIONS[case.operation](exact_inputs._replace(inputs=flushed))[name])
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


def _values_outcome(case: VectorCase) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    exact_inputs = exact_case(case)
    run = OPERATIONS[case.operation]
    right = _stored(run(exact_inputs), case.first)
    variants = list(variants_of(case.operation, dtype=case.dtype, defaults=bool(case.assumed)))
    by_variant = {variant.name: _stored(run(exact_inputs, **variant.keywords), case.first) for variant in variants}
    dialects: dict[str, Any] = {}
    proved: set[str] = set()
    for variant in variants:
        parts = [by_variant[part] for part in variant.parts] if len(variant.parts) > 1 else []
        entries = {
            name: stored.entry(right[name])
            for name, stored in by_variant[variant.name].items()
            if "any" not in case.latitude.get(name, ())
            and stored.bounded
            and all(stored.leaves(other[name]) for other in (right, *parts))
        }
        if entries:
            dialects[variant.name] = case.listed(entries)
            if _shows(variant, case, exact_inputs, right, by_variant[variant.name]):
                proved.update(variant.parts)
    dialects |= _errors(case)
    return case.listed(_expected(case, exact_inputs, right)), dialects, frozenset(proved)


def _errors(case: VectorCase) -> dict[str, Any]:
    return {name: {"error": DIALECTS[name].pattern} for name in case.raises}


def _shows(
    variant: Variant, case: VectorCase, exact_inputs: Case, right: Mapping[str, Stored], outputs: Mapping[str, Stored]
) -> bool:
    """Return True if the vector proves that it sees a dialect.

    A semantic dialect must differ from the expected values, at one element or more, by more than both bounds. A
    working-precision simulation of an accuracy dialect must leave the conforming bound.
    """
    if len(variant.parts) > 1:
        return False
    if not variant.accuracy:
        return any(stored.differs(right[name]) for name, stored in outputs.items())
    if case.first:
        return "sequential-accumulation" in variant.parts and _leave(right, sequential.outputs(case))
    if case.steps or case.operation not in SIMULATIONS or _empty(exact_inputs.inputs):
        return False
    with np.errstate(all="ignore"):
        simulated = SIMULATIONS[case.operation](exact_inputs, **variant.keywords)
    return _leave(right, simulated)


def _leave(right: Mapping[str, Region], simulated: Mapping[str, Array]) -> bool:
    return any(not right[name].holds(values) for name, values in simulated.items() if name in right)


def _empty(inputs: Mapping[str, Any]) -> bool:
    arrays = [a for v in inputs.values() for a in (v if isinstance(v, list) else [v]) if a is not None]
    return any(a.size == 0 for a in arrays)


def _law_outcome(case: VectorCase) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    attributes = {**case.assumed, **case.attributes}
    right = laws.expected_law(case.operation, attributes, case.seeds)
    others = laws.law_dialects(case.operation, attributes, defaults=bool(case.assumed), seeds=case.seeds)
    if case.extremes:
        return _extremes_outcome(case, right, others)
    shape = [*([len(right.pattern)] if right.pattern else []), *attributes["shape"]]
    expected = {"sample": {"dtype": case.dtype, "shape": shape, **right.entry()}}
    dialects: dict[str, Any] = {name: {"sample": law.entry()} for name, law in others.items()}
    dialects |= _errors(case)
    return expected, dialects, frozenset(others)


def _extremes_outcome(
    case: VectorCase, right: Law, others: Mapping[str, Law]
) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    """Return the smallest and the largest element of a sample with their bounds, by the clauses and by dialects."""
    count = math.prod(case.attributes["shape"])
    centre, bound = interval(right, count)
    expected = {"dtype": case.dtype, "shape": [2], **_both_ends(centre, bound, case.dtype)}
    dialects = {}
    for name, law in others.items():
        other, width = interval(law, count)
        if abs(other - centre) > width + bound:
            dialects[name] = {"sample": _both_ends(other, width, case.dtype)}
    return {"sample": expected}, dialects, frozenset(dialects)


def _both_ends(centre: float, bound: float, dtype: str) -> dict[str, str]:
    # All digits of the bound: rounded up to three, it would reach beyond the support.
    return {"data": format_data(np.array([-centre, centre]), dtype), "bound": repr(bound)}


def _outcome(case: VectorCase, digits: int) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    with exact.precision(digits), exact.repeated(_times(case)):
        return _values_outcome(case)


def _times(case: VectorCase) -> int:
    """Return the number of blocks in each repeated input; 1 if there is none.

    Raises:
        GenerationError: repeated inputs differ in that, or in the size of their blocks.
    """
    kinds = {(v.times, v.block.size) for v in case.arrays if isinstance(v, Repeated)} or {(1, case.first)}
    if len(kinds) > 1 or next(iter(kinds))[1] != case.first:
        raise GenerationError(f"{case.id}: {kinds} are the repetitions and sizes of its blocks; wanted one, of `first`")
    return next(iter(kinds))[0]


def outcome(case: VectorCase) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    """Return ``expected`` and ``dialects`` of the case's vector, and the dialects that it is proved to see.

    They are computed to p digits and again to 2p. A value so near a tie, or a branch so near its edge, that p digits do
    not decide it is an error. So is a value nearer to a tie than 2p digits can show: 3/4 of 1/3 is 1/4, and no number
    of digits shows it.

    Raises:
        GenerationError: the two differ, a value is near a tie in its last digits, or a bound is not finite.
    """
    if case.unjudged:
        return {}, {}, frozenset()
    if case.operation in RANDOM:
        return _law_outcome(case)
    if any(isinstance(v, Every) for v in case.arrays):
        return every(case)
    digits = _digits(case)
    try:
        result = _outcome(case, digits)
        decided = result == _outcome(case, 2 * digits)
    except Undecided:
        decided = False
    if not decided:
        raise GenerationError(f"{case.id}: {digits} digits do not decide every rounding; choose other inputs")
    return result
