"""What the suite calls the samples of right and wrong laws, over 100 seeds of each: always what they are.

The matrices are printed: ``pytest -s tests/test_confusion.py``.
"""

from __future__ import annotations

from collections import Counter

import pytest
import wrong_laws

from nnconform.conformance.judging.judge import judge
from nnconform.conformance.running.worker import Answer, Call

SEEDS = 100
VECTORS = {"he_normal": wrong_laws.NORMAL, "he_uniform": wrong_laws.UNIFORM}


def called(vector, sample):
    """Return what the suite calls a sample: its verdict, dialect or law."""
    answer = Answer(Call("made up", "eager"), "value", "", {"sample": sample})
    output = judge("made up", vector, (), answer).outputs["sample"]
    return output.dialect or output.fault or output.verdict


def printed(title, names, found, capsys):
    rows = [names, *([str(found[name][other]) for other in names] for name in names)]
    with capsys.disabled():
        print(f"\n{title}: {SEEDS} seeds of each law, by what the suite calls them")
        for name, row in zip(["", *names], rows, strict=True):
            print(f"{name:>24}", *(f"{cell:>{max(len(head), 6)}}" for head, cell in zip(names, row, strict=True)))


@pytest.mark.parametrize("operation", VECTORS)
def test_every_law_is_called_by_its_name_whatever_the_seed(operation, published, capsys):
    # A convolution, whose fans are far from each other.
    vector, found = published[f"{operation}/conv-2d-last/float32"], {}
    for law, draw in VECTORS[operation].items():
        asked = dict(vector.attributes)
        found.setdefault(law.strip(), Counter()).update(
            called(vector, draw(**asked | {"seed": seed})) for seed in range(SEEDS)
        )
    names = [*found]
    printed(operation, names, found, capsys)
    assert {name: dict(calls) for name, calls in found.items()} == {
        name: {name: SEEDS * (2 if name == "wrong-deviation" else 1)} for name in names
    }
