"""The guide without a framework: its tables, their composition, agreement, and the text."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from importlib import resources

import numpy as np
import pytest
import recorded
from markdown_it import MarkdownIt

from nnconform.conformance.guide import edits, measurements, recipe_source, weights
from nnconform.conformance.guide.agreement import Side, agreement
from nnconform.conformance.guide.caveats import remaining
from nnconform.conformance.guide.measurements import Measurement
from nnconform.conformance.guide.recommendations import guide
from nnconform.conformance.guide.tables import NAMES, THRESHOLDS, USES, Choice, Parameter, table
from nnconform.conformance.guide.text import markdown
from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.vectors.dialects import dialects

EVERY = [(name, use, choice) for name in NAMES for use, choices in table(name).uses.items() for choice in choices]
RECIPES = sorted({(table(name).adapter, choice.recipe) for name, _, choice in EVERY if choice.recipe})


# --- the tables --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_table_has_every_use(name):
    assert list(table(name).uses) == list(USES)


@pytest.mark.parametrize(("name", "use", "choice"), EVERY, ids=lambda value: getattr(value, "write", value))
def test_the_code_of_a_choice_has_exactly_its_parameters(name, use, choice):
    written = set(re.findall(r"\{(\w+)\}", choice.write))
    assert written == set(choice.parameters) - {"channel axis"}


@pytest.mark.parametrize(("adapter", "recipe"), RECIPES)
def test_a_recipe_has_all_its_imports(adapter, recipe, tmp_path):
    path = tmp_path / "recipe.py"
    path.write_text(recipe_source.recipe(adapter, recipe))
    words = ["check", "--isolated", "--select", "F821,F401", path]
    assert subprocess.run([sys.executable, "-m", "ruff", *words], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(("adapter", "recipe"), RECIPES)
def test_a_recipe_fits_a_terminal_and_has_a_docstring(adapter, recipe):
    text = recipe_source.recipe(adapter, recipe)
    assert max(map(len, text.splitlines())) <= 80
    assert '"""' in text


def test_every_recipe_of_an_adapter_is_in_a_table():
    for adapter in ("torch", "tensorflow", "jax"):
        text = resources.files("nnconform.adapters.recipes").joinpath(f"{adapter}.py").read_text()
        named = set(re.findall(r'"recipe (\w+)', text))
        assert named <= {recipe for of, recipe in RECIPES if of == adapter}


# --- parameters --------------------------------------------------------------------------------------------


def test_a_momentum_that_weighs_the_new_value_is_one_minus_the_one_that_weighs_the_old():
    torch, keras = Parameter("momentum", 0.1, complement=True), Parameter("momentum", 0.99)
    assert edits.term(torch, keras) == edits.term(keras, torch) == "1 - momentum"
    assert edits.term(torch, torch) == "momentum"


def test_a_parameter_that_the_source_does_not_have_gets_its_default():
    assert edits.term(None, Parameter("alpha", 1.0)) == "1"


# --- state -------------------------------------------------------------------------------------------------


def trained(n: int, *, corrected: bool) -> Fraction:
    running = Fraction(3, 2)
    for variance in (Fraction(1, 3), Fraction(7), Fraction(2, 5)):
        new = variance * n / (n - 1) if corrected else variance
        running = running * Fraction(9, 10) + new / 10
    return running


def test_a_running_variance_is_converted_exactly_in_both_directions():
    others = {"n": 5, "steps": 3, "momentum": Fraction(9, 10), "initial": Fraction(3, 2)}
    plain, corrected = trained(5, corrected=False), trained(5, corrected=True)
    assert weights.without_correction(corrected, **others) == plain
    assert weights.with_correction(plain, **others) == corrected


@pytest.mark.parametrize(("ours", "theirs"), [*itertools.permutations(NAMES, 2)])
@pytest.mark.parametrize("layer", ["dense", "convolution"])
def test_a_transposed_kernel_has_every_axis_in_its_place(ours, theirs, layer):
    sizes = {"out": 2, "in": 3, "h": 4, "w": 5}
    kernel = np.zeros([sizes[axis] for axis in table(ours).layouts[layer]])
    axes = weights.transposition(table(ours).layouts[layer], table(theirs).layouts[layer])
    assert kernel.transpose(axes).shape == tuple(sizes[axis] for axis in table(theirs).layouts[layer])


def test_the_kernel_after_a_flattened_image_gives_the_same_numbers():
    c, h, w, units = 2, 3, 4, 5
    image, k = np.arange(c * h * w).reshape(c, h, w), np.arange(units * c * h * w).reshape(units, -1)
    last = eval(weights.FLATTENED["first"])
    assert (image.transpose(1, 2, 0).ravel() @ last == k @ image.ravel()).all()
    first = eval(weights.FLATTENED["last"], {"k": last, "c": c, "h": h, "w": w, "units": units})
    assert (first == k).all()


# --- agreement ---------------------------------------------------------------------------------------------


