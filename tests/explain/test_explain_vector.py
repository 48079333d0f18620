"""A vector's page has the inputs, expected and actual values of worst elements as exact decimals, side by side."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from recorded import EXPLAINED

from nnconform.adapters import SparseGradient
from nnconform.conformance.explain import element, pages
from nnconform.conformance.model.report import Report
from nnconform.conformance.report.last_run import LastRun
from nnconform.conformance.vectors import dialects, index, reading
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.stored_vector import StoredTensor, flatten
from nnconform.conformance.vectors.tensors import DTYPES
from nnconform.reference.rounding import FORMATS


@pytest.fixture(scope="module")
def run(explained):
    return LastRun(Report.from_json(explained), EXPLAINED.name)


# Numbers


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_decimals_distinguish_the_numbers_of_a_half_format(dtype):
    numbers = np.arange(0, 2**16, 7, dtype=np.uint16).view(DTYPES[dtype])
    for number in (n for n in numbers if abs(n) <= FORMATS[dtype].largest):
        assert DTYPES[dtype].type(float(element.decimal(float(number), dtype))) == number


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_is_the_shortest_decimal_that_rounds_to_it(dtype):
    kind = DTYPES[dtype].type
    for number in np.random.default_rng(5).standard_normal(300).astype(kind):
        text = element.decimal(float(number), dtype)
        assert kind(text) == number
        assert len(text.strip("-0.").replace(".", "")) <= len(str(abs(number)).strip("0.").replace(".", ""))


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, "nan"), (-math.inf, "-inf"), (-0.0, "-0"), (65504.0, "6.55e+04")]
)
def test_special_numbers_have_decimals_too(value, text):
    assert element.decimal(value, "float16") == text


# Inputs


def sample(vector):
    """Yield the name of each dense output and the index of one of its elements."""
    for name, tensor in vector.expected.items():
        if getattr(tensor, "values", None) is not None and math.prod(tensor.shape):
            position = math.prod(tensor.shape) * 5 // 7
            yield name, [int(i) for i in np.unravel_index(position, tensor.shape)]


def is_described(name):
    """Return whether a vector describes an input instead of storing it."""
    tensors = (tensor for _, tensor in flatten(index.find(name).inputs))
    return any(isinstance(tensor, StoredTensor) and tensor.recipe for tensor in tensors)


def is_element(text, array, place):
    """Return whether a decimal is an array's element, bit for bit except for NaNs."""
    number = np.asarray(array)[tuple(place)]
    read = number.dtype.type(float(text))
    return read == number or (np.isnan(read) and np.isnan(number))


@pytest.mark.parametrize("operation", ["relu", "elu", "batch_norm_train", "batch_norm_eval"])
def test_the_x_and_dy_of_an_element_are_those_with_its_index(published, operation):
    seen = 0
    for v in published.values():
        if v.operation != operation or v.lengths or is_described(v.id):
            continue
        for name, place in sample(v):
            if name in ("y", "dx"):
                given = dict(element.inputs(index.find(v.id), name, place))
                for key in ("x", "dy"):
                    assert is_element(given[key], v.inputs[key], place), (v.id, name, place)
                seen += 1
    assert seen > 50


@pytest.mark.parametrize("operation", ["batch_norm_train", "batch_norm_eval"])
def test_the_parameters_of_an_element_are_those_of_its_channel(published, operation):
    seen = 0
    for v in published.values():
        if v.operation != operation or is_described(v.id):
            continue
        for name, place in sample(v):
            if name == "y":
                axis = v.attributes["channel_axis"] % (v.inputs["x"].ndim - bool(v.steps)) + bool(v.steps)
                given = dict(element.inputs(index.find(v.id), name, place))
                for key in ("gamma", "running_variance"):
                    if v.inputs.get(key) is not None:
                        assert is_element(given[key], v.inputs[key], [place[axis]]), (v.id, place)
                        seen += 1
    assert seen > 100


@pytest.mark.parametrize("operation", ["clip_by_value", "clip_by_norm", "sgd_step"])
def test_the_gradient_of_an_element_is_that_of_its_variable(published, operation):
    seen = 0
    for v in published.values():
        if v.operation != operation or is_described(v.id) or v.lengths:
            continue
        for name, place in sample(v):
            number = int(name.partition("[")[2][:-1])
            gradient = v.inputs["gradients"][number]
            given = dict(element.inputs(index.find(v.id), name, place))
            if gradient is None or isinstance(gradient, SparseGradient):
                assert f"gradients[{number}]" not in given
                continue
            assert is_element(given[f"gradients[{number}]"], gradient, place), (v.id, name, place)
            seen += 1
    assert seen > 50


def test_with_a_call_per_length_the_index_is_that_in_its_call(published):
    v = published["elu/lengths/float32"]
    document = index.find(v.id)
    ends = np.cumsum(v.lengths)
    for call, end in enumerate(ends):
        last = dict(element.inputs(document, "y", [int(end) - 1]))
        assert is_element(last["x"], v.inputs["x"], [v.lengths[call] - 1])


