"""The defaults of each implementation, deduced from its results on the vectors of profile ``defaults``.

Documentation and signatures are not used. An output that conforms was computed with the spec's number, an output that a
dialect explains with the dialect's (``reference.dialects``), and an unexplained one with an unknown number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.model.verdicts import WITHOUT_VALUE
from nnconform.conformance.vectors import index
from nnconform.conformance.vectors.stored_vector import StoredVector
from nnconform.reference.defaults import SPECIFIED
from nnconform.reference.dialects import DIALECTS

from .default_laws import LAW, OTHER, Law, common, named_laws, of_kind, without_repeats

RAISED = "error"
INITIALIZATIONS = ("he_normal", "he_uniform")
LAYERS = "layers' kernels"
# By the kind of the kernel.
SECTIONS = {
    "dense": LAYERS,
    "conv": LAYERS,
    "depthwise_conv": "depthwise kernels",
    "transposed_conv": "transposed kernels",
    "embedding": "embeddings",
}

# The different laws that each implementation shows, in order.
LawsByImplementation = dict[str, dict[Law | str, None]]


@dataclass(frozen=True)
class Default:
    """A hyperparameter, and its default in each implementation.

    Attributes:
        operation: an operation, or one of ``SECTIONS``.
        name: of the hyperparameter.
        spec: the spec's value; "" if it has none.
        values: by implementation; several with a slash if its outputs disagree.
    """

    operation: str
    name: str
    spec: str
    values: Mapping[str, str]


def table(report: Report) -> list[Default]:
    """Return the hyperparameters in the order of the operations."""
    by_operation: dict[str, list[Result]] = {}
    for result in report.results:
        if result.is_default:
            by_operation.setdefault(result.operation, []).append(result)
    numbers = [
        _numbers(operation, name, value, by_operation.get(operation, []))
        for operation, values in SPECIFIED.items()
        if operation not in INITIALIZATIONS
        for name, value in values.items()
    ]
    implementations = (i for entry in report.frameworks for i in entry.implementations)
    configurable = {(i.operation, i.name) for i in implementations if not i.defaults}
    return [*numbers, *_laws(by_operation, configurable)]


def number(value: float) -> str:
    """Return a number with a short exponent: ``1e-5``."""
    return f"{value:g}".replace("e-0", "e-")


def _vectors(operation: str) -> dict[str, StoredVector]:
    names = (v.id for v in index.outlines("profile: defaults", operation) if v.profile == "defaults")
    return {name: vector for name in names if (vector := index.find(name))}


def _numbers(operation: str, name: str, specified: float, results: Iterable[Result]) -> Default:
    vectors = _vectors(operation)
    values: dict[str, dict[str, None]] = {}
    for result in results:
        if result.vector in vectors:
            for value in _values_in(result, vectors[result.vector], name, specified):
                values.setdefault(result.implementation, {})[value] = None
    return Default(operation, name, number(specified), {i: "/".join(different) for i, different in values.items()})


def _values_in(result: Result, vector: StoredVector, name: str, specified: float) -> Iterator[str]:
    """Yield a hyperparameter's value in each output of a result that depends on it."""
    if result.verdict in WITHOUT_VALUE:
        yield RAISED
    dependent = _dependent_outputs(vector, name)
    for flat_name, output in result.outputs.items():
        if _base(flat_name) in dependent:
            if output.verdict == "diverges":
                yield OTHER
            else:
                yield number(_number_of(output.dialect, name, specified))


def _dependent_outputs(vector: StoredVector, name: str) -> set[str]:
    """Return the outputs on which a vector shows another hyperparameter; all if no dialect changes it."""
    if not any(_is_default(part, name) for part in DIALECTS):
        return set(map(_base, vector.expected))
    return {
        _base(output)
        for dialect, outputs in vector.dialects.items()
        if any(_is_default(part, name) for part in dialect.split("+"))
        for output in outputs
    }


def _base(flat_name: str) -> str:
    return flat_name.partition("[")[0]


def _is_default(part: str, name: str) -> bool:
    dialect = DIALECTS.get(part)
    return dialect is not None and dialect.defaults_only and name in dialect.keywords


def _number_of(dialect: str, name: str, specified: float) -> float:
    """Return a dialect's number for a hyperparameter; the spec's if the dialect is about something else."""
    parts = [part for part in dialect.split("+") if _is_default(part, name)]
    return float(DIALECTS[parts[0]].keywords[name]) if parts else specified


def _laws(by_operation: Mapping[str, Sequence[Result]], configurable: Container[tuple[str, str]]) -> Iterator[Default]:
    """Yield the parts of the laws: of each operation's initializers, then of the layers that are tried on both.

    Args:
        by_operation: the results.
        configurable: operations and implementations whose mode can be set; a layer that draws its own kernel has none.
    """
    of_layers: dict[str, LawsByImplementation] = {section: {} for section in SECTIONS.values()}
    for operation in INITIALIZATIONS:
        of_initializers: LawsByImplementation = {}
        vectors = _vectors(operation)
        for result in by_operation.get(operation, []):
            kind = vectors[result.vector].attributes["kind"]
            initializer = (operation, result.implementation) in configurable
            laws = of_initializers if initializer else of_layers[SECTIONS[kind]]
            laws.setdefault(result.implementation, {})[_law_of(result, kind)] = None
        yield from _parts(operation, named_laws(operation)[""], of_initializers)
    expected = common(named_laws(operation)[""] for operation in INITIALIZATIONS)
    for section, laws in of_layers.items():
        yield from _parts(section, expected, laws)


def _law_of(result: Result, kind: str) -> Law | str:
    sample = result.outputs.get("sample")
    if sample is None:
        return RAISED
    law = named_laws(result.operation).get(sample.dialect)
    return OTHER if law is None or sample.verdict == "diverges" else of_kind(law, kind)


def _parts(operation: str, spec: Law, laws: LawsByImplementation) -> Iterator[Default]:
    different = {name: without_repeats(of_it) for name, of_it in laws.items()}
    for part, spec_value in zip(dataclasses.fields(Law), dataclasses.astuple(spec), strict=True):
        values = {name: _joined_parts(of_it, part.name) for name, of_it in different.items()}
        yield Default(operation, LAW[part.name], spec_value, {name: value for name, value in values.items() if value})


def _joined_parts(laws: Iterable[Law | str], part: str) -> str:
    values = dict.fromkeys(law if isinstance(law, str) else getattr(law, part) for law in laws)
    return "/".join(filter(None, values))
