"""Two reports compared: every kind of change is distinguished, and only results on both sides are counted."""

from __future__ import annotations

import copy
import json
import random
import re
from importlib import resources

import jsonschema
import ml_dtypes
import numpy as np
import pytest

from nnconform.conformance.diff.changes import stable_text
from nnconform.conformance.diff.comparison import DiffError, compare, write
from nnconform.conformance.judging.compare import digest
from nnconform.conformance.model.change import KINDS
from nnconform.conformance.model.diff import Diff
from nnconform.conformance.model.report import Report

OPERATIONS = ("batch_norm_train", "he_normal", "clip_by_value", "sgd_step")
VECTOR = "batch_norm_train/rank-2/float32"
OUTPUT = "running_variance"
DEFAULT = "batch_norm_train/defaults-rank-2/float32"
OPEN = "sgd_step/clipnorm-negative/float32"
SAMPLE = "he_normal/dense/float32"
SCHEMA = json.loads(resources.files("nnconform.spec").joinpath("schema/diff.schema.json").read_text())


@pytest.fixture(scope="module")
def run(report_of):
    """The report of a run of the numpy control, as text."""
    words = (word for name in OPERATIONS for word in ("--operation", name))
    return json.dumps(report_of("numpy", "--dtype", "float32", *words)[1])


@pytest.fixture
def pair(run):
    """Two copies of one report."""
    return json.loads(run), json.loads(run)


def diff(pair, *tensors, **options):
    document = compare(*map(Report.from_json, pair), *tensors, **options).to_json()
    jsonschema.Draft7Validator(SCHEMA).validate(document)
    assert Diff.from_json(document).to_json() == document
    return document


def row(side, vector=VECTOR):
    return next(r for r in side["results"] if r["vector"] == vector)


def become(side, state, vector=VECTOR, output=OUTPUT, **fields):
    """Give a vector's row a state: that of one output, or of the whole row."""
    if state == "absent":
        side["results"].remove(row(side, vector))
    elif state in VALUES:
        worst = {"index": [0], **WORST}
        fields = VALUES[state] | ({} if state == "conforms" else {"ulp": 9.0, "ratio": 9.0, "worst": worst}) | fields
        row(side, vector)["outputs"][output] |= fields
        row(side, vector)["verdict"] = fields.get("verdict", "conforms")
    else:
        row(side, vector).update({"outputs": {}} | WITHOUT[state] | fields)


WORST = {"got": 1.0526, "expected": 1.02, "bound": 1e-7}
VALUES = {
    "conforms": {},
    "dialect": {"verdict": "dialect", "dialect": "unbiased-running-variance", "digest": "d" * 16},
    "other": {"verdict": "dialect", "dialect": "single-pass-variance", "digest": "0" * 16},
    "diverges": {"verdict": "diverges", "digest": "e" * 16},
}
WITHOUT = {
    "error": {"verdict": "error", "reason": "ValueError: no"},
    "refused": {"verdict": "dialect", "dialect": "rejects-zero-epsilon", "reason": "ValueError: epsilon"},
    "unsupported": {"verdict": "unsupported", "reason": "has no such thing"},
    "crash": {"verdict": "crash", "reason": "signal 11"},
    "timeout": {"verdict": "timeout", "reason": "no answer in 120 s"},
}
LETTERS = {
    **{"R": "regressed", "F": "fixed", "D": "dialect-changed", "E": "raises", "V": "raises-no-more"},
    **{"G": "gone", "S": "supported", "X": "dies", "L": "dies-no-more", ".": ""},
}
# Old states downwards; new states in the same order from left to right.
TRANSITIONS = """
conforms     . R R R  E E  G G  X X
dialect      F . D R  E E  G G  X X
other        F D . R  E E  G G  X X
diverges     F F F .  E E  G G  X X
error        V V V V  . F  G G  X X
refused      V V V V  R .  G G  X X
unsupported  S S S S  S S  . .  X X
absent       S S S S  S S  . .  X X
crash        L L L L  L L  L L  . X
timeout      L L L L  L L  L L  X .
"""
TABLE = [line.split() for line in TRANSITIONS.strip().splitlines()]
STATES = [line[0] for line in TABLE]
CASES = {(line[0], new): LETTERS[kind] for line in TABLE for new, kind in zip(STATES, line[1:], strict=True)}
CHANGES = {states: kind for states, kind in CASES.items() if kind}
OF_DEFAULTS = [states for states, kind in CASES.items() if kind in ("regressed", "fixed", "raises", "raises-no-more")]
ALWAYS = {"regressed", "dialect-changed", "moved", "raises", "dies", "gone", "stream-changed", "defaults-changed"}