def measurement(framework: str, *rows: tuple[str, str, str, str, float], attributes=None) -> Measurement:
    """Return a measurement of rows of implementation, vector, output, dialect ("" conforms), value."""
    results, tensors = [], {}
    for name, vector, output, dialect, value in rows:
        if output:
            verdict, outputs = "conforms", {output: Output("conforms")}
            if dialect:
                verdict, outputs = "dialect", {output: Output("dialect", dialect=dialect)}
            result = make_result(framework, name, vector, verdict, outputs=outputs)
        else:
            result = make_result(framework, name, vector, "dialect" if dialect else "unsupported", dialect=dialect)
        results.append(result)
        tensors[framework, name, "eager", vector, output] = np.array([1.0, value])
    recorded_report = Report.from_json(recorded.read(recorded.EXPLAINED))
    entry = replace(recorded_report.frameworks[0], versions={framework: "1.2"})
    created = "2026-01-02T03:04:05+00:00"
    report = replace(recorded_report, created=created, results=tuple(results), frameworks=(entry,))
    return Measurement(report, {row[1]: (attributes or {}).get(row[1], {}) for row in rows}, tensors)


def make_result(framework, name, vector, verdict, **fields):
    return Result(framework, "1.2", name, "eager", vector.partition("/")[0], vector, "core", verdict, **fields)


def compared(source: str, target: str, *, output: str = "y", use: str = "elu", operation: str = "elu"):
    """Return the agreement of two APIs on one vector, on which each has a dialect or none."""
    a = measurement("a", ("a.f", f"{operation}/x/float32", output, source, 2.0))
    b = measurement("b", ("b.f", f"{operation}/x/float32", output, target, 3.0))
    return agreement(use, Side(Choice("a", ("a.f",)), a), Side(Choice("b", ("b.f",)), b))


@pytest.mark.parametrize("dialect", ["", "exp-minus-one", "position-dependent"])
def test_two_that_conform_or_have_one_dialect_agree(dialect):
    assert compared(dialect, dialect).count == "1 of 1"


def test_a_dialect_of_one_side_is_a_gap_with_its_numbers():
    total = compared("", "exp-minus-one")
    (gap,) = total.gaps
    assert (total.count, gap.target, gap.vectors) == ("0 of 1", "exp-minus-one", ["elu/x/float32"])
    assert (gap.largest["core"].source, gap.largest["core"].target) == (2.0, 3.0)


def test_losing_an_accuracy_dialect_is_not_a_difference():
    found = compared("exp-minus-one", "")
    assert found.count == "1 of 1"
    assert [gap.target_is_nearer for gap in found.gaps] == [True]


def test_losing_a_semantic_dialect_is_a_difference():
    words = {"output": "running_variance", "use": "batch norm in training", "operation": "batch_norm_train"}
    found = compared("unbiased-running-variance", "", **words)
    assert (found.count, [gap.target_is_nearer for gap in found.gaps]) == ("0 of 1", [False])


def test_divergences_never_agree():
    assert compared("diverges", "diverges").count == "0 of 1"


def test_a_vector_that_the_source_refuses_does_not_count():
    a = measurement("a", ("a.f", "elu/x/float32", "", "rejects-sparse-gradient", 0.0))
    b = measurement("b", ("b.f", "elu/x/float32", "y", "", 0.0))
    assert agreement("elu", Side(Choice("a", ("a.f",)), a), Side(Choice("b", ("b.f",)), b)).vectors == []


def test_a_vector_that_the_target_refuses_is_a_gap():
    a = measurement("a", ("a.f", "elu/x/float32", "y", "", 0.0))
    b = measurement("b", ("b.f", "elu/x/float32", "", "rejects-sparse-gradient", 0.0))
    gaps = agreement("elu", Side(Choice("a", ("a.f",)), a), Side(Choice("b", ("b.f",)), b)).gaps
    assert [(gap.output, gap.target) for gap in gaps] == [("", "rejects-sparse-gradient")]


def test_steps_belong_to_the_use_whose_threshold_they_have():
    given = {"sgd_step/a/float32": {}, "sgd_step/b/float32": {"clipnorm": 1.0}}
    rows = [("f", vector, "weights[0]", "", 0.0) for vector in given]
    side = Side(Choice("f", ("f",)), measurement("a", *rows, attributes=given))
    norm = next(use for use, threshold in THRESHOLDS.items() if threshold == "clipnorm")
    assert agreement("SGD", side, side).vectors == ["sgd_step/a/float32"]
    assert agreement(norm, side, side).vectors == ["sgd_step/b/float32"]


