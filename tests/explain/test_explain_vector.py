"""A vector is explained with the numbers that went in and came out at its worst elements, exact and side by side."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from recorded import EXPLAINED

from nnconform.adapters import SparseGradient
from nnconform.conformance.explain import element, pages, vector
from nnconform.conformance.report import last_run
from nnconform.conformance.vectors import dialects
from nnconform.conformance.vectors import index as knowledge
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.tensors import DTYPES
from nnconform.reference.rounding import FORMATS


@pytest.fixture(scope="module")
def run(explained):
    return last_run.LastRun(explained, EXPLAINED.name)


# Numbers


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_numbers_of_a_half_format_are_told_apart(dtype):
    numbers = np.arange(0, 2**16, 7, dtype=np.uint16).view(DTYPES[dtype])
    for number in (n for n in numbers if abs(n) <= FORMATS[dtype].largest):
        assert DTYPES[dtype].type(float(element.decimal(float(number), dtype))) == number


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_is_told_by_the_shortest_decimal_that_is_it(dtype):
    kind = DTYPES[dtype].type
    for number in np.random.default_rng(5).standard_normal(300).astype(kind):
        text = element.decimal(float(number), dtype)
        assert kind(text) == number
        assert len(text.strip("-0.").replace(".", "")) <= len(str(abs(number)).strip("0.").replace(".", ""))


@pytest.mark.parametrize(("value", "text"), [("nan", "nan"), ("-inf", "-inf"), (-0.0, "-0"), (65504.0, "6.55e+04")])
def test_special_numbers_are_told_too(value, text):
    assert element.decimal(value, "float16") == text


# What went in


def sample(vector):
    """Return an index of each dense output, somewhere in it."""
    for name, tensor in vector.expected.items():
        if getattr(tensor, "values", None) is not None and math.prod(tensor.shape):
            position = math.prod(tensor.shape) * 5 // 7
            yield name, [int(i) for i in np.unravel_index(position, tensor.shape)]


def stands_for(text, array, index):
    """Say whether a decimal is that of an array's element, bit for bit but for a NaN."""
    number = np.asarray(array)[tuple(index)]
    read = number.dtype.type(float(text))
    return read == number or (np.isnan(read) and np.isnan(number))


@pytest.mark.parametrize("operation", ["relu", "elu", "batch_norm_train", "batch_norm_eval"])
def test_the_x_and_dy_of_an_element_are_those_at_its_place(published, operation):
    seen = 0
    for v in published.values():
        if v.operation != operation or v.lengths or "recipe" in str(knowledge.vector(v.id)["inputs"]):
            continue
        for name, index in sample(v):
            if name in ("y", "dx"):
                given = dict(element.inputs(knowledge.vector(v.id), name, index))
                for key in ("x", "dy"):
                    assert stands_for(given[key], v.inputs[key], index), (v.id, name, index)
                seen += 1
    assert seen > 50


@pytest.mark.parametrize("operation", ["batch_norm_train", "batch_norm_eval"])
def test_the_parameters_of_an_element_are_those_of_its_channel(published, operation):
    seen = 0
    for v in published.values():
        if v.operation != operation or "recipe" in str(knowledge.vector(v.id)["inputs"]):
            continue
        for name, index in sample(v):
            if name == "y":
                axis = v.attributes["channel_axis"] % (v.inputs["x"].ndim - bool(v.steps)) + bool(v.steps)
                given = dict(element.inputs(knowledge.vector(v.id), name, index))
                for key in ("gamma", "running_variance"):
                    if v.inputs.get(key) is not None:
                        assert stands_for(given[key], v.inputs[key], [index[axis]]), (v.id, index)
                        seen += 1
    assert seen > 100


@pytest.mark.parametrize("operation", ["clip_by_value", "clip_by_norm", "sgd_step"])
def test_the_gradient_of_an_element_is_that_of_its_variable(published, operation):
    seen = 0
    for v in published.values():
        if v.operation != operation or "recipe" in str(knowledge.vector(v.id)["inputs"]) or v.lengths:
            continue
        for name, index in sample(v):
            number = int(name.partition("[")[2][:-1])
            gradient = v.inputs["gradients"][number]
            given = dict(element.inputs(knowledge.vector(v.id), name, index))
            if gradient is None or isinstance(gradient, SparseGradient):
                assert f"gradients[{number}]" not in given
                continue
            assert stands_for(given[f"gradients[{number}]"], gradient, index), (v.id, name, index)
            seen += 1
    assert seen > 50