@pytest.mark.parametrize(
    ("states", "kind"), CASES.items(), ids=lambda value: "-to-".join(value) if value in CASES else value
)
def test_a_change_of_state_has_its_kind(pair, states, kind):
    for side, state in zip(pair, states, strict=True):
        become(side, state)
    document = diff(pair)
    assert [change["kind"] for change in document["changes"]] == ([kind] if kind else [])
    for change in document["changes"]:
        values = set(states) <= set(VALUES)
        assert change["output"] == (OUTPUT if values else "")
        assert [change[side]["verdict"] for side in ("old", "new")] == [verdict(state) for state in states]


def verdict(state):
    return (VALUES | WITHOUT).get(state, {}).get("verdict", state)


@pytest.mark.parametrize(("states", "kind"), CHANGES.items(), ids=str)
def test_only_changes_for_the_worse_fail(pair, states, kind):
    for side, state in zip(pair, states, strict=True):
        become(side, state)
    (change,) = diff(pair)["changes"]
    bad = {"raises-no-more": ["diverges"], "dies-no-more": ["diverges", "error"]}.get(kind, [])
    assert change["fails"] == (kind in ALWAYS or states[1] in bad)


def test_every_kind_of_the_schema_is_known_and_the_other_way_round():
    assert set(KINDS) == set(SCHEMA["definitions"]["change"]["properties"]["kind"]["enum"])


def test_a_schema_is_a_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_equal_reports_have_no_changes_and_no_notes(pair):
    document = diff(pair)
    count = len(pair[0]["results"])
    assert (document["compared"], document["unchanged"]) == (count, count)
    assert document["changes"] == document["drift"] == document["notes"] == []


def test_every_output_is_a_change_of_its_own(pair):
    become(pair[1], "dialect")
    become(pair[1], "diverges", output="y")
    kinds = [(change["kind"], change["output"]) for change in diff(pair)["changes"]]
    assert kinds == [("regressed", OUTPUT), ("regressed", "y")]


def test_other_bits_of_the_same_verdict_are_drift_and_do_not_fail(pair):
    row(pair[1])["outputs"]["y"]["digest"] = "1" * 16
    document = diff(pair)
    (change,) = document["changes"]
    assert (change["kind"], change["output"], change["fails"]) == ("drifted", "y", False)
    assert document["drift"] == [{"framework": "numpy", "operation": "batch_norm_train", "output": "y", "tensors": 1}]
    assert document["unchanged"] == document["compared"] - 1


def test_other_bits_within_a_dialect_are_drift(pair):
    become(pair[0], "dialect")
    become(pair[1], "dialect", digest="1" * 16)
    assert [change["kind"] for change in diff(pair)["changes"]] == ["drifted"]


def test_the_same_bits_of_another_verdict_are_no_change_but_a_note(pair):
    for side, state in zip(pair, ("dialect", "diverges"), strict=True):
        become(side, state, digest="1" * 16)
    document = diff(pair)
    assert document["changes"] == []
    assert document["unchanged"] == document["compared"] - 1
    assert "1 output with the same bits and another verdict" in document["notes"][0]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"ratio": 10.5}, "moved"),
        ({"ratio": 9.5}, "drifted"),
        ({"ratio": "inf"}, "moved"),
        ({"ratio": 9.5, "worst": {"index": [0], "got": 1.0527, "expected": 1.02, "bound": 1e-7}}, "moved"),
        ({"ratio": 9.5, "worst": {"index": [1], "got": 1.0527, "expected": 1.02, "bound": 1e-7}}, "drifted"),
    ],
)
def test_a_divergence_moves_if_its_amount_changes_by_more_than_the_bound(pair, fields, kind):
    become(pair[0], "diverges")
    become(pair[1], "diverges", digest="1" * 16, **fields)
    assert [change["kind"] for change in diff(pair)["changes"]] == [kind]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "drifted"),
        ({"worst": {"index": [1], "got": "nan", "expected": 1.02, "bound": 0.0}}, "moved"),
        ({"worst": {"index": [0], "got": "inf", "expected": 1.02, "bound": 0.0}}, "moved"),
        ({"problem": "dtype float64, wanted float32"}, "moved"),
    ],
)
def test_a_divergence_over_a_bound_of_0_moves_if_its_first_element_does(pair, fields, kind):
    special = {"ratio": "inf", "worst": {"index": [0], "got": "nan", "expected": 1.02, "bound": 0.0}}
    become(pair[0], "diverges", **special)
    become(pair[1], "diverges", **special | {"digest": "1" * 16} | fields)
    assert [change["kind"] for change in diff(pair)["changes"]] == [kind]


