"""Samples of right and wrong laws always get the name of their law, over 100 seeds of each.

The matrices are printed: ``pytest -s tests/judging/test_confusion.py``.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from support import wrong_laws

from nnconform.conformance.judging.judge import judge
from nnconform.conformance.model.calls import Answer, Call

SEEDS = 100
VECTORS = {"he_normal": wrong_laws.NORMAL, "he_uniform": wrong_laws.UNIFORM}


def name_of(vector, sample):
    """Return the name that the suite gives a sample: its dialect, law or verdict."""
    answer = Answer(Call("made up", "eager"), "value", "", {"sample": sample})
    output = judge("made up", vector, (), answer).outputs["sample"]
    return output.dialect or output.fault or output.verdict


def print_matrix(title, names, counts, capsys):
    rows = [names, *([str(counts[name][other]) for other in names] for name in names)]
    with capsys.disabled():
        print(f"\n{title}: {SEEDS} seeds of each law, by the name that the suite gives them")
        for name, row in zip(["", *names], rows, strict=True):
            print(f"{name:>24}", *(f"{cell:>{max(len(head), 6)}}" for head, cell in zip(names, row, strict=True)))


@pytest.mark.parametrize("operation", VECTORS)
@pytest.mark.parametrize("element", [0.0, 1.0, np.nan])
def test_a_sample_of_equal_elements_has_no_law_and_is_judged(operation, element, published):
    vector = published[f"{operation}/dense/float32"]
    assert name_of(vector, np.full(vector.attributes["shape"], element, np.float32)) == "diverges"


def test_a_law_of_another_family_is_named_with_its_scale(published):
    normal, uniform = (published[f"{operation}/conv-2d-last/float32"] for operation in VECTORS)
    attributes = dict(normal.attributes)
    widened = wrong_laws.untruncated(**attributes) / np.float32(wrong_laws.CUT_DEVIATION)
    assert name_of(normal, widened) == "untruncated-normal+wrong-truncation"
    assert (
        name_of(normal, wrong_laws.uniform(**attributes) / np.float32(3**0.5))
        == "uniform-for-normal+deviation-for-bound"
    )
    narrow = wrong_laws.normal(**attributes) * np.float32(wrong_laws.CUT_DEVIATION)
    assert name_of(uniform, narrow) == "normal-for-uniform+wrong-truncation"


@pytest.mark.parametrize("operation", VECTORS)
def test_every_law_gets_its_name_for_every_seed(operation, published, capsys):
    # A convolution, whose fans are far from each other.
    vector, counts = published[f"{operation}/conv-2d-last/float32"], {}
    for law, draw in VECTORS[operation].items():
        attributes = dict(vector.attributes)
        counts.setdefault(law.strip(), Counter()).update(
            name_of(vector, draw(**attributes | {"seed": seed})) for seed in range(SEEDS)
        )
    names = [*counts]
    print_matrix(operation, names, counts, capsys)
    assert {name: dict(calls) for name, calls in counts.items()} == {
        name: {name: SEEDS * (2 if name == "wrong-deviation" else 1)} for name in names
    }
