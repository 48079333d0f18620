"""The data of plots in a report: histograms and quantiles of samples, and points of error curves."""

from __future__ import annotations

import copy
import json
import math
from importlib import resources

import jsonschema
import numpy as np
import pytest

from nnconform.adapters.numpy import he_normal
from nnconform.conformance.judging.error_curves import of_answer
from nnconform.conformance.judging.sample import Sample
from nnconform.conformance.judging.sample_histogram import with_plot_data
from nnconform.conformance.model.report import Curve, CurveOwner
from nnconform.conformance.model.result import Output, Result, SampleLaw
from nnconform.conformance.report.curves import curves
from nnconform.conformance.running.journal import Entry
from nnconform.conformance.vectors.vector import LawTensor

SCHEMA = json.loads(resources.files("nnconform.spec").joinpath("schema/report.schema.json").read_text())
CONFORMS = Output("conforms")
SAMPLE = "he_normal/dense/float32"
WORDS = ("numpy", "--operation", "he_normal", "--operation", "elu", "--operation", "clip_by_norm")


def law(stddev=1.0, bound=math.inf):
    return LawTensor("float32", (4,), "normal", stddev, bound)


@pytest.fixture(scope="module")
def report(report_of):
    return report_of(*WORDS)[1]


def with_error(values, ulps, place):
    """Return the values, with one of them moved away from 0 by some ULP."""
    result = np.array(values)
    for _ in range(ulps):
        result[place] = np.nextafter(result[place], np.copysign(np.float32(np.inf), result[place]))
    return result


def right(vector):
    return {name: tensor.values for name, tensor in vector.expected.items()}


def test_a_histogram_of_a_run_is_that_of_the_sample(report, published):
    vector = published[SAMPLE]
    z = he_normal(**vector.attributes)["sample"].astype(np.float64).ravel() / vector.expected["sample"].stddev
    [row] = [row for row in report["results"] if row["vector"] == SAMPLE]
    histogram = row["outputs"]["sample"]["histogram"]
    inner = np.searchsorted(np.sort(z), -4 + np.arange(1, 64) / 8, side="left")
    assert histogram["counts"] == np.diff([0, *inner, z.size]).tolist()
    assert sum(histogram["counts"]) == z.size == 128 * 512
    assert (histogram["low"], histogram["high"]) == (-4, 4)


def test_quantiles_of_a_run_are_elements_of_the_sample(report, published):
    vector = published[SAMPLE]
    z = np.sort(he_normal(**vector.attributes)["sample"].astype(np.float64), axis=None)
    z /= vector.expected["sample"].stddev
    expected = [z[max(math.ceil(k * z.size / 32) - 1, 0)] for k in range(33)]
    [row] = [row for row in report["results"] if row["vector"] == SAMPLE]
    np.testing.assert_allclose(row["outputs"]["sample"]["quantiles"], expected, rtol=5e-5)


def test_the_law_of_a_sample_is_that_of_the_vector(report, published):
    expected = published[SAMPLE].expected["sample"]
    [row] = [row for row in report["results"] if row["vector"] == SAMPLE]
    assert row["outputs"]["sample"]["law"] == {"name": "truncated_normal", "bound": expected.bound}


def test_an_element_beyond_the_ends_is_in_the_outer_bins_and_a_nan_in_none():
    output = with_plot_data(CONFORMS, Sample(np.float32([-np.inf, -9, 4, np.inf, 0, np.nan])), law())
    counts = output.histogram.counts
    assert (counts[0], counts[32], counts[-1], sum(counts)) == (2, 1, 2, 5)
    assert (output.quantiles[0], output.quantiles[-1]) == (-math.inf, math.inf)


@pytest.mark.parametrize(("sample", "stddev"), [([], 1.0), ([np.nan], 1.0), ([1.0], 0.0)])
def test_a_sample_without_numbers_or_a_law_without_deviation_has_no_histogram(sample, stddev):
    output = with_plot_data(CONFORMS, Sample(np.float32(sample)), law(stddev))
    assert output == Output("conforms", law=SampleLaw("normal", math.inf))


def test_an_error_of_elu_is_in_the_binade_of_its_x(published):
    vector = published["elu/near-zero/float32"]
    place, x = 1, float(vector.inputs["x"][1])
    points = of_answer(vector, right(vector) | {"y": with_error(vector.expected["y"].values, 3, place)})
    wrong = [(b, e, y) for b, e, y in points["negative"] if y]
    assert wrong == [(math.floor(math.log2(-x)), math.floor(math.log2(-x)), 3.0)]


def test_a_result_of_elu_that_is_right_has_no_error_in_any_binade(published):
    for vector in (v for v in published.values() if v.operation == "elu" and not v.unjudged and not v.first):
        curves_of = of_answer(vector, right(vector))
        assert {y for points in curves_of.values() for _, _, y in points} <= {0.0}


def test_flushed_subnormals_are_no_error_where_they_are_allowed(published):
    vector = published["elu/every-number/bfloat16"]
    tensor = vector.expected["y"]
    assert (tensor.flushed != tensor.values).any()
    curves_of = of_answer(vector, {"y": tensor.flushed})
    assert {y for points in curves_of.values() for _, _, y in points} == {0.0}
    assert len(curves_of["negative"]) == 133 + 128


