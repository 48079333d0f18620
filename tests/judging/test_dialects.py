"""An implementation that has a dialect, exactly or in working precision, is judged to have that dialect."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from nnconform.conformance.cases.all_cases import all_cases
from nnconform.conformance.cases.vector_case import Every, VectorCase
from nnconform.conformance.generating import sequential
from nnconform.conformance.generating.expected import exact_case
from nnconform.conformance.judging.judge import Result, judge
from nnconform.conformance.model.calls import Answer, Call
from nnconform.conformance.vectors import described_tensors
from nnconform.conformance.vectors.described_tensors import Repeated
from nnconform.conformance.vectors.tensors import DTYPES
from nnconform.conformance.vectors.vector import Vector
from nnconform.reference import exact
from nnconform.reference.dialects import DIALECTS, Variant, variants_of
from nnconform.reference.rounding import round_to
from nnconform.reference.simulation import SIMULATIONS
from nnconform.reference.variants import OPERATIONS

# More digits than any input has.
DIGITS = 200


@pytest.fixture(scope="module")
def cases() -> dict[str, VectorCase]:
    """The cases by id, without those of every number of a dtype (see test_sweep.py)."""
    return {case.id: case for case in all_cases() if not any(isinstance(a, Every) for a in case.arrays)}


@pytest.fixture(scope="module")
def published(published, cases) -> dict[str, Vector]:
    return {name: vector for name, vector in published.items() if name in cases}


def judge_outputs(vector: Vector, outputs: Mapping[str, Any]) -> Result:
    omits = [name for name in vector.expected if name not in outputs]
    return judge("made up", vector, omits, Answer(Call("made up", "eager"), "value", "", outputs))


def exactly(case: VectorCase, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of an implementation that has a dialect exactly and rounds once."""
    times = max((a.times for a in case.arrays if isinstance(a, Repeated)), default=1)
    with exact.precision(DIGITS), exact.repeated(times):
        outputs = OPERATIONS[case.operation](exact_case(case), **keywords)
    stored = {n: round_to(np.asarray(o.values, object), o.dtype).astype(DTYPES[o.dtype]) for n, o in outputs.items()}
    if case.lengths:
        return {name: described_tensors.prefixes(array, case.lengths) for name, array in stored.items()}
    return {name: array.ravel() if case.first and array.size == case.first else array for name, array in stored.items()}


def simulated(vector: Vector, case: VectorCase, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of an implementation with a dialect in working precision; of long sums, sums in order."""
    if case.first:
        return dict(sequential.outputs(case))
    with exact.precision(DIGITS), np.errstate(all="ignore"):
        outputs = SIMULATIONS[case.operation](exact_case(case), **keywords)
    return {n: np.asarray(outputs[n]).astype(DTYPES[e.dtype]) for n, e in vector.expected.items() if n in outputs}


def names(result: Result) -> list[tuple[str, ...]]:
    """Return the dialects of each output that does not conform, the named one first."""
    return [(o.dialect, *o.also) for o in result.outputs.values() if o.verdict != "conforms"]


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[k].values.astype(float), other[k].values.astype(float), equal_nan=True) for k in one
    )


@pytest.mark.parametrize("dialect", [name for name, d in DIALECTS.items() if d.kind == "semantic"])
def test_a_semantic_dialect_is_named_on_every_vector_that_hunts_it(published, cases, dialect):
    for vector in published.values():
        if dialect in vector.hunts:
            result = judge_outputs(vector, exactly(cases[vector.id], DIALECTS[dialect].keywords))
            assert result.verdict == "dialect", vector.id
            # Only other vectors can distinguish dialects that prescribe the same values here.
            alike = [name for name in vector.prescribed if same(vector.prescribed[name], vector.prescribed[dialect])]
            assert any(first in alike for first, *_ in names(result)), vector.id
            assert all(dialect in each for each in names(result)), vector.id


@pytest.mark.parametrize("dialect", [name for name, d in DIALECTS.items() if d.kind == "accuracy"])
def test_an_accuracy_dialect_is_named_on_every_vector_that_hunts_it(published, cases, dialect):
    for vector in published.values():
        if dialect in vector.hunts:
            outputs = simulated(vector, cases[vector.id], DIALECTS[dialect].keywords)
            result = judge_outputs(vector, outputs)
            assert result.verdict == "dialect", vector.id
            assert all(dialect in each for each in names(result)), vector.id


def semantic_variants(vector: Vector) -> list[Variant]:
    variants = variants_of(vector.operation, dtype=vector.dtype, defaults=vector.profile == "defaults")
    return [variant for variant in variants if variant.name in vector.dialects and not variant.accuracy]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_semantic_dialect_or_combination_that_a_vector_lists_diverges(published, cases, operation):
    for vector in published.values():
        for variant in semantic_variants(vector) if vector.operation == operation else ():
            result = judge_outputs(vector, exactly(cases[vector.id], variant.keywords))
            assert result.verdict in ("conforms", "dialect"), (vector.id, variant.name)
            # If a part of a combination explains an output as well, the vector lists the part alone.
            explained = [{part for name in each for part in name.split("+")} for each in names(result)]
            assert all(parts & set(variant.parts) for parts in explained), (vector.id, variant.name)


@pytest.mark.parametrize("dialect", [name for name, d in DIALECTS.items() if d.kind == "semantic"])
def test_every_semantic_dialect_is_named_first_somewhere(published, cases, dialect):
    listing = [v for v in published.values() if dialect in v.dialects]
    assert any(
        (dialect,) == each[:1]
        for vector in listing
        for each in names(judge_outputs(vector, exactly(cases[vector.id], DIALECTS[dialect].keywords)))
    )


def test_the_outputs_of_the_clauses_conform_on_every_vector(published, cases):
    for vector in published.values():
        if vector.operation in OPERATIONS and not vector.unjudged:
            result = judge_outputs(vector, exactly(cases[vector.id], {}))
            assert result.verdict == "conforms", vector.id


def draw(law: str, stddev: float, bound: float, shape: tuple[int, ...]) -> np.ndarray:
    """Return a sample of a law, drawn by NumPy."""
    stream, count = np.random.default_rng(11), math.prod(shape)
    if law == "uniform":
        return stream.uniform(-bound, bound, shape)
    if law == "normal":
        return stream.normal(0, stddev, shape)
    z = stream.standard_normal(2 * count)
    return (z[np.abs(z) <= 2][:count] * bound / 2).reshape(shape)


@pytest.mark.parametrize(
    "dialect",
    [
        "untruncated-normal",
        "uncorrected-truncation",
        "shape-only-fan",
        "shape-only-fan+untruncated-normal",
        "default-uniform-inverse-sqrt-fan",
        "default-glorot-uniform",
        "default-lecun-normal",
    ],
)
def test_samples_of_another_law_are_named_by_it(published, dialect):
    listing = [v for v in published.values() if dialect in v.dialects]
    for vector in listing[:2]:
        expected = vector.expected["sample"]
        law = vector.prescribed[dialect]["sample"]
        sample = draw(law=law.law, stddev=law.stddev, bound=law.bound, shape=expected.shape)
        result = judge_outputs(vector, {"sample": sample.astype(DTYPES[expected.dtype])})
        assert names(result)[0][0] == dialect, vector.id