def test_a_sample_of_the_same_verdict_and_other_bits_is_another_stream(pair):
    row(pair[1], SAMPLE)["outputs"]["sample"]["digest"] = "1" * 16
    (change,) = diff(pair)["changes"]
    assert (change["kind"], change["fails"]) == ("stream-changed", True)


@pytest.mark.parametrize("states", OF_DEFAULTS, ids=str)
def test_a_default_that_changes_its_verdict_dialect_or_error_is_one_change(pair, states):
    for side, state in zip(pair, states, strict=True):
        become(side, state, DEFAULT)
        if state in VALUES and state != "conforms":
            become(side, state, DEFAULT, output="y")
    (change,) = diff(pair)["changes"]
    assert (change["kind"], change["fails"]) == ("defaults-changed", True)


def test_a_default_that_crashes_has_kind_dies(pair):
    become(pair[1], "crash", DEFAULT)
    assert [change["kind"] for change in diff(pair)["changes"]] == ["dies"]


def test_an_output_of_a_default_that_is_not_returned_any_more_is_gone(pair):
    del row(pair[1], DEFAULT)["outputs"]["batch_mean"]
    assert [(c["kind"], c["output"]) for c in diff(pair)["changes"]] == [("gone", "batch_mean")]


@pytest.mark.parametrize("states", [("value", "bits"), ("value", "raised"), ("raised", "value")], ids=str)
def test_a_result_that_is_not_judged_is_recorded_and_does_not_fail(pair, states):
    for side, state in zip(pair, states, strict=True):
        if state == "raised":
            row(side, OPEN).update(outputs={}, reason="ValueError: negative")
        if state == "bits":
            for output in row(side, OPEN)["outputs"].values():
                output["digest"] = "1" * 16
    (change,) = diff(pair)["changes"]
    assert (change["kind"], change["fails"]) == ("latitude-changed", False)


def test_an_output_that_is_shown_on_one_side_only_is_gone_or_supported(pair):
    del row(pair[1])["outputs"]["batch_mean"]
    del row(pair[0])["outputs"]["batch_variance"]
    kinds = [(c["kind"], c["output"], c["fails"]) for c in diff(pair)["changes"]]
    assert kinds == [("gone", "batch_mean", True), ("supported", "batch_variance", False)]


def test_a_value_for_an_absent_gradient_is_a_regression_and_its_end_is_a_fix(pair):
    vector = next(r["vector"] for r in pair[0]["results"] if r["operation"] == "clip_by_value" and r["outputs"])
    extra = {"verdict": "diverges", "digest": "1" * 16, "ratio": "inf", "ulp": "inf", "problem": "a value"}
    row(pair[1], vector)["outputs"]["gradients[9]"] = extra
    assert [(c["kind"], c["fails"]) for c in diff(pair)["changes"]] == [("regressed", True)]
    assert [(c["kind"], c["fails"]) for c in diff(pair[::-1])["changes"]] == [("fixed", False)]


def test_an_error_of_another_text_is_no_change(pair):
    become(pair[0], "error")
    become(pair[1], "error", reason="ValueError: at another address")
    assert diff(pair)["unchanged"] == diff(pair)["compared"]


def test_details_of_one_run_are_not_in_the_text_of_an_error():
    text = "2026-01-02 03:04:05.678901: F core.cc] array at 0x7f3a0c112233 in /tmp/nnconform-ab12cd_x/mode"
    assert stable_text(text) == "(time): F core.cc] array at 0x... in /tmp/nnconform-.../mode"


# Differences that are never counted as a change.


def uncounted(document):
    return document["changes"] == [] and document["drift"] == []


def test_a_vector_of_one_report_only_is_named_and_counts_as_nothing(pair):
    become(pair[1], "absent")
    del pair[1]["asked"][VECTOR]
    document = diff(pair)
    assert uncounted(document)
    assert document["only_old"]["vectors"] == [VECTOR]
    assert diff(pair[::-1])["only_new"]["vectors"] == [VECTOR]
    assert uncounted(diff(pair[::-1]))


