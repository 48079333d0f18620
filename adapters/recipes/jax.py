"""Recipes for JAX, flax and optax: the behaviour of PyTorch, Keras and TensorFlow."""

from __future__ import annotations

import flax.nnx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from nnconform.adapters.initialization.jax import flax_kernel
from nnconform.adapters.jax import (
    BATCH,
    adapter,
    implements,
    nnx,
    register_batch_norm,
    register_recipe,
    sgd_step,
    transformed,
    with_gradient,
)

__all__ = ["adapter"]
EAGER = ("eager",)


# Activations


def elu(x, alpha=1.0):
    """Return ELU with a gradient that keeps its digits far below 0.

    alpha is a number: it has no gradient.
    """

    @jax.custom_jvp
    def value(x):
        return jnp.where(x > 0, x, alpha * jnp.expm1(jnp.minimum(x, 0)))

    def derivative(dx, y, x):
        return jnp.where(x > 0, dx, dx * alpha * jnp.exp(jnp.minimum(x, 0)))

    value.defjvps(derivative)
    return value(x)


@implements("elu", "recipe elu", modes=EAGER)
def elu_with_gradient(x, dy, *, alpha):
    """Return ELU and its gradient."""
    return with_gradient(x, dy, of=elu, alpha=alpha)


# Batch normalization


class UnbiasedBatchNorm(flax.nnx.BatchNorm):
    """BatchNorm whose running variance takes var * n / (n - 1)."""

    def __call__(self, x, use_running_average=None, **kwargs):
        """Normalize; in training move the running statistics too."""
        if use_running_average is None:
            use_running_average = self.use_running_average
        if use_running_average:
            return super().__call__(x, True, **kwargs)
        before = self.var[...]
        self.var[...] = jnp.zeros_like(before)
        y = super().__call__(x, False, **kwargs)
        n = x.size // x.shape[self.axis]
        factor = n / max(n - 1, 1)
        self.var[...] = self.momentum * before + self.var[...] * factor
        return y


register_batch_norm(
    "batch_norm_train", "recipe UnbiasedBatchNorm", nnx, omits=BATCH, kind=UnbiasedBatchNorm, use_fast_variance=False
)


# Initialization


def register_initializer(operation, name, initializer, *, defaults=False):
    """Register an initializer of flax's kernels."""

    def applies(*, mode="fan_in", **kernel):
        return mode == "fan_in" and flax_kernel(**kernel)

    @implements(operation, name, modes=EAGER, applies=applies, defaults=defaults)
    def sample(*, shape, dtype, seed, **_):
        """Return a kernel from the initializer."""
        return {"sample": initializer(jax.random.key(seed), tuple(shape), dtype)}


scaling = jax.nn.initializers.variance_scaling
untruncated = "jax.nn.initializers.variance_scaling(2.0, 'fan_in', 'normal')"
register_initializer("he_normal", untruncated, scaling(2.0, "fan_in", "normal"))
for name, initializer in (
    ("jax.nn.initializers.variance_scaling(1 / 3, 'fan_in', 'uniform')", scaling(1 / 3, "fan_in", "uniform")),
    ("jax.nn.initializers.glorot_uniform()", jax.nn.initializers.glorot_uniform()),
):
    register_initializer("he_uniform", name, initializer, defaults=True)


# Clipping and gradient descent


def clip_by_global_norm_like_torch(max_norm):
    """Return a transformation that clips as torch's clip_grad_norm_ does."""

    def scaled(updates, _):
        norm = optax.global_norm(updates)
        scale = jnp.minimum(1.0, max_norm / (norm + 1e-6))
        return jax.tree.map(lambda g: (g * scale).astype(g.dtype), updates)

    return optax.stateless(scaled)


def clip_each_by_norm(max_norm):
    """Return a transformation that clips as Keras's clipnorm does."""

    def scaled(g):
        norm = jnp.linalg.norm(g.ravel())
        return g * jnp.where(norm <= max_norm, 1.0, max_norm / norm)

    return optax.stateless(lambda updates, _: jax.tree.map(scaled, updates))


@implements("clip_by_global_norm", "recipe clip_by_global_norm_like_torch", modes=EAGER, omits=("global_norm",))
def clip_globally(gradients, *, clipnorm):
    """Return the gradients scaled together."""
    return transformed(gradients, clip=clip_by_global_norm_like_torch, limit=clipnorm)


@implements("clip_by_norm", "recipe clip_each_by_norm", modes=EAGER)
def clip_each(gradients, *, clipnorm):
    """Return the gradients scaled one by one."""
    return transformed(gradients, clip=clip_each_by_norm, limit=clipnorm)


register_recipe("recipe clip_by_global_norm_like_torch", clip_by_global_norm_like_torch, "global_clipnorm")
register_recipe("recipe clip_each_by_norm", clip_each_by_norm, "clipnorm")


@implements("sgd_step", "optax.sgd(float(np.float32(learning_rate)))", modes=EAGER)
def rounded_sgd(weights, gradients, *, learning_rate, **clips):
    """Take a step with the learning rate that Keras keeps for float64 weights."""
    return sgd_step(weights, gradients, learning_rate=float(np.float32(learning_rate)), **clips)