def test_where_a_call_is_made_for_each_length_the_place_is_that_in_its_call(published):
    v = published["elu/lengths/float32"]
    document = knowledge.vector(v.id)
    ends = np.cumsum(v.lengths)
    for call, end in enumerate(ends):
        last = dict(element.inputs(document, "y", [int(end) - 1]))
        assert stands_for(last["x"], v.inputs["x"], [v.lengths[call] - 1])


@pytest.mark.parametrize("name", ["relu/every-number/float16", "elu/every-number/bfloat16"])
def test_in_a_sweep_the_input_is_the_number_of_that_place(published, name):
    document, x = knowledge.vector(name), published[name].inputs["x"]
    for place in (0, 12345, 33333, 65535):
        text = dict(element.inputs(document, "y", [place]))["x"]
        assert stands_for(text, x, [place])


# The page


def test_the_digest_of_a_vector_is_that_of_the_reports(published):
    for name in list(published)[::50]:
        assert vector.digest(knowledge.vector(name)) == published[name].digest


def test_a_vector_that_has_changed_since_the_run_says_so(run):
    name = "elu/near-zero/float32"
    changed = last_run.LastRun(run.report | {"asked": run.report["asked"] | {name: "0" * 16}})
    note = "The vector of that run had other numbers than this one."
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
    """Return the columns of a page's tables of worst elements, by their heads: label to text."""
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


def test_the_worst_elements_are_told_in_the_reports_numbers(run, published):
    seen = 0
    for row in run.rows:
        told = columns(pages.page(row["vector"], run).text())
        for name, output in row["outputs"].items():
            if output["verdict"] != "conforms" and (worst := output.get("worst")):
                place = ", ".join(map(str, worst["index"]))
                dtype = published[row["vector"]].expected[name].dtype
                wanted = {
                    "expected": element.decimal(worst["expected"], dtype),
                    "got": element.decimal(worst["got"], dtype),
                    "bound": f"{float(worst['bound']):.3g}",
                    "error in ULP": f"{float(output['ulp']):.4g}",
                    "error / bound": f"{float(output['ratio']):.4g}",
                }
                assert any(head == f"{name}[{place}]" and wanted.items() <= column.items() for head, column in told)
                seen += 1
    assert seen > 50


def test_what_a_dialect_prescribes_stands_beside_what_came(run, published):
    name = "batch_norm_train/rank-4-channels-first/float32"
    prescribed = published[name].prescribed["unbiased-running-variance"]["running_variance"].values
    row = next(r for r in run.rows if r["vector"] == name and r["implementation"] == "torch.nn.BatchNorm2d")
    place = row["outputs"]["running_variance"]["worst"]["index"][0]
    said = re.search(r"by the dialect +(\S+)", pages.page(name, run).text())
    assert np.float32(said[1]) == prescribed[place]


def test_implementations_that_gave_the_same_are_told_once(run):
    rows = [r for r in run.rows if r["vector"] == "elu/near-zero/float32" and r["verdict"] == "dialect"]
    page = pages.page("elu/near-zero/float32", run).text()
    assert len(rows) == 8
    assert page.count("  got ") == 1
    assert re.search(r"dialect +tf\.nn\.elu, keras\.activations\.elu", page)


def test_each_dialect_has_its_remedy_once(run):
    page = pages.page("batch_norm_train/defaults-rank-4-channels-first/float32", run).text()
    said = dialects.dialects()["default-epsilon-1e-5"]
    assert page.count(said["summary"]) == 1
    assert re.sub(r"\s+", "", said["remedy"]) in re.sub(r"\s+", "", page)


def test_a_sample_is_told_by_what_was_measured_of_it(run):
    page = " ".join(pages.page("he_normal/dense-transposed/bfloat16", run).text().split())
    rows = [row for row in run.rows if row["vector"] == "he_normal/dense-transposed/bfloat16" and row["outputs"]]
    assert rows
    for row in rows:
        found = row["outputs"]["sample"]["measured"]
        assert f"deviation {found['stddev']:.6g}, expected 0.0625" in page
        assert f"largest {found['largest']:.6g}" in page


def test_a_vector_that_no_implementation_was_run_on_says_so(run):
    assert "Nothing: no implementation was run on it." in pages.page("relu/mixed/float32", run).text()


def test_what_is_not_judged_says_so(run):
    row = next(r for r in run.rows if r["verdict"] == "conforms") | {"judged": False}
    open_one = last_run.LastRun(run.report | {"results": [row]})
    assert "Recorded and not judged" in pages.page(row["vector"], open_one).text()
