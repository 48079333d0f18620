"""The registry names each dialect of spec/dialects.yaml once; its home computes it, and nothing else does."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Iterator
from importlib import resources

import pytest
import yaml

from nnconform.conformance.cases.all_cases import all_cases
from nnconform.conformance.cases.vector_case import VectorCase
from nnconform.conformance.judging import position_dependence
from nnconform.conformance.vectors.operations import RANDOM
from nnconform.reference import laws
from nnconform.reference.bounds import HALF
from nnconform.reference.clipping_variants import NormRules
from nnconform.reference.dialects import COMBINATIONS, DIALECTS, HOMES, NORMS, Dialect, Kind, variants_of
from nnconform.reference.variants import OPERATIONS

PAGE = yaml.safe_load(resources.files("nnconform.spec").joinpath("dialects.yaml").read_text())["dialects"]
VARIANTS = {name: dialect for name, dialect in DIALECTS.items() if dialect.keywords}


def of_kind(*kinds: Kind) -> dict[str, Dialect]:
    return {name: dialect for name, dialect in DIALECTS.items() if dialect.kind in kinds}


def names(operation: str, dtype: str, *, defaults: bool = False) -> list[str]:
    return [variant.name for variant in variants_of(operation, dtype=dtype, defaults=defaults)]


@functools.cache
def cases() -> list[VectorCase]:
    return list(all_cases())


def test_the_registry_and_the_page_name_the_same_dialects():
    assert DIALECTS.keys() == PAGE.keys()


# The page's kind of a dialect says how it is judged, the registry's how it is computed.
PAGE_KINDS: dict[Kind, set[str]] = {
    "semantic": {"semantic"},
    "accuracy": {"accuracy"},
    "law": {"semantic", "accuracy"},
    "error": {"error"},
    "position": {"accuracy"},
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_registry_and_the_page_agree_on_operations_and_kind(dialect):
    ours, page = DIALECTS[dialect], PAGE[dialect]
    assert set(ours.operations) == set(page["operations"])
    # The page calls this error of the kernel's shape semantic, and published pages do not change.
    assert page["kind"] in PAGE_KINDS[ours.kind] or dialect == "rejects-no-outputs"


@pytest.mark.parametrize("home", sorted({dialect.home for dialect in DIALECTS.values()}))
def test_each_home_is_an_object_of_the_package(home):
    module, _, name = home.rpartition(".")
    assert hasattr(importlib.import_module(f"nnconform.{module}"), name)


def test_each_kind_has_a_home_and_dialects():
    assert {dialect.kind for dialect in DIALECTS.values()} == HOMES.keys()


def test_keywords_compute_the_semantic_and_accuracy_dialects_and_no_others():
    assert of_kind("semantic", "accuracy") == VARIANTS


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_keywords_of_an_operation_compute_its_dialects_and_no_others(operation):
    keywords = {k for dialect in VARIANTS.values() if operation in dialect.operations for k in dialect.keywords}
    parameters = inspect.signature(OPERATIONS[operation]).parameters.values()
    own = {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    passed_on = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
    # The operations that clip by norm share the fields of their rules.
    rules = set(NormRules._fields) if passed_on else set()
    assert own <= keywords <= own | rules


def test_each_rule_of_clipping_by_norm_computes_a_dialect():
    keywords = {k for d in VARIANTS.values() if {*NORMS} & {*d.operations} for k in d.keywords}
    assert set(NormRules._fields) <= keywords


def law_names(operation: str) -> Iterator[tuple[str, VectorCase]]:
    """Yield each dialect that a case of an operation has a law of, with the case."""
    for case in cases():
        if case.operation == operation and not case.unjudged:
            attributes, defaults = {**case.assumed, **case.attributes}, bool(case.assumed)
            found = laws.law_dialects(operation, attributes, defaults=defaults, seeds=case.seeds)
            yield from ((part, case) for name in found for part in name.split("+"))


@pytest.mark.parametrize("operation", sorted(RANDOM))
def test_the_function_of_laws_computes_the_law_dialects_and_no_others(operation):
    expected = {name for name, dialect in of_kind("law").items() if operation in dialect.operations}
    assert {name for name, _ in law_names(operation)} == expected


@pytest.mark.parametrize("operation", sorted(RANDOM))
def test_a_law_is_computed_only_in_its_dtypes_and_where_the_user_sets_nothing(operation):
    for name, case in law_names(operation):
        assert not DIALECTS[name].dtypes or case.dtype in DIALECTS[name].dtypes
        assert case.assumed or not DIALECTS[name].defaults_only


def test_patterns_are_those_of_the_error_dialects_and_each_is_in_a_vector_of_each_operation(published):
    errors = {name: dialect for name, dialect in DIALECTS.items() if dialect.pattern}
    assert errors == of_kind("error")
    listed = {(v.operation, name, p.pattern) for v in published.values() for name, p in v.errors.items()}
    assert listed == {(o, name, dialect.pattern) for name, dialect in errors.items() for o in dialect.operations}
    assert all(re.compile(dialect.pattern) for dialect in errors.values())


def test_a_dependence_on_position_is_the_only_dialect_that_is_seen_in_outputs_alone():
    assert list(of_kind("position")) == [position_dependence.DIALECT]


def test_vectors_prescribe_every_dialect_but_a_dependence_on_position(published):
    listed = {part for vector in published.values() for name in vector.dialects for part in name.split("+")}
    assert listed == DIALECTS.keys() - of_kind("position").keys()


@pytest.mark.parametrize("dialect", [name for name in VARIANTS if name.startswith("default-")])
def test_a_default_that_a_dialect_is_named_after_is_its_number(dialect):
    _, attribute, number = dialect.replace("learning-rate", "learning_rate").split("-", 2)
    assert DIALECTS[dialect].keywords == {attribute: float(number)}


@pytest.mark.parametrize("dialect", [name for name in VARIANTS if name.startswith("default-")])
def test_a_default_is_tried_only_where_the_user_sets_nothing(dialect):
    for operation in DIALECTS[dialect].operations:
        assert dialect in names(operation, "float32", defaults=True)
        assert dialect not in names(operation, "float32")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_what_half_precision_does_is_tried_in_half_precision_alone(dtype):
    halves = {name for name, dialect in VARIANTS.items() if dialect.dtypes == HALF}
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
