"""Read vectors: every file is checked against the schema, its digest, and the ranges of its dtypes."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from nnconform.adapters import SparseGradient

from .tensors import Array, TensorError, parse_bound, parse_data

# The version of the spec that this release's vectors belong to.
SPEC = "1.0.0"
# How many times the conforming bound an accuracy dialect's may be, and still hide nothing but rounding.
WIDE = 16.0


class VectorError(Exception):
    """A vector file cannot be used; the message names the file, what was found and what was wanted."""


@dataclass(frozen=True)
class Tensor:
    """Expected values of one output.

    Attributes:
        dtype: the dtype that the output must have.
        values: of that dtype, in the expected shape; None where the output is recorded and not judged.
        bound: float64, the most by which each element may differ.
        latitude: what is free: ``sign-of-zero``, ``subnormal-flush`` or ``any``.
        flushed: the values that are accepted too where subnormal inputs count as zero.
        shape: the shape that the output must have.
    """

    dtype: str
    shape: tuple[int, ...]
    values: Array | None
    bound: Array | None
    latitude: frozenset[str] = frozenset()
    flushed: Array | None = None


@dataclass(frozen=True)
class LawTensor:
    """A random sample's law: dtype, shape, and the law's name, standard deviation and bound."""

    dtype: str
    shape: tuple[int, ...]
    law: str
    stddev: float
    bound: float


@dataclass(frozen=True)
class Vector:
    """One case: what is asked, what is expected, and what each dialect would give instead.

    Attributes:
        id: ``operation/name/dtype``.
        operation: the operation's name.
        profile: core, half, edge, range or defaults.
        clauses: ids of the clauses that it tests.
        hunts: ids of the faults and dialects that it is made to catch.
        attributes: by name.
        steps: training steps stacked in x and dy; 0 for one that is not stacked.
        compiled: whether compiled modes run it.
        unjudged: the whole vector is recorded and not judged.
        inputs: as arrays, SparseGradients, None, or lists of these.
        expected: by flat output name (``gradients[0]``).
        prescribed: what dialects prescribe, by dialect and flat output name.
        errors: the dialects that prescribe an error, with the pattern of its message.
        digest: of all that the file says of it; two vectors of one id and digest are the same vector.
    """

    id: str
    operation: str
    profile: str
    clauses: tuple[str, ...]
    hunts: tuple[str, ...]
    attributes: Mapping[str, Any]
    steps: int
    compiled: bool
    unjudged: bool
    inputs: Mapping[str, Any]
    expected: Mapping[str, Tensor | LawTensor]
    prescribed: Mapping[str, Mapping[str, Tensor | LawTensor]]
    errors: Mapping[str, re.Pattern[str]]
    digest: str = ""

    @property
    def dtype(self) -> str:
        """The dtype in the vector's id."""
        return self.id.rpartition("/")[2]

    @property
    def dialects(self) -> tuple[str, ...]:
        """The dialects that the vector lists, those that prescribe an error last."""
        return (*self.prescribed, *self.errors)

    @functools.cached_property
    def tempting(self) -> Mapping[str, frozenset[str]]:
        """The dialects whose bound on an output is so wide that it could hide a wrong formula, by flat output name.

        They are those whose bound is somewhere more than ``WIDE`` times the conforming one.
        """
        found: dict[str, set[str]] = {}
        for dialect, outputs in self.prescribed.items():
            for name, other in outputs.items():
                expected = self.expected[name]
                if isinstance(other, LawTensor) or isinstance(expected, LawTensor):
                    continue
                if (
                    other.bound is not None
                    and expected.bound is not None
                    and (other.bound > WIDE * expected.bound).any()
                ):
                    found.setdefault(name, set()).add(dialect)
        return {name: frozenset(names) for name, names in found.items()}


