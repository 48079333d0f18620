"""JUnit XML: it follows the schemas that viewers know, and passes only if the exit status is 0."""

from __future__ import annotations

import copy
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
from support.diffs import diff_of

from nnconform.conformance.ci import junit
from nnconform.conformance.model.report import Report
from nnconform.conformance.schemas import validator

LIARS = Path(__file__).parents[1] / "liars"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    """The schema of Jenkins (MIT licence, which the file contains)."""
    return xmlschema.XMLSchema(Path(__file__).parents[1] / "data" / "junit-10.xsd")


def changed(report: Json, **first_row: Any) -> Json:
    """Return a copy of a report with changes to its first result."""
    result = copy.deepcopy(report)
    result["results"][0] |= first_row
    validator("report")(result)
    return result


RAISED = {"verdict": "error", "reason": "ValueError: no\n  second line", "outputs": {}}


def with_verdict(report: Json, verdict: str) -> Json:
    return changed(report, **RAISED | {"verdict": verdict})


def with_output(report: Json, **output: Any) -> Json:
    name = next(iter(report["results"][0]["outputs"]))
    worst = {"index": [0], "got": 1.5, "expected": 1.0, "bound": 1e-7}
    row = {"verdict": "diverges", "digest": "0" * 16, "ratio": 5e6, "ulp": 4.2e6, "worst": worst}
    row = row | output
    return changed(report, verdict=row["verdict"], outputs={name: row})


def with_top(report: Json, **entries: Any) -> Json:
    result = copy.deepcopy(report) | entries
    validator("report")(result)
    return result


def with_framework(report: Json, **entries: Any) -> Json:
    return with_top(report, frameworks=[report["frameworks"][0] | entries], complete=False)


def of_report(report: Json, *, strict: bool) -> str:
    return junit.of_report(Report.from_json(report), strict=strict)


def cases(xml: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(xml).iter("testcase"))


def outcomes(xml: str) -> set[str]:
    return {child.tag for case in cases(xml) for child in case}


def first(xml: str, vector: str) -> ElementTree.Element:
    return next(case for case in cases(xml) if case.attrib["name"].startswith(f"{vector} "))


FAULT = {"framework": "numpy", "implementation": "numpy.clip", "vector": "v", "message": "returned nothing"}
STATES: dict[str, Callable[[Json], Json]] = {
    "all conforms": lambda r: r,
    "an output diverges": lambda r: with_output(r),
    "an output follows a dialect": lambda r: with_output(r, verdict="dialect", dialect="global-norm"),
    "a call raises": lambda r: with_verdict(r, "error"),
    "a process dies": lambda r: with_verdict(r, "crash"),
    "a process hangs": lambda r: with_verdict(r, "timeout"),
    "something is unsupported": lambda r: with_verdict(r, "unsupported"),
    "defaults raise": lambda r: changed(r, profile="defaults", **RAISED),
    "a divergence is known": lambda r: changed(r, known="it is old", **RAISED),
    "a framework cannot be imported": lambda r: with_framework(r, status="failed", reason="ImportError"),
    "a framework was stopped": lambda r: with_framework(r, status="stopped", reason="died 11 times"),
    "a framework is missing": lambda r: with_framework(r, status="missing", reason="no numpy") | {"complete": True},
    "the run was interrupted": lambda r: with_top(r, complete=False),
    "an adapter is at fault": lambda r: with_top(r, faults=[FAULT]),
    "a vector file is bad": lambda r: with_top(r, problems=["bad.yaml: breaks the schema"]),
    "the known list is stale": lambda r: with_top(r, known_problems=["entry 1 matches nothing"]),
}


@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
@pytest.mark.parametrize("state", STATES)
def test_the_xml_has_a_failure_exactly_if_the_exit_status_is_not_0(good, schema, state, strict):
    report = Report.from_json(STATES[state](good))
    xml = junit.of_report(report, strict=strict)
    schema.validate(xml)
    assert bool(outcomes(xml) & {"failure", "error"}) == bool(report.exit_status(strict=strict))


