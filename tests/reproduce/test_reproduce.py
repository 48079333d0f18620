"""``nnconform reproduce``: the selected result, the form of scripts, and the messages if there is none."""

from __future__ import annotations

import ast
import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from nnconform.conformance.model.result import Result
from nnconform.conformance.report import store
from nnconform.conformance.reproduce import script
from nnconform.conformance.reproduce.case import NothingToShow
from nnconform.conformance.reproduce.families import MAKERS, families
from nnconform.conformance.reproduce.reported_calls import ReportedCall
from nnconform.conformance.vectors.vector import Vector

ELU = "torch.nn.functional.elu"
NORM = "torch.nn.utils.clip_grad_norm_"
NEAR_ZERO = "elu/near-zero/float32"
SAID = "y[35] = -1.5e-08, expected -1.5599999e-08 (bound 1.43e-14)"
WORST = {"index": [35], "got": -1.5e-08, "expected": -1.5599999460391757e-08, "bound": 1.43e-14}


def output(verdict: str = "conforms", ratio: float = 0.5, **more: Any) -> dict[str, Any]:
    return {"verdict": verdict, "digest": "0" * 16, "ratio": ratio, **({"ulp": 1.0} if more else {}), **more}


def row(implementation: str = ELU, verdict: str = "conforms", mode: str = "eager", **more: Any) -> dict[str, Any]:
    identity = {"framework": "torch", "version": "2", "operation": "elu", "vector": NEAR_ZERO, "profile": "range"}
    outputs = {"y": output(), "dx": output()}
    return {**identity, "implementation": implementation, "mode": mode, "verdict": verdict, "outputs": outputs, **more}


def wrong(implementation: str, ratio: float, verdict: str = "diverges", **more: Any) -> dict[str, Any]:
    y = output(verdict, ratio, worst=WORST, **more)
    return row(implementation, verdict, outputs={"y": y, "dx": output()})


@pytest.fixture
def ran(good, tmp_path, monkeypatch):
    """Make these results those of the last run, of torch."""

    def keep(*rows: dict[str, Any]) -> Path:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        entry = {**good["frameworks"][0], "name": "torch", "versions": {"torch": "2.0"}, "python": "3.12.1"}
        path = store.last_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**good, "frameworks": [entry], "results": rows}))
        return path

    return keep


def test_the_worst_implementation_is_shown_where_none_is_named(cli, ran):
    ran(
        row(),
        wrong("torch.nn.ELU", 9.0, "dialect", dialect="exp-minus-one"),
        wrong(ELU, 2.0),
        wrong("torch.nn.ELU", 1.5),
    )
    result = cli("reproduce", NEAR_ZERO, "torch")
    assert result.exit_code == 0
    assert f'"""{ELU}: {SAID}' in result.stdout.replace("\n", " ")


def test_of_equal_verdicts_the_one_that_is_further_off_is_shown(cli, ran):
    ran(wrong(ELU, 2.0), wrong("torch.nn.ELU", 3.0))
    assert cli("reproduce", NEAR_ZERO, "torch").stdout.startswith('"""torch.nn.ELU: y[35]')


def test_an_implementation_and_a_mode_may_be_named(cli, ran):
    ran(wrong(ELU, 2.0), wrong("torch.nn.ELU", 3.0), row(mode="compile"))
    assert cli("reproduce", NEAR_ZERO, "torch", "--implementation", ELU).stdout.startswith(f'"""{ELU}: y[35]')
    compiled = cli("reproduce", NEAR_ZERO, "torch", "--mode", "compile")
    assert "@torch.compile\ndef run(x):\n    return torch.nn.functional.elu(x, alpha=1.0)\n" in compiled.stdout


def test_only_the_outputs_that_fail_are_looked_at(cli, ran):
    ran(wrong(ELU, 2.0))
    text = cli("reproduce", NEAR_ZERO, "torch").stdout
    assert "backward" not in text
    assert "dx" not in text.partition('"""\n')[2]


def test_what_conforms_is_said_to_and_looked_at_as_a_whole(cli, ran):
    ran(row())
    result = cli("reproduce", NEAR_ZERO, "torch")
    assert result.exit_code == 0
    assert "conforms, so the assertion holds" in result.stderr
    assert '"dx": x.grad.numpy()' in result.stdout


