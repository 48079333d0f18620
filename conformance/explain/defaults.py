"""What each implementation does when the caller gives nothing, found from what it did on the vectors of `defaults`.

Nothing is read from documentation or signatures. An output that conforms was computed with the spec's number, one that
a dialect names with the dialect's (``reference.dialects``), and what neither explains with one that is not known.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nnconform.conformance.report.last_run import Row
from nnconform.conformance.vectors import index
from nnconform.reference.defaults import SPECIFIED
from nnconform.reference.dialects import DIALECTS

from .default_laws import LAW, OTHER, Law, common, named_laws, of_kind, parts

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

Document = Mapping[str, Any]
# The laws that implementations show, each once and in order.
Found = dict[str, dict[Law | str, None]]


@dataclass(frozen=True)
class Line:
    """One hyperparameter, and what it is where the caller gives none.

    Attributes:
        operation: an operation, or one of ``SECTIONS``.
        name: of the hyperparameter.
        spec: what the spec says, "" where it says nothing.
        found: what was found, by implementation; several values where its outputs disagree.
    """

    operation: str
    name: str
    spec: str
    found: dict[str, str] = field(default_factory=dict)


def table(report: Mapping[str, Any]) -> list[Line]:
    """Return the hyperparameters in the order of the operations, from the report of a run."""
    by_operation: dict[str, list[Row]] = {}
    for row in report["results"]:
        if row["profile"] == "defaults":
            by_operation.setdefault(row["operation"], []).append(row)
    lines = [
        _numbers(operation, name, value, by_operation.get(operation, []))
        for operation, values in SPECIFIED.items()
        if operation not in INITIALIZATIONS
        for name, value in values.items()
    ]
    served = (i for entry in report["frameworks"] for i in entry["implementations"])
    told = {(i["operation"], i["name"]) for i in served if not i["defaults"]}
    return [*lines, *_laws(by_operation, told)]


def number(value: float) -> str:
    """Return a number as people write it: ``1e-5``."""
    return f"{value:g}".replace("e-0", "e-")


def _vectors(operation: str) -> dict[str, Document]:
    names = (v.id for v in index.outlines("profile: defaults", operation) if v.profile == "defaults")
    return {name: vector for name in names if (vector := index.vector(name))}


def _numbers(operation: str, name: str, specified: float, rows: Iterable[Row]) -> Line:
    vectors = _vectors(operation)
    claims: dict[str, dict[str, None]] = {}
    for row in rows:
        if row["vector"] in vectors:
            for value in _claims(row, vectors[row["vector"]], name, specified):
                claims.setdefault(row["implementation"], {})[value] = None
    return Line(operation, name, number(specified), {i: "/".join(values) for i, values in claims.items()})


def _claims(row: Row, vector: Document, name: str, specified: float) -> Iterator[str]:
    """Yield what the outputs of a result say that a hyperparameter was; those that it does not move say nothing."""
    if row["verdict"] in ("error", "crash", "timeout"):
        yield RAISED
    moved = _moved_by(vector, name)
    for output, result in row["outputs"].items():
        if output.partition("[")[0] in moved:
            if result["verdict"] == "diverges":
                yield OTHER
            else:
                yield number(_number_of(result.get("dialect", ""), name, specified))


def _moved_by(vector: Document, name: str) -> set[str]:
    """Return the outputs on which a vector shows that a hyperparameter differs; all, where no dialect is of it."""
    if not any(_is_default(part, name) for part in DIALECTS):
        return set(vector["expected"])
    listed = vector.get("dialects", {}).items()
    return {output for d, said in listed if any(_is_default(p, name) for p in d.split("+")) for output in said}


def _is_default(part: str, name: str) -> bool:
    dialect = DIALECTS.get(part)
    return dialect is not None and dialect.defaults_only and name in dialect.keywords


def _number_of(dialect: str, name: str, specified: float) -> float:
    """Return the number that a dialect has for a hyperparameter; the spec's where it has another subject."""
    parts = [part for part in dialect.split("+") if _is_default(part, name)]
    return float(DIALECTS[parts[0]].keywords[name]) if parts else specified


def _laws(by_operation: Mapping[str, Sequence[Row]], told: Container[tuple[str, str]]) -> Iterator[Line]:
    """Yield the parts of the laws: of each operation's initializers, then of the layers that are tried on both.

    Args:
        by_operation: the results.
        told: operations and implementations that can be told a mode; a layer that draws its own kernel cannot.
    """
    layers: dict[str, Found] = {section: {} for section in SECTIONS.values()}
    for operation in INITIALIZATIONS:
        found: Found = {}
        vectors = _vectors(operation)
        for row in by_operation.get(operation, []):
            implementation = row["implementation"]
            kind = vectors[row["vector"]]["attributes"]["kind"]
            group = found if (operation, implementation) in told else layers[SECTIONS[kind]]
            group.setdefault(implementation, {})[_law_of(row, operation, kind)] = None
        yield from _parts(operation, named_laws(operation)[""], found)
    same = common(named_laws(operation)[""] for operation in INITIALIZATIONS)
    for section, drawn in layers.items():
        yield from _parts(section, same, drawn)


def _law_of(row: Row, operation: str, kind: str) -> Law | str:
    if "sample" not in row["outputs"]:
        return RAISED
    sample = row["outputs"]["sample"]
    law = named_laws(operation).get(sample.get("dialect", ""))
    return OTHER if law is None or sample["verdict"] == "diverges" else of_kind(law, kind)


def _parts(operation: str, spec: Law, found: Found) -> Iterator[Line]:
    for place, name in enumerate(LAW):
        values = {who: dict.fromkeys(_part(law, place) for law in parts(laws)) for who, laws in found.items()}
        told = {who: "/".join(filter(None, several)) for who, several in values.items()}
        yield Line(operation, name, spec[place], {who: value for who, value in told.items() if value})


def _part(law: Law | str, place: int) -> str:
    return law if isinstance(law, str) else law[place]
