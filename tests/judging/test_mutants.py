"""The mutation gate: vectors that hunt a fault catch the control that has it, with all dialects on."""

from __future__ import annotations

from collections import Counter
from importlib import resources

import pytest
import yaml
from mutants import MUTANTS
from mutants.gate import find
from mutants.mutant import Mutant, WrongMutant

from nnconform.conformance.vectors.operations import OUTPUTS

EVERY = " ".join(OUTPUTS)
FAULTLESS = Mutant("faultless", EVERY, "wrong-branch", "np.where(x > 0, dy,", "np.where(x > 0, dy,")


@pytest.fixture(scope="module")
def vectors(published):
    return list(published.values())


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught(mutant, vectors, record_property):
    problems = find(mutant, vectors).problems
    record_property("mutant", "caught" if not problems else "at large")
    assert problems == []


def test_nothing_catches_the_control(vectors):
    finding = find(FAULTLESS, vectors)
    assert finding.misnamed == []
    assert all(not sight.hunting and not sight.others for sight in finding.sights.values())


def test_a_mutant_that_changes_nothing_is_at_large(vectors):
    finding = find(Mutant("equivalent", "relu", "wrong-branch", "np.where(x > 0, dy,", "np.where(0 < x, dy,"), vectors)
    assert [problem.partition(":")[0] for problem in finding.problems] == [
        f"relu/{dtype}" for dtype in ("float64", "float32", "float16", "bfloat16")
    ]


def test_a_mutant_is_not_caught_by_vectors_that_hunt_something_else(vectors):
    finding = find(Mutant("swapped", "relu", "nan-spread", "np.where(x > 0, dy,", "np.where(x < 0, dy,"), vectors)
    assert len(finding.problems) == 4
    assert "see it and do not hunt it" in finding.problems[0]


def test_a_dialect_that_a_mutant_is_not_does_not_catch_it(vectors):
    finding = find(
        Mutant("half-way", "relu", "gradient-one-at-zero", "np.where(x > 0, dy,", "np.where(x >= 0, dy,"), vectors
    )
    assert all(not sight.hunting for sight in finding.sights.values())
    assert any("gradient-one-at-zero explains dx" in problem for problem in finding.problems)


def test_a_dtype_that_sees_a_mutant_may_not_be_listed_as_unseen(vectors):
    mutant = Mutant("swapped", "relu", "wrong-branch", "(x > 0, dy,", "(x < 0, dy,", unseen={"float16": "wrongly"})
    [problem] = find(mutant, vectors).problems
    assert problem.startswith("relu/float16: ")
    assert "listed as unseen (wrongly)" in problem


def test_a_mutant_of_lines_that_the_control_does_not_have_is_refused(vectors):
    with pytest.raises(WrongMutant, match="occurs 0 times"):
        find(Mutant("stale", "relu", "wrong-branch", "np.nonsense", ""), vectors)


def test_names_are_unique_and_kinds_are_in_the_catalogue():
    assert [name for name, count in Counter(m.name for m in MUTANTS).items() if count > 1] == []
    catalogue = yaml.safe_load(resources.files("nnconform.spec").joinpath("dialects.yaml").read_text())
    names = set(catalogue["dialects"]) | set(catalogue["faults"])
    assert {kind for m in MUTANTS for kind in m.kind.split()} <= names
    assert {name for m in MUTANTS for name in m.dialect.replace("+", " ").split()} <= set(catalogue["dialects"])


def test_there_are_mutants_of_every_operation():
    assert {operation for m in MUTANTS for operation in m.operations.split()} == set(OUTPUTS)
