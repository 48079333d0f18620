"""Implementations of two packages, as the adapter of JAX has them: those of one scale, or break their contract."""

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("jax", requires=("numpy",))

adapter.implements("clip_by_value", "flax.honest")(honest)


@adapter.implements("clip_by_value", "optax.liar")
def clip_by_value(gradients, *, clipvalue):
    if len(gradients) == 1:
        return None
    outputs = honest(gradients, clipvalue=clipvalue)["gradients"]
    return {"gradients": [None if g is None else 2 * g for g in outputs]}