# --- the text ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small():
    """Return a guide from torch to keras on three vectors, in which the batch norm needs its recipe."""
    train, evaluate, unbiased = "batch_norm_train/x/float32", "batch_norm_eval/x/float32", "unbiased-running-variance"
    torch = measurement(
        "torch",
        ("torch.nn.ReLU", "relu/x/float32", "y", "", 2.0),
        ("torch.nn.BatchNorm2d", train, "running_variance", unbiased, 1.25),
        ("torch.nn.BatchNorm2d", evaluate, "y", "", 2.0),
    )
    keras = measurement(
        "tensorflow",
        ("keras.layers.ReLU", "relu/x/float32", "y", "", 2.0),
        ("keras.layers.BatchNormalization", train, "running_variance", "", 1.0),
        ("keras.layers.BatchNormalization", evaluate, "y", "", 2.0),
        ("recipe UnbiasedBatchNormalization", train, "running_variance", unbiased, 1.25),
    )
    return guide("torch", "keras", {"torch": torch, "tensorflow": keras})


def test_the_recipe_is_chosen_that_agrees(small):
    row = small.row("batch norm in training")
    assert (row.best.choice.recipe, row.best.agreement.count) == ("UnbiasedBatchNormalization", "1 of 1")
    assert row.plain.agreement.count == "0 of 1"


def test_a_use_without_a_common_vector_has_no_row(small):
    assert [row.use for row in small.rows] == ["relu", "batch norm in training", "batch norm in inference"]


@pytest.mark.parametrize(
    "line",
    [
        "  -> UnbiasedBatchNormalization(epsilon=eps, momentum=1 - momentum)  (recipe)",
        "- batch norm, momentum: torch `momentum=0.1`, keras `momentum=0.99`. Write `momentum=0.9`.",
        "- convolution kernel: weight (out, in, h, w) to kernel (h, w, in, out): `k.transpose(2, 3, 1, 0)`",
        "Measured: 1.25 became 1, 20 % (`batch_norm_train/x/float32`, running_variance).",
        "class UnbiasedBatchNormalization(keras.layers.BatchNormalization):",
        "def without_correction(",
        "Measured on 2026-01-02 with torch 1.2, tensorflow 1.2",
    ],
)
def test_the_guide_says(small, line):
    text = markdown(replace(small, target=replace(small.target, packages=("tensorflow",))))
    assert " ".join(line.split()) in " ".join(text.split())


def test_the_guide_fits_a_terminal_and_is_markdown(small):
    text = markdown(small)
    assert max(map(len, text.splitlines())) <= 80
    headings = [token for token in MarkdownIt().parse(text) if token.type == "heading_open"]
    assert [token.tag for token in headings] == ["h1", *["h2"] * 6]


@pytest.mark.parametrize(
    ("ours", "theirs", "advice"), [("nan-becomes-zero", "", "adopt"), ("", "nan-becomes-zero", "remedy")]
)
def test_a_remaining_dialect_has_its_remedy_in_the_target_or_the_way_to_adopt_it(ours, theirs, advice):
    torch = measurement("torch", ("torch.nn.ReLU", "relu/x/float32", "y", ours, 2.0))
    keras = measurement("tensorflow", ("keras.layers.ReLU", "relu/x/float32", "y", theirs, 3.0))
    said = " ".join("\n".join(remaining(guide("torch", "keras", {"torch": torch, "tensorflow": keras}))).split())
    for field in ("remedy", "adopt"):
        assert (getattr(dialects()["nan-becomes-zero"], field) in said) == (field == advice)


# --- the measurement and the command -----------------------------------------------------------------------


def test_a_measurement_is_read_as_it_was_written(small, tmp_path):
    kept = small.measurements["torch"]
    measurements.save(kept, tmp_path / "a" / "torch.json")
    found = measurements.load(tmp_path / "a" / "torch.json")
    assert (found.report, found.attributes) == (kept.report, kept.attributes)
    assert all((found.tensors[key] == tensor).all() for key, tensor in kept.tensors.items())


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        *((".json", text) for text in ("{", "[]", "{}", '{"report": []}', '{"report": {"frameworks": [7]}}')),
        (".npz", "{"),
    ],
)
def test_a_damaged_measurement_is_made_again(small, tmp_path, suffix, text):
    measurements.save(small.measurements["torch"], tmp_path / "torch.json")
    (tmp_path / "torch").with_suffix(suffix).write_text(text)
    assert measurements.load(tmp_path / "torch.json") is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("torch", "kers"), "did you mean keras?"),
        (("torch", "pytorch"), "both frameworks are torch (torch and pytorch have the same guides)"),
        (("jax", "jax"), "choose two of torch, keras, flax, tensorflow"),
    ],
)
def test_wrong_names_are_refused(cli, words, message):
    result = cli("guide", *words)
    assert (result.exit_code, message in result.output) == (2, True), result.output


def test_a_framework_that_is_not_installed_is_refused(cli, monkeypatch):
    monkeypatch.setattr("nnconform.conformance.running.frameworks.installed", lambda package: package != "torch")
    result = cli("guide", "torch", "flax")
    assert result.exit_code == 2
    assert 'torch not installed; install with: pip install -c constraints.txt ".[torch]"' in result.output
