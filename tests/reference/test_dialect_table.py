"""The table of dialects says what spec/dialects.yaml says, and tries each where it can be seen."""

from __future__ import annotations

from importlib import resources

import pytest
import yaml

from nnconform.reference.bounds import HALF
from nnconform.reference.dialects import COMBINATIONS, DIALECTS, variants_of
from nnconform.reference.variants import OPERATIONS

PAGE = yaml.safe_load(resources.files("nnconform.spec").joinpath("dialects.yaml").read_text())["dialects"]


def names(operation: str, dtype: str, *, defaults: bool = False) -> list[str]:
    return [variant.name for variant in variants_of(operation, dtype=dtype, defaults=defaults)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_table_and_the_page_agree_on_operations_and_kind(dialect):
    ours = DIALECTS[dialect]
    assert set(ours.operations) == set(PAGE[dialect]["operations"])
    assert ("accuracy" if ours.accuracy else "semantic") == PAGE[dialect]["kind"]


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name.startswith("default-")])
def test_a_default_that_a_dialect_is_named_after_is_its_number(dialect):
    _, attribute, number = dialect.replace("learning-rate", "learning_rate").split("-", 2)
    assert DIALECTS[dialect].keywords == {attribute: float(number)}


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name.startswith("default-")])
def test_a_default_is_tried_only_where_the_user_sets_nothing(dialect):
    for operation in DIALECTS[dialect].operations:
        assert dialect in names(operation, "float32", defaults=True)
        assert dialect not in names(operation, "float32")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_what_half_precision_does_is_tried_in_half_precision_alone(dtype):
    halves = {name for name, dialect in DIALECTS.items() if dialect.dtypes == HALF}
    assert len(halves) == 4
    tried = {name for operation in OPERATIONS for name in names(operation, dtype, defaults=True)}
    assert halves <= tried if dtype in HALF else not any(set(name.split("+")) & halves for name in tried)


def test_a_rate_in_float32_is_tried_in_float64_alone():
    assert "float32-learning-rate" in names("sgd_step", "float64")
    assert not any("float32-learning-rate" in name for name in names("sgd_step", "float32", defaults=True))


def test_the_dialects_of_an_operation_are_its_own_then_its_combinations():
    assert names("elu", "bfloat16") == [
        "nan-gradient-passes",
        "exp-minus-one",
        "gradient-from-output",
        "half-precision-arithmetic",
        "exp-minus-one+half-precision-arithmetic",
        "gradient-from-output+half-precision-arithmetic",
        "nan-gradient-passes+gradient-from-output",
        "nan-gradient-passes+half-precision-arithmetic",
        "nan-gradient-passes+gradient-from-output+half-precision-arithmetic",
    ]


def test_a_combination_has_the_keywords_of_its_parts_and_is_accurate_if_they_all_are():
    found = {v.name: v for v in variants_of("batch_norm_train", dtype="float16", defaults=True)}
    mixed = found["unbiased-running-variance+half-precision-arithmetic"]
    assert mixed.keywords == {"unbiased": True, "half": True}
    assert mixed.parts == ("unbiased-running-variance", "half-precision-arithmetic")
    assert mixed.accuracy
    assert not found["default-momentum-0+unbiased-running-variance"].accuracy


@pytest.mark.parametrize("combination", COMBINATIONS, ids="+".join)
def test_every_combination_is_listed_by_some_vector(published, combination):
    assert any("+".join(combination) in vector.dialects for vector in published.values())
