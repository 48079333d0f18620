"""The defaults that the clauses prescribe (ELU-10, BN-TRAIN-17, BN-EVAL-12, SGD-7, INIT-14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPECIFIED: Mapping[str, Mapping[str, Any]] = {
    "elu": {"alpha": 1.0},
    "batch_norm_train": {"epsilon": 1e-3, "momentum": 0.99},
    "batch_norm_eval": {"epsilon": 1e-3},
    "sgd_step": {"learning_rate": 0.01},
    "he_normal": {"groups": 1, "mode": "fan_in"},
    "he_uniform": {"groups": 1, "mode": "fan_in"},
}