def test_a_report_may_be_named(cli, ran, tmp_path):
    path = ran(wrong("torch.nn.ELU", 3.0))
    other = path.rename(tmp_path / "other.json")
    assert cli("reproduce", NEAR_ZERO, "torch").exit_code == 2
    assert cli("reproduce", NEAR_ZERO, "torch", "--report", other).stdout.startswith('"""torch.nn.ELU: y[35]')


def test_numbers_of_a_vector_that_has_changed_since_are_left_out(cli, ran):
    path = ran(wrong(ELU, 2.0))
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "asked": {NEAR_ZERO: "another"}}))
    result = cli("reproduce", NEAR_ZERO, "torch", "--implementation", ELU)
    assert result.exit_code == 0
    assert f"{NEAR_ZERO} has changed since the last run" in result.stderr
    assert result.stdout.startswith('"""torch.nn.functional.elu\n')
    assert cli("reproduce", NEAR_ZERO, "torch", "--implementation", ELU, "--issue").exit_code == 2


def test_a_default_is_no_fault_to_report(cli, ran):
    differs = wrong(ELU, 2.0) | {"vector": "elu/defaults/float32"}
    ran(differs)
    result = cli("reproduce", "elu/defaults/float32", "torch", "--issue")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "a default is the choice of a framework" in result.stderr


