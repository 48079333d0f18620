"""Read vector files: each is checked against the schema, its digest, and the ranges of its dtypes."""

from __future__ import annotations

import functools
import hashlib
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

from . import described_tensors, index
from .exhaustive import Sweep
from .stored_vector import Entries, Entry, LawTensor, StoredSparse, StoredTensor, StoredVector
from .tensors import Array, TensorError, parse_bound, parse_data
from .vector import Tensor, Vector, VectorError


def _document(data: bytes, label: str) -> Any:
    # Vectors need no anchors, and a few nested aliases can unfold to more than any memory holds.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if b"&" in data or b"*" in data:
            for event in yaml.parse(data, Loader=loader):
                if getattr(event, "anchor", None) is not None:
                    at = event.start_mark.line + 1 if event.start_mark else 0
                    raise VectorError(f"{label}, line {at}: an anchor or alias; vector files have none")
        return yaml.load(data, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        raise VectorError(f"{label}{line}: not YAML: {problem}") from None
    except (RecursionError, UnicodeDecodeError, ValueError) as error:
        raise VectorError(f"{label}: not YAML: {type(error).__name__}: {error}") from None


def _check_digest(data: bytes, stated: str, label: str) -> None:
    start = data.find(b"\nsource:")
    body = data[data.find(b"\n", start + 1) + 1 :]
    actual = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if actual != stated:
        raise VectorError(
            f"{label}: the digest of its vectors is {actual[:23]}..., its header has {stated[:23]}...; vectors are "
            "not edited by hand: change the cases and run `nnconform generate`"
        )


def _input(value: Entries, label: str) -> Callable[[], Any]:
    """Return a function that makes an input; stored elements are read at once, described ones when it is called."""
    if value is None:
        return lambda: None
    if isinstance(value, list):
        makers = [_input(v, f"{label}[{i}]") for i, v in enumerate(value)]
        return lambda: [make() for make in makers]
    if isinstance(value, StoredSparse):
        rows, values = _input(value.indices, f"{label}.indices")(), _input(value.values, f"{label}.values")()
        return lambda: SparseGradient(rows, values, value.dense_shape)
    # The schema has no law among inputs.
    assert isinstance(value, StoredTensor)
    return _described(value, label) if value.recipe else _elements(value, label)


def _elements(value: StoredTensor, label: str) -> Callable[[], Array]:
    array = parse_data(value.data or "", value.dtype, value.shape, label)
    return lambda: array


def _described(value: StoredTensor, label: str) -> Callable[[], Any]:
    dtype, shape, data = value.dtype, value.shape, value.data or ""
    if value.recipe != "repeat":
        if (count := described_tensors.every(dtype, value.recipe).size) != math.prod(shape):
            raise TensorError(f"{label}: the shape is {list(shape)}; there are {count} numbers")
        return lambda: described_tensors.every(dtype, value.recipe)
    block = parse_data(data, dtype, [len(data.split())], label)
    if not block.size or not math.prod(shape) or math.prod(shape) % block.size:
        raise TensorError(f"{label}: {block.size} numbers do not fill the shape {list(shape)} a whole number of times")
    return lambda: described_tensors.Repeated(block, shape)


def _bound(text: str, shape: Sequence[int], label: str) -> Array:
    bound = parse_bound(text or "0", shape, label)
    if math.isinf(bound.max(initial=0)):
        raise TensorError(f"{label}: a bound is infinite, so that anything would conform; wanted a finite one")
    return bound


def _expected(value: Entry, label: str) -> Tensor | LawTensor:
    if isinstance(value, LawTensor):
        return value
    assert isinstance(value, StoredTensor)
    dtype, shape, latitude = value.dtype, value.shape, frozenset(value.latitude)
    if value.data is None:
        return Tensor(dtype, shape, None, None, latitude)
    return Tensor(
        dtype,
        shape,
        parse_data(value.data, dtype, shape, label),
        _bound(value.bound, shape, label),
        latitude,
        None if value.flushed is None else parse_data(value.flushed, dtype, shape, f"{label}.flushed"),
    )


def _variant(expected: Tensor | LawTensor | None, prescribed: Entry, label: str) -> Tensor | LawTensor:
    """Return an output by a dialect: its own values or the expected ones, with its bound."""
    if expected is None:
        raise TensorError(f"{label}: the vector does not expect this output")
    shape = expected.shape
    if isinstance(prescribed, LawTensor):
        return replace(prescribed, dtype=expected.dtype, shape=shape)
    assert isinstance(prescribed, StoredTensor)
    assert isinstance(expected, Tensor)
    data, dtype = prescribed.data, prescribed.dtype or expected.dtype
    return Tensor(
        dtype,
        shape,
        expected.values if data is None else parse_data(data, dtype, shape, label),
        _bound(prescribed.bound, shape, label),
        expected.latitude,
        expected.flushed if data is None else None,
    )


def _pattern(text: str, label: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise TensorError(f"{label}: {text!r} is no regular expression: {error}") from None


Tensors = Mapping[str, Tensor | LawTensor]


def prescribed_outputs(outputs: Mapping[str, Mapping[str, Entry]], expected: Tensors, label: str) -> dict[str, Tensors]:
    """Return the outputs that dialects prescribe, by dialect and flat name.

    Args:
        outputs: as a file stores them; none for a dialect that prescribes an error.
        expected: the expected outputs, by flat name.
        where: the vector's name in an error.

    Raises:
        TensorError: an entry does not fit its output.
    """
    return {
        dialect: {k: _variant(expected.get(k), v, f"{label}: dialects.{dialect}.{k}") for k, v in entries.items()}
        for dialect, entries in outputs.items()
        if entries
    }


def _over_lengths(tensor: Tensor | LawTensor, lengths: Sequence[int]) -> Tensor | LawTensor:
    """Return the expected values of a call for each length, one after the other (FORMAT-18)."""
    if isinstance(tensor, LawTensor):
        return tensor
    values, bound, flushed = (
        None if part is None else described_tensors.prefixes(part, lengths)
        for part in (tensor.values, tensor.bound, tensor.flushed)
    )
    return replace(tensor, shape=(sum(lengths),), values=values, bound=bound, flushed=flushed)


def _stored(vector: StoredVector, label: str) -> tuple[Tensors, Mapping[str, Tensors]]:
    """Return the expected outputs and those of dialects, as the file stores them."""
    expected = {k: _expected(v, f"{label}: expected.{k}") for k, v in vector.expected.items() if v is not None}
    prescribed = prescribed_outputs(vector.dialects, expected, label)
    if not vector.lengths:
        return expected, prescribed
    over = {
        dialect: {k: _over_lengths(v, vector.lengths) for k, v in outputs.items()}
        for dialect, outputs in prescribed.items()
    }
    return {k: _over_lengths(v, vector.lengths) for k, v in expected.items()}, over


def _computed(vector: StoredVector, sweep: Sweep, label: str) -> tuple[Tensors, Mapping[str, Tensors]]:
    """Return the same for a vector whose judged outputs are computed when it is run."""

    def outputs(dialect: str, names: Iterable[str]) -> dict[str, Callable[[], Tensor | LawTensor]]:
        return {name: functools.partial(sweep.output, dialect, name) for name in names}

    open_ones = {k: _expected(v, label) for k, v in vector.expected.items() if v is not None and k not in sweep.outputs}
    makers = outputs("", sweep.outputs) | {k: functools.partial(_same, v) for k, v in open_ones.items()}
    prescribed = {
        dialect: described_tensors.Lazily(outputs(dialect, entries)) for dialect, entries in vector.dialects.items()
    }
    return described_tensors.Lazily(makers), prescribed


def _same(value: Any) -> Any:
    return value


def _check_lengths(inputs: Mapping[str, Any], lengths: Sequence[int], label: str) -> None:
    """Refuse inputs that do not have the longest length: a longer call would be made on fewer elements."""
    shapes = {name: array.shape for name, value in inputs.items() for array in _entries(value)}
    for name, shape in shapes.items():
        if shape != (max(lengths),):
            raise TensorError(f"{label}: inputs.{name} has the shape {list(shape)}; its longest call {[max(lengths)]}")


def _check_seeds(vector: StoredVector, label: str) -> None:
    """Refuse seeds whose first is not the attribute: a reader that knows one seed must call with that one."""
    if vector.seeds and vector.seeds[0] != (attribute := vector.attributes.get("seed")):
        raise TensorError(f"{label}: the first of {list(vector.seeds)} is not the attribute seed, {attribute}")


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _vector(stored: StoredVector) -> Vector:
    name = f"{stored.file}: {stored.id}"
    try:
        inputs = described_tensors.Lazily({k: _input(v, f"{name}: inputs.{k}") for k, v in stored.inputs.items()})
        if stored.lengths:
            _check_lengths(inputs, stored.lengths, name)
        _check_seeds(stored, name)
        computed = {k: v for k, v in stored.expected.items() if isinstance(v, StoredTensor) and v.recipe}
        sweep = Sweep(stored.id, stored.operation, inputs, stored.attributes, computed)
        expected, prescribed = _computed(stored, sweep, name) if computed else _stored(stored, name)
        return Vector(
            stored.id,
            stored.operation,
            stored.profile,
            stored.clauses,
            stored.hunts,
            stored.attributes,
            stored.compiled,
            stored.latitude == "any",
            inputs,
            expected,
            prescribed,
            {dialect: _pattern(text, f"{name}: dialects.{dialect}") for dialect, text in stored.errors.items()},
            stored.digest,
            **stored.options,
        )
    except TensorError as error:
        raise VectorError(str(error)) from None


def parse_file(data: bytes, label: str) -> list[Vector]:
    """Return the vectors of one file.

    Args:
        data: the file's bytes.
        label: its name in an error.

    Raises:
        VectorError: it is not YAML, breaks the schema, has another digest, or a number that does not fit.
    """
    import fastjsonschema

    document = _document(data, label)
    try:
        validator("vector")(document)
    except fastjsonschema.JsonSchemaException as error:
        raise VectorError(f"{label}: {_schema_message(error, document)}") from None
    _check_digest(data, document["source"]["digest"], label)
    operation = document["operation"]
    return [_vector(StoredVector.from_yaml(item, operation, label)) for item in document["vectors"]]


def published(name: str) -> Vector | None:
    """Return the published vector with an id, or None; only the vector's own block of its file is parsed.

    Raises:
        VectorError: the file has another digest.
    """
    block = index.find_block(name)
    if block is None:
        return None
    document = _document(block.document.encode(), block.file)
    # A file with its digest is as it was generated, and keeps the schema.
    _check_digest(block.file_text.encode(), document["source"]["digest"], block.file)
    return _vector(StoredVector.from_yaml(document["vectors"][0], document["operation"], block.file))


def _schema_message(error: Any, document: Any) -> str:
    """Return the rule of the schema that a document breaks, with the id of the vector that breaks it."""
    path = list(error.path)
    place = ".".join(str(p) for p in path[1:])
    if len(path) > 2 and path[1] == "vectors" and isinstance(document["vectors"][int(path[2])], dict):
        vector = document["vectors"][int(path[2])].get("id", f"vector number {int(path[2]) + 1}")
        place = ", ".join(filter(None, (vector, ".".join(str(p) for p in path[3:]))))
    message = error.message.replace(error.name, "", 1).strip()
    return f"breaks spec/schema/vector.schema.json at {place or 'its top'}: {message}"


def files(folder: Path | None = None) -> list[tuple[str, bytes]]:
    """Return the name and bytes of every vector file, the published ones or those below ``folder``.

    Raises:
        VectorError: there is none.
    """
    root = Path(str(resources.files("nnconform.spec").joinpath("vectors"))) if folder is None else folder
    paths = [root] if root.is_file() else sorted(root.rglob("*.yaml"))
    if not paths:
        raise VectorError(f"{root}: no vector files (*.yaml) here")
    return [(str(path.relative_to(root)) if path != root else str(path), path.read_bytes()) for path in paths]


def load(folder: Path | None = None) -> tuple[list[Vector], list[str]]:
    """Return the vectors of all files that can be used, and one message for each file that cannot.

    Args:
        folder: the folder of the files, or one file; the published ones when None.

    Raises:
        VectorError: there is no file.
    """
    vectors: list[Vector] = []
    problems: list[str] = []
    file_of: dict[str, str] = {}
    for name, data in files(folder):
        try:
            in_file = parse_file(data, name)
            for vector in in_file:
                if vector.id in file_of:
                    raise VectorError(f"{name}: {vector.id} is in {file_of[vector.id]} too; ids are unique")
            file_of |= {vector.id: name for vector in in_file}
            vectors += in_file
        except VectorError as error:
            problems.append(str(error))
    return vectors, problems
