"""Adapters that lie: each gets its verdict and message, and every other vector's result is undisturbed."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from nnconform.conformance.running import driver, frameworks
from nnconform.conformance.running import run as runner
from nnconform.conformance.running.options import Options
from nnconform.conformance.running.selection import Selection
from nnconform.conformance.running.worker import Worker

LIARS = Path(__file__).parents[1] / "liars"
CORE = Path(str(resources.files("nnconform.spec"))) / "vectors/clip_by_value/core.yaml"
SELECTION = ("--vectors", CORE, "--dtype", "float32")
# The lies are told at one threshold: these vectors.
LIED = {f"clip_by_value/{name}-narrow/float32" for name in ("one-variable", "two-variables", "with-absent")}


@pytest.fixture(scope="module")
def honest(report_of):
    """The results of an undisturbed run, by vector: all but names."""
    return results(report_of("numpy", *SELECTION)[1])


def results(report):
    return {row["vector"]: (row["verdict"], row["outputs"]) for row in report["results"]}


@pytest.fixture(scope="module")
def lie(report_of):
    """Run a liar; return the exit status, what was printed, and the report."""

    def run(name: str, *words: str):
        result, report = report_of("--adapter", LIARS / f"{name}.py", *SELECTION, *words)
        # In one line, wherever its lines were broken.
        return result.exit_code, " ".join(result.output.split()), report

    return run


def assert_others_undisturbed(report, honest, but: set[str]) -> None:
    got = results(report)
    assert set(honest) - set(got) <= but
    assert {v: r for v, r in got.items() if v not in but} == {v: r for v, r in honest.items() if v not in but}


@pytest.mark.parametrize(
    ("name", "verdict", "reason"),
    [
        ("aborts", "crash", "killed by SIGABRT"),
        ("segfaults", "crash", "killed by SIGSEGV"),
        ("exits", "crash", "ended with status 0"),
        ("leaves", "crash", "ended with status 0"),
        ("babbles", "crash", "[1, 2]"),
        ("closes", "crash", "closed its channel and lived on"),
        ("raises", "error", "JSONDecodeError"),
        ("hangs", "timeout", "no answer within 1 s"),
        ("spins", "timeout", "no answer within 1 s"),
    ],
)
def test_a_call_without_answer_is_a_finding_with_its_reason(lie, honest, name, verdict, reason):
    status, output, report = lie(name, "--timeout", "1")
    found = {row["vector"]: row for row in report["results"]}
    assert {found[v]["verdict"] for v in LIED} == {verdict}
    assert all(reason in found[v]["reason"] for v in LIED)
    assert reason in output
    assert_others_undisturbed(report, honest, LIED)
    assert status == 1


@pytest.mark.parametrize("name", ["floods", "forges"])
def test_what_a_framework_prints_does_no_harm(lie, honest, name):
    status, _, report = lie(name)
    assert_others_undisturbed(report, honest, set())
    assert status == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("returns_none", "liar returned NoneType; wanted a dict of outputs by name"),
        ("misnames", "returned gradient; clip_by_value has the outputs gradients"),
        ("returns_lists", "gradients[0][0] is float; wanted a NumPy array"),
        ("returns_objects", "gradients[0] is an array of object; wanted numbers"),
        ("stumbles", "AttributeError"),
        ("names_by_tuple", "an output named ('gradients', 0); wanted text"),
        ("returns_records", "wanted numbers"),
    ],
)
def test_a_broken_contract_is_the_adapters_fault_and_no_finding(lie, honest, name, said):
    status, output, report = lie(name)
    assert {fault["vector"] for fault in report["faults"]} == LIED
    assert all(said in fault["message"] for fault in report["faults"])
    assert said in output
    assert not LIED & set(results(report))
    assert_others_undisturbed(report, honest, LIED)
    assert status == 3


def test_what_one_implementation_does_to_its_inputs_the_next_does_not_see(lie, honest):
    _, _, report = lie("empties")
    own = {"results": [row for row in report["results"] if row["implementation"] == "honest"]}
    assert results(own) == honest


def test_numbers_of_another_byte_order_are_the_same_numbers(lie, honest):
    assert results(lie("other_byte_order")[2]) == honest


def test_a_mistake_of_the_adapter_is_its_own_also_in_a_partial(lie):
    status, _, report = lie("partial_fault")
    assert "no_such_attribute" in report["faults"][0]["message"]
    assert report["results"] == []
    assert status == 3


def test_what_a_version_of_the_framework_does_not_have_is_no_error_of_the_framework(lie):
    status, _, report = lie("lacks")
    assert "no_such_function" in report["faults"][0]["message"]
    assert "lacks.py, line 12" in report["faults"][0]["message"]
    assert report["results"] == []
    assert status == 3


def test_a_mistake_of_the_adapter_is_shown_with_its_line(lie):
    assert "stumbles.py, line 12: return gradients.clip(clipvalue)" in lie("stumbles")[1]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("flattens", "shape [1, 5], wanted [5]"),
        ("widens", "dtype float64, wanted float32"),
        ("drops_one", "nothing where a value is wanted"),
    ],
)
def test_a_wrong_shape_dtype_or_count_diverges(lie, honest, name, problem):
    status, _, report = lie(name)
    outputs = [o for row in report["results"] if row["verdict"] == "diverges" for o in row["outputs"].values()]
    assert problem in {o.get("problem") for o in outputs}
    assert_others_undisturbed(report, honest, LIED)
    assert status == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("import_error", "No module named 'a_module_that_nobody_has'"),
        ("no_adapter", "has no `adapter = Adapter(...)`"),
        ("exits_on_import", "ended with status 3"),
        ("aborts_on_import", "killed by SIGABRT"),
        ("unknown_package", "a-package-that-nobody-has"),
    ],
)
def test_an_adapter_that_does_not_start_fails_the_run_with_a_reason(lie, name, said):
    status, output, report = lie(name)
    assert report["frameworks"][0]["status"] == "failed"
    assert said in report["frameworks"][0]["reason"]
    assert said in output
    assert not report["complete"]
    assert status == 3


def test_a_liar_beside_an_honest_framework_does_not_touch_its_results(lie, honest):
    status, _, report = lie("import_error", "numpy")
    assert results(report) == honest
    assert status == 3


def test_a_worker_that_ends_again_and_again_is_given_up(report_of):
    result, report = report_of("--adapter", LIARS / "always_exits.py", "--vectors", CORE)
    assert report["frameworks"][0]["status"] == "stopped"
    assert {row["verdict"] for row in report["results"]} == {"crash"}
    assert len(report["results"]) == driver.RESTARTS + 1
    assert not report["complete"]
    assert result.exit_code == 3


def test_a_mistake_of_the_suite_itself_ends_the_run_and_is_no_pass(monkeypatch, report_of):
    def broken(*_):
        raise RuntimeError("a mistake of the suite")

    monkeypatch.setattr(Worker, "ask", broken)
    result, report = report_of("numpy", *SELECTION)
    assert "a mistake of the suite" in report["frameworks"][0]["reason"]
    assert result.exit_code == 3


def test_calls_that_do_not_apply_are_counted_and_not_judged(published):
    vectors = [v for v in published.values() if v.id.startswith("batch_norm_train/rank-")]
    options = Options(Selection(operations=("batch_norm_train",)))
    [numpy] = frameworks.choose(["numpy"])
    outcome = runner.run([numpy], vectors, options)
    entry = outcome.frameworks[0]
    assert entry.calls == len(outcome.results) + entry.inapplicable
    assert [r.vector for r in outcome.results] == [v.id for v in vectors]


def test_an_answer_that_cannot_be_judged_is_a_fault_and_costs_no_other(monkeypatch, report_of, honest):
    right = runner.judge

    def stumbling(framework, vector, omits, answer, **more):
        if vector.id in LIED:
            raise RuntimeError("a mistake of the suite")
        return right(framework, vector, omits, answer, **more)

    monkeypatch.setattr(runner, "judge", stumbling)
    result, report = report_of("numpy", *SELECTION)
    assert_others_undisturbed(report, honest, LIED)
    assert {fault["vector"] for fault in report["faults"]} == LIED
    assert result.exit_code == 3


def test_two_adapters_of_one_name_are_wrong_usage(report_of, cli):
    result = cli("run", "--adapter", LIARS / "raises.py", "--adapter", LIARS / "raises.py", *SELECTION)
    assert "two adapters have the name raises" in result.stderr
    assert result.exit_code == 2
