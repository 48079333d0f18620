"""The vectors together diagnose a control that has a dialect as that dialect, and as nothing else.

Slow vectors run on each control whose dialect they can show, and on one further control per operation.
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


# The norms and statistics of ten million numbers with these dialects, which are not the subject of the slow vectors.
@pytest.mark.parametrize("dialect", ["unbiased-running-variance", "clip-denominator-epsilon"])
def test_slow_vectors_of_other_dialects_name_no_other_dialect(dialect, vectors):
    control = next(control for control in CONTROLS if control.dialect == dialect)
    assert diagnosis(control, vectors, every=True).problems == []


def test_a_control_that_has_another_dialect_is_not_diagnosed(vectors):
    problems = diagnosis(Control("nan-becomes-zero", [ONE_AT_ZERO]), vectors).problems
    assert any(problem.endswith("dx is gradient-one-at-zero") for problem in problems)
    assert "relu/float16: no vector names it" in problems


def test_a_fault_in_addition_to_a_dialect_is_seen(vectors):
    faulty = [ONE_AT_ZERO, ('"y": np.maximum(', '"y": 1 + np.maximum(')]
    problems = diagnosis(Control("gradient-one-at-zero", faulty), vectors).problems
    assert problems
    assert all(problem.endswith("y is diverges") for problem in problems)


def test_a_dtype_that_sees_a_dialect_may_not_be_listed_as_unseen(vectors):
    [problem] = diagnosis(Control("gradient-one-at-zero", [ONE_AT_ZERO], {"float16": "wrongly"}), vectors).problems
    assert "listed as unseen (wrongly)" in problem


def test_a_control_of_lines_that_are_not_there_is_refused(vectors):
    with pytest.raises(WrongMutant, match="occurs 0 times"):
        diagnosis(Control("nan-becomes-zero", [("np.nonsense", "")]), vectors)
