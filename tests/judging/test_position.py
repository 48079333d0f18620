"""Equal elements must give equal results at every place and for every length (FORMAT-18)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value, elu, relu
from nnconform.adapters.worker import answer
from nnconform.conformance.judging import position_dependence
from nnconform.conformance.judging.judge import judge
from nnconform.conformance.model.calls import Answer, Call
from nnconform.conformance.running import messages

WIDTH = 4


def judge_function(vector, function):
    """Return the results of the outputs of a function that is called as a worker calls it."""
    adapter = Adapter("liar", requires=("numpy",))
    adapter.implements(vector.operation, "liar")(function)
    [implementation] = adapter.implementations
    got = answer(adapter, implementation, "eager", dict(vector.inputs), vector.attributes, lengths=vector.lengths)
    outputs = messages.outputs(got["outputs"])
    return judge("liar", vector, (), Answer(Call("liar", "eager"), got["status"], "", outputs)).outputs


def in_the_tail(function, **changes):
    """Return a function whose outputs are changed in the elements after the last whole vector of ``WIDTH``."""

    def lies(**arguments):
        outputs = function(**arguments)
        for name, change in changes.items():
            start = outputs[name].size // WIDTH * WIDTH
            tail = {k: v[start:] if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
            outputs[name] = np.concatenate([outputs[name][:start], change(outputs[name][start:], **tail)])
        return outputs

    return lies


def nearer_to_zero(y, **_):
    return np.where((y < 0) & np.isfinite(y), np.nextafter(y, y.dtype.type(0)), y)


def exp_minus_one(y, x, dy, alpha):
    with np.errstate(over="ignore"):
        return np.where(x > 0, x, np.float32(alpha) * (np.exp(x) - np.float32(1)))


def wrong(y, **_):
    return np.where(y > 0, 2 * y, y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_output_inside_its_bounds_that_depends_on_position_is_named(published, dtype):
    results = judge_function(published[f"elu/lengths/{dtype}"], in_the_tail(elu, y=nearer_to_zero))
    assert (results["y"].verdict, results["y"].dialect) == ("dialect", "position-dependent")
    assert "the same number gives" in results["y"].problem
    assert (results["dx"].verdict, results["dx"].problem) == ("conforms", "")


def test_the_description_has_both_places_and_lengths(published):
    vector = replace(published["relu/lengths/float32"], lengths=(3, 67))
    x = published["relu/lengths/float32"].inputs["x"]
    got = np.concatenate([x[:3], x])
    got[-1] += 1
    description = position_dependence.dependence(vector, "y", published["relu/lengths/float32"].expected["y"], got)
    places = [i for i in range(67) if x[i] == x[66]]
    assert description.endswith(
        f" as element {places[0]} of {3 if places[0] < 3 else 67} and {got[-1]} as element 66 of 67"
    )


def test_the_region_of_an_accuracy_dialect_holds_such_a_mixture_and_the_position_is_described(published):
    results = judge_function(published["elu/lengths/float32"], in_the_tail(elu, y=exp_minus_one))
    assert (results["y"].verdict, results["y"].dialect) == ("dialect", "exp-minus-one")
    assert "the same number gives" in results["y"].problem


def test_a_dialect_at_some_places_and_the_clause_at_others_is_a_mixture(published):
    def one_at_zero(dx, x, dy):
        return np.where(x == 0, dy, dx)

    results = judge_function(published["relu/lengths/float16"], in_the_tail(relu, dx=one_at_zero))
    assert results["dx"].dialect == "gradient-one-at-zero+position-dependent"
    assert results["y"].verdict == "conforms"


def test_a_dialect_at_every_place_is_that_dialect_alone(published):
    def everywhere(x, dy, alpha):
        return elu(x, dy, alpha=alpha) | {"y": exp_minus_one(None, x, dy, alpha)}

    results = judge_function(published["elu/lengths/float32"], everywhere)
    assert (results["y"].dialect, results["y"].problem) == ("exp-minus-one", "")


def test_payloads_of_nans_and_signs_of_free_zeros_are_alike(published):
    def strange(y, **_):
        y = np.where(y == 0, -y, y)
        y[np.isnan(y)] = np.array(0xFFC00123, np.uint32).view(np.float32)
        return y

    results = judge_function(published["relu/lengths-nan/float32"], in_the_tail(relu, y=strange))
    assert (results["y"].verdict, results["y"].problem) == ("conforms", "")


def test_an_output_without_a_meaning_is_not_judged(published):
    vector = published["relu/lengths-nan/float32"]
    results = judge_function(vector, in_the_tail(relu, dx=lambda dx, **_: dx + 1))
    assert (results["dx"].verdict, results["dx"].problem) == ("conforms", "")


def test_an_output_that_is_wrong_everywhere_diverges_without_a_position(published):
    def everywhere(x, dy, alpha):
        outputs = elu(x, dy, alpha=alpha)
        return outputs | {"y": wrong(outputs["y"])}

    results = judge_function(published["elu/lengths/float32"], everywhere)
    assert (results["y"].verdict, results["y"].dialect, results["y"].problem) == ("diverges", "", "")


def test_an_output_that_is_wrong_at_some_places_diverges_with_both_positions(published):
    results = judge_function(published["elu/lengths/float32"], in_the_tail(elu, y=wrong))
    assert (results["y"].verdict, results["y"].dialect) == ("diverges", "")
    assert "the same number gives" in results["y"].problem


def test_a_wrong_dtype_is_reported_without_a_position(published):
    results = judge_function(
        published["relu/lengths/float32"], in_the_tail(relu, y=lambda y, **_: y.astype(np.float64))
    )
    assert results["y"].verdict == "diverges"
    assert "dtype float64" in results["y"].problem


def test_clipping_is_compared_by_the_gradient_of_the_same_entry(published):
    plain = published["clip_by_value/lengths/float32"]
    [gradient] = plain.inputs["gradients"]
    # Equal where the other differs, and the other way round.
    ramp = np.arange(gradient.size, dtype=np.float32) / 1024
    vector = replace(plain, inputs={"gradients": [gradient, ramp]})
    [clipped] = clip_by_value([gradient], clipvalue=0.5)["gradients"]
    got = [np.concatenate([a[:n] for n in vector.lengths]) for a in (clipped, ramp)]
    expected = plain.expected["gradients[0]"]
    assert position_dependence.dependence(vector, "gradients[0]", expected, got[0]) == ""
    assert position_dependence.dependence(vector, "gradients[1]", expected, got[1]) == ""
    assert position_dependence.dependence(vector, "gradients[0]", expected, got[1]) != ""


def test_a_liar_in_clipping_is_named(published):
    def lies(gradients, clipvalue):
        [clipped] = clip_by_value(gradients, clipvalue=clipvalue)["gradients"]
        # A zero in a whole vector keeps its sign; one in the rest loses it.
        start = clipped.size // WIDTH * WIDTH
        return {"gradients": [np.concatenate([clipped[:start], clipped[start:] + np.float32(0)])]}

    result = judge_function(published["clip_by_value/lengths/float32"], lies)["gradients[0]"]
    assert result.verdict == "diverges"
    assert "-0.0" in result.problem
