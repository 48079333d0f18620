"""Expected values for every number of a half format: those by float64 agree with exact arithmetic."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import pytest

from nnconform.conformance.judging.compare import spacing
from nnconform.conformance.judging.judge import judge
from nnconform.conformance.model.calls import Answer, Call
from nnconform.conformance.model.result import Counted
from nnconform.conformance.vectors import described_tensors, exhaustive
from nnconform.conformance.vectors.described_tensors import Repeated
from nnconform.conformance.vectors.exhaustive import Sweep, digest_of, exact_outputs, wide_case, without_subnormals
from nnconform.conformance.vectors.reading import parse_file
from nnconform.conformance.vectors.stored_vector import StoredTensor
from nnconform.conformance.vectors.tensors import DTYPES, TensorError, widened
from nnconform.reference import bounds, exact, rounding
from nnconform.reference.dialects import variants_of
from nnconform.reference.variants import OPERATIONS

HALVES = ("float16", "bfloat16")
FREE = ("sign-of-zero", "subnormal-flush")
NO_DIGEST = f"sha256:{'0' * 64}"
# One and a half steps above 1: a tie, on whose lower side ELU levels off.
TIES = {"float16": 1 + 1.5 * 2.0**-10, "bfloat16": 1 + 1.5 * 2.0**-7}
ASKED = [
    ("relu", "", 0.0),
    ("elu", "alpha", 1.6732632423543772),
    *(("clip_by_value", "clipvalue", c) for c in TIES.values()),
]
PAIRS = [
    (operation, {name: value} if name else {}, dtype)
    for dtype in HALVES
    for operation, name, value in ASKED
    if value not in TIES.values() or value == TIES[dtype]
]


# The step between the numbers of a sample.
SAMPLE = 41
# Patterns of zeros, infinities of both formats, NaNs, and the least numbers.
SPECIAL = (0x0000, 0x8000, 0x7C00, 0xFC00, 0x7F80, 0xFF80, 0x7FFF, 0xFFFF, 0x0001, 0x8001)


def inputs_of(operation: str, dtype: str, step: int = 1) -> dict[str, Any]:
    x = described_tensors.every(dtype)[np.unique([*range(0, 1 << 16, step), *SPECIAL])]
    return {"gradients": [x]} if operation == "clip_by_value" else {"x": x, "dy": np.ones_like(x)}


@functools.cache
def right_for(operation: str, dtype: str, step: int, name: str, value: float) -> dict[str, Any]:
    return exact_outputs(operation, inputs_of(operation, dtype, step), {name: value}, {})


def swept(operation: str, dtype: str, attributes: Any, step: int = 1) -> tuple[Sweep, dict[str, Any]]:
    """Return a sweep with the digests of exact arithmetic, and the values of exact arithmetic."""
    right = right_for(operation, dtype, step, *next(iter(attributes.items()), ("", 0.0)))
    stored = {k: StoredTensor(latitude=FREE, digest=digest_of(v, dtype, frozenset(FREE))) for k, v in right.items()}
    return Sweep(
        f"{operation}/made-up/{dtype}", operation, inputs_of(operation, dtype, step), attributes, stored
    ), right


def at(places: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    return {k: [v[0][places]] if isinstance(v, list) else v[places] for k, v in inputs.items()}


def assert_same(got: Any, expected: Any) -> None:
    np.testing.assert_array_equal(widened(got), expected)


@pytest.mark.parametrize(("operation", "attributes", "dtype"), PAIRS)
def test_the_float64_way_agrees_with_the_exact_way_on_all_inputs(operation, attributes, dtype):
    sweep, right = swept(operation, dtype, attributes)
    small = np.flatnonzero(np.abs(widened(described_tensors.every(dtype))) < 2.0 ** rounding.FORMATS[dtype].least)
    some = {k: without_subnormals(v, dtype) for k, v in at(small, inputs_of(operation, dtype)).items()}
    flushed = exact_outputs(operation, some, attributes, {})
    for name, tensor in sweep.region("").items():
        expected = right[name].copy()
        assert_same(tensor.values, expected)
        expected[small] = flushed[name]
        assert_same(tensor.flushed, expected)


@pytest.fixture
def exactly(monkeypatch) -> list[int]:
    """The number of elements in each computation in exact arithmetic."""
    counts = []

    def counting(operation, inputs, attributes, keywords):
        counts.append((inputs["x"] if "x" in inputs else inputs["gradients"][0]).size)
        return exact_outputs(operation, inputs, attributes, keywords)

    monkeypatch.setattr(exhaustive, "exact_outputs", counting)
    return counts


@pytest.mark.parametrize("dtype", HALVES)
def test_elements_that_float64_does_not_decide_are_computed_exactly(dtype, exactly):
    attributes = {"alpha": TIES[dtype]}
    sweep, right = swept("elu", dtype, attributes, 8)
    values = sweep.region("")["y"].values.astype(float)
    assert exactly[0] > 1000
    assert_same(values, right["y"])
    with np.errstate(all="ignore"):
        float64 = OPERATIONS["elu"](wide_case(inputs_of("elu", dtype, 8), attributes))["y"].values
    # Rounding the values of float64 is not enough.
    assert np.count_nonzero(rounding.round_floats(float64, dtype) != values) > 1000


def test_a_wide_margin_changes_the_way_and_no_value(monkeypatch, exactly):
    sweep, right = swept("elu", "float16", {"alpha": 1.6732632423543772})
    monkeypatch.setattr(exhaustive, "MARGIN", 2.0**-15)
    tensors = sweep.region("")
    assert exactly[0] > 1000
    for name, tensor in tensors.items():
        assert_same(tensor.values, right[name])


def test_roundings_that_float64_decides_are_not_computed_again(exactly):
    swept("elu", "float16", {"alpha": 1.6732632423543772})[0].region("")
    assert exactly == []


def test_digits_that_decide_nothing_are_refused(monkeypatch):
    monkeypatch.setattr(exhaustive, "DIGITS", 6)
    with pytest.raises(TensorError, match="6 digits do not decide every rounding"):
        exact_outputs("elu", at(range(0x8000, 0xC000), inputs_of("elu", "float16")), {"alpha": 1.0}, {})


def test_another_digest_is_an_error_with_vector_and_output():
    wrong = {"y": StoredTensor(latitude=FREE, digest=NO_DIGEST)}
    sweep = Sweep("relu/made-up/float16", "relu", inputs_of("relu", "float16"), {}, wrong)
    with pytest.raises(TensorError, match=r"relu/made-up/float16: y as computed here has the digest sha256:.*0000"):
        sweep.output("", "y")


def test_a_digest_is_of_bytes_in_which_nans_are_alike_and_zeros_where_they_are_free():
    nans = np.array([0x7E00, 0xFE01, 0x7C01], np.uint16).view(np.float16)
    assert digest_of(nans, "float16", frozenset()) == digest_of(np.full(3, np.nan), "float16", frozenset())
    zeros = np.array([0.0, -0.0])
    assert digest_of(zeros, "float16", frozenset(FREE)) == digest_of(-zeros, "float16", frozenset(FREE))
    assert digest_of(zeros, "float16", frozenset()) != digest_of(-zeros, "float16", frozenset())


# Bounds


def exact_regions(operation: str, dtype: str, attributes: Any, keywords: Any) -> dict[str, Any]:
    """Return the values and bounds of a sample of inputs, all in exact arithmetic."""
    case = wide_case(inputs_of(operation, dtype, SAMPLE), attributes)
    with exact.precision(50), np.errstate(all="ignore"):
        decimals = {k: [exact.exact(v[0])] if isinstance(v, list) else exact.exact(v) for k, v in case.inputs.items()}
        outputs = OPERATIONS[operation](case._replace(inputs=decimals), **keywords)
        return {
            k: (rounding.round_to(o.values, dtype), bounds.stored(o.values, np.asarray(o.bound, object), dtype))
            for k, o in outputs.items()
        }


def assert_holds(region: Any, values: Any, bound: Any, dtype: str) -> None:
    """Assert that a region holds the exact one and is at most a step of the dtype wider."""
    assert_same(region.values, values)
    # The exact bound is larger than the difference that it covers by one or two steps of float64.
    assert (region.bound >= bound * (1 - 2.0**-51)).all()
    finite = np.where(np.isfinite(values), np.abs(values), 0)
    assert (region.bound <= bound + np.where(bound > 0, spacing(finite + bound, dtype), 0)).all()


@pytest.mark.parametrize(("operation", "attributes", "dtype"), PAIRS)
def test_regions_hold_those_of_exact_arithmetic_and_are_a_step_wider_at_most(operation, attributes, dtype):
    sweep, _ = swept(operation, dtype, attributes, SAMPLE)
    for name, (values, bound) in exact_regions(operation, dtype, attributes, {}).items():
        assert_holds(sweep.region("")[name], values, bound, dtype)


@pytest.mark.parametrize(("operation", "attributes", "dtype"), PAIRS)
def test_so_are_the_regions_of_dialects(operation, attributes, dtype):
    sweep, _ = swept(operation, dtype, attributes, SAMPLE)
    variants = list(variants_of(operation, dtype=dtype, defaults=False))
    assert variants
    for variant in variants:
        for name, (values, bound) in exact_regions(operation, dtype, attributes, variant.keywords).items():
            assert_holds(sweep.region(variant.name)[name], values, bound, dtype)


# The published vectors


def computed(published):
    return [v for v in published.values() if any(getattr(t, "exhaustive", False) for t in v.expected.values())]


@pytest.fixture(scope="module")
def vectors(published):
    return {v.id: v for v in computed({k: v for k, v in published.items() if "/every-number" in k})}


def judge_outputs(vector, outputs):
    return judge("made up", vector, (), Answer(Call("made up", "eager"), "value", "", outputs))


def outputs_of(vector, dialect=""):
    free = {k: np.zeros(t.shape, DTYPES[t.dtype]) for k, t in vector.expected.items() if t.values is None}
    right = {k: t.values for k, t in vector.expected.items() if t.values is not None}
    return free | right | {k: t.values for k, t in vector.prescribed.get(dialect, {}).items()}


def test_there_is_a_vector_of_every_elementwise_operation_and_half_format(vectors):
    covered = {(v.operation, v.dtype) for v in vectors.values()}
    assert covered == {(o, d) for o in ("relu", "elu", "clip_by_value") for d in HALVES}


def test_the_outputs_of_a_dialect_are_named_or_conform(vectors):
    for vector in vectors.values():
        assert judge_outputs(vector, outputs_of(vector)).verdict == "conforms", vector.id
        for dialect in vector.prescribed:
            result = judge_outputs(vector, outputs_of(vector, dialect))
            names = {n for o in result.outputs.values() if o.verdict != "conforms" for n in (o.dialect, *o.also)}
            assert result.verdict == "conforms" or dialect in names, (vector.id, dialect)


def test_results_that_are_not_the_exact_ones_are_counted_with_the_worst_and_its_input(vectors):
    vector = vectors["elu/every-number/float16"]
    outputs = outputs_of(vector)
    x, y = vector.inputs["x"], outputs["y"].copy()
    at = int(np.flatnonzero(x == np.float16(-1.5))[0])
    y[at] = np.nextafter(y[at], np.float16(0))
    result = judge_outputs(vector, outputs | {"y": y}).outputs
    assert result["y"].counted == Counted(65536, 1, 1.0, -1.5)
    assert result["dx"].counted.differ == 0


def test_the_inputs_follow_their_recipes(vectors):
    assert vectors["relu/every-number-but-nan/bfloat16"].inputs["x"].size == 65282
    assert isinstance(vectors["elu/every-number/float16"].inputs["dy"], Repeated)


def test_a_file_with_another_digest_is_read_and_its_vector_cannot_be_judged(file_of):
    text = file_of("clip_by_value/every-number/float16", lambda body: re.sub("sha256:[0-9a-f]{64}", NO_DIGEST, body))
    [vector] = parse_file(text.encode(), "bad.yaml")
    with pytest.raises(TensorError, match=r"clip_by_value/every-number/float16: gradients\[0\] as computed here"):
        vector.expected["gradients[0]"]
