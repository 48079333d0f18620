"""The guide is right: vectors support every row, every recipe has its dialect, and states convert."""

from __future__ import annotations

import ast
import fcntl
import importlib.util
import itertools
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from nnconform.conformance.guide import edits, recipe_source, weights
from nnconform.conformance.guide.measurements import measure
from nnconform.conformance.guide.recommendations import guide
from nnconform.conformance.guide.tables import NAMES, USES, table
from nnconform.conformance.guide.text import markdown
from nnconform.conformance.running.run import run
from nnconform.reference import exact
from nnconform.reference.bounds import stored
from nnconform.reference.variants import OPERATIONS, Case

PAIRS = [*itertools.permutations(NAMES, 2)]
# The differences of every way to write it on ordinary numbers, which the guide lists as remaining.
STAYS = {"shape-only-fan", "rejects-absent-gradient", "initializer-repeats", "float32-scale"}


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    """Return the measurements of the three adapters; one process of pytest-xdist makes them for all."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with pytest.MonkeyPatch.context() as patch, (folder / "measuring").open("w") as lock:
        patch.setenv("XDG_CACHE_HOME", str(folder / "measured"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        return measure(("torch", "tensorflow", "jax"), run)


@pytest.fixture(scope="session")
def guides(measured):
    """Return the guide of each pair."""
    return {pair: guide(*pair, measured) for pair in PAIRS}


def core(measured, names):
    """Return the vectors of profiles core and defaults among some vectors."""
    results = (result for measurement in measured.values() for result in measurement.report.results)
    ordinary = {result.vector for result in results if result.profile != "range"}
    return [name for name in names if name in ordinary]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_row_is_backed_by_vectors(measured, guides, ours, theirs):
    for row in guides[ours, theirs].rows:
        agreement = row.picks[-1].agreement
        stays = {
            n for gap in agreement.gaps if set(gap.dialects) & STAYS and not gap.target_is_nearer for n in gap.vectors
        }
        assert agreement.agreed
        assert set(core(measured, agreement.vectors)) <= {*agreement.agreed, *stays}, row.use


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_best_call_is_enough_for_float32(measured, guides, ours, theirs):
    for row in guides[ours, theirs].rows:
        single = [name for name in core(measured, row.best.agreement.vectors) if name.endswith("/float32")]
        stays = {n for gap in row.best.agreement.gaps if set(gap.dialects) & STAYS for n in gap.vectors}
        assert set(single) <= {*row.best.agreement.agreed, *stays}, row.use


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_difference_has_a_name_and_is_in_the_guide(guides, ours, theirs):
    found = guides[ours, theirs]
    text = markdown(found)
    for row in found.rows:
        for gap in row.picks[-1].agreement.gaps:
            assert gap.dialects, (row.use, gap)
            assert "diverges" not in gap.dialects, (row.use, gap)
            assert all(f"`{name}`" in text for name in gap.dialects)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_guide_fits_a_terminal(guides, ours, theirs):
    assert max(map(len, markdown(guides[ours, theirs]).splitlines())) <= 80


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_every_use_of_both_is_in_the_guide(guides, ours, theirs):
    rows = {row.use for row in guides[ours, theirs].rows}
    assert rows == {use for use in USES if table(ours).source_choices(use) and table(theirs).target_choices(use)}


UNBIASED, EPSILON = "unbiased-running-variance", "clip-denominator-epsilon"
# The dialects of each recipe on ordinary numbers; none if it is what the spec says.
CLAIMS = {
    ("torch", "biased"): set(),
    ("torch", "truncated_he_normal_"): set(),
    ("torch", "lecun_normal_"): {"default-lecun-normal"},
    ("torch", "clip_each_grad_norm_"): set(),
    ("torch", "clip_grad_global_norm_"): set(),
    ("tensorflow", "keras_elu"): set(),
    ("tensorflow", "tf_elu"): set(),
    ("tensorflow", "UnbiasedBatchNormalization"): {UNBIASED},
    ("tensorflow", "batch_norm_in_training"): {UNBIASED},
    ("tensorflow", "he_normal"): set(),
    ("tensorflow", "kaiming_normal"): {"untruncated-normal"},
    ("tensorflow", "he_uniform"): set(),
    ("tensorflow", "torch_default"): {"default-uniform-inverse-sqrt-fan"},
    ("tensorflow", "lecun_normal"): {"default-lecun-normal"},
    ("tensorflow", "glorot_uniform"): {"default-glorot-uniform"},
    ("tensorflow", "TorchClippedSGD"): {EPSILON},
    ("tensorflow", "clip_by_global_norm_like_torch"): {EPSILON},
    ("jax", "elu"): set(),
    ("jax", "UnbiasedBatchNorm"): {UNBIASED},
    ("jax", "clip_by_global_norm_like_torch"): {EPSILON},
    ("jax", "clip_each_by_norm"): set(),
}


def test_every_recipe_is_the_dialect_that_it_is_for_and_nothing_else(measured):
    assert set(CLAIMS) == {
        (t.adapter, c.recipe) for t in map(table, NAMES) for cs in t.uses.values() for c in cs if c.recipe
    }
    for (adapter, name), claimed in CLAIMS.items():
        results = [
            result
            for result in measured[adapter].report.results
            if result.implementation.startswith(f"recipe {name}") and result.profile != "range" and result.outputs
        ]
        dialects = {part for r in results for output in r.outputs.values() for part in output.dialect.split("+")}
        assert results
        assert {result.verdict for result in results} <= {"conforms", "dialect"}, name
        assert dialects - {"", *STAYS} == claimed, name


def test_a_recipe_conforms_if_its_vectors_do_not_show_its_dialect(measured):
    verdicts = defaultdict(set)
    for result in measured["tensorflow"].report.results:
        if result.profile == "core":
            verdicts[result.implementation].add(result.verdict)
    assert verdicts["recipe batch_norm_in_training"] == {"conforms"}
    assert verdicts["recipe batch_norm_in_training(unbiased=True)"] == {"conforms", "dialect"}


# --- on real layers ----------------------------------------------------------------------------------------

SCRIPTS = Path(__file__).parent / "layers"
STEPS, MOMENTUM, OPTIONS = 5, 0.75, {"epsilon": 0.01, "channel_axis": 1}
SETTINGS = {"epsilon": OPTIONS["epsilon"], "momentum": MOMENTUM, "alpha": 1.0, "learning_rate": 0.1}
SETTINGS |= {"clipvalue": 0.001, "clipnorm": 0.001}


def defaults(name: str) -> dict[str, float | None]:
    """Return the defaults of a table, by API and parameter."""
    return {
        f"{choice.apis[0].partition('(')[0]} {parameter.name}": parameter.default
        for choices in table(name).uses.values()
        for choice in choices
        for parameter in choice.parameters.values()
        if parameter.name and not choice.recipe and "+" not in choice.apis[0] and "assign_sub" not in choice.apis[0]
    }


def calls(name: str, source: str) -> dict[str, list[str]]:
    """Return all code that a guide from a framework may recommend in another, by use, with the first's parameters."""
    found = {}
    for use, ours in ((use, choices[0]) for use in USES if (choices := table(source).source_choices(use))):
        written = [edits.translated(choice, ours) for choice in table(name).target_choices(use)]
        # An argument for a layer, or words for one that is left as it is.
        written = [text.removeprefix("kernel_initializer=").removeprefix("kernel_init=") for text in written]
        found[use] = [text for text in written if not text.startswith("the kernel of")]
    return found


