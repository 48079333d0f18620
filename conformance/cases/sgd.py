"""Cases of sgd_step: plain, and with each way of clipping configured on the optimizer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from nnconform.conformance.vectors.tensors import stored
from nnconform.reference.defaults import SPECIFIED

from .clipping import NORM_FAULTS, REJECTS_SPARSE, STRUCTURES, gradients_of, sparse
from .vector_case import DTYPES, FULL, HALF, VectorCase

# The rate of clipped steps, exact in every dtype, so that only the clip is tested: Keras keeps the rate in float32.
RATE = 0.125
REJECTS_ABSENT = ("rejects-absent-gradient",)
STEP_FAULTS = (
    *("wrong-sign", "rate-misapplied", "weight-decay-left-in", "momentum-left-in", "float32-learning-rate"),
    *("tail-mishandled", "wrong-dtype", "wrong-shape", "input-changed"),
)
NOT_FINITE = ("nan-swallowed", "infinity-mishandled")
# Faults of a step with clipped gradients, in addition to those of the clipping.
CLIP_FAULTS = ("clip-after-step", "clip-ignored", "input-changed", "wrong-dtype")
# By attribute of a way to clip: the clauses of its formula and of a NaN.
CLIPS = {
    "clipvalue": ("CLIP-VALUE-1", "CLIP-VALUE-2"),
    "clipnorm": ("CLIP-NORM-1", "CLIP-NORM-6"),
    "global_clipnorm": ("CLIP-GLOBAL-1", "CLIP-GLOBAL-6"),
}


def _plain(dtype: str) -> Iterator[VectorCase]:
    faults = (*STEP_FAULTS, *(("precision-lost",) if dtype in FULL else ()))
    for name, shapes in STRUCTURES.items():
        grads = gradients_of(f"sgd-{name}-g", shapes, dtype)
        absent = None in shapes
        for rate in (0.1, 0.01, 1.0):
            yield _case(
                f"{name}-rate-{rate:g}",
                dtype,
                "core",
                ("SGD-1", "SGD-8", *(("SGD-3",) if absent else ())),
                (*(("absent-gradient",) if absent else ()), *faults),
                grads,
                {"learning_rate": rate},
                compiled=rate == 0.1,
            )
    bad = [stored([math.nan, 1.0, math.inf, -math.inf, -0.25], dtype)]
    yield _case("nan-and-infinities", dtype, "edge", ("SGD-5",), NOT_FINITE, bad, {"learning_rate": 0.1})
    one = gradients_of("sgd-one-variable-g", [[5]], dtype)
    yield _case("rate-0", dtype, "edge", ("SGD-1",), ("rate-by-truthiness",), one, {"learning_rate": 0.0})
    for repeated in (False, True):
        name = "sparse-repeated" if repeated else "sparse"
        rows = [sparse(f"sgd-{name}", dtype, repeated=repeated), one[0]]
        hunts = ("sparse-misplaced", "sparse-not-summed" if repeated else "sparse-refused")
        yield _case(name, dtype, "edge", ("SGD-4",), hunts, rows, {"learning_rate": 0.1})
    if dtype in HALF:
        # Blocks of 8, 16 and 32 elements, the widths of vector registers, all end at 64 and leave five elements.
        long = gradients_of("sgd-blocks-g", [[69]], dtype)
        hunts = ("blocks-not-stepped", "tail-mishandled")
        yield _case("blocks-and-tail", dtype, "core", ("SGD-1",), hunts, long, {"learning_rate": 0.1})
    if dtype == "float32":  # rare shapes, which JAX would compile for every dtype
        odd = gradients_of("sgd-s", [[], [0]], dtype)
        yield _case(
            "scalar-and-empty", dtype, "edge", ("SGD-1", "SGD-6"), ("wrong-shape",), odd, {"learning_rate": 0.1}
        )


def _case(
    name: str,
    dtype: str,
    profile: str,
    clauses: tuple[str, ...],
    hunts: tuple[str, ...],
    gradients: list[Any],
    attributes: dict[str, float],
    deviation: float = 1.0,
    **more: Any,
) -> VectorCase:
    shapes = [[5] if g is None else g.dense_shape if hasattr(g, "dense_shape") else g.shape for g in gradients]
    weights = gradients_of(f"sgd-weights-{len(shapes)}", shapes, dtype, deviation=deviation)
    free = {f"weights[{i}]": ("sign-of-zero",) for i in range(len(shapes))}
    more.setdefault("latitude", free)
    if any(hasattr(g, "dense_shape") for g in gradients):
        more["raises"] = REJECTS_SPARSE
    elif any(g is None for g in gradients):
        more["raises"] = REJECTS_ABSENT
    inputs = {"weights": weights, "gradients": gradients}
    return VectorCase("sgd_step", name, dtype, profile, clauses, hunts, attributes, inputs, **more)


def _clipping(dtype: str, clip: str) -> Iterator[VectorCase]:
    formula, _ = CLIPS[clip]
    faults = (*CLIP_FAULTS, *(("norm-order", "wrong-threshold") if clip == "clipvalue" else NORM_FAULTS.split()))
    faults = (*faults, *(("precision-lost",) if dtype in FULL else ()))
    for name, shapes in STRUCTURES.items():
        grads = gradients_of(f"sgd-{clip}-{name}", shapes, dtype)
        for threshold in (0.5, 1.0, 50.0):
            yield _case(
                f"{clip}-{threshold:g}-{name}",
                dtype,
                "core",
                ("SGD-1", "SGD-2", formula),
                faults if threshold < 50 else ("scale-not-limited",),
                grads,
                {"learning_rate": RATE, clip: threshold},
                compiled=threshold == 1.0,
            )
    if clip != "clipvalue":
        yield from _thresholds(dtype, clip, faults)
    yield from _clipping_edges(dtype, clip)


def _thresholds(dtype: str, clip: str, faults: tuple[str, ...]) -> Iterator[VectorCase]:
    """Yield cases of a norm that lies between the threshold and its square, or just below the threshold."""
    clauses = ("SGD-1", "SGD-2", CLIPS[clip][0])
    # In float16 no smaller, so that squares are normal numbers in its own arithmetic too.
    size = 0.015 if dtype == "float16" else 0.001
    tiny = gradients_of(f"sgd-tiny-{clip}", [[3], [2, 2]], dtype, deviation=size)
    attributes = {"learning_rate": RATE, clip: size}
    yield _case(f"{clip}-tiny", dtype, "core", clauses, faults, tiny, attributes, deviation=size)
    # Norms of 1.755 and 1.857, together 2.555.
    slightly = [stored([1.2, -1.0, 0.8], dtype), stored([[1.0, -0.8], [0.9, 1.0]], dtype)]
    threshold = 1.5 if clip == "clipnorm" else 2.0
    attributes = {"learning_rate": RATE, clip: threshold}
    yield _case(f"{clip}-slightly", dtype, "core", clauses, faults, slightly, attributes, deviation=0.125)
    attributes = {"learning_rate": RATE, clip: 1.9 if clip == "clipnorm" else 2.7}
    hunts = ("wrong-threshold", "scale-not-limited")
    yield _case(f"{clip}-just-below", dtype, "core", clauses, hunts, slightly, attributes, deviation=0.125)


def _clipping_edges(dtype: str, clip: str) -> Iterator[VectorCase]:
    two = gradients_of("sgd-edge-g", [[3], [2, 2]], dtype)
    bad = [stored([math.nan, 1.0, -0.25], dtype), two[1]]
    rows = [sparse(f"sgd-{clip}-sparse", dtype, repeated=False), two[0]]
    limits = ("infinite-threshold",) if clip == "clipvalue" else ("infinite-threshold", "infinite-threshold-to-nan")
    formula, nan = CLIPS[clip]
    edges = [
        ("threshold-0", two, 0.0, ("SGD-2",), ("threshold-zero-is-off",)),
        ("infinite-threshold", two, math.inf, ("SGD-2",), limits),
        ("nan", bad, 1.0, ("SGD-2", "SGD-5", nan), ("nan-swallowed",)),
        ("negative", two, -1.0, ("SGD-2",), ("negative-threshold",)),
        ("sparse", rows, 0.5, ("SGD-2", "SGD-4"), ("sparse-refused", "sparse-misplaced")),
    ]
    if clip != "clipvalue":
        family = formula.rpartition("-")[0]
        zero = [stored([0.0] * 3, dtype), stored([[0.0] * 2] * 2, dtype)]
        infinite = [stored([1.0, math.inf, 2.0], dtype), two[1]]
        unbounded = ("infinite-norm-to-nan", "infinity-mishandled")
        edges += [
            ("infinity", infinite, 1.0, ("SGD-2", "SGD-5", f"{family}-7"), unbounded),
            ("zero-gradient", zero, 1.0, ("SGD-2", f"{family}-3"), ("zero-by-zero",)),
            ("threshold-0-zero-gradient", zero, 0.0, ("SGD-2", f"{family}-3", f"{family}-9"), ("zero-by-zero-norm",)),
        ]
    for name, grads, threshold, clauses, hunts in edges:
        attributes = {"learning_rate": RATE, clip: threshold}
        unjudged = name == "negative"
        yield _case(f"{clip}-{name}", dtype, "edge", clauses, hunts, grads, attributes, unjudged=unjudged)


def cases() -> Iterator[VectorCase]:
    """Yield the cases of the SGD step, including those of its defaults."""
    for dtype in DTYPES:
        yield from _plain(dtype)
        for clip in CLIPS:
            yield from _clipping(dtype, clip)
    for dtype in ("float32", "float64"):
        grads = gradients_of("sgd-defaults", [[3], [2, 2]], dtype)
        yield _case(
            "defaults",
            dtype,
            "defaults",
            ("SGD-7",),
            ("default-learning-rate-0.001", "other-default"),
            grads,
            {},
            assumed=SPECIFIED["sgd_step"],
        )
