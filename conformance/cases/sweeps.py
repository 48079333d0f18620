"""Cases with inputs that a recipe describes: every number of a half format, all lengths up to 67, and long sums."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from nnconform.conformance.vectors.described_tensors import Repeated
from nnconform.conformance.vectors.tensors import Array, stored
from nnconform.reference.rounding import FORMATS

from .vector_case import DTYPES, HALF, Every, VectorCase, tensor

FREE_ZEROS = ("sign-of-zero",)
FLUSHED = ("sign-of-zero", "subnormal-flush")


def _every(dtype: str) -> Iterator[VectorCase]:
    """Yield the cases of elementwise operations whose input is every number of ``dtype``."""

    def case(
        operation: str, clauses: str, inputs: Mapping[str, Any], free: Mapping[str, Any], **attributes: float
    ) -> VectorCase:
        return VectorCase(
            operation,
            "every-number" if x.nan else "every-number-but-nan",
            dtype,
            "edge",
            tuple(clauses.split()),
            ("some-inputs-wrong",),
            attributes,
            inputs,
            latitude=free,
            compiled=True,
        )

    for x in (Every(dtype), Every(dtype, nan=False)):
        inputs = {"x": x, "dy": Repeated(stored([1.0], dtype), (x.count,))}
        # The gradient at NaN is free; the vector with NaNs judges the values, the other one the gradients.
        free = {"y": FLUSHED, "dx": ("any",)} if x.nan else {"y": ("any",), "dx": FLUSHED}
        yield case("relu", "RELU-1 RELU-4 NUM-1" if x.nan else "RELU-2 NUM-1", inputs, free)
        if x.nan:
            free = {"y": FLUSHED, "dx": FREE_ZEROS}
            yield case("elu", "ELU-1 ELU-2 ELU-4 NUM-1", inputs, free, alpha=1.0)
            clauses = "CLIP-VALUE-1 CLIP-VALUE-4 NUM-1"
            yield case("clip_by_value", clauses, {"gradients": [x]}, {"gradients[0]": FLUSHED}, clipvalue=0.3)


# All lengths up to the longest vector of any processor with its unrolled loop, and a few more; ends of such loops.
ALL_LENGTHS = tuple(range(1, 68))
SOME_LENGTHS = (*range(1, 20), *range(31, 36), *range(63, 68))
FEW_LENGTHS = (11, 67)
LONGEST = ALL_LENGTHS[-1]


def _special(dtype: str) -> list[float]:
    """Return special values between ordinary ones, 13 of them, a number coprime to every vector length."""
    # Numbers of few digits; other vectors have smaller and larger ones.
    largest, tiny = min(FORMATS[dtype].largest, 1e30), 2.0 ** max(FORMATS[dtype].least, -100)
    return [0.75, -0.0, -1.5, math.inf, -tiny, 0.0, -3.0, -math.inf, tiny, 2.5, -200.0, -0.01, largest]


def _in_turn(values: list[float], dtype: str) -> Array:
    return np.resize(stored(values, dtype), LONGEST)


def _lengths(dtype: str, name: str, lengths: tuple[int, ...], *, compiled: bool) -> Iterator[VectorCase]:
    """Yield the cases of calls for many lengths; equal elements must give equal results."""
    special = _special(dtype)
    dy = np.resize(tensor("lengths-dy", [len(special)], dtype), LONGEST)
    x = _in_turn(special, dtype)
    nan = _in_turn([math.nan, *special[1:]], dtype)
    free = {"y": FREE_ZEROS, "dx": FREE_ZEROS}

    def case(
        operation: str, label: str, clauses: str, inputs: Mapping[str, Any], latitude: Any, **attributes: float
    ) -> Any:
        return VectorCase(
            operation,
            f"{name}{label}",
            dtype,
            "edge",
            tuple(clauses.split()),
            ("position-dependent",),
            attributes,
            inputs,
            latitude=latitude,
            lengths=lengths,
            compiled=compiled,
        )

    yield case("relu", "", "RELU-1 RELU-2 RELU-3 RELU-8", {"x": x, "dy": dy}, free)
    yield case("relu", "-nan", "RELU-4 RELU-8", {"x": nan, "dy": dy}, free | {"dx": ("any",)})
    yield case("elu", "", "ELU-1 ELU-2 ELU-3 ELU-11", {"x": nan, "dy": dy}, free, alpha=1.0)
    yield case("clip_by_value", "", "CLIP-VALUE-1 CLIP-VALUE-2 CLIP-VALUE-3", {"gradients": [nan]}, {}, clipvalue=0.5)


class Long(NamedTuple):
    """A size of long sums: its name, the dtype, and the number of elements."""

    name: str
    dtype: str
    elements: int


LONG = (
    Long("1000000-elements", "float64", 1_000_000),
    Long("10000000-elements", "float32", 10_000_000),
)
# The number of elements in the repeated block; the results of one block are compared.
BLOCK = 50


def _long(long: Long) -> Iterator[VectorCase]:
    """Yield the cases with sums so long that adding one element after the other loses digits."""
    dtype, elements = long.dtype, long.elements
    hunts = ("sequential-accumulation",)
    block = tensor("long-gradient", [BLOCK], dtype)
    for operation, family in {"clip_by_norm": "CLIP-NORM", "clip_by_global_norm": "CLIP-GLOBAL"}.items():
        yield VectorCase(
            operation,
            long.name,
            dtype,
            "range",
            (f"{family}-1", "NUM-11"),
            hunts,
            {"clipnorm": 1.0},
            {"gradients": [Repeated(block, (elements,))]},
            latitude={"gradients[0]": FREE_ZEROS},
            first=BLOCK,
        )
    # JAX compiles a layer for each shape and dtype.
    if elements < 10_000_000:
        return
    shape = (elements // 2, 2)
    x = stored(np.round(1.5 + 0.5 * tensor("long-x", [BLOCK], "float64"), 4), dtype)
    parameters = {
        "running_mean": tensor("long-running-mean", [2], dtype),
        "running_variance": stored([1.25, 0.75], dtype),
        "gamma": stored([1.125, -0.75], dtype),
        "beta": stored([0.25, 0.5], dtype),
    }
    names = ("y", "dx", "dgamma", "dbeta", "batch_mean", "batch_variance", "running_mean", "running_variance")
    yield VectorCase(
        "batch_norm_train",
        long.name,
        dtype,
        "range",
        ("BN-TRAIN-1", "BN-TRAIN-2", "BN-TRAIN-18", "NUM-11"),
        hunts,
        {"epsilon": 1e-3, "momentum": 0.9, "channel_axis": -1},
        {"x": Repeated(x, shape), "dy": Repeated(tensor("long-dy", [BLOCK], dtype), shape), **parameters},
        latitude=dict.fromkeys(names, FREE_ZEROS),
        first=BLOCK,
    )


def cases() -> Iterator[VectorCase]:
    """Yield the cases with described inputs."""
    for dtype in HALF:
        yield from _every(dtype)
    for dtype in DTYPES:
        yield from _lengths(dtype, "lengths", ALL_LENGTHS if dtype == "float32" else SOME_LENGTHS, compiled=False)
    yield from _lengths("float32", "few-lengths", FEW_LENGTHS, compiled=True)
    for long in LONG:
        yield from _long(long)
