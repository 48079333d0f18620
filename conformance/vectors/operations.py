"""The operations and their outputs. Imports no NumPy: readers of reports need no numbers."""

from __future__ import annotations

from collections.abc import Mapping

# The standard draws that a sample was made of, from an implementation that can return them. No vector expects them; the
# scale of the sample is computed from them (INIT-8).
DRAWS = "draws"
# The outputs of each operation; an API that does not show one declares it.
OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "relu": ("y", "dx"),
    "elu": ("y", "dx"),
    "batch_norm_train": (
        "y",
        "batch_mean",
        "batch_variance",
        "running_mean",
        "running_variance",
        "dx",
        "dgamma",
        "dbeta",
    ),
    "batch_norm_eval": ("y", "running_mean", "running_variance", "dx", "dgamma", "dbeta"),
    "he_normal": ("sample", DRAWS),
    "he_uniform": ("sample", DRAWS),
    "clip_by_value": ("gradients",),
    "clip_by_norm": ("gradients",),
    "clip_by_global_norm": ("gradients", "global_norm"),
    "sgd_step": ("weights",),
}
# The operations whose outputs are random samples.
RANDOM = frozenset({"he_normal", "he_uniform"})
# Outputs that no vector expects.
OPTIONAL = frozenset({DRAWS})
