"""Outputs that cross the conforming bound by rounding are drift; crossings in one direction are changes."""

from __future__ import annotations

import copy

import pytest

from nnconform.conformance.diff.comparison import compare
from nnconform.conformance.diff.crossings import one_way
from nnconform.conformance.model.report import Report

HALF = "half-precision-arithmetic"


@pytest.mark.parametrize(
    ("out", "back", "unequal"),
    [
        (0, 0, False),
        (1, 0, False),
        (6, 0, False),
        (7, 0, True),
        (0, 7, True),
        (12, 12, False),
        (4, 3, False),
        (24, 2, True),
    ],
)
def test_crossings_that_go_one_way_too_often_are_no_chance(out, back, unequal):
    assert one_way(out, back) is unequal


@pytest.fixture
def kinds(good):
    """Compare two reports whose outputs conform or have a dialect, one call per vector; return the kinds and notes."""

    def run(old, new):
        sides = [copy.deepcopy(good) for _ in range(2)]
        for report, dialects, side in zip(sides, (old, new), ("old", "new"), strict=True):
            row = copy.deepcopy(report["results"][0])
            report["results"] = [named(row, number, dialect, side) for number, dialect in enumerate(dialects)]
            report["asked"] = {r["vector"]: "0" * 16 for r in report["results"]}
        diff = compare(*map(Report.from_json, sides))
        return {(int(c.vector.split("/")[1]), c.kind) for c in diff.changes}, diff.notes

    return run


def named(row, number, dialect, side):
    verdict = {"": "conforms", "diverges": "diverges"}.get(dialect, "dialect")
    output = {"verdict": verdict, "digest": f"{side}{number}".encode().hex().rjust(16, "0")[-16:], "ratio": 0.5}
    output |= {"dialect": dialect} if verdict == "dialect" else {}
    name = f"{row['operation']}/{number}/float16"
    return row | {"vector": name, "verdict": verdict, "outputs": {"gradients[0]": output}}


def test_crossings_in_both_directions_are_drift_and_noted(kinds):
    changes, notes = kinds(["", HALF, HALF, ""], [HALF, "", HALF, ""])
    assert changes == {(number, "drifted") for number in range(4)}
    assert any("2 outputs crossed the error bound by rounding, 1 out and 1 back" in note for note in notes)


def test_crossings_in_one_direction_are_a_change(kinds):
    changes, notes = kinds([HALF, *[""] * 10], [HALF] * 11)
    assert changes == {(0, "drifted"), *((number, "regressed") for number in range(1, 11))}
    assert not any("crossed" in note for note in notes)


def test_the_way_back_is_an_improvement(kinds):
    changes, _ = kinds([HALF] * 11, [HALF, *[""] * 10])
    assert changes == {(0, "drifted"), *((number, "fixed") for number in range(1, 11))}


def test_a_dialect_that_was_not_spoken_before_is_a_change_on_one_vector_too(kinds):
    assert kinds([""], [HALF])[0] == {(0, "regressed")}


def test_a_dialect_that_is_not_spoken_any_more_is_one_too(kinds):
    assert kinds([HALF], [""])[0] == {(0, "fixed")}


def test_another_value_is_no_rounding(kinds):
    changes, _ = kinds(["", "global-norm", "global-norm"], ["global-norm", "", "global-norm"])
    assert changes == {(0, "regressed"), (1, "fixed"), (2, "drifted")}


def test_a_part_of_a_combination_may_cross(kinds):
    both = f"global-norm+{HALF}"
    changes, _ = kinds(["global-norm", both, both], [both, "global-norm", both])
    assert changes == {(number, "drifted") for number in range(3)}


def test_divergences_never_count_as_crossings(kinds):
    changes, _ = kinds([HALF, HALF, ""], ["diverges", HALF, HALF])
    assert (0, "regressed") in changes
