"""Cases of he_normal and he_uniform: a kernel for each kind and layout, large enough for the tests of laws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from nnconform.reference.defaults import SPECIFIED
from nnconform.reference.laws import law_dialects

from .vector_case import HALF, VectorCase


class Kernel(NamedTuple):
    """A kernel of at least 65,536 elements, the number that the tests of laws need."""

    name: str
    shape: Sequence[int]
    kind: str
    layout: str
    groups: int
    clause: str


KERNELS = (
    Kernel("dense", [128, 512], "dense", "out_in_spatial", 1, "INIT-1"),
    Kernel("dense-transposed", [512, 128], "dense", "spatial_in_out", 1, "INIT-1"),
    Kernel("conv-1d", [128, 128, 4], "conv", "out_in_spatial", 1, "INIT-2"),
    Kernel("conv-1d-last", [4, 128, 128], "conv", "spatial_in_out", 1, "INIT-2"),
    # The same shapes as the grouped kernels, so that the law alone differs.
    Kernel("conv-2d", [256, 32, 3, 3], "conv", "out_in_spatial", 1, "INIT-2"),
    Kernel("conv-2d-last", [3, 3, 32, 256], "conv", "spatial_in_out", 1, "INIT-2"),
    Kernel("conv-3d", [64, 40, 3, 3, 3], "conv", "out_in_spatial", 1, "INIT-2"),
    Kernel("conv-3d-last", [3, 3, 3, 40, 64], "conv", "spatial_in_out", 1, "INIT-2"),
    Kernel("grouped", [256, 32, 3, 3], "conv", "out_in_spatial", 4, "INIT-3"),
    Kernel("grouped-last", [3, 3, 32, 256], "conv", "spatial_in_out", 4, "INIT-3"),
    Kernel("depthwise", [8192, 1, 3, 3], "depthwise_conv", "out_in_spatial", 4096, "INIT-4"),
    Kernel("depthwise-last", [3, 3, 4096, 2], "depthwise_conv", "spatial_in_out", 4096, "INIT-4"),
    Kernel("transposed", [80, 96, 3, 3], "transposed_conv", "in_out_spatial", 1, "INIT-5"),
    Kernel("transposed-last", [3, 3, 96, 80], "transposed_conv", "spatial_out_in", 1, "INIT-5"),
    Kernel("transposed-grouped", [256, 32, 3, 3], "transposed_conv", "in_out_spatial", 4, "INIT-5"),
    Kernel("transposed-grouped-last", [3, 3, 32, 256], "transposed_conv", "spatial_out_in", 4, "INIT-5"),
    Kernel("pointwise", [512, 128, 1, 1], "conv", "out_in_spatial", 1, "INIT-2"),
    Kernel("pointwise-last", [1, 1, 128, 512], "conv", "spatial_in_out", 1, "INIT-2"),
    Kernel("grouped-1d", [128, 128, 4], "conv", "out_in_spatial", 4, "INIT-3"),
    Kernel("grouped-1d-last", [4, 128, 128], "conv", "spatial_in_out", 4, "INIT-3"),
    Kernel("grouped-3d", [64, 40, 3, 3, 3], "conv", "out_in_spatial", 4, "INIT-3"),
    Kernel("grouped-3d-last", [3, 3, 3, 40, 64], "conv", "spatial_in_out", 4, "INIT-3"),
    Kernel("depthwise-1d", [16384, 1, 4], "depthwise_conv", "out_in_spatial", 128, "INIT-4"),
    Kernel("depthwise-1d-last", [4, 128, 128], "depthwise_conv", "spatial_in_out", 128, "INIT-4"),
    # As flax stores it: a convolution's axes, of a kernel that is not flipped.
    Kernel("transposed-in-out-last", [3, 3, 96, 80], "transposed_conv", "spatial_in_out", 1, "INIT-5"),
    Kernel("transposed-1d", [64, 256, 4], "transposed_conv", "in_out_spatial", 1, "INIT-5"),
    Kernel("transposed-1d-last", [4, 256, 64], "transposed_conv", "spatial_out_in", 1, "INIT-5"),
    Kernel("transposed-3d", [64, 40, 3, 3, 3], "transposed_conv", "in_out_spatial", 1, "INIT-5"),
    Kernel("transposed-3d-last", [3, 3, 3, 40, 64], "transposed_conv", "spatial_out_in", 1, "INIT-5"),
    Kernel("embedding", [512, 128], "embedding", "in_out_spatial", 1, "INIT-16"),
    Kernel("embedding-last", [512, 128], "embedding", "spatial_in_out", 1, "INIT-16"),
    # So many outputs per input that fan_in and fan_avg differ when all inputs are taken for those of one output.
    Kernel("depthwise-wide-last", [3, 3, 32, 256], "depthwise_conv", "spatial_in_out", 32, "INIT-4"),
    Kernel("pointwise-1d-last", [1, 128, 512], "conv", "spatial_in_out", 1, "INIT-2"),
)
# Shapes that have no fan: of one axis and of none, and with no inputs.
WITHOUT_FAN = (
    Kernel("rank-0", [], "dense", "out_in_spatial", 1, "INIT-13"),
    Kernel("rank-0-last", [], "dense", "spatial_in_out", 1, "INIT-13"),
    Kernel("rank-1", [64], "dense", "out_in_spatial", 1, "INIT-13"),
    Kernel("rank-1-last", [64], "dense", "spatial_in_out", 1, "INIT-13"),
    Kernel("no-inputs", [8, 0], "dense", "out_in_spatial", 1, "INIT-13"),
    Kernel("no-inputs-last", [0, 8], "dense", "spatial_in_out", 1, "INIT-13"),
)
# The layers that need no argument; groups are one.
WITH_DEFAULTS = (
    *("dense", "dense-transposed", "conv-1d", "conv-1d-last", "conv-2d", "conv-2d-last", "conv-3d", "conv-3d-last"),
    *("pointwise-last", "pointwise-1d-last", "depthwise-wide-last", "depthwise-1d-last", "embedding", "embedding-last"),
    *("transposed", "transposed-last", "transposed-in-out-last", "transposed-1d", "transposed-1d-last"),
    *("transposed-3d", "transposed-3d-last"),
)
# Shapes that have a fan, and no elements.
EMPTY = (
    Kernel("no-outputs", [0, 8], "dense", "out_in_spatial", 1, "INIT-13"),
    Kernel("no-outputs-last", [8, 0], "dense", "spatial_in_out", 1, "INIT-13"),
)
LAWS = {"he_normal": "INIT-9", "he_uniform": "INIT-10"}
FAULTS = {
    "he_normal": ("wrong-fan", "gain-forgotten", "wrong-truncation", "uniform-for-normal"),
    "he_uniform": ("wrong-fan", "gain-forgotten", "deviation-for-bound", "normal-for-uniform"),
}
OF_A_SEED = ("seed-ignored", "not-repeatable")
# 20,971,520 elements.
LONG = [5120, 4096]
OF_BOTH = (
    "deviation-for-variance",
    "wrong-gain",
    "wrong-deviation",
    "wrong-law",
    "shifted-mean",
    "dependent-elements",
    "wrong-dtype",
    "wrong-shape",
)


def _attributes(kernel: Kernel, dtype: str, mode: str, seed: int) -> dict[str, Any]:
    return {
        "shape": list(kernel.shape),
        "kind": kernel.kind,
        "layout": kernel.layout,
        "groups": kernel.groups,
        "mode": mode,
        "dtype": dtype,
        "seed": seed,
    }


def _case(operation: str, kernel: Kernel, dtype: str, mode: str, seed: int) -> VectorCase:
    label = kernel.name if mode == "fan_in" else f"{kernel.name}-{mode.replace('_', '-')}"
    attributes = _attributes(kernel, dtype, mode, seed)
    others = law_dialects(operation, attributes, defaults=False)
    clauses = (kernel.clause, "INIT-6", "INIT-8", LAWS[operation], "INIT-11")
    more = (*(("INIT-7",) if mode != "fan_in" else ()), *(("INIT-12",) if dtype != "float32" else ()))
    hunts = (*FAULTS[operation], *OF_BOTH, *(name for name in others if "+" not in name))
    return VectorCase(operation, label, dtype, "core", (*clauses, *more), hunts, attributes, {})


def _without_fan(operation: str) -> Iterator[VectorCase]:
    for number, kernel in enumerate(WITHOUT_FAN):
        attributes = _attributes(kernel, "float32", "fan_in", 6000 + number)
        clauses = (kernel.clause,)
        yield VectorCase(operation, kernel.name, "float32", "edge", clauses, ("no-fan",), attributes, {}, unjudged=True)
    for number, kernel in enumerate(EMPTY):
        attributes = _attributes(kernel, "float32", "fan_in", 7000 + number)
        hunts = ("wrong-dtype", "wrong-shape")
        clauses = (kernel.clause,)
        raises = ("rejects-no-outputs",)
        yield VectorCase(operation, kernel.name, "float32", "edge", clauses, hunts, attributes, {}, raises=raises)


def _streams(operation: str) -> Iterator[VectorCase]:
    """Yield the cases of the random stream: the same seed again, and several kernels of one initializer."""
    for number, (last, kernel) in enumerate((("", KERNELS[0]), ("-last", KERNELS[1]))):
        for dtype in ("float32", "float64", *HALF):
            seeds = (8000 + number, 8000 + number, 8100 + number)
            case = _case(operation, kernel, dtype, "fan_in", seeds[0])
            clauses = ("INIT-11", *(c for c in case.clauses if c not in ("INIT-1", "INIT-6", "INIT-11")))
            yield replace(case, name=f"seeds{last}", clauses=clauses, hunts=OF_A_SEED, seeds=seeds)
        case = _case(operation, kernel, "float32", "fan_in", 8200 + number)
        attributes = {**case.attributes, "layers": 2}
        clauses = ("INIT-15", "INIT-8", LAWS[operation])
        yield replace(
            case, name=f"two-layers{last}", clauses=clauses, hunts=("initializer-repeats",), attributes=attributes
        )


def _extremes(operation: str) -> Iterator[VectorCase]:
    """Yield samples so long that one element in a million beyond the end of the law, or an end that is off, shows."""
    for number, last in enumerate(("", "-last")):
        shape = LONG[::-1] if last else LONG
        kernel = Kernel(f"extremes{last}", shape, "dense", KERNELS[number].layout, 1, "INIT-1")
        case = _case(operation, kernel, "float32", "fan_in", 8300 + number)
        hunts = ("leaky-truncation", *law_dialects(operation, case.attributes, defaults=False))
        yield replace(case, clauses=("INIT-8", LAWS[operation]), hunts=hunts, extremes=True)


def cases() -> Iterator[VectorCase]:
    """Yield the cases of both laws, including those of defaults."""
    for operation in LAWS:
        for number, kernel in enumerate(KERNELS):
            yield _case(operation, kernel, "float32", "fan_in", 1000 + number)
            if not kernel.name.startswith(("conv-1d", "conv-3d", "grouped-1d", "pointwise")):
                yield _case(operation, kernel, "float32", "fan_out", 2000 + number)
            if kernel.name.startswith(("dense", "conv-2d", "transposed-in-out")):
                yield _case(operation, kernel, "float32", "fan_avg", 3000 + number)
            if kernel.name.startswith("dense"):
                for dtype in ("float64", *HALF):
                    yield _case(operation, kernel, dtype, "fan_in", 4000 + number)
        yield from _without_fan(operation)
        yield from _defaults(operation)
        yield from _streams(operation)
        yield from _extremes(operation)


def _defaults(operation: str) -> Iterator[VectorCase]:
    for number, kernel in enumerate(KERNELS):
        if kernel.name in WITH_DEFAULTS:
            case = _case(operation, kernel, "float32", "fan_in", 5000 + number)
            attributes = {k: case.attributes[k] for k in ("shape", "kind", "layout", "dtype", "seed")}
            yield VectorCase(
                operation,
                f"defaults-{kernel.name}",
                "float32",
                "defaults",
                ("INIT-14",),
                ("other-default",),
                attributes,
                {},
                assumed=SPECIFIED[operation],
            )