def values(name: str) -> dict[str, float]:
    """Return the numbers of the spec's parameters for a framework, by its names."""
    return {
        parameter.name: parameter.of_spec(SETTINGS[spec])
        for use in USES
        for choice in table(name).source_choices(use)
        for spec, parameter in choice.parameters.items()
        if spec in SETTINGS
    }


def asked(
    folder: Path, name: str, source_name: str, arrays: dict[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Run a script of ``layers`` in a process of its own; return its arrays, and the defaults of what a table names."""
    framework = table(name)
    recipes = {c.recipe for choices in framework.uses.values() for c in choices if c.recipe}
    told = {
        "defaults": [key.split() for key in defaults(name)],
        "recipes": {r: recipe_source.recipe(framework.adapter, r) for r in recipes},
        "calls": calls(name, source_name),
        "values": values(source_name),
    }
    np.savez(folder / "in.npz", **arrays)
    (folder / "told.json").write_text(json.dumps(told))
    words = [folder / name for name in ("in.npz", "told.json", "out.npz", "out.json")]
    process = subprocess.run(
        [sys.executable, SCRIPTS / f"in_{name}.py", *words], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr[-4000:]
    return dict(np.load(folder / "out.npz")), json.loads((folder / "out.json").read_text())


@pytest.fixture(scope="module")
def inputs():
    """Return batches of images, and integers, whose sums of products have no rounding."""
    random = np.random.default_rng(20261127)
    return {
        "batches": random.normal(2.0, 3.0, (STEPS, 6, 3, 4, 4)),
        "gamma": random.uniform(0.5, 2.0, 3),
        "beta": random.normal(size=3),
        "image": random.integers(-9, 9, (2, 2, 5, 6)).astype(float),
        "convolution": random.integers(-9, 9, (4, 2, 3, 3)).astype(float),
        "dense": random.integers(-9, 9, (5, 4 * 3 * 4)).astype(float),
    }


@pytest.fixture(scope="module")
def in_torch(inputs, tmp_path_factory):
    return asked(tmp_path_factory.mktemp("torch"), "torch", "keras", inputs)


@pytest.fixture(scope="module", params=["keras", "flax"])
def ported(request, inputs, in_torch, tmp_path_factory):
    """Return the arrays of another framework with torch's state, converted by the guide."""
    torch, other = table("torch"), table(request.param)
    trained = in_torch[0]
    arrays = {key: inputs[key] for key in ("batches", "image")}
    arrays |= {f"state_{other.state[what]}": trained[f"state_{name}"] for what, name in torch.state.items()}
    axes = weights.transposition(torch.layouts["convolution"], other.layouts["convolution"])
    arrays["convolution"] = inputs["convolution"].transpose(axes)
    sizes = {"k": inputs["dense"], "units": 5, "c": 4, "h": 3, "w": 4}
    arrays["dense"] = eval(weights.FLATTENED[torch.channels], sizes)
    return *asked(tmp_path_factory.mktemp(request.param), request.param, "torch", arrays), request.param


def exactly(operation: str, inputs: dict[str, np.ndarray], output: str, **attributes) -> tuple[np.ndarray, np.ndarray]:
    """The exact values of an output and the bounds that any implementation in float64 keeps."""
    with exact.precision(80):
        arrays = {name: exact.exact(value) for name, value in inputs.items()}
        found = OPERATIONS[operation](Case(arrays, dict.fromkeys(arrays, "float64"), OPTIONS | attributes))[output]
        return found.values.astype(float), stored(found.values, found.bound, "float64").astype(float)


def running_variance(inputs, **keywords):
    """Return the running variance after the five steps, from a variance of 1, and its bounds."""
    batches = inputs["batches"]
    case = {"x": batches, "gamma": inputs["gamma"], "beta": inputs["beta"], "dy": np.ones_like(batches)}
    case |= {"running_mean": np.zeros(3), "running_variance": np.ones(3)}
    return exactly("batch_norm_train", case, "running_variance", momentum=MOMENTUM, steps=STEPS, **keywords)


def test_a_trained_batch_norm_gives_the_same_inference_elsewhere(inputs, in_torch, ported):
    names = {"gamma": "weight", "beta": "bias", "running_mean": "running_mean", "running_variance": "running_var"}
    x = inputs["batches"][0]
    case = {"x": x, "dy": np.ones_like(x)} | {name: in_torch[0][f"state_{key}"] for name, key in names.items()}
    values, bound = exactly("batch_norm_eval", case, "y")
    assert (np.abs(in_torch[0]["y"] - values) <= bound).all()
    assert (np.abs(ported[0]["y"] - values) <= bound).all()


def test_a_running_variance_converts_to_what_the_other_layer_trains(inputs, in_torch, ported):
    n = inputs["batches"][0].size // 3
    converted = weights.without_correction(in_torch[0]["state_running_var"], n, STEPS, MOMENTUM)
    values, bound = running_variance(inputs)
    assert (np.abs(ported[0]["own"] - values) <= bound).all()
    # The conversion has five roundings of its own.
    assert (np.abs(converted - values) <= 2 * bound + 5 * np.spacing(values)).all()
    assert (np.abs(in_torch[0]["state_running_var"] - values) > 1e-3 * values).all()


def test_a_batch_norm_of_a_recipe_trains_the_running_variance_of_the_other(inputs, in_torch, ported):
    values, bound = running_variance(inputs)
    n = inputs["batches"][0].size // 3
    kept = MOMENTUM**STEPS
    assert (np.abs(in_torch[0]["biased"] - values) <= bound + 4 * np.spacing(values)).all()
    wanted = kept + (values - kept) * n / (n - 1)
    assert (np.abs(ported[0]["unbiased"] - wanted) <= 2 * bound + 5 * np.spacing(wanted)).all()


def test_a_convolution_and_a_dense_layer_give_the_same_numbers(in_torch, ported):
    assert (ported[0]["whole"] == in_torch[0]["whole"]).all()


@pytest.mark.parametrize("ported", ["keras"], indirect=True)
def test_the_optimizer_of_a_recipe_trains_a_compiled_model(ported):
    assert 0 < np.linalg.norm(ported[0]["moved"]) < 1e-3


@pytest.mark.parametrize("ported", ["keras"], indirect=True)
def test_the_recipes_take_a_batch_of_one_rows_of_an_embedding_and_a_configuration(ported):
    assert np.isfinite(ported[0]["single"]).all()
    moved = np.linalg.norm(ported[0]["embedded"], axis=1) > 0
    assert list(moved) == [True, True, False, False, False]
    assert ported[0]["max_norms"][0] == ported[0]["max_norms"][1]


def test_a_bias_begins_as_the_table_says(in_torch, ported):
    bound = 1 / np.sqrt(400)
    assert 0.99 * bound < np.abs(in_torch[0]["bias"]).max() <= bound
    assert abs(in_torch[0]["bias"].std() * np.sqrt(3) / bound - 1) < 0.03  # 10,000 numbers: 5 of its deviations
    assert (ported[0]["bias"] == 0).all()
    assert [table(name).initial_bias for name in ("keras", "flax")] == ["zeros", "zeros"]


def test_defaults_are_those_of_the_signatures(in_torch, ported):
    for name, found in (("torch", in_torch[1]), (ported[2], ported[1])):
        assert found == defaults(name)
        assert any(default is not None for default in found.values())


def test_defaults_of_tensorflow_are_those_of_its_source():
    """Its one function with defaults is read from its source: another start of TensorFlow would take seconds."""
    package = importlib.util.find_spec("tensorflow").submodule_search_locations[0]
    text = Path(package, "python", "ops", "nn_impl.py").read_text()
    (function,) = (n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == "fused_batch_norm")
    names = [argument.arg for argument in function.args.args][-len(function.args.defaults) :]
    found = dict(zip(names, map(ast.literal_eval, function.args.defaults), strict=True))
    for key, default in defaults("tensorflow").items():
        if "fused_batch_norm" in key:
            assert found[key.split()[1]] == default
