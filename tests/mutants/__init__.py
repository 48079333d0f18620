"""The mutation gate: copies of the control with one realistic fault each; the vectors must catch every one."""

from __future__ import annotations

from . import (
    batch_norm_eval,
    batch_norm_gradient,
    batch_norm_output,
    batch_norm_running,
    clip_by_value,
    elu,
    fans,
    laws,
    norms,
    relu,
    scales,
    sgd,
)
from .mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *relu.MUTANTS,
    *elu.MUTANTS,
    *batch_norm_output.MUTANTS,
    *batch_norm_running.MUTANTS,
    *batch_norm_gradient.MUTANTS,
    *batch_norm_eval.MUTANTS,
    *clip_by_value.MUTANTS,
    *norms.MUTANTS,
    *scales.MUTANTS,
    *sgd.MUTANTS,
    *fans.MUTANTS,
    *laws.MUTANTS,
)