@pytest.mark.parametrize("state", ["diverges", "error", "absent", "crash"])
def test_a_vector_of_another_digest_is_named_and_counts_as_nothing(pair, state):
    become(pair[1], state)
    pair[1]["asked"][VECTOR] = "0" * 16
    document = diff(pair)
    assert uncounted(document)
    assert document["altered_vectors"] == [VECTOR]
    assert document["compared"] == len(pair[0]["results"]) - 1


def test_a_framework_of_one_report_only_is_named_and_counts_as_nothing(pair):
    other = copy.deepcopy(pair[1]["frameworks"][0]) | {"name": "other"}
    pair[1]["frameworks"].append(other)
    pair[1]["results"] += [copy.deepcopy(r) | {"framework": "other"} for r in pair[1]["results"]]
    document = diff(pair)
    assert uncounted(document)
    assert document["only_new"]["frameworks"] == ["other"]
    assert uncounted(diff(pair[::-1]))


@pytest.mark.parametrize("status", ["missing", "failed", "stopped"])
@pytest.mark.parametrize("turn", [1, -1])
def test_results_that_a_side_lacks_since_it_did_not_run_count_as_nothing(pair, status, turn):
    rest = 0 if status != "stopped" else 10
    pair[1]["frameworks"][0].update(status=status, reason="it would not", not_run=5 if rest else 0)
    pair[1]["results"] = pair[1]["results"][:rest]
    pair[1]["complete"] = status == "missing"
    document = diff(pair[::turn])
    assert uncounted(document)
    assert document["compared"] == rest
    assert any(
        "it would not" in note and f"{len(pair[0]['results']) - rest} results" in note for note in document["notes"]
    )


def test_results_that_an_interrupted_side_lacks_count_as_nothing(pair):
    become(pair[1], "absent")
    pair[1]["complete"] = False
    pair[1]["frameworks"][0]["not_run"] = 1
    document = diff(pair)
    assert uncounted(document)
    (note,) = document["notes"]
    assert note.startswith("numpy did not run to its end in the new report (the run was interrupted): 1 result")


def test_a_run_that_was_interrupted_before_it_planned_anything_counts_as_nothing(pair):
    pair[1].update(complete=False, results=[])
    pair[1]["frameworks"][0].update(calls=0, not_run=0, implementations=[])
    assert uncounted(diff(pair))


def test_results_that_only_a_stopped_side_has_count_as_nothing(pair):
    become(pair[1], "absent")
    pair[0]["frameworks"][0].update(status="stopped", reason="its workers ended too often", not_run=5)
    pair[0]["complete"] = False
    assert uncounted(diff(pair))
    assert uncounted(diff(pair[::-1]))


def test_results_of_a_stopped_side_are_compared(pair):
    pair[1]["frameworks"][0].update(status="stopped", reason="its workers ended too often", not_run=5)
    pair[1]["complete"] = False
    become(pair[1], "diverges")
    assert [change["kind"] for change in diff(pair)["changes"]] == ["regressed"]


def test_a_result_that_a_fault_of_the_adapter_took_counts_as_nothing(pair):
    fault = {key: row(pair[1])[key] for key in ("framework", "implementation", "vector")} | {"message": "wrong name"}
    become(pair[1], "absent")
    pair[1]["faults"].append(fault)
    document = diff(pair)
    assert uncounted(document)
    assert document["new"]["faults"] == 1
    assert any("the adapter is at fault" in note for note in document["notes"])


@pytest.mark.parametrize(
    ("filters", "counts"),
    [
        ({"implementations": ["torch.*"]}, False),
        ({"implementations": ["numpy *"]}, True),
        ({"modes": ["jit"]}, False),
        ({"modes": ["eag*"]}, True),
    ],
)
def test_results_that_another_filter_left_out_count_as_nothing(pair, filters, counts):
    become(pair[1], "absent")
    pair[1]["selection"] |= filters
    document = diff(pair)
    assert uncounted(document) != counts
    assert any("other filters" in note for note in document["notes"]) != counts


def test_a_mode_that_only_one_side_asked_for_is_not_gone(pair):
    pair[0]["selection"]["modes"] = ["compile"]
    become(pair[1], "absent")
    assert uncounted(diff(pair))


