"""The NumPy reference: every formula of the spec once, on float64 arrays or on exact Decimal arrays.

Pass float64 arrays for quick answers in ordinary precision, or object arrays of ``decimal.Decimal`` (made by
``exact.exact`` under ``exact.precision``) for answers to any number of digits. Imports NumPy only.
"""

from .activations import elu, elu_vjp, relu, relu_vjp
from .batch_norm import (
    batch_norm_eval,
    batch_norm_eval_vjp,
    batch_norm_train,
    batch_norm_train_vjp,
)
from .clipping import (
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    global_norm,
    sgd_step,
)
from .initialization import fan, he_bound, he_normal_law, he_stddev, he_uniform_law

__all__ = [
    "batch_norm_eval",
    "batch_norm_eval_vjp",
    "batch_norm_train",
    "batch_norm_train_vjp",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "elu",
    "elu_vjp",
    "fan",
    "global_norm",
    "he_bound",
    "he_normal_law",
    "he_stddev",
    "he_uniform_law",
    "relu",
    "relu_vjp",
    "sgd_step",
]
