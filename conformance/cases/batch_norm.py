"""Cases of batch_norm_train: ranks, layouts, conditions, edges, mixed and pure precision."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nnconform.conformance.vectors.tensors import stored
from nnconform.reference.defaults import SPECIFIED

from .vector_case import DTYPES, FULL, HALF, PARAMETERS, VectorCase, tensor

# name: (shape, channel axis)
LAYOUTS: Mapping[str, tuple[list[int], int]] = {
    "rank-2": ([8, 3], -1),
    "rank-3-channels-last": ([4, 5, 3], -1),
    "rank-3-channels-first": ([4, 3, 5], 1),
    "rank-4-channels-last": ([2, 4, 2, 3], -1),
    "rank-4-channels-first": ([2, 3, 4, 2], 1),
    "rank-5-channels-last": ([2, 2, 2, 2, 3], -1),
    "rank-5-channels-first": ([2, 3, 2, 2, 2], 1),
}
# In eager mode, JAX compiles every operation of a layer for each new shape and dtype, in 0.5 s, and in more for another
# number of channels: all have 3 channels, and only float32 has almost every layout.
CHOSEN = {
    "float64": ("rank-2", "rank-4-channels-last", "rank-5-channels-first"),
    "float32": tuple(name for name in LAYOUTS if name != "rank-5-channels-first"),
    "float16": ("rank-2", "rank-4-channels-last", "rank-4-channels-first"),
    "bfloat16": ("rank-2", "rank-4-channels-last", "rank-4-channels-first"),
}
DEFAULTS = ("rank-2", "rank-4-channels-first", "rank-4-channels-last")
COMPILED = {
    "float64": ("rank-2",),
    "float32": ("rank-2", "rank-4-channels-last", "rank-4-channels-first"),
    "float16": ("rank-2",),
    "bfloat16": ("rank-2",),
}
ZEROS = ("y", "dx", "dgamma", "dbeta", "batch_mean", "batch_variance", "running_mean", "running_variance")
FREE = dict.fromkeys(ZEROS, ("sign-of-zero",))
TRAIN_FORMULAS = ("BN-TRAIN-1", "BN-TRAIN-2", "BN-TRAIN-3", "BN-TRAIN-4", "BN-TRAIN-5", "BN-TRAIN-6")
TRAIN_FAULTS = (
    *("wrong-axis", "wrong-count", "mean-not-differentiated", "variance-not-differentiated"),
    *("momentum-swapped", "statistics-crossed", "statistics-not-updated", "running-statistics-in-training"),
    *("unbiased-variance", "deviation-for-variance", "epsilon-in-statistics", "not-centred"),
    *("gamma-misapplied", "beta-misapplied", "gradients-swapped", "mean-for-sum", "scale-dropped-from-gradient"),
    *("upstream-ignored", "wrong-dtype", "wrong-shape", "input-changed"),
)
# Faults of the running statistics, which show most at a momentum of 0.
RUNNING_FAULTS = ("statistics-crossed", "deviation-for-variance", "epsilon-in-statistics", "not-centred", "wrong-count")
EPSILON_FAULTS = ("epsilon-outside-root", "epsilon-ignored", "epsilon-as-floor")
NOT_AFFINE_FAULTS = ("affine-assumed", "statistics-in-input-dtype")
SINGLE_ELEMENT = ("rejects-single-element",)
ZERO_EPSILON = ("rejects-zero-epsilon",)


def batch(
    key: str,
    shape: Sequence[int],
    axis: int,
    dtype: str,
    *,
    mean: float = 0.25,
    deviation: float = 0.5,
    affine: bool = True,
    parameters: str | None = None,
) -> dict[str, Any]:
    """Return the inputs of a layer: x about ``mean``, its channels of different deviations, and the rest.

    Args:
        key: the name of the random streams.
        shape: of x.
        axis: of the channels.
        dtype: of x and dy.
        mean: of x.
        deviation: of x in the first channel; the next have two and three times as much.
        affine: include gamma and beta.
        parameters: dtype of the parameters and statistics; by default that of mixed precision.
    """
    parameter_dtype = parameters or PARAMETERS[dtype]
    count = shape[axis]
    wide = [1] * len(shape)
    wide[axis] = count
    spread = deviation * (1 + np.arange(count) % 3).reshape(wide)
    x = mean + spread * tensor(f"{key}-x", shape, "float64")
    inputs: dict[str, Any] = {
        # Three digits after the deviation's point: short to read, and far from constant.
        "x": stored(np.round(x, 3 - math.floor(math.log10(deviation))), dtype),
        "dy": tensor(f"{key}-dy", shape, dtype),
        "running_mean": tensor(f"{key}-running-mean", [count], parameter_dtype, mean=mean),
        "running_variance": stored(1 + np.round(abs(tensor(f"{key}-rv", [count], "float64")), 3), parameter_dtype),
    }
    if affine:
        inputs["gamma"] = tensor(f"{key}-gamma", [count], parameter_dtype, mean=1.0, deviation=0.25)
        inputs["beta"] = tensor(f"{key}-beta", [count], parameter_dtype, deviation=0.5)
    return inputs


def small_batch(key: str, dtype: str, deviation: float) -> dict[str, Any]:
    """Return inputs whose variances, the batch's and the running ones, are about the square of ``deviation``."""
    shape, axis = LAYOUTS["rank-2"]
    running = stored([deviation**2, 4 * deviation**2, 9 * deviation**2], PARAMETERS[dtype])
    return batch(key, shape, axis, dtype, mean=0.0, deviation=deviation) | {"running_variance": running}


