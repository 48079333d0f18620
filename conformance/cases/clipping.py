"""Cases of clip_by_value, clip_by_norm and clip_by_global_norm, and the gradients that sgd shares with them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from nnconform.adapters import SparseGradient
from nnconform.conformance.vectors.tensors import stored

from .vector_case import DTYPES, FULL, HALF, VectorCase, tensor

Gradients = list[Any]
STRUCTURES: dict[str, list[Any]] = {
    "one-variable": [[5]],
    "two-variables": [[3], [2, 2]],
    "with-absent": [[4], None, [2, 3]],
}


ORDINARY = "wrong-dtype wrong-shape input-changed"
NORM_FAULTS = (
    "norm-order threshold-squared square-root-forgotten wrong-threshold tail-mishandled "
    "clip-denominator-epsilon denominator-epsilon global-norm"
)
SPARSE = "sparse-refused sparse-misplaced"
SPARSE_REPEATED = "sparse-rows-apart sparse-not-summed sparse-misplaced"
# Only clipping by the global norm has the norm as an output.
OF_GLOBAL = ("norm-after-clipping",)
REJECTS_SPARSE = ("rejects-sparse-gradient",)
REJECTS_ALL_ABSENT = ("rejects-all-absent",)


class Question(NamedTuple):
    """Gradients to clip at a threshold, with the faults and clauses (numbers within the family) that they test."""

    name: str
    profile: str
    clauses: str
    hunts: str
    gradients: Gradients
    threshold: float
    free: tuple[str, ...] = ("sign-of-zero",)
    unjudged: bool = False
    compiled: bool = False

    @property
    def raises(self) -> tuple[str, ...]:
        """The dialects that raise an error for such gradients."""
        if any(hasattr(g, "dense_shape") for g in self.gradients):
            return REJECTS_SPARSE
        return REJECTS_ALL_ABSENT if all(g is None for g in self.gradients) else ()


def gradients_of(key: str, shapes: Sequence[Any], dtype: str, *, deviation: float = 1.0) -> Gradients:
    """Return one array per shape, None for a shape of None."""
    return [
        None if shape is None else tensor(f"{key}-{i}", shape, dtype, deviation=deviation)
        for i, shape in enumerate(shapes)
    ]


def sparse(key: str, dtype: str, *, repeated: bool) -> SparseGradient:
    """Return a gradient of rows 3 and 0 of 5, row 3 twice if ``repeated``."""
    rows = [3, 0, 3] if repeated else [3, 0]
    return SparseGradient(np.array(rows, np.int64), tensor(key, [len(rows), 2], dtype), (5, 2))


def absent(shapes: Sequence[Any]) -> str:
    """Return the hunt for faults of absent gradients, or "" if none is absent."""
    return " absent-gradient" if None in shapes else ""


def value_questions(dtype: str) -> Iterator[Question]:
    """Yield the questions of clipping by value."""
    narrower = " precision-lost" if dtype in FULL else ""
    for name, shapes in STRUCTURES.items():
        grads = gradients_of(f"clip-{name}", shapes, dtype)
        clauses = "1 4 8" if None in shapes else "1 4"
        hunts = f"wrong-threshold threshold-squared norm-order tail-mishandled {ORDINARY}{absent(shapes)}{narrower}"
        yield Question(name, "core", clauses, hunts, grads, 0.5, (), compiled=True)
        yield Question(f"{name}-wide", "core", clauses, hunts, grads, 2.5, ())
        yield Question(f"{name}-narrow", "core", clauses, hunts, grads, 0.01, ())
    one = gradients_of("clip-one-variable", [[5]], dtype)
    if dtype == "float32":
        yield Question("all-absent", "edge", "8", "absent-gradient", [None, None], 1.0)
    yield Question("scalar-and-empty", "edge", "10", "wrong-shape", gradients_of("clip-s", [[], [0]], dtype), 0.5)
    at = [stored([0.5, -0.5, 0.25, 1.0, -1.0], dtype)]
    yield Question("at-threshold", "edge", "1 4", "wrong-threshold", at, 0.5, (), compiled=True)
    zeros = [stored([0.0, -0.0, 1.0, -1.0, -0.0], dtype)]
    yield Question("signed-zeros", "edge", "4", "lost-zero-sign", zeros, 0.5, (), compiled=True)
    bad = [stored([math.nan, 1.0, math.inf, -math.inf, -0.25], dtype)]
    hunts = "nan-swallowed infinity-mishandled"
    yield Question("nan-and-infinities", "edge", "2 3", hunts, bad, 0.5, (), compiled=True)
    yield Question("threshold-0", "edge", "5", "threshold-zero-is-off", one, 0.0)
    yield Question("threshold-infinite", "edge", "6", "infinite-threshold", one, math.inf, ())
    yield Question("threshold-infinite-special", "edge", "6 2", "infinite-threshold", bad, math.inf, ())
    yield Question("threshold-negative", "edge", "7", "negative-threshold", one, -1.0, unjudged=True)
    for repeated in (False, True):
        name = "sparse-repeated" if repeated else "sparse"
        rows = [sparse(f"clip-{name}", dtype, repeated=repeated), one[0]]
        hunts = SPARSE_REPEATED if repeated else SPARSE
        yield Question(name, "edge", "9", hunts, rows, 0.5)


def norm_questions(dtype: str) -> Iterator[Question]:
    """Yield the questions of clipping by norm, of each variable or of all."""
    narrower = " precision-lost" if dtype in FULL else " half-precision-arithmetic"
    for name, shapes in STRUCTURES.items():
        grads = gradients_of(f"norm-{name}", shapes, dtype)
        clauses = "1 4" if None in shapes else "1"
        several = f"{NORM_FAULTS} norm-after-clipping {ORDINARY}{absent(shapes)}{narrower}"
        yield Question(name, "core", clauses, several, grads, 1.0, (), compiled=True)
        yield Question(f"{name}-slightly", "core", clauses, several, grads, 1.5, ())
        yield Question(f"{name}-hard", "core", clauses, several, grads, 0.125, ())
        yield Question(f"{name}-below", "core", "2", "scale-not-limited wrong-shape", grads, 100.0, ())
        small = gradients_of(f"norm-small-{name}", shapes, dtype, deviation=0.01)
        yield Question(f"{name}-small", "core", "2", "scale-not-limited wrong-shape", small, 1.0, (), compiled=True)
        tiny = gradients_of(f"norm-tiny-{name}", shapes, dtype, deviation=0.001)
        yield Question(f"{name}-tiny-threshold", "core", clauses, NORM_FAULTS, tiny, 0.001, ())
    yield from _norm_edges(dtype)
    yield from _norm_ranges(dtype)


def _norm_edges(dtype: str) -> Iterator[Question]:
    one = gradients_of("norm-one-variable", [[5]], dtype)
    two = gradients_of("norm-two-variables", [[3], [2, 2]], dtype)
    zero = [stored(np.zeros(5), dtype)]
    if dtype == "float32":  # no clause gives a dtype to the norm of no gradient
        yield Question("all-absent", "edge", "4", "absent-gradient", [None, None], 1.0)
    if dtype == "float32":  # rare shapes, which JAX would compile for every dtype
        odd = gradients_of("norm-s", [[], [0]], dtype)
        yield Question("scalar-and-empty", "edge", "12", "wrong-shape", odd, 0.25)
    at = [stored([3.0, 0.0, 4.0, 0.0, 0.0], dtype)]
    yield Question("at-threshold", "edge", "2", "wrong-threshold", at, 5.0)
    yield Question("just-below-threshold", "edge", "2", "wrong-threshold scale-not-limited", at, 5.5)
    yield Question("zero-gradient", "edge", "3", "zero-by-zero", zero, 1.0, compiled=True)
    other = [stored(np.zeros(3), dtype), two[1]]
    yield Question("zero-gradient-and-other", "edge", "3", "zero-by-zero", other, 1.0)
    signed = [stored([-0.0, 0.0, 3.0, -4.0, -0.0], dtype)]
    yield Question("signed-zeros", "edge", "12", "lost-zero-sign", signed, 1.0, (), compiled=True)
    nan = [stored([1.0, math.nan, 2.0], dtype), two[1]]
    yield Question("nan-in-one-variable", "edge", "6", "nan-swallowed", nan, 1.0, compiled=True)
    infinite = [stored([1.0, math.inf, 2.0], dtype), two[1]]
    hunts = "infinite-norm-to-nan infinity-mishandled"
    yield Question("infinity-in-one-variable", "edge", "7", hunts, infinite, 1.0, compiled=True)
    both = [stored([math.inf, -math.inf, 2.0, -1.0, 0.0], dtype)]
    yield Question("two-infinities", "edge", "7", hunts, both, 1.0, compiled=True)
    yield Question("threshold-0", "edge", "9", "threshold-zero-is-off", two, 0.0)
    yield Question("threshold-0-zero-gradient", "edge", "3 9", "zero-by-zero-norm", zero, 0.0)
    yield Question("threshold-infinite", "edge", "10", "infinite-threshold-to-nan", two, math.inf, ())
    yield Question("threshold-negative", "edge", "11", "negative-threshold", two, -1.0, unjudged=True)
    for repeated in (False, True):
        name = "sparse-repeated" if repeated else "sparse"
        rows = [sparse(f"norm-{name}", dtype, repeated=repeated), one[0]]
        hunts = SPARSE_REPEATED if repeated else SPARSE
        yield Question(name, "edge", "5", hunts, rows, 0.5)


# Sizes whose squares overflow or underflow in the dtype's arithmetic though they themselves do neither.
LARGE = {"float64": 1e200, "float32": 1e20, "float16": 300.0, "bfloat16": 1e20}
SMALL = {"float64": 1e-200, "float32": 1e-30, "bfloat16": 1e-30}


def _norm_ranges(dtype: str) -> Iterator[Question]:
    large = [stored(np.array([1.0, -0.75, 0.5, 1.0, 1.0]) * LARGE[dtype], dtype)]
    hunts = "norm-overflow-to-zero norm-overflow-to-nan"
    yield Question("squares-overflow", "range", "8", hunts, large, 1.0)
    hunts = "norm-underflow clip-product-underflow"
    if dtype in SMALL:
        size = SMALL[dtype]
        small = [stored(np.array([1.0, -0.75, 0.5, 1.0, 1.0]) * size, dtype)]
        yield Question("squares-underflow", "range", "8", hunts, small, size / 4)
    elif dtype in HALF:
        small = [stored(np.array([1.0, -0.75, 0.5, 1.0, 1.0]) * 1e-4, dtype)]
        yield Question("squares-underflow", "range", "8", hunts, small, 2.5e-5)
    wide = [stored([1000.0, -0.001, 0.5, 10.0, 0.0], dtype)]
    yield Question("mixed-sizes", "range", "1", "norm-order", wide, 1.0)
    if dtype == "float32":
        longer = [tensor("norm-longer", [64], dtype), tensor("norm-matrix", [4, 8], dtype)]
        yield Question("96-elements", "range", "1", "norm-order", longer, 1.0)


def cases() -> Iterator[VectorCase]:
    """Yield the cases of the three clipping operations."""
    families = (
        ("clip_by_value", "CLIP-VALUE", "clipvalue", value_questions),
        ("clip_by_norm", "CLIP-NORM", "clipnorm", norm_questions),
        ("clip_by_global_norm", "CLIP-GLOBAL", "clipnorm", norm_questions),
    )
    for operation, family, attribute, questions in families:
        for dtype in DTYPES:
            for q in questions(dtype):
                outputs = [f"gradients[{i}]" for i in range(len(q.gradients))]
                clauses = [f"{family}-{n}" for n in q.clauses.split()]
                if operation == "clip_by_global_norm":
                    outputs.append("global_norm")
                    clauses.append("CLIP-GLOBAL-13")
                yield VectorCase(
                    operation,
                    q.name,
                    dtype,
                    q.profile,
                    tuple(clauses),
                    tuple(h for h in q.hunts.split() if h not in OF_GLOBAL or operation == "clip_by_global_norm"),
                    {attribute: q.threshold},
                    {"gradients": q.gradients},
                    latitude=dict.fromkeys(outputs, q.free),
                    unjudged=q.unjudged,
                    compiled=q.compiled,
                    raises=q.raises,
                )
