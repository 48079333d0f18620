"""The control with one dialect each, and with every combination: the whole suite must diagnose it as that."""

from __future__ import annotations

import functools
import operator

from mutants.gate import DTYPES
from mutants.mutant import HALVES

from nnconform.reference import laws
from nnconform.reference.dialects import COMBINATIONS

from . import activations, batch_norm, clipping, initialization
from .control import Control

SINGLE: tuple[Control, ...] = (
    *activations.CONTROLS,
    *batch_norm.CONTROLS,
    *clipping.CONTROLS,
    *initialization.CONTROLS,
)
_BY_NAME = {control.dialect: control for control in SINGLE}

# Combinations that get the name of one part, since its bound has room for the changes of the other.
_HIDDEN = {
    "unbiased-running-variance+single-pass-variance": dict.fromkeys(
        HALVES, "the running variance is in float32, and no mean is so large that it loses digits"
    ),
    "default-epsilon-1e-5+single-pass-variance": dict.fromkeys(
        DTYPES, "what a layer does by default is asked of small means"
    ),
    "single-pass-variance+sequential-accumulation": dict.fromkeys(
        DTYPES, "the mean of the long sum is so small that one pass loses fewer digits than its order"
    ),
    "gradient-from-output+half-precision-arithmetic": dict.fromkeys(
        HALVES, "gradient-from-output allows for an output that was stored in half precision"
    ),
    "clip-denominator-epsilon+sequential-accumulation": {
        "float32": "the norm of ten million numbers rounds by more than the epsilon changes it"
    },
    "statistics-in-float32+single-pass-variance": dict.fromkeys(
        HALVES, "no mean is so large that the variance in float32 loses digits"
    ),
    "sparse-rows-apart+half-precision-arithmetic": {
        "clip_by_norm/bfloat16": "sparse-rows-apart allows for a sum of rows that rounds as much"
    },
    "nan-gradient-passes+gradient-from-output+half-precision-arithmetic": dict.fromkeys(
        HALVES, "gradient-from-output allows for an output that was stored in half precision"
    ),
}


def _combined(parts: tuple[str, ...]) -> Control:
    control = functools.reduce(operator.add, (_BY_NAME[part] for part in parts))
    return Control(control.dialect, control.changes, {**control.unseen, **_HIDDEN.get(control.dialect, {})})


CONTROLS: tuple[Control, ...] = (*SINGLE, *map(_combined, (*COMBINATIONS, *laws.COMBINATIONS)))
