"""Cases of batch_norm_eval: the inputs of training, and statistics that only evaluation takes as inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from nnconform.conformance.vectors.tensors import stored
from nnconform.reference.defaults import SPECIFIED

from .batch_norm import DEFAULTS, EPSILON_FAULTS, LAYOUTS, batch, training
from .vector_case import DTYPES, PARAMETERS, VectorCase

FREE = dict.fromkeys(("y", "dx", "dgamma", "dbeta"), ("sign-of-zero",))
OF_EVALUATION = ("statistics-updated-in-evaluation", "batch-statistics-in-evaluation")
# Faults of training that evaluation can have on the same inputs.
OF_BOTH = {
    *("wrong-axis", "deviation-for-variance", "not-centred", "gamma-misapplied", "beta-misapplied"),
    *("gradients-swapped", "mean-for-sum", "scale-dropped-from-gradient", "upstream-ignored"),
    *(*EPSILON_FAULTS, "epsilon-by-truthiness", "gamma-by-truthiness", "empty-refused"),
    *("nan-swallowed", "nan-spread", "infinity-mishandled"),
    *("precision-lost", "half-precision-arithmetic", "wrong-dtype", "wrong-shape", "input-changed"),
}
EVALUATION_CLAUSES = {
    "BN-TRAIN-6": "BN-EVAL-3",
    "BN-TRAIN-7": "BN-EVAL-4",
    "BN-TRAIN-8": "BN-EVAL-5",
    "BN-TRAIN-9": "BN-EVAL-6",
    "BN-TRAIN-10": "BN-EVAL-7",
    "BN-TRAIN-12": "BN-EVAL-8",
    "BN-TRAIN-14": "BN-EVAL-10",
    "BN-TRAIN-15": "BN-EVAL-9",
    "BN-TRAIN-16": "BN-EVAL-11",
}


def _as_evaluation(case: VectorCase) -> VectorCase:
    """Turn a training case into one of evaluation on the same inputs."""
    renumbered = tuple(dict.fromkeys(EVALUATION_CLAUSES[c] for c in case.clauses if c in EVALUATION_CLAUSES))
    attributes = {k: v for k, v in case.attributes.items() if k != "momentum"}
    # BN-EVAL-9: with an infinite dy, dgamma is an infinity or NaN, depending on the formula.
    free = FREE | ({"dgamma": ("any",)} if "upstream-infinity" in case.name else {})
    return replace(
        case,
        operation="batch_norm_eval",
        clauses=("BN-EVAL-1", *(c for c in renumbered if c != "BN-EVAL-1"), "BN-EVAL-2"),
        hunts=(*OF_EVALUATION, *(h for h in case.hunts if h in OF_BOTH)),
        attributes=attributes,
        latitude=free,
        raises=(),
        unjudged=False,
    )


def _evaluation(dtype: str) -> Iterator[VectorCase]:
    for case in training(dtype):
        if not case.steps and "momentum-" not in case.name and "constant-channel" not in case.name:
            yield _as_evaluation(case)
    shape, axis = LAYOUTS["rank-2"]
    dtype_of_statistics = PARAMETERS[dtype]
    statistics = {
        "zero-variance": ("running_variance", [0.0, 1.0, 0.0]),
        "large-variance": ("running_variance", [1e4, 2e4, 3e4]),
        "infinite-variance": ("running_variance", [math.inf, 1.0, 2.0]),
        "nan-mean": ("running_mean", [0.0, math.nan, 1.0]),
    }
    for name, (which, values) in statistics.items():
        inputs = batch(f"bn-eval-{name}", shape, axis, dtype) | {which: stored(values, dtype_of_statistics)}
        yield VectorCase(
            "batch_norm_eval",
            name,
            dtype,
            "edge",
            ("BN-EVAL-1", "BN-EVAL-8" if name == "zero-variance" else "BN-EVAL-9"),
            ("statistics-not-used", *(("nan-swallowed",) if "nan" in name else ())),
            {"epsilon": 1e-3, "channel_axis": axis},
            inputs,
            latitude=FREE,
        )


def _defaults(dtype: str) -> Iterator[VectorCase]:
    for name in DEFAULTS:
        shape, axis = LAYOUTS[name]
        inputs = batch(f"bn-defaults-{name}", shape, axis, dtype, deviation=0.05)
        # A variance so small that epsilon shows.
        inputs |= {"running_variance": stored([0.01] * shape[axis], PARAMETERS[dtype])}
        yield VectorCase(
            "batch_norm_eval",
            f"defaults-{name}",
            dtype,
            "defaults",
            ("BN-EVAL-12",),
            ("default-epsilon-1e-5", "other-default"),
            {"channel_axis": axis},
            inputs,
            latitude=FREE,
            assumed=SPECIFIED["batch_norm_eval"],
        )


def cases() -> Iterator[VectorCase]:
    """Yield the cases of batch normalization in evaluation."""
    for dtype in DTYPES:
        yield from _evaluation(dtype)
    yield from _defaults("float32")