def test_without_a_run_an_implementation_must_be_named(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = cli("reproduce", NEAR_ZERO, "torch")
    assert result.exit_code == 2
    assert f"run `nnconform run torch --vector {NEAR_ZERO}` first, or name an API with --impl" in result.stderr
    named = cli("reproduce", NEAR_ZERO, "torch", "--implementation", ELU)
    assert named.exit_code == 0
    assert "not in the last run" in named.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("elu/near-zeros/float32", "torch"), "did you mean elu/near-zero/float32"),
        ((NEAR_ZERO, "torhc"), "did you mean torch?"),
        ((NEAR_ZERO, "torch", "--implementation", "torch.nn.functional.relu"), "torch.nn.functional.elu"),
        ((NEAR_ZERO, "torch", "--implementation", ELU, "--mode", "compiled"), "did you mean compile?"),
        ((NEAR_ZERO, "numpy"), "does not know its API"),
        ((NEAR_ZERO, "optax"), "optax has no implementation of elu"),
        (("clip_by_norm/threshold-negative/float32", "torch", "--implementation", "x"), "no script of 'x'"),
        (
            (
                "clip_by_value/threshold-negative/float32",
                "torch",
                "--implementation",
                "torch.nn.utils.clip_grad_value_",
            ),
            "recorded but not judged",
        ),
    ],
)
def test_what_is_asked_for_and_not_there_is_said(cli, ran, words, message):
    ran()
    result = cli("reproduce", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_what_the_framework_lacks_has_no_script(cli, ran):
    ran(row(verdict="unsupported", reason="no alpha", outputs={}))
    result = cli("reproduce", NEAR_ZERO, "torch")
    assert result.exit_code == 2
    assert "no alpha" in result.stderr


def test_an_error_is_shown_by_the_call_and_one_element_that_should_have_come(cli, ran):
    ran(row(verdict="error", reason="RuntimeError: no. And more.", outputs={}))
    text = cli("reproduce", NEAR_ZERO, "torch").stdout
    assert text.startswith(f'"""{ELU}: RuntimeError: no.\n')
    assert "y.backward(dy)" in text
    assert "got = y.detach().numpy()[0]" in text


def test_a_wrong_dtype_is_told_as_such(published):
    outputs = {
        "running_mean": output("dialect", 1.0, problem="dtype float32, wanted float16", dialect="statistics-in-float32")
    }
    name, vector = "flax.linen.BatchNorm", published["batch_norm_train/wholly-half/float16"]
    result = row(name, "dialect", outputs=outputs)
    text = script.write(vector, ReportedCall("jax", name, "eager", Result.from_json(result))).text
    assert '"running_mean": statistics["mean"].dtype' in text
    assert "if dtype != jnp.float16" in text


@pytest.mark.parametrize(
    ("problem", "assertion"),
    [
        ("nothing where a value is wanted", "assert w0.grad is not None,"),
        ("shape [2], wanted [3]", "assert list(w0.grad.shape) == [3],"),
    ],
)
def test_a_missing_output_or_another_shape_is_told_as_such(published, problem, assertion):
    name = "torch.nn.utils.clip_grad_value_"
    result = row(name, "diverges", outputs={"gradients[0]": output("diverges", 1.0, problem=problem)})
    text = script.write(
        published["clip_by_value/with-absent/float32"], ReportedCall("torch", name, "eager", Result.from_json(result))
    ).text
    assert text.splitlines()[-1] == f'{assertion} "gradients[0]: {problem}"'


def test_a_value_for_an_absent_gradient_is_told_as_such(published):
    name, problem = "torch.nn.utils.clip_grad_value_", "a value where the gradient is absent"
    result = row(name, "diverges", outputs={"gradients[1]": output("diverges", 1.0, problem=problem)})
    text = script.write(
        published["clip_by_value/with-absent/float32"], ReportedCall("torch", name, "eager", Result.from_json(result))
    ).text
    assert text.splitlines()[-1] == f'assert w1.grad is None, "gradients[1]: {problem}"'


def test_a_clause_that_only_refers_to_another_is_quoted_with_it(published):
    text = script.write(
        published["clip_by_global_norm/at-threshold/float64"], ReportedCall("torch", NORM, "eager", None)
    ).text
    assert text.index("CLIP-GLOBAL-2: at or below the threshold") < text.index("CLIP-NORM-2: at or below the threshold")


def test_a_whole_script_is_short_and_plain(published):
    worst = {"index": [2], "got": 3.9, "expected": 4.0, "bound": 5.33e-15}
    outputs = {"gradients[0]": output("dialect", 9.0, worst=worst, dialect="clip-denominator-epsilon")}
    vector = published["clip_by_global_norm/at-threshold/float64"]
    text = script.write(
        vector, ReportedCall("torch", NORM, "eager", Result.from_json(row(NORM, "dialect", outputs=outputs)))
    ).text
    assert text.partition('"""\n\n')[2] == WHOLE


WHOLE = """\
import numpy as np
import torch

w0 = torch.nn.Parameter(torch.zeros(5, dtype=torch.float64))
w0.grad = torch.tensor([3.0, 0.0, 4.0, 0.0, 0.0], dtype=torch.float64)

torch.nn.utils.clip_grad_norm_([w0], 5.0)

# The exact result, rounded once, and its error bound.
got = w0.grad.numpy()
expected = np.array([3.0, 0.0, 4.0, 0.0, 0.0])
bound = np.array([4e-15, 2.23e-308, 5.33e-15, 2.23e-308, 2.23e-308])

ratio = np.abs(got - expected) / bound
worst = ratio.argmax()
assert ratio[worst] <= 1, (
    f"gradients[0][{worst}] = {got[worst]}, expected {expected[worst]} (bound {bound[worst]})"
)
"""


def test_the_place_in_an_array_of_many_lengths_is_that_in_one_call(published):
    vector = published["elu/few-lengths/float32"]
    last = sum(vector.lengths) - 1
    result = row("tf.nn.elu", "dialect", outputs={"y": output("dialect", 1.0, worst={**WORST, "index": [last]})})
    text = script.write(vector, ReportedCall("tensorflow", "tf.nn.elu", "eager", Result.from_json(result))).text
    assert f'"""tf.nn.elu: y[{vector.lengths[-1] - 1}] =' in text


def test_two_results_for_one_number_are_shown_by_two_calls(published):
    problem = "the same number gives 0.237 as element 0 of 1 and nan as element 3 of 16"
    result = row(ELU, "dialect", outputs={"dx": output("dialect", 1.0, problem=problem, dialect="position-dependent")})
    text = script.write(
        published["elu/lengths/float64"], ReportedCall("torch", ELU, "eager", Result.from_json(result))
    ).text
    assert "one, two = run(1)[0], run(16)[3]" in text
    assert "][:n], dtype=torch.float64, requires_grad=True)" in text


def test_an_issue_has_the_clause_the_numbers_the_script_and_the_versions(cli, ran):
    ran(wrong(ELU, 2.0, "dialect", dialect="exp-minus-one"))
    text = cli("reproduce", NEAR_ZERO, "torch", "--issue").stdout
    parts = re.findall(r"^#+ .*$", text.replace("\n# The exact", "\n"), re.MULTILINE)
    title = f"# {ELU}: The value of ELU is computed as exp(x) - 1, which loses its digits near 0"
    assert parts == [title, "## Expected", "## Actual", "## To reproduce", "## Versions"]
    assert "ELU-7 (activations.md)" in text
    assert f"`{SAID}`" in text
    assert "- `torch 2.0`\n- `Python 3.12.1`\n" in text
    assert cli("reproduce", NEAR_ZERO, "torch").stdout in text


def test_there_is_no_issue_where_nothing_differs(cli, ran):
    ran(row())
    result = cli("reproduce", NEAR_ZERO, "torch", "--issue")
    assert (result.exit_code, result.stdout) == (2, "")


VECTORS = {
    "relu": "relu/mixed/float32",
    "elu": "elu/nan-body/bfloat16",
    "batch_norm_train": "batch_norm_train/3-steps/float64",
    "batch_norm_eval": "batch_norm_eval/rank-4-channels-last/float32",
    "he_normal": "he_normal/dense/float16",
    "he_uniform": "he_uniform/defaults-conv-2d-last/float32",
    "clip_by_value": "clip_by_value/with-absent/float32",
    "clip_by_norm": "clip_by_norm/two-variables/bfloat16",
    "clip_by_global_norm": "clip_by_global_norm/sparse/float32",
    "sgd_step": "sgd_step/global_clipnorm-1-two-variables/float32",
}
CALLS = [
    (framework, operation, name, mode)
    for framework in MAKERS
    for (operation, name), family in families(framework).items()
    for mode in family.modes
]


def fitting(published: dict[str, Vector], framework: str, operation: str, name: str, mode: str) -> str:
    """Return the script of a vector that the implementation takes: of the one above, or else of some other."""
    others = [vector for vector in published.values() if vector.operation == operation and vector.expected]
    for vector in (published[VECTORS[operation]], *others):
        with contextlib.suppress(NothingToShow):
            return script.write(vector, ReportedCall(framework, name, mode, None)).text
    raise AssertionError(f"no vector for {name}")


@pytest.mark.parametrize(("framework", "operation", "name", "mode"), CALLS, ids=lambda part: str(part))
def test_a_script_is_python_that_imports_its_framework_and_numpy_alone(published, framework, operation, name, mode):
    text = fitting(published, framework, operation, name, mode)
    tree = ast.parse(text)
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    packages = {"torch": {"torch"}, "tensorflow": {"tensorflow", "keras"}, "jax": {"jax", "flax", "optax"}}[framework]
    assert {name.partition(".")[0] for name in names} - {"math", "os", "numpy"} <= packages
    assert any(isinstance(node, ast.Assert) for node in tree.body)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {alias.asname or alias.name for node in imports for alias in node.names} <= used
    assert text.replace("\n", " ").startswith(f'"""{name}')
    assert not re.search(r" +$|\n\n\n\n", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("framework", "name", "vector"),
    [
        ("torch", "torch.nn.BatchNorm2d", "batch_norm_train/rank-2/float32"),
        ("torch", "torch.optim.SGD", "sgd_step/clipnorm-1-two-variables/float32"),
        ("torch", "torch.nn.utils.clip_grad_norm_ + torch.optim.SGD", "sgd_step/clipnorm-1-two-variables/float32"),
        ("tensorflow", "tf.nn.elu", "elu/mixed-alpha-0.5/float32"),
        ("tensorflow", "tf.compat.v1.nn.fused_batch_norm", "batch_norm_train/rank-2/float32"),
        ("tensorflow", "keras.initializers.HeNormal", "he_normal/dense-transposed-fan-out/float32"),
        ("jax", "optax.clip_by_global_norm", "clip_by_global_norm/sparse/float32"),
        ("jax", "optax.clip + optax.sgd", "sgd_step/clipnorm-1-two-variables/float32"),
        ("jax", "jax.nn.initializers.he_normal", "he_normal/dense-transposed-fan-out/float32"),
    ],
)
def test_a_call_that_would_leave_something_out_is_not_written(published, framework, name, vector):
    with pytest.raises(NothingToShow, match=re.escape(vector)):
        script.write(published[vector], ReportedCall(framework, name, "eager", None))


@pytest.mark.parametrize("word", ["nan", "inf"])
def test_a_name_of_a_special_value_is_imported_where_it_stands(published, word):
    vector = published["elu/nan-body/float32" if word == "nan" else "elu/infinity-body/float32"]
    text = script.write(vector, ReportedCall("jax", "jax.nn.elu", "eager", None)).text
    assert f"from math import {word}\n" in text
