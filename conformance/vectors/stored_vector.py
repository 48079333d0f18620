"""A vector as its file stores it, with numbers as decimal text. Imports no NumPy, so that a command reads one fast."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from .call_options import CallOptions, read_options


@dataclass(frozen=True)
class StoredTensor:
    """A tensor, or a dialect's values and bound for an expected one.

    Attributes:
        dtype: its name; "" if a dialect leaves that of the expected output.
        shape: of the tensor; () if a dialect leaves it.
        data: the elements in row-major order, or the block that ``repeat`` repeats; None if no element is stored.
        bound: error bounds, one for all elements or one for each; "" for an exact output.
        flushed: further values that are accepted if subnormal inputs count as zero.
        recipe: ``repeat``, ``every``, ``every-but-nan`` or ``computed``; "" if ``data`` has every element.
        digest: of the values of a computed output.
        latitude: ``sign-of-zero``, ``subnormal-flush`` or ``any``.
    """

    dtype: str = ""
    shape: tuple[int, ...] = ()
    data: str | None = None
    bound: str = ""
    flushed: str | None = None
    recipe: str = ""
    digest: str = ""
    latitude: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredSparse:
    """A sparse gradient: its rows, their values, and the shape of the dense one."""

    indices: StoredTensor
    values: StoredTensor
    dense_shape: tuple[int, ...]


@dataclass(frozen=True)
class LawTensor:
    """A random sample's law: dtype, shape, and the law as in ``reference.initialization.Law``."""

    dtype: str
    shape: tuple[int, ...]
    law: str
    stddev: float
    bound: float
    accuracy: float | None = None
    levels: int = 0
    pattern: str = ""


Entry = StoredTensor | StoredSparse | LawTensor
# A list has an entry for each variable; None is a missing gradient or an input that is not given.
Entries = Entry | list[Entry | None] | None


@dataclass(frozen=True)
class StoredVector(CallOptions):
    """A vector in its file; attributes with the names of ``vector.Vector``'s have the same meaning.

    Attributes:
        file: its path below ``spec/vectors``, or as the user named it.
        latitude: ``any`` if the whole vector is recorded and not judged, else "".
        inputs: by name.
        expected: by flat name (``gradients[1]``).
        dialects: the outputs of each dialect by flat name; none for one that prescribes an error.
        errors: the patterns of the errors that dialects prescribe.
    """

    id: str
    operation: str
    file: str
    digest: str
    profile: str
    clauses: tuple[str, ...]
    hunts: tuple[str, ...]
    attributes: Mapping[str, Any]
    compiled: bool
    latitude: str
    inputs: Mapping[str, Entries]
    expected: Mapping[str, Entry | None]
    dialects: Mapping[str, Mapping[str, Entry]]
    errors: Mapping[str, str]

    def input(self, name: str) -> Entry | None:
        """Return the input with a flat name, or None."""
        return dict(flatten(self.inputs)).get(name)

    @classmethod
    def from_yaml(cls, document: Mapping[str, Any], operation: str, file: str) -> Self:
        """Return the vector of an item in a vector file that keeps the schema."""
        dialects = document.get("dialects", {})
        return cls(
            id=document["id"],
            operation=operation,
            file=file,
            digest=hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16],
            profile=document["profile"],
            clauses=tuple(document["clauses"]),
            hunts=tuple(document["hunts"]),
            attributes=document["attributes"],
            compiled=document.get("compiled", False),
            latitude=document.get("latitude", ""),
            inputs={name: _entries(value) for name, value in document.get("inputs", {}).items()},
            expected=_outputs(document.get("expected", {})),
            dialects={name: {} if "error" in outputs else _present(outputs) for name, outputs in dialects.items()},
            errors={name: outputs["error"] for name, outputs in dialects.items() if "error" in outputs},
            **read_options(document),
        )


def _entries(value: Any) -> Entries:
    if isinstance(value, list):
        return [None if item is None else _entry(item) for item in value]
    return None if value is None else _entry(value)


def _entry(value: Mapping[str, Any]) -> Entry:
    if "indices" in value:
        return StoredSparse(_tensor(value["indices"]), _tensor(value["values"]), tuple(value["dense_shape"]))
    if "law" in value:
        return LawTensor(**{"dtype": "", "shape": (), **_hashable(value)})
    return _tensor(value)


def _tensor(value: Mapping[str, Any]) -> StoredTensor:
    return StoredTensor(**_hashable(value))


def _hashable(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(part) if isinstance(part, list) else part for key, part in value.items()}


def _outputs(documents: Mapping[str, Any]) -> dict[str, Entry | None]:
    return dict(flatten({name: _entries(value) for name, value in documents.items()}))


def _present(documents: Mapping[str, Any]) -> dict[str, Entry]:
    return {name: entry for name, entry in _outputs(documents).items() if entry is not None}


def flatten(entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield entries by flat name: the entries of a list as ``name[0]``, ``name[1]``."""
    for name, value in entries.items():
        if isinstance(value, list):
            yield from ((f"{name}[{number}]", entry) for number, entry in enumerate(value))
        else:
            yield name, value
