"""The vectors together diagnose a control that has a dialect as that dialect, and as nothing else.

Those that take long are asked of each control whose dialect they can have, and of one control an operation besides.
"""

from __future__ import annotations

from collections import Counter

import pytest
from dialect_controls import CONTROLS
from dialect_controls.control import Control, diagnosis
from mutants.mutant import WrongMutant

from nnconform.conformance.vectors.dialects import dialects
from nnconform.reference import laws
from nnconform.reference.dialects import COMBINATIONS

ONE_AT_ZERO = ("np.where(x > 0, dy,", "np.where(x >= 0, dy,")


@pytest.fixture(scope="module")
def vectors(published):
    return list(published.values())


def test_each_dialect_of_the_catalogue_and_each_combination_has_its_control():
    combined = map("+".join, (*COMBINATIONS, *laws.COMBINATIONS))
    assert Counter(control.dialect for control in CONTROLS) == Counter([*dialects(), *combined])


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.dialect)
def test_a_control_with_a_dialect_is_diagnosed_as_it_and_nothing_else(control, vectors):
    assert diagnosis(control, vectors).problems == []


# What norms, and what statistics of ten million numbers are with it is not what these vectors are for.
@pytest.mark.parametrize("dialect", ["unbiased-running-variance", "clip-denominator-epsilon"])
def test_what_takes_long_and_is_for_other_dialects_says_nothing_else_either(dialect, vectors):
    control = next(control for control in CONTROLS if control.dialect == dialect)
    assert diagnosis(control, vectors, every=True).problems == []


def test_a_control_that_has_another_dialect_is_not_diagnosed(vectors):
    problems = diagnosis(Control("nan-becomes-zero", [ONE_AT_ZERO]), vectors).problems
    assert any(problem.endswith("dx is gradient-one-at-zero") for problem in problems)
    assert "relu/float16: no vector names it" in problems


def test_a_fault_beside_a_dialect_is_seen(vectors):
    faulty = [ONE_AT_ZERO, ('"y": np.maximum(', '"y": 1 + np.maximum(')]
    problems = diagnosis(Control("gradient-one-at-zero", faulty), vectors).problems
    assert problems
    assert all(problem.endswith("y is diverges") for problem in problems)


def test_a_dtype_that_is_said_not_to_see_a_dialect_does_not(vectors):
    [problem] = diagnosis(Control("gradient-one-at-zero", [ONE_AT_ZERO], {"float16": "wrongly"}), vectors).problems
    assert "said to be unseen (wrongly)" in problem


def test_a_control_of_lines_that_are_not_there_is_refused(vectors):
    with pytest.raises(WrongMutant, match="stands 0 times"):
        diagnosis(Control("nan-becomes-zero", [("np.nonsense", "")]), vectors)
