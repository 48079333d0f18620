"""From a case whose input is every number of a dtype to its vector: digests instead of values."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnconform.conformance.cases.vector_case import Every, VectorCase
from nnconform.conformance.vectors import described_tensors, exhaustive
from nnconform.conformance.vectors.stored_vector import StoredTensor
from nnconform.conformance.vectors.vector import Tensor
from nnconform.reference.dialects import variants_of

from .accepted_region import Region


def every(case: VectorCase) -> tuple[dict[str, Any], dict[str, Any], frozenset[str]]:
    """Return the outcome of a case whose input is every number of a dtype, as ``expected.outcome`` does."""
    inputs = {name: _array(value) for name, value in case.inputs.items()}
    values = exhaustive.exact_outputs(case.operation, inputs, case.attributes, {})
    expected: dict[str, dict[str, Any]] = {}
    stored: dict[str, StoredTensor] = {}
    for name, array in values.items():
        free = case.latitude.get(name, ())
        expected[name] = {"dtype": case.dtype, "shape": list(array.shape), "latitude": list(free)}
        if "any" not in free:
            digest = exhaustive.digest_of(array, case.dtype, frozenset(free))
            expected[name] |= {"recipe": "computed", "digest": digest}
            stored[name] = StoredTensor(digest=digest, latitude=tuple(free))
    digests = {
        k: StoredTensor(digest=v["digest"], latitude=tuple(v["latitude"])) for k, v in expected.items() if "digest" in v
    }
    computed = exhaustive.Sweep(case.id, case.operation, inputs, case.attributes, digests)
    names = [v.name for v in variants_of(case.operation, dtype=case.dtype, defaults=False)]
    regions = {name: {k: _of(v) for k, v in computed.region(name).items()} for name in ("", *names)}
    dialects = {}
    for name in names:
        parts = [regions[part] for part in name.split("+")] if "+" in name else []
        leaving = [k for k, v in regions[name].items() if all(v.leaves(other[k]) for other in (regions[""], *parts))]
        if leaving:
            dialects[name] = case.listed({k: {"recipe": "computed"} for k in leaving})
    return case.listed(expected), dialects, frozenset()


def _array(value: Any) -> Any:
    if isinstance(value, list):
        return [_array(v) for v in value]
    return described_tensors.every(value.dtype, value.recipe) if isinstance(value, Every) else value.whole()


def _of(tensor: Tensor) -> Region:
    assert tensor.values is not None
    assert tensor.bound is not None
    return Region(tensor.dtype, tensor.values.astype(np.float64), tensor.bound)