def _train(
    name: str,
    dtype: str,
    profile: str,
    clauses: Sequence[str],
    hunts: Sequence[str],
    inputs: Mapping[str, Any],
    axis: int = -1,
    *,
    epsilon: float = 1e-3,
    momentum: float = 0.9,
    **more: Any,
) -> VectorCase:
    attributes = {"epsilon": epsilon, "momentum": momentum, "channel_axis": axis}
    more.setdefault("latitude", FREE)
    return VectorCase(
        "batch_norm_train", name, dtype, profile, tuple(clauses), tuple(hunts), attributes, inputs, **more
    )


def _core(dtype: str) -> Iterator[VectorCase]:
    # In bfloat16 an epsilon of 1e-3 is lost in the sum with a variance of 1: use small deviations.
    deviation = 0.03 if dtype == "bfloat16" else 0.5
    yield from _layouts(dtype, deviation)
    yield from _hyperparameters(dtype, deviation)
    yield from _stacked(dtype, deviation)


def _layouts(dtype: str, deviation: float) -> Iterator[VectorCase]:
    faults = (*TRAIN_FAULTS, *(("precision-lost",) if dtype in FULL else ()))
    for name in CHOSEN[dtype]:
        shape, axis = LAYOUTS[name]
        inputs = batch(f"bn-{name}", shape, axis, dtype, deviation=deviation)
        clauses, hunts = (*TRAIN_FORMULAS, "BN-TRAIN-9"), ("unbiased-running-variance", "single-pass-variance", *faults)
        yield _train(name, dtype, "core", clauses, hunts, inputs, axis, compiled=name in COMPILED[dtype])
    shape, axis = LAYOUTS["rank-2"]
    for case, label in (("a", ""), ("b", "-again"), ("c", "-once-more")):
        inputs = batch(f"bn-affine-{case}", shape, axis, dtype, deviation=deviation, affine=False)
        yield _train(f"not-affine{label}", dtype, "core", ["BN-TRAIN-3", "BN-TRAIN-10"], NOT_AFFINE_FAULTS, inputs)
        inputs = batch(f"bn-extra-{case}", shape, axis, dtype, deviation=deviation)
        formulas = [*TRAIN_FORMULAS, "BN-TRAIN-7", "BN-TRAIN-8", "BN-TRAIN-19"]
        yield _train(f"values{label}", dtype, "core", formulas, faults, inputs, compiled=True)


def _hyperparameters(dtype: str, deviation: float) -> Iterator[VectorCase]:
    shape, axis = LAYOUTS["rank-2"]
    inputs = batch("bn-hyper", shape, axis, dtype, deviation=0.03)
    for epsilon in (1e-5, 0.1, 1.0):
        yield _train(
            f"epsilon-{epsilon:g}",
            dtype,
            "core",
            ["BN-TRAIN-3", "BN-TRAIN-6"],
            (*EPSILON_FAULTS, "single-pass-variance"),
            inputs,
            epsilon=epsilon,
        )
    # Deviations that epsilon outweighs: it shows in half precision too.
    inputs = small_batch("bn-small-deviations-2", dtype, 0.002)
    faults = (*EPSILON_FAULTS, *RUNNING_FAULTS, "reciprocal-cube-overflow")
    clauses = ["BN-TRAIN-3", "BN-TRAIN-6"]
    yield _train("epsilon-1e-05-small-deviations", dtype, "core", clauses, faults, inputs, epsilon=1e-5, momentum=0.0)
    hunts = ("momentum-swapped", "momentum-ignored")
    for momentum in (0.0, 0.5, 0.99, 1.0):
        yield _train(
            f"momentum-{momentum:g}",
            dtype,
            "core",
            ["BN-TRAIN-4", "BN-TRAIN-5"],
            hunts if momentum else (*hunts, "momentum-by-truthiness", *RUNNING_FAULTS),
            batch(f"bn-momentum-{momentum}", shape, axis, dtype, deviation=deviation),
            momentum=momentum,
        )


