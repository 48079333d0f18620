"""Write the vector files, or check that the committed ones are those of the reference."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from nnconform.conformance.cases.all_cases import all_cases
from nnconform.conformance.cases.vector_case import Every, VectorCase
from nnconform.conformance.vectors.described_tensors import Repeated
from nnconform.conformance.vectors.tensors import dtype_name, format_data
from nnconform.conformance.vectors.vector import SPEC
from nnconform.reference.dialects import DIALECTS

from .expected import GenerationError, outcome

FORMAT = 1
# Words that some readers of YAML take for a boolean, a number or null.
WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf")
GENERATORS = {
    "relu": "reference/activations.py",
    "elu": "reference/activations.py",
    "batch_norm_train": "reference/batch_norm.py",
    "batch_norm_eval": "reference/batch_norm.py",
    "he_normal": "reference/initialization.py",
    "he_uniform": "reference/initialization.py",
    "clip_by_value": "reference/clipping.py",
    "clip_by_norm": "reference/clipping.py",
    "clip_by_global_norm": "reference/clipping.py",
    "sgd_step": "reference/clipping.py",
}


def _scalar(value: Any) -> str:
    """Return the text of a scalar that means the same in YAML 1.1 and 1.2."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isinf(value):
            return ".inf" if value > 0 else "-.inf"
        mantissa, _, exponent = repr(value).partition("e")
        # YAML 1.1 wants a point in a float and a sign in its exponent.
        mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
        return mantissa if not exponent else f"{mantissa}e{int(exponent):+03d}"
    return json.dumps(value)


def key(name: str) -> str:
    """Return the text of a mapping's key; a plain ``y`` is a boolean in YAML 1.1."""
    return f'"{name}"' if name == "y" else name


def flow(value: Any) -> str:
    """Return a value in YAML's flow style, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    if isinstance(value, str) and value and value.replace("-", "").replace("_", "").isalpha():
        return value if value.lower() not in WORDS else f'"{value}"'
    return _scalar(value)


def _input(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_input(v) for v in value]
    if hasattr(value, "dense_shape"):
        return {
            "indices": _input(value.indices),
            "values": _input(value.values),
            "dense_shape": list(value.dense_shape),
        }
    if isinstance(value, Every):
        return {"dtype": value.dtype, "shape": [value.count], "recipe": value.recipe}
    if isinstance(value, Repeated):
        return _input(value.block.ravel()) | {"shape": list(value.shape), "recipe": "repeat"}
    array = np.asarray(value)
    dtype = dtype_name(array)
    return {"dtype": dtype, "shape": list(array.shape), "data": format_data(array, dtype)}


def _block(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {name}:"
    for label, value in values.items():
        if isinstance(value, list) and any(isinstance(v, dict) for v in value):
            yield f"    {label}:"
            yield from (f"    - {flow(v)}" for v in value)
        else:
            yield f"    {key(label)}: {flow(value)}"


def _dialect(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield f"    {name}:"
    for label, value in values.items():
        yield f"      {key(label)}: {flow(value)}"


def vector_text(case: VectorCase) -> str:
    """Return one vector as YAML, an item of the file's list.

    Raises:
        GenerationError: the case makes no sound vector.
    """
    expected, dialects, proved = outcome(case)
    # A vector must be proved to see the computed dialects that it hunts.
    hunts = [h for h in case.hunts if h in proved or not (h in DIALECTS and DIALECTS[h].keywords)]
    if not hunts:
        raise GenerationError(f"{case.id}: none of {list(case.hunts)} can be seen in it")
    profile = case.file.rpartition("/")[2].removesuffix(".yaml")
    lines = [
        f"- id: {case.id}",
        f"  clauses: {flow(list(case.clauses))}",
        f"  hunts: [{', '.join(hunts)}]",
        f"  profile: {profile}",
    ]
    if case.compiled:
        lines.append("  compiled: true")
    if case.unjudged:
        lines.append("  latitude: any")
    lines += [f"  {name}: {flow(value)}" for name, value in case.options.items() if value]
    lines.append(f"  attributes: {flow(case.attributes)}")
    if case.inputs:
        lines.extend(_block("inputs", {name: _input(v) for name, v in case.inputs.items()}))
    if expected:
        lines.extend(_block("expected", expected))
    if dialects:
        lines.append("  dialects:")
        for name, values in dialects.items():
            lines.extend(_dialect(name, values))
    return "\n".join(lines) + "\n"


def file_text(operation: str, vectors: Iterable[str]) -> str:
    """Return a whole vector file; the digest covers the bytes after its own line."""
    body = "vectors:\n" + "".join(vectors)
    digest = hashlib.sha256(body.encode()).hexdigest()
    return (
        "# Generated by `nnconform generate`; do not edit.\n"
        f"format: {FORMAT}\n"
        f"spec: {SPEC}\n"
        f"operation: {operation}\n"
        f"source: {{generator: {GENERATORS[operation]}, digest: sha256:{digest}}}\n"
        f"{body}"
    )


def files(operation: str | None = None) -> dict[str, str]:
    """Return every vector file's text by its path below spec/vectors, computed on every core.

    Args:
        operation: only the files of this one.

    Raises:
        GenerationError: a case makes no sound vector, or two have the same id.
    """
    cases = [case for case in all_cases() if operation in (None, case.operation)]
    ids: set[str] = set()
    for case in cases:
        if case.id in ids:
            raise GenerationError(f"{case.id}: two cases have this id")
        ids.add(case.id)
    with ProcessPoolExecutor() as pool:
        texts = list(pool.map(vector_text, cases, chunksize=8))
    grouped: dict[str, list[str]] = {}
    for case, text in zip(cases, texts, strict=True):
        grouped.setdefault(case.file, []).append(text)
    return {path: file_text(path.partition("/")[0], vectors) for path, vectors in grouped.items()}


def write(folder: Path, *, operation: str | None = None) -> list[Path]:
    """Write the vector files that differ from those in ``folder``, remove stale ones, and return the changed paths."""
    texts = files(operation)
    changed = []
    for stale in _present(folder, operation) - set(texts):
        (folder / stale).unlink()
        changed.append(folder / stale)
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != text.encode():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            changed.append(path)
    return changed


def _present(folder: Path, operation: str | None) -> set[str]:
    paths = (str(path.relative_to(folder).as_posix()) for path in folder.rglob("*.yaml"))
    return {path for path in paths if operation is None or path.startswith(f"{operation}/")}


def check(folder: Path, *, operation: str | None = None) -> list[str]:
    """Return one line for each file in ``folder`` that differs from the reference's; none if all agree."""
    texts = files(operation)
    problems = [f"{path}: no case makes this file; remove it" for path in _present(folder, operation) - set(texts)]
    for name, text in texts.items():
        path = folder / name
        if not path.exists():
            problems.append(f"{name}: missing")
        elif path.read_bytes() != text.encode():
            problems.append(f"{name}: {_first_difference(path.read_bytes(), text.encode())}")
    return problems


def _first_difference(actual: bytes, expected: bytes) -> str:
    pairs = zip(actual.split(b"\n"), expected.split(b"\n"), strict=False)
    for number, (actual_line, expected_line) in enumerate(pairs, 1):
        if actual_line != expected_line and not actual_line.startswith(b"source:"):
            at = next((i for i, (a, b) in enumerate(zip(actual_line, expected_line, strict=False)) if a != b), 0)
            start = max(0, at - 20)
            piece = slice(start, at + 30)
            return (
                f"line {number} is {actual_line[piece].decode(errors='replace')!r}, "
                f"the reference gives {expected_line[piece].decode()!r}"
            )
    return "the digest or the length differs"