def test_the_rest_of_a_framework_is_not_gone_if_only_a_part_was_named(pair):
    pair[1]["frameworks"][0]["only"] = ["keras.*"]
    become(pair[1], "absent")
    assert uncounted(diff(pair))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda entry: entry.update(name="renamed"), "the implementation no longer exists"),
        (lambda entry: entry.update(defaults=True), "the implementation no longer exists"),
        (lambda entry: entry.update(modes=["jit"]), "the mode eager is no longer supported"),
        (lambda entry: None, "it no longer applies to this vector"),
    ],
)
def test_a_result_that_is_gone_has_its_reason(pair, change, reason):
    become(pair[1], "absent")
    implementations = pair[1]["frameworks"][0]["implementations"]
    change(next(i for i in implementations if i["operation"] == "batch_norm_train" and not i["defaults"]))
    (gone_change,) = diff(pair)["changes"]
    assert (gone_change["kind"], gone_change["new"]) == ("gone", {"verdict": "absent", "reason": reason})


def test_a_new_result_has_its_reason(pair):
    become(pair[0], "absent")
    (new,) = diff(pair)["changes"]
    assert new["old"] == {"verdict": "absent", "reason": "it did not apply to this vector"}


@pytest.mark.parametrize("list_name", ["frameworks", "results"])
def test_a_report_that_has_something_twice_is_refused(pair, list_name):
    pair[1][list_name].append(copy.deepcopy(pair[1][list_name][0]))
    with pytest.raises(DiffError, match="the new report has two"):
        diff(pair)


# Notes.


def test_two_versions_of_the_spec_are_noted(pair):
    pair[1]["spec"] = "1.1.0"
    assert "two versions of the spec, 1.0.0 and 1.1.0" in diff(pair)["notes"][0]


def test_another_machine_is_noted(pair):
    pair[1]["platform"]["processor"] = "Abacus"
    assert any("processors differ" in note and "Abacus" in note for note in diff(pair)["notes"])


@pytest.mark.parametrize(
    ("targets", "versions", "noted"),
    [
        (("jax==1", "jax==2"), ({"jax": "1", "flax": "7"}, {"jax": "2", "flax": "7"}), []),
        (("jax==1", "jax==2"), ({"jax": "1", "flax": "7"}, {"jax": "2", "flax": "8"}), ["flax 7 -> 8"]),
        (("jax", "jax"), ({"jax": "1", "flax": "7"}, {"jax": "2", "flax": "8"}), ["flax 7 -> 8"]),
        (
            ("keras==1", "keras==2"),
            ({"tensorflow": "7", "keras": "1"}, {"tensorflow": "8", "keras": "2"}),
            ["tensorflow 7 -> 8"],
        ),
        (("tensorflow-cpu==1", "tensorflow-cpu==2"), ({"tensorflow": "1"}, {"tensorflow": "2"}), []),
        (("python:a", "python:b"), ({"jax": "1", "flax": "7"}, {"jax": "2", "flax": "8"}), []),
        (("mine", "mine"), ({"mine": "1"}, {"mine": "2"}), []),
    ],
)
def test_versions_that_nobody_asked_to_change_are_noted(pair, targets, versions, noted):
    for side, target, packages in zip(pair, targets, versions, strict=True):
        side["frameworks"][0].update(target=target, versions=packages)
    assert [note.partition("too: ")[2] for note in diff(pair)["notes"]] == noted


def test_other_packages_of_environments_and_another_python_are_noted(pair):
    for side, version in zip(pair, ("1", "2"), strict=True):
        packages = {"numpy": version, "ml_dtypes": f"0.{version}"} | ({"scipy": "9"} if version == "2" else {})
        side["frameworks"][0].update(packages=packages, python=f"3.1{version}", target=f"numpy=={version}")
    assert diff(pair)["notes"] == [
        "numpy: other versions differ too: ml-dtypes 0.1 -> 0.2, scipy none -> 9, Python 3.11 -> 3.12"
    ]


def test_a_distribution_of_another_name_is_the_same_package(pair):
    for side, version in zip(pair, ("1", "2"), strict=True):
        packages = {"tensorflow-cpu": version}
        entry = {"target": f"tensorflow-cpu=={version}", "versions": {"tensorflow": version}, "packages": packages}
        side["frameworks"][0].update(entry)
    assert diff(pair)["notes"] == []