def _stacked(dtype: str, deviation: float) -> Iterator[VectorCase]:
    """Yield cases of several steps, and of a layer that is wholly in half precision."""
    shape, axis = LAYOUTS["rank-2"]
    for steps in (2, 3):
        several = [batch(f"bn-step-{i}", shape, axis, dtype, deviation=deviation) for i in range(steps)]
        inputs = several[0] | {k: np.stack([step[k] for step in several]) for k in ("x", "dy")}
        yield _train(
            f"{steps}-steps",
            dtype,
            "core",
            ["BN-TRAIN-11", "BN-TRAIN-4", "BN-TRAIN-5"],
            ["momentum-swapped", "unbiased-running-variance"],
            inputs,
            steps=steps,
        )
    if dtype in HALF:
        for label, mean in {"": 0.25, "-again": -0.25}.items():
            inputs = batch(f"bn-half{label}", shape, axis, dtype, mean=mean, deviation=deviation, parameters=dtype)
            yield _train(
                f"wholly-half{label}",
                dtype,
                "core",
                [*TRAIN_FORMULAS, "BN-TRAIN-16"],
                ["half-precision-arithmetic", "statistics-in-float32", "wrong-dtype"],
                inputs,
            )


def _range(dtype: str) -> Iterator[VectorCase]:
    shape, axis = LAYOUTS["rank-2"]
    ratios = {"float64": (1e3, 1e5, 1e7), "float32": (1e1, 1e2, 1e3), "float16": (8.0,), "bfloat16": (8.0,)}
    for ratio in ratios[dtype]:
        inputs = batch(f"bn-ratio-{ratio}", shape, axis, dtype, mean=ratio)
        hunts = ["single-pass-variance"] if dtype not in HALF else ["wrong-axis", "single-pass-variance"]
        yield _train(
            f"mean-{ratio:g}-deviations",
            dtype,
            "range",
            ["BN-TRAIN-2", "BN-TRAIN-3", "BN-TRAIN-18"],
            hunts,
            inputs,
            compiled=True,
        )
    scales = {"float64": (1e100, 1e-100), "float32": (1e12, 1e-12), "float16": (), "bfloat16": (1e12, 1e-12)}
    for scale in scales[dtype]:
        inputs = batch(f"bn-scale-{scale}", shape, axis, dtype, mean=0.25 * scale, deviation=0.5 * scale)
        inputs["running_mean"] = stored(np.zeros(3), PARAMETERS[dtype])
        yield _train(f"scale-{scale:g}", dtype, "range", ["BN-TRAIN-2", "BN-TRAIN-3"], ["range-lost"], inputs)


