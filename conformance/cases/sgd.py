"""Cases of sgd_step: plain, and with each way of clipping configured on the optimizer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from nnconform.conformance.tensors import stored

from . import DTYPES, VectorCase
from .clipping import REJECTS_SPARSE, STRUCTURES, gradients_of, sparse

# Beside a clip the rate is a number of every dtype, so that only the clip is asked: Keras keeps it in float32.
RATE = 0.125
REJECTS_ABSENT = {"rejects-absent-gradient": "unsupported operand type.*NoneType"}
# The attribute of each way to clip, and the clauses of its formula and of a NaN.
CLIPS = {
    "clipvalue": ("CLIP-VALUE-1", "CLIP-VALUE-2"),
    "clipnorm": ("CLIP-NORM-1", "CLIP-NORM-6"),
    "global_clipnorm": ("CLIP-GLOBAL-1", "CLIP-GLOBAL-6"),
}


def _plain(dtype: str) -> Iterator[VectorCase]:
    for name, shapes in STRUCTURES.items():
        grads = gradients_of(f"sgd-{name}-g", shapes, dtype)
        absent = None in shapes
        for rate in (0.1, 0.01, 1.0):
            yield _case(
                f"{name}-rate-{rate:g}",
                dtype,
                "core",
                ("SGD-1", "SGD-8", *(("SGD-3",) if absent else ())),
                ("absent-gradient",) if absent else ("wrong-sign", "float32-learning-rate"),
                grads,
                {"learning_rate": rate},
                compiled=rate == 0.1,
            )
    bad = [stored([math.nan, 1.0, math.inf, -math.inf, -0.25], dtype)]
    yield _case("nan-and-infinities", dtype, "edge", ("SGD-5",), ("nan-swallowed",), bad, {"learning_rate": 0.1})
    one = gradients_of("sgd-one-variable-g", [[5]], dtype)
    yield _case("rate-0", dtype, "edge", ("SGD-1",), ("rate-by-truthiness",), one, {"learning_rate": 0.0})
    for repeated in (False, True):
        name = "sparse-repeated" if repeated else "sparse"
        rows = [sparse(f"sgd-{name}", dtype, repeated=repeated), one[0]]
        hunts = ("sparse-not-summed",) if repeated else ("sparse-refused",)
        yield _case(name, dtype, "edge", ("SGD-4",), hunts, rows, {"learning_rate": 0.1})


def _case(
    name: str,
    dtype: str,
    profile: str,
    clauses: tuple[str, ...],
    hunts: tuple[str, ...],
    gradients: list[Any],
    attributes: dict[str, float],
    **more: Any,
) -> VectorCase:
    shapes = [[5] if g is None else g.dense_shape if hasattr(g, "dense_shape") else g.shape for g in gradients]
    weights = gradients_of(f"sgd-weights-{len(shapes)}", shapes, dtype)
    free = {f"weights[{i}]": ("sign-of-zero",) for i in range(len(shapes))}
    more.setdefault("latitude", free)
    if any(hasattr(g, "dense_shape") for g in gradients):
        more["raises"] = REJECTS_SPARSE
    elif any(g is None for g in gradients):
        more["raises"] = REJECTS_ABSENT
    inputs = {"weights": weights, "gradients": gradients}
    return VectorCase("sgd_step", name, dtype, profile, clauses, hunts, attributes, inputs, **more)


def _clipping(dtype: str, clip: str) -> Iterator[VectorCase]:
    formula, nan = CLIPS[clip]
    hunt = "global-norm" if clip == "clipnorm" else "clip-after-step"
    for name, shapes in STRUCTURES.items():
        grads = gradients_of(f"sgd-{clip}-{name}", shapes, dtype)
        hunts = (hunt,) if len(shapes) > 1 else ("clip-ignored",)
        for threshold in (0.5, 1.0, 50.0):
            yield _case(
                f"{clip}-{threshold:g}-{name}",
                dtype,
                "core",
                ("SGD-1", "SGD-2", formula),
                hunts if threshold < 50 else ("scale-not-limited",),
                grads,
                {"learning_rate": RATE, clip: threshold},
                compiled=threshold == 1.0,
            )
    two = gradients_of("sgd-edge-g", [[3], [2, 2]], dtype)
    edges = {
        "threshold-0": (two, 0.0, "threshold-zero-is-off"),
        "infinite-threshold": (two, math.inf, "infinite-threshold"),
    }
    for name, (grads, threshold, fault) in edges.items():
        yield _case(
            f"{clip}-{name}",
            dtype,
            "edge",
            ("SGD-2",),
            (fault,),
            grads,
            {"learning_rate": RATE, clip: threshold},
        )
    bad = [stored([math.nan, 1.0, -0.25], dtype), two[1]]
    yield _case(
        f"{clip}-nan",
        dtype,
        "edge",
        ("SGD-2", "SGD-5", nan),
        ("nan-swallowed",),
        bad,
        {"learning_rate": RATE, clip: 1.0},
    )
    yield _case(
        f"{clip}-negative",
        dtype,
        "edge",
        ("SGD-2",),
        ("negative-threshold",),
        two,
        {"learning_rate": RATE, clip: -1.0},
        unjudged=True,
    )
    rows = [sparse(f"sgd-{clip}-sparse", dtype, repeated=False), two[0]]
    yield _case(
        f"{clip}-sparse",
        dtype,
        "edge",
        ("SGD-2", "SGD-4"),
        ("sparse-refused",),
        rows,
        {"learning_rate": RATE, clip: 0.5},
    )


def cases() -> Iterator[VectorCase]:
    """Yield the cases of the SGD step, and of an optimizer that was given nothing."""
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
            ("default-learning-rate-0.001",),
            grads,
            {},
            assumed={"learning_rate": 0.01},
        )