@pytest.mark.parametrize("state", STATES)
def test_the_xml_follows_ants_schema_too(good, state):
    root = ElementTree.fromstring(of_report(STATES[state](good), strict=False))
    assert root.tag == "testsuites"
    assert not root.attrib
    assert [int(suite.attrib["id"]) for suite in root] == list(range(len(root)))
    for suite in root:
        required = {"name", "package", "timestamp", "hostname", "tests", "failures", "errors", "time"}
        assert required <= suite.attrib.keys()
        assert [child.tag for child in suite if child.tag != "testcase"] == ["properties", "system-out", "system-err"]
        assert suite[0].tag == "properties"
        for case in suite.iter("testcase"):
            assert case.attrib.keys() == {"name", "classname", "time"}
            assert [child.tag for child in case] in ([], ["skipped"], ["failure"], ["error"])
            assert all("type" in child.attrib for child in case if child.tag != "skipped")


def test_the_time_is_the_reports_without_a_zone(good):
    suite = ElementTree.fromstring(of_report(good, strict=False))[0]
    assert f"{suite.attrib['timestamp']}+00:00" == good["created"]


def test_every_result_is_one_test_case(good):
    names = [(case.attrib["classname"], case.attrib["name"]) for case in cases(of_report(good, strict=False))]
    assert len(names) == len(set(names))
    assert {("numpy.numpy.clip", f"{row['vector']} [eager]") for row in good["results"]} <= set(names)


def test_a_suite_counts_its_cases(bad):
    suite = ElementTree.fromstring(of_report(bad, strict=False))[1]
    failures = [row for row in bad["results"] if row["verdict"] == "diverges"]
    assert int(suite.attrib["failures"]) == len(failures) == len(list(suite.iter("failure")))
    assert int(suite.attrib["tests"]) == len(bad["results"])


def test_a_failure_has_the_worst_element_the_clauses_and_the_command_that_repeats_it(good):
    report = with_output(good)
    row = report["results"][0]
    failure = first(of_report(report, strict=False), row["vector"])[0]
    assert failure.attrib["type"] == "diverges"
    name = next(iter(row["outputs"]))
    assert (
        failure.attrib["message"]
        == f"{row['vector']} {name}[0]: expected 1.000, got 1.500 (5000000 x bound of 1e-07, 4200000 ulp)"
    )
    assert "clauses: CLIP-VALUE-1" in failure.text
    assert f"\n{name}[0]: expected 1.000, got 1.500 (" in failure.text
    assert f"repeat: nnconform run numpy --vector {row['vector']} --implementation numpy.clip" in failure.text


def test_the_command_that_repeats_a_failure_names_a_foreign_adapter(bad):
    failure = next(ElementTree.fromstring(of_report(bad, strict=False)).iter("failure"))
    assert f"nnconform run --adapter {LIARS / 'drops_one.py'} --vector" in failure.text


def test_a_strict_failure_names_the_dialect(good):
    report = with_output(good, verdict="dialect", dialect="global-norm")
    failure = first(of_report(report, strict=True), report["results"][0]["vector"])[0]
    assert failure.attrib["message"].startswith("global-norm: ")


def test_an_error_has_its_first_line_and_its_whole_text(good):
    report = with_verdict(good, "error")
    error = first(of_report(report, strict=False), report["results"][0]["vector"])[0]
    assert error.attrib["message"].endswith(": ValueError: no")
    assert "  second line" in error.text


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"verdict": "unsupported", "reason": "no sparse gradients", "outputs": {}}, "no sparse gradients"),
        (RAISED | {"known": "see the issue"}, "known divergence: see the issue"),
    ],
)
def test_an_unsupported_or_known_result_is_skipped_with_its_reason(good, row, message):
    report = changed(good, **row)
    skipped = first(of_report(report, strict=True), report["results"][0]["vector"])[0]
    assert skipped.tag == "skipped"
    assert skipped.attrib["message"] == message


def test_a_default_that_differs_is_in_the_suites_output(good):
    report = changed(good, profile="defaults", **RAISED)
    suite = ElementTree.fromstring(of_report(report, strict=True))[1]
    assert f"{report['results'][0]['vector']} [eager]: error: " in (suite.findtext("system-out") or "")


def test_printed_text_is_in_the_suites_error_output_up_to_a_limit(good):
    report = copy.deepcopy(good)
    for row in report["results"]:
        row["printed"] = "x" * 5_000
    printed = ElementTree.fromstring(of_report(report, strict=False))[1].findtext("system-err") or ""
    assert report["results"][0]["vector"] in printed
    assert len(printed) < 110_000
    assert printed.strip().endswith("the JSON report has all of it.")