def flat(outputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield outputs by flat name: the entries of a list as ``name[0]``, ``name[1]``, without those that are None."""
    for name, value in outputs.items():
        if isinstance(value, list):
            yield from ((f"{name}[{i}]", v) for i, v in enumerate(value) if v is not None)
        elif value is not None:
            yield name, value


@functools.cache
def validator(name: str, definition: str = "") -> Callable[[Any], Any]:
    """Return what checks a document against ``spec/schema/NAME.schema.json``, or against one of its definitions."""
    import fastjsonschema

    text = resources.files("nnconform.spec").joinpath(f"schema/{name}.schema.json").read_text()
    schema = json.loads(text)
    if definition:
        schema = {"definitions": schema["definitions"], "$ref": f"#/definitions/{definition}"}
    return fastjsonschema.compile(schema)  # type: ignore[no-any-return]


def schema_problem(check: Callable[[Any], Any], document: Any) -> str:
    """Return what a document has that its schema does not allow, in one sentence, or ""."""
    import fastjsonschema

    try:
        check(document)
    except fastjsonschema.JsonSchemaException as error:
        return str(error.message)
    return ""


def _document(data: bytes, where: str) -> Any:
    # Vectors need no anchors, and a few nested aliases can unfold to more than any memory holds.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if b"&" in data or b"*" in data:
            for event in yaml.parse(data, Loader=loader):
                if getattr(event, "anchor", None) is not None:
                    at = event.start_mark.line + 1 if event.start_mark else 0
                    raise VectorError(f"{where}, line {at}: an anchor or alias; vector files have none")
        return yaml.load(data, Loader=loader)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 1}" if place else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        raise VectorError(f"{where}{line}: not YAML: {problem}") from None
    except (RecursionError, UnicodeDecodeError, ValueError) as error:
        raise VectorError(f"{where}: not YAML: {type(error).__name__}: {error}") from None


def _check_digest(data: bytes, stated: str, where: str) -> None:
    start = data.find(b"\nsource:")
    body = data[data.find(b"\n", start + 1) + 1 :]
    actual = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if actual != stated:
        raise VectorError(
            f"{where}: the digest of its vectors is {actual[:23]}..., its header says {stated[:23]}...; vectors are "
            "not edited by hand: change the cases and run `nnconform generate`"
        )


def _input(value: Any, where: str) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_input(v, f"{where}[{i}]") for i, v in enumerate(value)]
    if "indices" in value:
        rows, values = (
            _input(value["indices"], f"{where}.indices"),
            _input(value["values"], f"{where}.values"),
        )
        return SparseGradient(rows, values, tuple(value["dense_shape"]))
    return parse_data(value["data"], value["dtype"], value["shape"], where)


def _bound(text: str, shape: Sequence[int], where: str) -> Array:
    bound = parse_bound(text or "0", shape, where)
    if math.isinf(bound.max(initial=0)):
        raise TensorError(f"{where}: a bound is infinite, so that anything would conform; wanted a finite one")
    return bound


def _expected(value: Mapping[str, Any], where: str) -> Tensor | LawTensor:
    dtype, shape = value["dtype"], tuple(value["shape"])
    if "law" in value:
        return LawTensor(dtype, shape, value["law"], value["stddev"], value["bound"])
    latitude = frozenset(value.get("latitude", ()))
    if "data" not in value:
        return Tensor(dtype, shape, None, None, latitude)
    flushed = value.get("flushed")
    return Tensor(
        dtype,
        shape,
        parse_data(value["data"], dtype, shape, where),
        _bound(value["bound"], shape, where),
        latitude,
        None if flushed is None else parse_data(flushed, dtype, shape, f"{where}.flushed"),
    )


def _variant(expected: Tensor | LawTensor | None, prescribed: Mapping[str, Any], where: str) -> Tensor | LawTensor:
    """Return what a dialect prescribes for an output: its own values or the expected ones, with its bound."""
    if expected is None:
        raise TensorError(f"{where}: the vector does not expect this output")
    if isinstance(expected, LawTensor):
        return LawTensor(expected.dtype, expected.shape, **prescribed)
    shape = expected.shape
    data, dtype = prescribed.get("data"), prescribed.get("dtype", expected.dtype)
    return Tensor(
        dtype,
        shape,
        expected.values if data is None else parse_data(data, dtype, shape, where),
        _bound(prescribed["bound"], shape, where),
        expected.latitude,
        expected.flushed if data is None else None,
    )


def _pattern(text: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise TensorError(f"{where}: {text!r} is no regular expression: {error}") from None


def dialects(
    documents: Mapping[str, Any], expected: Mapping[str, Tensor | LawTensor], where: str
) -> tuple[dict[str, dict[str, Tensor | LawTensor]], dict[str, re.Pattern[str]]]:
    """Return what dialects prescribe, and the patterns of those that prescribe an error.

    Args:
        documents: a vector's ``dialects`` as they stand in the file.
        expected: its outputs, by flat name.
        where: what to call the vector in an error.

    Raises:
        TensorError: an entry does not fit its output, or a pattern is no regular expression.
    """
    prescribed, errors = {}, {}
    for dialect, said in documents.items():
        place = f"{where}: dialects.{dialect}"
        if "error" in said:
            errors[dialect] = _pattern(said["error"], place)
        else:
            prescribed[dialect] = {k: _variant(expected.get(k), v, f"{place}.{k}") for k, v in flat(said)}
    return prescribed, errors


def _vector(document: Mapping[str, Any], operation: str, where: str) -> Vector:
    name = f"{where}: {document['id']}"
    try:
        expected = {k: _expected(v, f"{name}: expected.{k}") for k, v in flat(document.get("expected", {}))}
        return Vector(
            document["id"],
            operation,
            document["profile"],
            tuple(document["clauses"]),
            tuple(document["hunts"]),
            document["attributes"],
            document.get("steps", 0),
            document.get("compiled", False),
            document.get("latitude") == "any",
            {k: _input(v, f"{name}: inputs.{k}") for k, v in document.get("inputs", {}).items()},
            expected,
            *dialects(document.get("dialects", {}), expected, name),
            hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16],
        )
    except TensorError as error:
        raise VectorError(str(error)) from None


def read(data: bytes, where: str) -> list[Vector]:
    """Return the vectors of one file.

    Args:
        data: the file's bytes.
        where: what to call it in an error.

    Raises:
        VectorError: it is not YAML, breaks the schema, has another digest, or a number that does not fit.
    """
    import fastjsonschema

    document = _document(data, where)
    try:
        validator("vector")(document)
    except fastjsonschema.JsonSchemaException as error:
        raise VectorError(f"{where}: {_schema_message(error, document)}") from None
    _check_digest(data, document["source"]["digest"], where)
    return [_vector(item, document["operation"], where) for item in document["vectors"]]


def _schema_message(error: Any, document: Any) -> str:
    """Return what breaks the schema, with the id of the vector that it is in."""
    path = list(error.path)
    place = ".".join(str(p) for p in path[1:])
    if len(path) > 2 and path[1] == "vectors" and isinstance(document["vectors"][int(path[2])], dict):
        label = document["vectors"][int(path[2])].get("id", f"vector number {int(path[2]) + 1}")
        place = ", ".join(filter(None, (label, ".".join(str(p) for p in path[3:]))))
    message = error.message.replace(error.name, "", 1).strip()
    return f"breaks spec/schema/vector.schema.json at {place or 'its top'}: {message}"


def files(folder: Path | None = None) -> list[tuple[str, bytes]]:
    """Return the name and bytes of every vector file, the published ones or those below ``folder``.

    Raises:
        VectorError: there is none.
    """
    root = Path(str(resources.files("nnconform.spec").joinpath("vectors"))) if folder is None else folder
    found = [root] if root.is_file() else sorted(root.rglob("*.yaml"))
    if not found:
        raise VectorError(f"{root}: no vector files (*.yaml) here")
    return [(str(path.relative_to(root)) if path != root else str(path), path.read_bytes()) for path in found]


def load(folder: Path | None = None) -> tuple[list[Vector], list[str]]:
    """Return all vectors, and one message for each file that cannot be used, which is left out.

    Args:
        folder: where the files lie, or one file; the published ones when None.

    Raises:
        VectorError: there is no file.
    """
    vectors: list[Vector] = []
    problems: list[str] = []
    seen: dict[str, str] = {}
    for name, data in files(folder):
        try:
            found = read(data, name)
            for vector in found:
                if vector.id in seen:
                    raise VectorError(f"{name}: {vector.id} stands in {seen[vector.id]} too; ids are unique")
            seen |= {vector.id: name for vector in found}
            vectors += found
        except VectorError as error:
            problems.append(str(error))
    return vectors, problems
