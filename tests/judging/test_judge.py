"""Verdicts: the worst output counts, the narrowest name explains, and no name swallows a wrong formula."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nnconform.conformance.judging.dialect_diagnosis import prefer_consistent, refuse_swallowed
from nnconform.conformance.judging.judge import ContractBroken, judge
from nnconform.conformance.model.calls import Answer, Call
from nnconform.conformance.model.result import Output, Result, Worst
from nnconform.conformance.model.verdicts import SEVERITY
from nnconform.conformance.vectors.reading import prescribed_outputs
from nnconform.conformance.vectors.stored_vector import StoredVector
from nnconform.conformance.vectors.vector import Tensor, Vector

Y, DX = np.float32([1.0, 2.0]), np.float32([3.0, 4.0])


def tensor(values: np.ndarray, bound: float = 0.0) -> Tensor:
    return Tensor("float32", values.shape, values, np.full(values.shape, bound))


def vector(
    dialects: Mapping[str, Any] | None = None,
    *,
    profile: str = "core",
    name: str = "made-up",
    unjudged: bool = False,
    expected: Mapping[str, Tensor] | None = None,
    operation: str = "elu",
) -> Vector:
    """Return a vector of ELU with y = 1 2 and dx = 3 4, each within 1/16."""
    usual = {"y": tensor(Y, 0.0625), "dx": tensor(DX, 0.0625)}
    outputs = {} if unjudged else usual if expected is None else expected
    fields = {"id": f"{operation}/{name}/float32", "profile": profile, "clauses": ["ELU-1"], "hunts": ["wrong-branch"]}
    stored = StoredVector.from_yaml({**fields, "attributes": {}, "dialects": dialects or {}}, operation, "made-up")
    return Vector(
        id=stored.id,
        operation=operation,
        profile=profile,
        clauses=stored.clauses,
        hunts=stored.hunts,
        attributes={},
        steps=0,
        compiled=False,
        unjudged=unjudged,
        inputs={},
        expected=outputs,
        prescribed=prescribed_outputs(stored.dialects, outputs, name),
        errors={dialect: re.compile(text) for dialect, text in stored.errors.items()},
    )


# The vectors of this module's results, by id: diagnosis looks into them.
MADE: dict[str, Vector] = {}


def value(vector: Vector, omits: Sequence[str] = (), **outputs: Any) -> Result:
    arrays = {k: v if v is None else np.asarray(v, np.float32) for k, v in outputs.items()}
    MADE[vector.id] = vector
    return judge("made up", vector, omits, Answer(Call("api", "eager"), "value", "", arrays))


def no_value(vector: Vector, status: str, reason: str = "") -> Result:
    return judge("made up", vector, (), Answer(Call("api", "eager"), status, reason))


def test_outputs_inside_their_bounds_conform():
    assert value(vector(), y=[1.0625, 2.0], dx=DX).verdict == "conforms"


def test_the_worst_output_decides_the_verdict():
    result = value(vector({"a": {"y": {"data": "5 6", "bound": "0"}}}), y=[5, 6], dx=DX)
    assert {name: o.verdict for name, o in result.outputs.items()} == {"y": "dialect", "dx": "conforms"}
    assert result.verdict == "dialect"
    assert value(vector({"a": {"y": {"data": "5 6", "bound": "0"}}}), y=[5, 6], dx=Y).verdict == "diverges"


def test_severity_runs_from_best_to_worst():
    assert SEVERITY == ("unsupported", "conforms", "dialect", "diverges", "error", "timeout", "crash")


def test_a_divergence_tells_element_value_and_bound():
    worst = value(vector(), y=[1.0, 2.5], dx=DX).outputs["y"]
    assert worst.worst == Worst((1,), 2.5, 2.0, 0.0625)
    assert worst.ratio == 8.0


def test_the_narrowest_name_comes_first_and_the_others_stand_beside():
    dialects = {
        "wide": {"y": {"data": "5 6", "bound": "1"}},
        "narrow": {"y": {"data": "5 6", "bound": "0.5"}},
        "other": {"y": {"data": "7 8", "bound": "0.5"}},
    }
    output = value(vector(dialects), y=[5, 6], dx=DX).outputs["y"]
    assert (output.dialect, output.also) == ("narrow", ("wide",))


def test_of_equal_names_the_one_that_explains_more_outputs_comes_first():
    dialects = {
        "a": {"y": {"data": "5 6", "bound": "0"}},
        "b": {"y": {"data": "5 6", "bound": "0"}, "dx": {"data": "7 8", "bound": "0"}},
    }
    assert value(vector(dialects), y=[5, 6], dx=[7, 8]).outputs["y"].dialect == "b"


def test_of_equal_names_the_one_of_fewer_parts_comes_first():
    same = {"y": {"data": "5 6", "bound": "0"}}
    assert value(vector({"a+b": same, "c": same}), y=[5, 6], dx=DX).outputs["y"].dialect == "c"


def test_a_dialect_without_data_widens_the_bound_of_the_expected_value():
    dialects = {"exp-minus-one": {"y": {"bound": "0.5"}}}
    assert value(vector(dialects), y=[1.5, 2.0], dx=DX).outputs["y"].dialect == "exp-minus-one"
    assert value(vector(dialects), y=[1.6, 2.0], dx=DX).verdict == "diverges"


def test_a_conforming_output_has_no_dialect_though_it_fits_one():
    assert value(vector({"exp-minus-one": {"y": {"bound": "0.5"}}}), y=Y, dx=DX).outputs["y"].dialect == ""


# Calls without a value


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("raised", "error"), ("unsupported", "unsupported"), ("crash", "crash"), ("timeout", "timeout")],
)
def test_a_call_without_value_keeps_its_reason(status, verdict):
    result = no_value(vector(), status, "for a reason")
    assert (result.verdict, result.reason, result.outputs) == (verdict, "for a reason", {})


def test_an_error_is_explained_by_the_pattern_of_a_dialect():
    refusing = vector({"rejects": {"error": "more than 1|too few"}})
    explained = no_value(refusing, "raised", "ValueError: Expected more than 1 value")
    assert (explained.verdict, explained.dialect) == ("dialect", "rejects")
    assert no_value(refusing, "raised", "RuntimeError: out of memory").verdict == "error"


def test_a_dialect_that_prescribes_an_error_explains_no_crash():
    assert no_value(vector({"rejects": {"error": "."}}), "crash", "killed").verdict == "crash"


def test_an_error_prescribed_by_a_dialect_explains_no_value():
    assert value(vector({"rejects": {"error": "."}}), y=[5, 6], dx=DX).verdict == "diverges"


def test_where_nothing_is_judged_an_error_is_accepted_and_a_crash_is_not():
    assert no_value(vector(unjudged=True), "raised", "a reason").verdict == "conforms"
    assert no_value(vector(unjudged=True), "crash", "a reason").verdict == "crash"
    assert no_value(vector(unjudged=True), "timeout", "a reason").verdict == "timeout"


def test_where_nothing_is_judged_any_value_is_recorded():
    result = value(vector(unjudged=True), y=[math.nan], dx=[0])
    assert result.verdict == "conforms"
    assert result.outputs["y"].digest


# Names


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"y": Y}, "did not return dx; return it, or declare omits"),
        ({"y": Y, "gradient": DX}, "returned gradient; elu has the outputs dx, y"),
        ({}, "did not return dx, y"),
    ],
)
def test_wrong_names_are_the_adapters_fault(outputs, message):
    with pytest.raises(ContractBroken, match=message):
        value(vector(), **outputs)


def test_an_output_that_the_vector_does_not_ask_for_is_the_adapters_fault():
    with pytest.raises(ContractBroken, match="returned dx, which this vector does not ask for"):
        value(vector(expected={"y": tensor(Y)}), y=Y, dx=DX)


def test_an_output_that_is_declared_as_hidden_may_be_missing():
    result = value(vector(), omits=("dx",), y=Y)
    assert (result.verdict, list(result.outputs)) == ("conforms", ["y"])


def clipping(**outputs: Any) -> Result:
    expected = {"gradients[0]": tensor(Y), "gradients[2]": tensor(DX)}
    return value(vector(operation="clip_by_value", expected=expected), **outputs)


def test_an_absent_gradient_that_stays_absent_conforms():
    assert clipping(**{"gradients[0]": Y, "gradients[1]": None, "gradients[2]": DX}).verdict == "conforms"


def test_a_value_for_an_absent_gradient_diverges():
    result = clipping(**{"gradients[0]": Y, "gradients[1]": [0], "gradients[2]": DX})
    assert result.outputs["gradients[1]"].problem == "a value where the gradient is absent"
    assert result.verdict == "diverges"


@pytest.mark.parametrize("rest", [{}, {"gradients[2]": None}])
def test_nothing_for_a_present_gradient_diverges(rest):
    result = clipping(**{"gradients[0]": Y, **rest})
    assert result.outputs["gradients[2]"].problem == "nothing where a value is wanted"
    assert result.verdict == "diverges"


# Accuracy dialects need an implementation that conforms elsewhere

WIDE = {"exp-minus-one": {"y": {"bound": "100"}}}
NARROW = {"exp-minus-one": {"y": {"bound": "0.5"}}}


def swallowed(*results: Result) -> Output:
    """Return y of a vector of profile range, 50 off, after diagnosis with benign results of the implementation."""
    suspect = value(vector(WIDE, profile="range", name="far"), y=[51, 2], dx=DX)
    assert suspect.outputs["y"].dialect == "exp-minus-one"
    return refuse_swallowed([suspect, *results], MADE)[0].outputs["y"]


def test_an_accuracy_dialect_is_kept_where_benign_vectors_conform():
    assert swallowed(value(vector(), y=Y, dx=DX)).verdict == "dialect"


def test_an_accuracy_dialect_is_refused_where_a_benign_vector_diverges():
    output = swallowed(value(vector(), y=Y, dx=DX), value(vector(name="b"), y=[1.5, 2], dx=DX))
    assert (output.verdict, output.dialect, output.also) == ("diverges", "", ("exp-minus-one (refused)",))


def test_an_accuracy_dialect_is_kept_where_a_benign_vector_has_it_in_a_narrow_bound():
    assert swallowed(value(vector(NARROW), y=[1.5, 2], dx=DX)).verdict == "dialect"


def test_an_accuracy_dialect_is_kept_where_a_benign_vector_fits_a_semantic_one():
    semantic = {"nan-gradient-passes": {"y": {"data": "5 6", "bound": "0"}}}
    assert swallowed(value(vector(semantic), y=[5, 6], dx=DX)).verdict == "dialect"


def test_another_output_that_diverges_refuses_nothing():
    assert swallowed(value(vector(), y=Y, dx=Y)).verdict == "dialect"


def test_another_implementation_that_diverges_refuses_nothing():
    other = replace(value(vector(), y=[9, 9], dx=DX), implementation="another")
    assert swallowed(other).verdict == "dialect"


def test_a_semantic_dialect_is_never_refused():
    semantic = {"nan-gradient-passes": {"y": {"data": "5 6", "bound": "0"}}}
    suspect = value(vector(semantic, profile="range"), y=[5, 6], dx=DX)
    suspect, _ = refuse_swallowed([suspect, value(vector(), y=[9, 9], dx=DX)], MADE)
    assert suspect.verdict == "dialect"


def test_a_refusal_makes_the_whole_vector_diverge():
    suspect = value(vector(WIDE, profile="range", name="far"), y=[51, 2], dx=DX)
    suspect, _ = refuse_swallowed([suspect, value(vector(), y=[9, 9], dx=DX)], MADE)
    assert suspect.verdict == "diverges"


def test_a_refused_name_gives_way_to_a_semantic_one_beside_it():
    both = {**WIDE, "nan-gradient-passes": {"y": {"data": "50 2", "bound": "500"}}}
    suspect = value(vector(both, profile="range", name="far"), y=[51, 2], dx=DX)
    suspect, _ = refuse_swallowed([suspect, value(vector(), y=[9, 9], dx=DX)], MADE)
    output = suspect.outputs["y"]
    assert (output.verdict, output.dialect) == ("dialect", "nan-gradient-passes")
    assert output.also == ("exp-minus-one (refused)",)


# A semantic dialect is spoken on the vectors that hunt it, or not at all

EPSILON = {"clip-denominator-epsilon": {"y": {"data": "5 6", "bound": "0"}}}


def spoken(*results: Result) -> Output:
    suspect = value(vector(EPSILON, profile="range", name="odd"), y=[5, 6], dx=DX)
    return prefer_consistent([suspect, *results], MADE)[0].outputs["y"]


def hunting(y: list[float]) -> Result:
    return value(replace(vector(EPSILON, name="hunts"), hunts=("clip-denominator-epsilon",)), y=y, dx=DX)


def test_a_semantic_dialect_that_the_implementation_speaks_stands():
    assert spoken(hunting([5, 6])).dialect == "clip-denominator-epsilon"


def test_a_semantic_dialect_that_the_implementation_speaks_nowhere_is_refused():
    output = spoken(hunting([1, 2]))
    assert (output.verdict, output.also) == ("diverges", ("clip-denominator-epsilon (refused)",))


def test_a_semantic_dialect_that_nothing_hunts_stands():
    assert spoken(value(vector(EPSILON), y=Y, dx=DX)).verdict == "dialect"