@pytest.mark.parametrize("name", ["relu/every-number/float16", "elu/every-number/bfloat16"])
def test_the_input_of_an_exhaustive_vector_is_the_number_with_that_index(published, name):
    document, x = index.find(name), published[name].inputs["x"]
    for place in (0, 12345, 33333, 65535):
        text = dict(element.inputs(document, "y", [place]))["x"]
        assert is_element(text, x, [place])


# The page


def test_a_vector_that_is_read_alone_equals_the_one_of_the_whole_file(published):
    for name in list(published)[::50]:
        assert index.find(name).digest == published[name].digest == reading.published(name).digest
        assert index.find(name).clauses == published[name].clauses
    assert index.find("elu/no-such/float32") is None
    assert reading.published("elu/no-such/float32") is None


def test_the_page_notes_that_a_vector_has_changed_since_the_run(run):
    name = "elu/near-zero/float32"
    changed = LastRun(replace(run.report, asked={**run.report.asked, name: "0" * 16}))
    note = "The vector has changed since that run."
    assert note in pages.page(name, changed).text()
    assert note not in pages.page(name, run).text()


def test_a_page_has_the_attributes_clauses_and_hunts_of_its_vector(run, published):
    v = published["batch_norm_train/rank-4-channels-first/float32"]
    page = re.sub(r"\s+", " ", pages.page(v.id, run).text())
    for clause in v.clauses:
        assert f"{clause}: {clauses()[clause].title}" in page
    assert f"hunts {', '.join(v.hunts)}" in page
    assert "epsilon 0.001, momentum 0.9, channel_axis 1" in page
    assert "x, dy float32 [2, 3, 4, 2]" in page


def columns(page):
    """Return the columns of a page's tables of worst elements: heads, and texts by label."""
    found = []
    for block in re.split(r"\n\s*\n", page):
        lines = block.splitlines()
        if any(line.startswith("    error in ULP") for line in lines):
            heads = re.findall(r"\S+\[[^]]*\](?:\[[^]]*\])?|\S+", lines[0])
            table = [re.split(r" {2,}", line.strip()) for line in lines[1:]]
            found += [
                (head, {row[0]: row[i + 1] for row in table if len(row) == len(heads) + 1})
                for i, head in enumerate(heads)
            ]
    return found


def test_worst_elements_have_the_reports_numbers(run, published):
    seen = 0
    for result in run.report.results:
        tables = columns(pages.page(result.vector, run).text())
        for name, output in result.outputs.items():
            if output.verdict != "conforms" and (worst := output.worst):
                dtype = published[result.vector].expected[name].dtype
                wanted = {
                    "expected": element.decimal(worst.expected, dtype),
                    "got": element.decimal(worst.got, dtype),
                    "bound": f"{worst.bound:.3g}",
                    "error in ULP": f"{output.ulp:.4g}",
                    "error / bound": f"{output.ratio:.4g}",
                }
                assert any(head == worst.place(name) and wanted.items() <= column.items() for head, column in tables)
                seen += 1
    assert seen > 50


def test_the_dialects_value_is_next_to_the_actual_value(run, published):
    name = "batch_norm_train/rank-4-channels-first/float32"
    prescribed = published[name].prescribed["unbiased-running-variance"]["running_variance"].values
    result = next(r for r in run.report.results_on([name]) if r.implementation == "torch.nn.BatchNorm2d")
    (place,) = result.outputs["running_variance"].worst.index
    shown = re.search(r"by the dialect +(\S+)", pages.page(name, run).text())
    assert np.float32(shown[1]) == prescribed[place]


def test_implementations_with_equal_results_are_shown_as_one(run):
    results = [r for r in run.report.results_on(["elu/near-zero/float32"]) if r.verdict == "dialect"]
    page = pages.page("elu/near-zero/float32", run).text()
    assert len(results) == 8
    assert page.count("  got ") == 1
    assert re.search(r"dialect +tf\.nn\.elu, keras\.activations\.elu", page)


def test_each_dialect_has_its_remedy_once(run):
    page = pages.page("batch_norm_train/defaults-rank-4-channels-first/float32", run).text()
    dialect = dialects.dialects()["default-epsilon-1e-5"]
    assert page.count(dialect.summary) == 1
    assert re.sub(r"\s+", "", dialect.remedy) in re.sub(r"\s+", "", page)


def test_a_sample_has_its_statistics(run):
    page = " ".join(pages.page("he_normal/dense-transposed/bfloat16", run).text().split())
    results = [result for result in run.report.results_on(["he_normal/dense-transposed/bfloat16"]) if result.outputs]
    assert results
    for result in results:
        measured = result.outputs["sample"].measured
        assert f"deviation {measured.stddev:.6g}, expected 0.0625" in page
        assert f"largest {measured.largest:.6g}" in page


def test_the_page_notes_that_a_vector_has_no_results(run):
    assert "No results: no implementation was run on it." in pages.page("relu/mixed/float32", run).text()


def test_the_page_notes_that_a_result_is_not_judged(run):
    result = replace(next(r for r in run.report.results if r.verdict == "conforms"), judged=False)
    open_one = LastRun(replace(run.report, results=(result,)))
    assert "Recorded, not judged" in pages.page(result.vector, open_one).text()