def test_further_notes_come_first(pair):
    assert diff(pair, notes=["the file is not there"])["notes"] == ["the file is not there"]


# The document.


def test_the_order_of_results_does_not_matter(pair):
    for state, vector in [("dialect", VECTOR), ("crash", DEFAULT), ("absent", OPEN)]:
        become(pair[1], state, vector)
    for drifted in (r for r in pair[1]["results"] if r["operation"] == "clip_by_value"):
        for output in drifted["outputs"].values():
            output["digest"] = "1" * 16
    once = json.dumps(diff(pair))
    for seed in range(3):
        for side in pair:
            random.Random(seed).shuffle(side["results"])
        assert json.dumps(diff(pair)) == once


def test_a_diff_that_is_written_is_read_back(pair, tmp_path):
    become(pair[1], "dialect")
    document = diff(pair)
    write(Diff.from_json(document), tmp_path / "diff.json")
    assert json.loads((tmp_path / "diff.json").read_text()) == document
    write(Diff.from_json(diff((pair[0], pair[0]))), tmp_path / "diff.json")
    assert json.loads((tmp_path / "diff.json").read_text())["changes"] == []


# Elements and distances.


def test_without_tensors_the_element_is_the_worst_of_the_side_that_does_not_conform(pair):
    become(pair[1], "dialect")
    (change,) = diff(pair)["changes"]
    assert change["element"] == {"index": [0], "new": 1.0526, "expected": 1.02}
    assert "ulp" not in change


def test_without_tensors_both_values_are_known_if_both_reports_have_the_element(pair):
    become(pair[0], "dialect")
    become(pair[1], "other", worst={"index": [0], "got": "nan", "expected": 1.02, "bound": 1e-7})
    (change,) = diff(pair)["changes"]
    assert change["element"] == {"index": [0], "old": 1.0526, "new": "nan", "expected": 1.02}


def store_tensors(pair, vector=VECTOR, **outputs):
    """Put tensors of an output into both reports by their digests; return them as files have them."""
    tensors = ({}, {})
    for name, values in outputs.items():
        for side, of_side, value in zip(pair, tensors, values, strict=True):
            of_side["numpy", row(side, vector)["implementation"], "eager", vector, name] = value
            row(side, vector)["outputs"][name]["digest"] = digest(value, None)
    return tensors


def test_with_tensors_the_element_is_the_one_that_moved_most_for_its_bound(pair):
    become(pair[1], "dialect", worst={"index": [1], "got": 3.0, "expected": 2.0, "bound": 1e-7})
    tensors = store_tensors(pair, running_variance=(np.float32([1.0, 2.0, 0.0]), np.float32([1.0, 3.0, 1e-3])))
    (change,) = diff(pair, *tensors)["changes"]
    assert change["element"] == {"index": [1], "old": 2.0, "new": 3.0, "expected": 2.0}
    assert (change["ulp"]["elements"], change["ulp"]["changed"]) == (3, 2)


@pytest.mark.parametrize("index", [[], [3], [0, 0]])
@pytest.mark.parametrize("states", [("conforms", "dialect"), ("diverges", "diverges")])
def test_an_element_that_is_not_in_its_tensor_is_not_measured(pair, states, index):
    for side, state in zip(pair, states, strict=True):
        become(side, state, **({} if state == "conforms" else {"worst": {"index": index, **WORST}}))
    tensors = store_tensors(pair, running_variance=(np.float32([1.0, 2.0, 0.0]), np.float32([1.0, 3.0, 0.0])))
    (change,) = diff(pair, *tensors)["changes"]
    assert change["element"] == {"index": [1], "old": 2.0, "new": 3.0}


def test_with_tensors_a_divergence_moves_if_an_element_moved_more_than_its_bound(pair):
    for side, ratio in zip(pair, (9.0, 9.5), strict=True):
        become(
            side,
            "diverges",
            ratio=ratio,
            worst={"index": [int(ratio == 9.5)], "got": 1.0, "expected": 0.9, "bound": 0.1},
        )
    tensors = store_tensors(pair, running_variance=(np.float32([1.0, 0.5]), np.float32([0.5, 1.0])))
    assert [change["kind"] for change in diff(pair)["changes"]] == ["drifted"]
    assert [change["kind"] for change in diff(pair, *tensors)["changes"]] == ["moved"]