def _edge(dtype: str) -> Iterator[VectorCase]:
    shape, axis = LAYOUTS["rank-2"]
    inputs = batch("bn-constant", shape, axis, dtype)
    x = np.array(inputs["x"])
    x[:, 0], x[:, 2] = stored(1.5, dtype), stored(0.0, dtype)
    yield _train(
        "constant-channels",
        dtype,
        "edge",
        ["BN-TRAIN-12"],
        ["division-by-zero", "scale-dropped-from-gradient"],
        inputs | {"x": x},
        compiled=True,
    )
    x[:, 1] = stored(-0.375, dtype)
    yield _train("all-channels-constant", dtype, "edge", ["BN-TRAIN-12"], ["division-by-zero"], inputs | {"x": x})
    yield _train(
        "epsilon-0",
        dtype,
        "edge",
        ["BN-TRAIN-12"],
        ["epsilon-by-truthiness"],
        batch("bn-epsilon-0", shape, axis, dtype),
        epsilon=0.0,
        raises=ZERO_EPSILON,
    )
    free = FREE | dict.fromkeys(("y", "dx", "dgamma"), ("any",))
    yield _train(
        "epsilon-0-small-deviations",
        dtype,
        "edge",
        ["BN-TRAIN-12"],
        ["epsilon-by-truthiness", "variance-not-differentiated", "reciprocal-cube-overflow"],
        small_batch("bn-epsilon-0-small", dtype, 0.02),
        epsilon=0.0,
        raises=ZERO_EPSILON,
    )
    yield _train(
        "epsilon-0-constant-channel",
        dtype,
        "edge",
        ["BN-TRAIN-12"],
        ["division-by-zero"],
        inputs | {"x": x},
        epsilon=0.0,
        latitude=free,
        raises=ZERO_EPSILON,
    )
    single = {"single-element": ([1, 3], -1), "single-element-rank-4": ([1, 3, 1, 1], 1)}
    for name, (one, channel) in single.items():
        if dtype == "float16" or (name != "single-element" and dtype != "float32"):
            continue
        yield _train(
            name,
            dtype,
            "edge",
            ["BN-TRAIN-13"],
            ["rejects-single-element", "wrong-count"],
            batch(f"bn-{name}", one, channel, dtype),
            channel,
            raises=SINGLE_ELEMENT,
        )
    for name, value in {"nan": math.nan, "infinity": math.inf}.items():
        inputs = batch(f"bn-{name}", shape, axis, dtype)
        x = np.array(inputs["x"])
        x[5, 1] = stored(value, dtype)
        yield _train(
            f"{name}-in-one-channel",
            dtype,
            "edge",
            ["BN-TRAIN-15"],
            ["nan-swallowed", "nan-spread"],
            inputs | {"x": x},
            compiled=name == "nan",
        )
    yield from _upstream(dtype)
    inputs = batch("bn-zero-gamma", shape, axis, dtype)
    gamma = np.array(inputs["gamma"])
    gamma[0], gamma[1] = 0, -gamma[1]
    yield _train(
        "zero-and-negative-gamma",
        dtype,
        "edge",
        ["BN-TRAIN-3", "BN-TRAIN-6"],
        ["gamma-by-truthiness"],
        inputs | {"gamma": gamma},
    )
    if dtype in HALF:
        return
    unknown = FREE | dict.fromkeys(("batch_mean", "batch_variance", "running_mean", "running_variance"), ("any",))
    yield _train(
        "empty",
        dtype,
        "edge",
        ["BN-TRAIN-14"],
        ["empty-refused", "nan-for-empty-batch"],
        batch("bn-empty", [0, 3], -1, dtype),
        latitude=unknown,
        raises=SINGLE_ELEMENT,
    )


def _upstream(dtype: str) -> Iterator[VectorCase]:
    """Yield cases of one element of dy that is not finite."""
    shape, axis = LAYOUTS["rank-2"]
    for name, value in {"nan": math.nan, "infinity": math.inf}.items():
        inputs = batch(f"bn-upstream-{name}", shape, axis, dtype)
        dy = np.array(inputs["dy"])
        dy[5, 1] = stored(value, dtype)
        # Formulas that agree for finite numbers turn an infinity into infinities or NaN.
        free = FREE if name == "nan" else FREE | dict.fromkeys(("dx", "dgamma"), ("any",))
        yield _train(
            f"upstream-{name}-in-one-channel",
            dtype,
            "edge",
            ["BN-TRAIN-15"],
            ["nan-swallowed", "nan-spread"] if name == "nan" else ["infinity-mishandled"],
            inputs | {"dy": dy},
            latitude=free,
        )


def _defaults(dtype: str) -> Iterator[VectorCase]:
    for name in DEFAULTS:
        case = _train(
            f"defaults-{name}",
            dtype,
            "defaults",
            ["BN-TRAIN-17"],
            ["default-epsilon-1e-5", "default-momentum-0.9", "default-momentum-0", "other-default"],
            batch(f"bn-defaults-{name}", LAYOUTS[name][0], LAYOUTS[name][1], dtype, deviation=0.05),
            LAYOUTS[name][1],
        )
        yield replace(
            case,
            attributes={"channel_axis": case.attributes["channel_axis"]},
            assumed=SPECIFIED["batch_norm_train"],
        )


def training(dtype: str) -> Iterator[VectorCase]:
    """Yield the cases of training in one dtype, those of defaults left out."""
    yield from _core(dtype)
    yield from _range(dtype)
    yield from _edge(dtype)


def cases() -> Iterator[VectorCase]:
    """Yield the cases of batch normalization in training."""
    for dtype in DTYPES:
        yield from training(dtype)
    yield from _defaults("float32")