def test_characters_that_xml_cannot_hold_are_removed(good, schema):
    text = '\x1b[31mred\x1b[0m \x00\x08\ud800\ufffe <&]]>"'
    report = changed(good, **RAISED | {"reason": text, "printed": text})
    xml = of_report(report, strict=False)
    schema.validate(xml)
    error = first(xml, report["results"][0]["vector"])[0]
    assert error.attrib["message"].endswith('red  <&]]>"')


def test_a_dot_within_parentheses_does_not_split_a_class_from_its_package(good):
    report = changed(good, implementation="jax.nn.initializers.variance_scaling(2.0)")
    case = first(of_report(report, strict=False), report["results"][0]["vector"])
    assert case.attrib["classname"] == "numpy.jax.nn.initializers.variance_scaling(2_0)"


def test_the_faults_of_an_implementation_are_one_error_with_all_vectors(good):
    report = with_top(good, faults=[FAULT, FAULT | {"vector": "w"}])
    error = next(case for case in cases(of_report(report, strict=False)) if case.attrib["name"] == "adapter")[0]
    assert error.attrib["message"] == "adapter fault: returned nothing (and 1 more)"
    assert error.text == "v: returned nothing\nw: returned nothing"


def test_numbers_that_are_not_finite_are_words(good):
    output = {"ratio": "inf", "ulp": "nan", "worst": {"index": [], "got": "nan", "expected": "inf", "bound": 0.0}}
    report = with_output(good, **output)
    message = first(of_report(report, strict=False), report["results"][0]["vector"])[0].attrib["message"]
    assert message.endswith(": expected inf, got nan (bound 0)")
    assert math.isnan(float(report["results"][0]["outputs"][next(iter(report["results"][0]["outputs"]))]["ulp"]))


def renamed(report: Json) -> Json:
    """Return the same report, of the liar's framework."""
    result = copy.deepcopy(report)
    for row in (*result["results"], *result["frameworks"]):
        row |= {key: "liar" for key in ("framework", "name") if key in row}
    for row in result["results"]:
        row["implementation"] = "liar"
    for implementation in result["frameworks"][0]["implementations"]:
        implementation["name"] = "liar"
    return result


def drifted(report: Json) -> Json:
    result = copy.deepcopy(report)
    next(iter(result["results"][0]["outputs"].values()))["digest"] = "0" * 16
    return result


PAIRS: dict[str, Callable[[Json, Json], tuple[Json, Json]]] = {
    "nothing changed": lambda good, bad: (good, good),
    "regressed": lambda good, bad: (renamed(good), bad),
    "fixed": lambda good, bad: (bad, renamed(good)),
    "other bits": lambda good, bad: (good, drifted(good)),
    "the new side was stopped": lambda good, bad: (good, STATES["a framework was stopped"](good)),
    "the new side failed": lambda good, bad: (good, STATES["a framework cannot be imported"](good)),
    "the old side was interrupted": lambda good, bad: (STATES["the run was interrupted"](good), good),
    "an adapter is at fault": lambda good, bad: (good, STATES["an adapter is at fault"](good)),
    "nothing in common": lambda good, bad: (good, bad),
}


@pytest.mark.parametrize("bits", [False, True], ids=["", "bits"])
@pytest.mark.parametrize("pair", PAIRS)
def test_the_xml_of_a_diff_has_a_failure_exactly_if_the_exit_status_is_not_0(good, bad, schema, pair, bits):
    diff = diff_of(*PAIRS[pair](good, bad))
    xml = junit.of_diff(diff, bits=bits)
    schema.validate(xml)
    assert bool(outcomes(xml) & {"failure", "error"}) == bool(diff.exit_status(bits=bits))


def test_a_group_of_changes_is_one_test_case_with_every_vector(good, bad):
    xml = junit.of_diff(diff_of(renamed(good), bad))
    (failure,) = ElementTree.fromstring(xml).iter("failure")
    assert failure.attrib["type"] == "regressed"
    diverging = [row["vector"] for row in bad["results"] if row["verdict"] == "diverges"]
    assert all(vector in failure.text for vector in diverging)
    assert f"in {len(diverging)} vectors" in failure.attrib["message"]


def test_a_diff_counts_unchanged_results(good):
    suite = ElementTree.fromstring(junit.of_diff(diff_of(good, good)))[0]
    assert f"{len(good['results'])} results compared: {len(good['results'])} unchanged" in suite.findtext("system-out")


@pytest.mark.parametrize("module", ["junit", "markdown", "github"])
def test_texts_for_ci_are_made_without_numpy(module):
    code = f"import sys, nnconform.conformance.ci.{module}; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