def test_drift_is_a_distribution_over_the_changed_elements(pair):
    one, up = np.float32(1), np.float32(2.0**-23)
    old = np.full(200, one)
    new = old.copy()
    new[:100] += up * np.arange(1, 101, dtype=np.float32)
    half = (
        np.array([1.0, 2.0, -0.0], ml_dtypes.bfloat16),
        np.array([1.0 + 2.0**-7, 2.0 + 2.0**-4, 0.0], ml_dtypes.bfloat16),
    )
    document = diff(pair, *store_tensors(pair, y=(old, new), dx=half))
    about = {"framework": "numpy", "operation": "batch_norm_train", "tensors": 1}
    place = {"vector": VECTOR, "implementation": row(pair[0])["implementation"], "mode": "eager"}
    numbers = {"elements": 200, "changed": 100, "median": 50.0, "p99": 99.0, "worst": 100.0}
    in_half = {"elements": 3, "changed": 3, "median": 1.0, "p99": 4.0, "worst": 4.0}
    assert document["drift"] == [
        {"output": "dx"} | about | in_half | place,
        {"output": "y"} | about | numbers | place,
    ]
    assert [change["element"]["index"] for change in document["changes"]] == [[1], [99]]


def test_of_equal_distances_the_first_is_named_in_any_order(pair):
    vectors = [
        r["vector"] for r in pair[0]["results"] if r["operation"] == "batch_norm_train" and r["profile"] == "core"
    ]
    tensors = ({}, {})
    for vector in vectors:
        for of_side, more in zip(
            tensors, store_tensors(pair, vector, y=(np.float32([1.0]), np.float32([2.0]))), strict=True
        ):
            of_side.update(more)
    for _ in range(3):
        for side in pair:
            random.Random(7).shuffle(side["results"])
        assert diff(pair, *tensors)["drift"][0]["vector"] == min(vectors)


def test_entries_of_a_list_drift_as_one_output(pair):
    vector = next(r["vector"] for r in pair[0]["results"] if len(r["outputs"]) > 1 and "weights[1]" in r["outputs"])
    for name in ("weights[0]", "weights[1]"):
        row(pair[1], vector)["outputs"][name]["digest"] = "1" * 16
    assert [(r["output"], r["tensors"]) for r in diff(pair)["drift"]] == [("weights", 2)]


def test_a_tensor_that_is_not_the_one_of_its_result_is_left_aside_and_noted(pair):
    tensors = store_tensors(pair, y=(np.float32([1.0]), np.float32([2.0])))
    (key,) = tensors[1]
    document = diff(pair, tensors[0], {key: np.float32([3.0])})
    assert "ulp" not in document["changes"][0]
    assert document["notes"] == [
        "1 tensor in the outputs file of the new report not used: not of its results, perhaps of another run"
    ]


def test_zeros_whose_sign_is_free_do_not_make_a_tensor_another(pair):
    tensors = store_tensors(pair, y=(np.float32([0.0, 1.0]), np.float32([0.0, 2.0])))
    (key,) = tensors[1]
    document = diff(pair, tensors[0], {key: np.float32([-0.0, 2.0])})
    assert document["notes"] == []
    assert document["changes"][0]["ulp"]["changed"] == 2


def test_tensors_on_one_side_only_are_noted(pair):
    tensors = store_tensors(pair, y=(np.float32([1.0]), np.float32([2.0])))
    document = diff(pair, tensors[0], None)
    assert document["notes"] == ["only the old report has whole outputs: changes are not measured in ULP"]
    assert "elements" not in document["drift"][0]


@pytest.mark.parametrize("new", [np.float64([1.0]), np.float32([[1.0]]), np.float32([1.0, 1.0])])
def test_tensors_of_another_dtype_or_shape_are_not_measured(pair, new):
    document = diff(pair, *store_tensors(pair, y=(np.float32([1.0]), new)))
    assert "ulp" not in document["changes"][0]


def test_the_page_and_the_code_have_the_same_kinds_and_the_same_ones_fail():
    page = resources.files("nnconform.spec").joinpath("diff.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \| .* \| ([^|]+) \|$", page, re.MULTILINE)
    words = {True: "yes", False: "no"}
    expected = {name: words[kind.fails] if isinstance(kind.fails, bool) else "if it" for name, kind in KINDS.items()}
    assert {kind: "no" if fails.startswith("no;") else fails[:5].strip() for kind, fails in rows} == expected
