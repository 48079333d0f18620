"""Read vector files: each is checked against the schema, its digest, and the ranges of its dtypes."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from nnconform.adapters import SparseGradient
from nnconform.conformance.schemas import validator

from . import described_tensors
from .exhaustive import Sweep
from .tensors import Array, TensorError, parse_bound, parse_data
from .vector import LawTensor, Tensor, Vector, VectorError, flat


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


def _input(value: Any, where: str) -> Callable[[], Any]:
    """Return what makes an input: what is stored is read at once, what a recipe describes when it is asked for."""
    if value is None:
        return lambda: None
    if isinstance(value, list):
        makers = [_input(v, f"{where}[{i}]") for i, v in enumerate(value)]
        return lambda: [make() for make in makers]
    if "indices" in value:
        rows, values = (_input(value[part], f"{where}.{part}")() for part in ("indices", "values"))
        return lambda: SparseGradient(rows, values, tuple(value["dense_shape"]))
    dtype, shape = value["dtype"], value["shape"]
    if "recipe" not in value:
        array = parse_data(value["data"], dtype, shape, where)
        return lambda: array
    if value["recipe"] != "repeat":
        if (count := described_tensors.every(dtype, value["recipe"]).size) != math.prod(shape):
            raise TensorError(f"{where}: the shape is {list(shape)}; there are {count} numbers")
        return lambda: described_tensors.every(dtype, value["recipe"])
    block = parse_data(value["data"], dtype, [len(value["data"].split())], where)
    if not block.size or not math.prod(shape) or math.prod(shape) % block.size:
        raise TensorError(f"{where}: {block.size} numbers do not fill the shape {list(shape)} a whole number of times")
    return lambda: described_tensors.Repeated(block, tuple(shape))


def _bound(text: str, shape: Sequence[int], where: str) -> Array:
    bound = parse_bound(text or "0", shape, where)
    if math.isinf(bound.max(initial=0)):
        raise TensorError(f"{where}: a bound is infinite, so that anything would conform; wanted a finite one")
    return bound


def _expected(value: Mapping[str, Any], where: str) -> Tensor | LawTensor:
    dtype, shape = value["dtype"], tuple(value["shape"])
    if "law" in value:
        return LawTensor(**{**value, "shape": shape})
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


Tensors = Mapping[str, Tensor | LawTensor]


def dialects(
    documents: Mapping[str, Any], expected: Tensors, where: str
) -> tuple[dict[str, Tensors], dict[str, re.Pattern[str]]]:
    """Return what dialects prescribe, and the patterns of those that prescribe an error.

    Args:
        documents: a vector's ``dialects`` as they stand in the file.
        expected: its outputs, by flat name.
        where: what to call the vector in an error.

    Raises:
        TensorError: an entry does not fit its output, or a pattern is no regular expression.
    """
    prescribed: dict[str, Tensors] = {}
    errors = {}
    for dialect, said in documents.items():
        place = f"{where}: dialects.{dialect}"
        if "error" in said:
            errors[dialect] = _pattern(said["error"], place)
        else:
            prescribed[dialect] = {k: _variant(expected.get(k), v, f"{place}.{k}") for k, v in flat(said)}
    return prescribed, errors


def _over_lengths(tensor: Tensor | LawTensor, lengths: Sequence[int]) -> Tensor | LawTensor:
    """Return what is expected of a call for each length, one after the other (FORMAT-18)."""
    if isinstance(tensor, LawTensor):
        return tensor
    values, bound, flushed = (
        None if part is None else described_tensors.prefixes(part, lengths)
        for part in (tensor.values, tensor.bound, tensor.flushed)
    )
    return replace(tensor, shape=(sum(lengths),), values=values, bound=bound, flushed=flushed)


def _stored(document: Mapping[str, Any], lengths: Sequence[int], name: str) -> tuple[Tensors, Any, Any]:
    """Return the expected outputs, what dialects prescribe, and the errors of dialects, as the file stores them."""
    expected = {k: _expected(v, f"{name}: expected.{k}") for k, v in flat(document.get("expected", {}))}
    prescribed, errors = dialects(document.get("dialects", {}), expected, name)
    if not lengths:
        return expected, prescribed, errors
    over = {
        dialect: {k: _over_lengths(v, lengths) for k, v in outputs.items()} for dialect, outputs in prescribed.items()
    }
    return {k: _over_lengths(v, lengths) for k, v in expected.items()}, over, errors


def _computed(sweep: Sweep, document: Mapping[str, Any], where: str) -> tuple[Tensors, Any, Any]:
    """Return the same for a vector whose outputs are computed when it is run, but those that are not judged."""

    def outputs(dialect: str, names: Iterable[str]) -> dict[str, Callable[[], Tensor | LawTensor]]:
        return {name: functools.partial(sweep.output, dialect, name) for name in names}

    open_ones = {k: _expected(v, where) for k, v in flat(document["expected"]) if k not in sweep.outputs}
    makers = outputs("", sweep.outputs) | {k: functools.partial(_same, v) for k, v in open_ones.items()}
    prescribed = {
        dialect: described_tensors.Lazily(outputs(dialect, [name for name, _ in flat(said)]))
        for dialect, said in document.get("dialects", {}).items()
    }
    return described_tensors.Lazily(makers), prescribed, {}


def _same(value: Any) -> Any:
    return value


def _check_lengths(inputs: Mapping[str, Any], lengths: Sequence[int], where: str) -> None:
    """Refuse inputs that are not those of the longest call: a longer one would be made on fewer elements."""
    shapes = {name: array.shape for name, value in inputs.items() for array in _entries(value)}
    for name, shape in shapes.items():
        if shape != (max(lengths),):
            raise TensorError(f"{where}: inputs.{name} has the shape {list(shape)}; its longest call {[max(lengths)]}")


def _check_seeds(document: Mapping[str, Any], where: str) -> None:
    """Refuse seeds whose first is not the attribute: a reader that knows one seed must call with that one."""
    seeds = document.get("seeds", ())
    if seeds and seeds[0] != document["attributes"]["seed"]:
        raise TensorError(f"{where}: the first of {seeds} is not the attribute seed, {document['attributes']['seed']}")


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _vector(document: Mapping[str, Any], operation: str, where: str) -> Vector:
    name = f"{where}: {document['id']}"
    try:
        makers = {k: _input(v, f"{name}: inputs.{k}") for k, v in document.get("inputs", {}).items()}
        inputs = described_tensors.Lazily(makers)
        lengths = tuple(document.get("lengths", ()))
        if lengths:
            _check_lengths(inputs, lengths, name)
        _check_seeds(document, name)
        expected = dict(flat(document.get("expected", {})))
        computed = {k: v for k, v in expected.items() if "recipe" in v}
        sweep = Sweep(document["id"], operation, inputs, document["attributes"], computed)
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
            inputs,
            *(_computed(sweep, document, name) if computed else _stored(document, lengths, name)),
            hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16],
            lengths,
            document.get("first", 0),
            tuple(document.get("seeds", ())),
            document.get("extremes", False),
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