@pytest.mark.parametrize("name", ["batch_variance", "running_variance"])
def test_an_error_of_the_variance_is_at_the_channels_mean_over_its_deviation(published, name):
    vector = published["batch_norm_train/mean-1000-deviations/float32"]
    outputs = right(vector)
    if name == "running_variance":
        del outputs["batch_variance"]
    outputs[name] = with_error(outputs[name], 5, 0)
    channel = vector.inputs["x"].astype(np.float64)[:, 0]
    [(binade, x, y)] = [point for point in of_answer(vector, outputs)[name] if point[2]]
    assert x == pytest.approx(abs(channel.mean()) / channel.std(), rel=1e-6)
    assert (binade, y) == (math.floor(math.log2(x)), 5.0)


def test_a_running_variance_by_a_dialect_is_no_error(published):
    vector = published["batch_norm_train/mean-1000-deviations/float32"]
    unbiased = vector.prescribed["unbiased-running-variance"]["running_variance"].values
    assert (unbiased != vector.expected["running_variance"].values).all()
    points = of_answer(vector, {"running_variance": unbiased})["running_variance"]
    assert {y for _, _, y in points} == {0.0}


def test_the_clip_scale_is_that_of_all_elements(published):
    vector = published["clip_by_global_norm/two-variables/float64"]
    outputs = {name: values * (1 + 2.0**-10) for name, values in right(vector).items() if name != "global_norm"}
    [(_, x, y)] = of_answer(vector, outputs)["scale"]
    norm = math.sqrt(sum(float(np.sum(np.square(g))) for g in vector.inputs["gradients"]))
    assert x == pytest.approx(norm / vector.attributes["clipnorm"], rel=1e-12)
    assert y == pytest.approx(2.0**-10, rel=1e-9)


def test_norms_whose_squares_overflow_are_a_separate_part(published):
    vector = next(
        v for v in published.values() if v.operation == "clip_by_norm" and v.profile == "range" and not v.first
    )
    outputs = {name: values * np.inf for name, values in right(vector).items()}
    points = of_answer(vector, outputs)
    assert list(points) == ["scale-range"]
    assert {y for _, _, y in points["scale-range"]} == {math.inf}


@pytest.mark.parametrize("operation", ["relu", "elu"])
def test_defaults_add_no_points(published, operation):
    vector = published[f"{operation}/defaults/float32"]
    assert of_answer(vector, right(vector)) == {}


def test_outputs_of_a_wrong_dtype_or_shape_add_no_points(published):
    vector = published["elu/mixed/float32"]
    y = vector.expected["y"].values
    assert of_answer(vector, {"y": y.astype(np.float64)}) == of_answer(vector, {"y": y[:-1]}) == {}


def result(implementation, points, mode="eager"):
    head = "f", "1.0", implementation, mode, "elu", "elu/made-up/float32", "core", "conforms"
    return Result(*head, points=points)


def test_the_same_curve_of_several_implementations_is_stated_once():
    points = {"negative": [(0, 0.0, 2.0)]}
    rows = curves(
        [
            result("a", points),
            result("b", points),
            result("a", points, "jit"),
            result("c", {"negative": [(0, 0.0, 1.0)]}),
        ]
    )
    owners = CurveOwner("a", ("eager", "jit")), CurveOwner("b", ("eager",))
    assert rows[0] == Curve("elu", "negative", "f", "float32", owners, ((0.0, 2.0),))
    assert [row.points for row in rows] == [((0.0, 2.0),), ((0.0, 1.0),)]


def test_a_curve_has_the_worst_point_of_each_binade():
    rows = curves([result("a", {"negative": [(0, 0.0, y), (-3, -3.0, 1.0)]}) for y in (1.0, math.inf, 0.0)])
    assert [row.to_json()["points"] for row in rows] == [[[-3, 1], [0, "inf"]]]


def test_a_resumed_run_has_the_same_curves(published):
    from nnconform.conformance.judging.judge import judge
    from nnconform.conformance.model.calls import Answer, Call

    vector = published["elu/near-zero/float32"]
    outputs = right(vector) | {"y": with_error(vector.expected["y"].values, 3, 1)}
    original = judge("f", vector, (), Answer(Call("api", "eager"), "value", "", outputs))
    entry = Entry(vector.id, Call("api", "eager"), original)
    again = Entry.from_json(json.loads(json.dumps(entry.to_json())))
    assert curves([again.result]) == curves([original]) != []


def test_a_report_with_plot_data_keeps_its_schema(report):
    jsonschema.Draft7Validator(SCHEMA).validate(report)
    assert {curve["operation"] for curve in report["curves"]} == {"elu", "clip_by_norm"}


def test_a_diff_ignores_plot_data(cli, report, tmp_path):
    other = copy.deepcopy(report)
    del other["curves"]
    for output in (output for row in other["results"] for output in row["outputs"].values()):
        for key in ("law", "histogram", "quantiles"):
            output.pop(key, None)
    for name, document in (("old", other), ("new", report)):
        (tmp_path / name).write_text(json.dumps(document))
    comparison = cli("diff", tmp_path / "old", tmp_path / "new")
    assert comparison.exit_code == 0
    assert cli("diff", tmp_path / "new", tmp_path / "new").stdout == comparison.stdout
