"""A vector before its expected outputs are computed, and helpers that make inputs."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nnconform.conformance.vectors import described_tensors
from nnconform.conformance.vectors.call_options import CallOptions
from nnconform.conformance.vectors.tensors import Array, stored

HALF = ("float16", "bfloat16")
DTYPES = ("float64", "float32", *HALF)
# Dtypes whose operations are computed in their precision, so that a narrower one shows.
FULL = ("float64", "float32")
# The dtype of parameters and statistics for each dtype of x: mixed precision keeps them in float32.
PARAMETERS = {"float64": "float64", "float32": "float32", "float16": "float32", "bfloat16": "float32"}


@dataclass(frozen=True)
class Every:
    """An input of every number of a 16-bit dtype, with or without NaNs (FORMAT-19)."""

    dtype: str
    nan: bool = True

    @property
    def recipe(self) -> str:
        """Its name in a vector."""
        return "every" if self.nan else "every-but-nan"

    @property
    def count(self) -> int:
        """The number of elements."""
        return int(described_tensors.every(self.dtype, self.recipe).size)


@dataclass(frozen=True)
class VectorCase(CallOptions):
    """One vector before its expected outputs are computed.

    Attributes:
        operation: its name.
        name: the middle part of the vector's id.
        dtype: the last part, the dtype of x, of the gradients or of the sample.
        profile: core, edge, range or defaults; core becomes half in half precision.
        clauses: ids of the clauses that it tests.
        hunts: ids of the faults and dialects that it shall catch.
        attributes: as they are in the vector.
        inputs: arrays by name; lists of arrays, SparseGradients or None for gradients and weights; or recipes.
        assumed: the spec's defaults, for attributes that the vector leaves out.
        latitude: the freedoms of an implementation, by output; an output with ``any`` is recorded and not judged.
        unjudged: the clauses give no meaning to the whole vector.
        compiled: compiled modes run it too; they run few shapes and hyperparameters.
        raises: the dialects that prescribe an error.
    """

    operation: str
    name: str
    dtype: str
    profile: str
    clauses: tuple[str, ...]
    hunts: tuple[str, ...]
    attributes: Mapping[str, Any]
    inputs: Mapping[str, Any]
    assumed: Mapping[str, Any] = field(default_factory=dict)
    latitude: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unjudged: bool = False
    compiled: bool = False
    raises: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The vector's id."""
        return f"{self.operation}/{self.name}/{self.dtype}"

    @property
    def file(self) -> str:
        """The path of its file below spec/vectors."""
        profile = "half" if self.profile == "core" and self.dtype in HALF else self.profile
        return f"{self.operation}/{profile}.yaml"

    @property
    def arrays(self) -> list[Any]:
        """All inputs, the entries of lists one by one."""
        return [v for value in self.inputs.values() for v in (value if isinstance(value, list) else [value])]

    def listed(self, flat: Mapping[str, Any]) -> dict[str, Any]:
        """Gather ``gradients[0]``, ``gradients[1]`` into lists, with None for absent entries."""
        result: dict[str, Any] = {}
        if not flat and self.operation in ("clip_by_value", "clip_by_norm"):
            return {"gradients": [None] * len(self.inputs["gradients"])}
        for name, value in flat.items():
            base, _, rest = name.partition("[")
            if rest:
                result.setdefault(base, [None] * len(self.inputs["gradients"]))[int(rest[:-1])] = value
            else:
                result[name] = value
        return result


def numbers(key: str, count: int, *, mean: float = 0.0, deviation: float = 1.0, digits: int = 3) -> list[float]:
    """Return ``count`` repeatable, roughly normal decimals: standard ones of ``digits`` decimals, scaled and shifted.

    Args:
        key: the stream's name; the same key gives the same numbers everywhere.
        count: the number of decimals.
        mean: of the law.
        deviation: of the law.
        digits: decimals of the standard numbers, few so that the text is short.
    """
    stream = random.Random(key)
    # Twelve uniform numbers less six have mean 0 and variance 1; random() is the same in every Python.
    standard = (round(sum(stream.random() for _ in range(12)) - 6, digits) for _ in range(count))
    return [mean + deviation * z for z in standard]


def tensor(key: str, shape: Sequence[int], dtype: str, *, mean: float = 0.0, deviation: float = 1.0) -> Array:
    """Return an array of ``numbers``, rounded once to ``dtype``."""
    count = 1
    for n in shape:
        count *= n
    values = numbers(key, count, mean=mean, deviation=deviation)
    return stored(values, dtype).reshape(tuple(shape))
