"""The clauses of spec/numerics.md that a case tests in addition; they follow from its inputs and hunts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from nnconform.conformance.vectors import described_tensors
from nnconform.conformance.vectors.described_tensors import Repeated
from nnconform.conformance.vectors.tensors import Array

from .vector_case import HALF, Every, VectorCase

# The other operations round nothing (ReLU, clipping by value) or are judged by a law.
ARITHMETIC = ("elu", "batch_norm_train", "batch_norm_eval", "clip_by_norm", "clip_by_global_norm", "sgd_step")


def _arrays(value: Any) -> Iterator[Array]:
    """Yield the arrays of an input as float64."""
    if isinstance(value, list):
        for entry in value:
            yield from _arrays(entry)
    elif isinstance(value, Every):
        with np.errstate(invalid="ignore"):
            numbers = described_tensors.every(value.dtype, value.recipe).astype(np.float64)
        yield numbers
    elif isinstance(value, Repeated):
        yield value.block.astype(np.float64)
    elif value is not None:
        yield np.asarray(value.values if hasattr(value, "dense_shape") else value).astype(np.float64)


def _clauses(case: VectorCase) -> Iterator[str]:
    free = [word for words in case.latitude.values() for word in words]
    arrays = [a for value in case.inputs.values() for a in _arrays(value)]
    benign = case.profile == "core" and case.operation in ARITHMETIC
    places = [a for name in ("x", "gradients") for a in _arrays(case.inputs.get(name))]
    tests = {
        "NUM-1": benign,
        "NUM-2": benign,
        "NUM-3": any(not np.isfinite(a).all() for a in arrays),
        "NUM-4": case.profile == "edge" and any((a == 0).any() for a in places),
        "NUM-5": "subnormal-flush" in free,
        "NUM-6": benign and case.dtype in HALF,
        "NUM-7": bool({"wrong-dtype", "wrong-shape"} & set(case.hunts)),
        "NUM-8": case.unjudged or "any" in free,
        "NUM-9": "input-changed" in case.hunts,
    }
    # An unjudged vector tests nothing else.
    yield from ["NUM-8"] if case.unjudged else (clause for clause, tested in tests.items() if tested)


def with_numerics(case: VectorCase) -> VectorCase:
    """Return the case with the clauses of numerics.md that it tests added after its own."""
    return replace(case, clauses=tuple(dict.fromkeys((*case.clauses, *_clauses(case)))))
