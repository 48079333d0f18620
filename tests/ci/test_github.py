"""GitHub annotations: escaped as documented, at most as many as GitHub shows, and an error if the run fails."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.diffs import diff_of

from nnconform.conformance.ci import github
from nnconform.conformance.ci.github import command
from nnconform.conformance.model.report import Report

LIARS = Path(__file__).parents[1] / "liars"
Json = dict[str, Any]


def of_report(report: Json, *, strict: bool = False) -> list[str]:
    return list(github.of_report(Report.from_json(report), strict=strict))


def of_diff(old: Json, new: Json, *, bits: bool = False) -> list[str]:
    return list(github.of_diff(diff_of(old, new), bits=bits))


def with_errors(report: Json, number: int, **entries: Any) -> Json:
    """Return a copy in which the first results raise different errors."""
    result = copy.deepcopy(report)
    for n, row in enumerate(result["results"][:number]):
        row |= {"verdict": "error", "reason": f"Error {n}", "outputs": {}} | entries
    return result


def test_characters_that_end_a_line_or_a_property_are_escaped():
    assert command("error", "50%: a, b", "100%\r\n::error::x, y: z") == (
        "::error title=50%25%3A a%2C b::100%25%0D%0A::error::x, y: z"
    )


def test_a_long_message_is_cut():
    assert command("notice", "t", "x" * 501) == f"::notice title=t::{'x' * 497}..."


def test_every_annotation_is_one_line_that_is_a_command(bad):
    report = with_errors(bad, 3, reason="a\n::stop-commands::x\r\nb", implementation="i\n::warning::w")
    for line in of_report(report, strict=True):
        assert line.startswith(("::error title=", "::warning title=", "::notice title="))
        assert len(line.splitlines()) == 1


def test_a_run_without_findings_has_no_annotation(good):
    assert of_report(good) == []


@pytest.mark.parametrize(("number", "last"), [(10, "Error 9"), (11, "and 2 more errors"), (50, "and 41 more errors")])
def test_at_most_ten_of_a_level_are_printed_and_the_last_counts_the_rest(good, number, last):
    lines = of_report(with_errors(good, number))
    assert len(lines) == 10
    assert all(line.startswith("::error ") for line in lines)
    assert last in lines[-1]


def test_a_finding_has_its_output_vector_and_problem(bad):
    (line,) = of_report(bad)
    worst = next(row for row in bad["results"] if row["verdict"] == "diverges")
    assert line.startswith("::error title=nnconform%3A liar clip_by_value (gradients)::diverges, ")
    assert f"{worst['vector']} gradients[0]: nothing where a value is wanted" in line


FAULT = {"framework": "numpy", "implementation": "numpy.clip", "vector": "v", "message": "returned nothing"}
TROUBLES: dict[str, Callable[[Json], Json]] = {
    "a framework failed": lambda r: {
        "frameworks": [r["frameworks"][0] | {"status": "failed", "reason": "ImportError"}]
    },
    "it was interrupted": lambda _: {"complete": False},
    "an adapter is at fault": lambda _: {"faults": [FAULT]},
    "a vector file is bad": lambda _: {"problems": ["bad.yaml: breaks the schema"]},
    "the known list is stale": lambda _: {"known_problems": ["entry 1 matches nothing"]},
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
def test_trouble_of_the_run_is_an_error(good, trouble):
    (line,) = of_report(good | trouble(good))
    assert line.startswith("::error title=nnconform%3A problem of the run::")


def test_a_framework_that_is_not_installed_is_a_warning(good):
    missing = good["frameworks"][0] | {"name": "torch", "status": "missing", "reason": "not installed"}
    assert of_report(good | {"frameworks": [*good["frameworks"], missing]}) == [
        "::warning title=nnconform%3A torch did not run::not installed"
    ]


@pytest.mark.parametrize(
    ("entries", "end"),
    [
        ({"known": "it is old"}, "Known divergences (they do not fail the run): numpy 3"),
        ({"profile": "defaults"}, "Defaults that differ from the spec (they do not fail the run): numpy 3"),
        ({"verdict": "dialect", "dialect": "global-norm"}, "Dialects (results that differ in a known way): numpy 3"),
    ],
)
def test_results_that_fail_no_run_are_one_notice(good, entries, end):
    (line,) = of_report(with_errors(good, 3, **entries))
    assert line.startswith("::notice title=nnconform::")
    assert line.endswith(end)


def test_with_strict_a_dialect_is_an_error(good):
    report = with_errors(good, 3, verdict="dialect", dialect="global-norm")
    (line,) = of_report(report, strict=True)
    assert line.startswith("::error ")


def other_bits(report: Json) -> Json:
    result = copy.deepcopy(report)
    next(iter(result["results"][0]["outputs"].values()))["digest"] = "0" * 16
    return result


def test_a_diff_has_an_error_for_a_change_for_the_worse_and_a_notice_for_a_better_one(good):
    worse, better = (of_diff(*pair) for pair in ((good, with_errors(good, 2)), (with_errors(good, 2), good)))
    assert [line.partition(" ")[0] for line in worse] == ["::error", "::error"]
    assert [line.partition(" ")[0] for line in better] == ["::notice"]


@pytest.mark.parametrize(("bits", "level"), [(False, "::notice"), (True, "::error")])
def test_drift_is_an_error_only_with_bits(good, bits, level):
    (line,) = of_diff(good, other_bits(good), bits=bits)
    assert line.startswith(f"{level} ")
    assert "numpy clip_by_value gradients" in line


def test_a_diff_of_a_side_that_did_not_run_has_an_error_and_the_reason_in_a_warning(good):
    failed = good["frameworks"][0] | {"status": "failed", "reason": "ImportError: libx"}
    lines = of_diff(good, good | {"frameworks": [failed], "complete": False})
    assert lines[0].startswith("::error ")
    assert any(line.startswith("::warning ") and "libx" in line for line in lines)
