"""JAX with flax and optax: the public APIs that people build these operations from.

Arrays stay in JAX's 32-bit world, as users have it by default; 64-bit mode is on for the call only where
an input or the asked dtype is float64. In ``eager`` mode nothing is compiled together but what the libraries
compile themselves; in ``jit`` mode forward, gradient and update of the statistics are one compiled function.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
from typing import Any

# The vectors are about numerics on the CPU; set JAX_PLATFORMS to run them on an accelerator.
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import flax.linen
import flax.nnx
import jax
import jax.experimental
import numpy as np
import optax

from nnconform.adapters import Adapter, SparseGradient, Unsupported
from nnconform.adapters.initialization import jax as initialization
from nnconform.adapters.initialization import shared_jax


def setup(threads):
    """Fix the size of XLA's thread pools, which are made with the first array, not at import."""
    os.environ["NPROC"] = str(threads)


# Public in newer versions; before, among the experiments.
enable_x64 = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64

adapter = Adapter("jax", requires=("jax", "flax", "optax"), modes=("eager", "jit"), compiles_shapes=True, setup=setup)


def moved(value):
    """Return an array as JAX's; attributes stay Python numbers, which take an array's own precision."""
    # device_put only moves the bytes, where jnp.asarray would compile an identity for each new shape.
    return jax.device_put(value) if isinstance(value, np.ndarray) else value


def implements(operation, name, **options):
    """Register a function that takes and returns JAX arrays; otherwise as ``Adapter.implements``."""

    def register(function):
        @functools.wraps(function)
        def call(**inputs):
            if any(isinstance(g, SparseGradient) for g in inputs.get("gradients", ())):
                raise Unsupported("JAX has no sparse gradients: jax.grad and optax know dense arrays only")
            dtypes = {str(getattr(leaf, "dtype", leaf)) for leaf in jax.tree.leaves(inputs)}
            with enable_x64(True) if "float64" in dtypes else contextlib.nullcontext():
                arrays = jax.tree.map(moved, inputs)
                return jax.tree.map(np.asarray, function(**arrays))

        adapter.implements(operation, name, **options)(call)
        return function

    return register


compiled: dict[Any, Any] = {}


def run(function, /, *arrays, **constants):
    """Call ``function`` unchanged, or compiled as a whole with ``constants`` built in."""
    function_of_arrays = functools.partial(function, **constants)
    if adapter.mode == "eager":
        return function_of_arrays(*arrays)
    # By repr, since 0.0 == -0.0 and nan != nan. JAX itself distinguishes shapes, dtypes and 64-bit mode.
    return compiled.setdefault((function, repr(constants)), jax.jit(function_of_arrays))(*arrays)


# Activations


def with_gradient(x, dy, *, of, **constants):
    """Return ``of(x)`` and the gradient of sum(of(x) * dy)."""
    y, vjp = jax.vjp(functools.partial(of, **constants), x)
    return {"y": y, "dx": vjp(dy)[0]}


@implements("relu", "jax.nn.relu", defaults=True)
@implements("relu", "jax.nn.relu")
def relu(x, dy):
    """Return the rectifier and its gradient."""
    return run(with_gradient, x, dy, of=jax.nn.relu)


@implements("elu", "jax.nn.elu", defaults=True)
@implements("elu", "jax.nn.elu")
def elu(x, dy, **alpha):
    """Return the exponential linear unit and its gradient."""
    return run(with_gradient, x, dy, of=jax.nn.elu, **alpha)


# Batch normalization


def settings(x, mean, gamma, defaults):
    """Return a flax layer's arguments for such arrays, besides its hyperparameters."""
    affine = {} if gamma is not None else {"use_scale": False, "use_bias": False}
    if defaults:
        return affine
    # dtype=None would promote a half-precision x with float32 parameters to a float32 result. Mixed precision
    # in flax is said so: the dtype of the data to compute in, param_dtype for the parameters.
    return affine | {"dtype": x.dtype, "param_dtype": (mean if gamma is None else gamma).dtype}


def outputs(y, dx, variables):
    """Return a flax layer's results under the operation's names."""
    names = {"mean": "running_mean", "var": "running_variance", "scale": "dgamma", "bias": "dbeta"}
    return {"y": y, "dx": dx} | {names[k]: v for k, v in variables.items()}


def linen(x, dy, mean, variance, gamma, beta, *, training, defaults, **options):
    """Call a linen layer once, with the given variables."""
    options |= settings(x, mean, gamma, defaults)
    layer = flax.linen.BatchNorm(use_running_average=not training, **options)
    params = {} if gamma is None else {"scale": gamma, "bias": beta}
    statistics = {"mean": mean, "var": variance}

    def forward(x, params):
        # Mutable in evaluation too: that the statistics come back untouched is the layer's doing.
        return layer.apply({"params": params, "batch_stats": statistics}, x, mutable=["batch_stats"])

    y, vjp, updated = jax.vjp(forward, x, params, has_aux=True)
    dx, gradients = vjp(dy.astype(y.dtype))
    return outputs(y, dx, updated["batch_stats"] | gradients)


# Variables of its own, which newer versions make when asked to, and older ones always.
MERGE = {"copy": True} if "copy" in inspect.signature(flax.nnx.merge).parameters else {}


def nnx(x, dy, mean, variance, gamma, beta, *, training, defaults, kind=flax.nnx.BatchNorm, **options):
    """Call an nnx layer once, with the given variables."""
    options |= settings(x, mean, gamma, defaults) | {"rngs": flax.nnx.Rngs(0)}
    layer = kind(mean.shape[0], use_running_average=not training, **options)
    given = {"mean": mean, "var": variance}
    flax.nnx.update(layer, given if gamma is None else given | {"scale": gamma, "bias": beta})
    graph, params, statistics = flax.nnx.split(layer, flax.nnx.Param, flax.nnx.BatchStat)

    def forward(x, params):
        layer = flax.nnx.merge(graph, params, statistics, **MERGE)
        y = layer(x)
        return y, flax.nnx.state(layer, flax.nnx.BatchStat)

    y, vjp, updated = jax.vjp(forward, x, params, has_aux=True)
    dx, gradients = vjp(dy.astype(y.dtype))
    return outputs(y, dx, flax.nnx.to_pure_dict(updated) | flax.nnx.to_pure_dict(gradients))


def standardize(x, dy, mean, variance, gamma, beta, *, axis, training, defaults, momentum=None, **options):
    """Standardize over all axes but one, then scale and shift; no running statistics."""
    axes = tuple(a for a in range(x.ndim) if a != axis % x.ndim)
    wide = tuple(1 if a in axes else x.shape[a] for a in range(x.ndim))

    def forward(x, params):
        y = jax.nn.standardize(x, axes, **options)
        if params:
            # float32 parameters promote a half-precision y: back to x's dtype, as flax's layers do.
            y = (y * params["dgamma"].reshape(wide) + params["dbeta"].reshape(wide)).astype(x.dtype)
        return y

    y, vjp = jax.vjp(forward, x, {} if gamma is None else {"dgamma": gamma, "dbeta": beta})
    dx, gradients = vjp(dy)
    return {"y": y, "dx": dx} | gradients


def register_batch_norm(operation, name, layer, *, omits=(), defaults=False, **fixed):
    """Register one API for training or evaluation."""

    @implements(operation, name, omits=omits, defaults=defaults)
    def batch_norm(x, dy, running_mean, running_variance, gamma=None, beta=None, *, channel_axis, **hyperparameters):
        """Return the outputs of one call."""
        constants = {"axis": channel_axis, "training": operation == "batch_norm_train", "defaults": defaults}
        arrays = x, dy, running_mean, running_variance, gamma, beta
        return run(layer, *arrays, **constants, **hyperparameters, **fixed)


BATCH = "batch_mean", "batch_variance"
for operation, omits in (("batch_norm_train", BATCH), ("batch_norm_eval", ())):
    for name, layer in (("flax.linen.BatchNorm", linen), ("flax.nnx.BatchNorm", nnx)):
        register_batch_norm(operation, name, layer, omits=omits)
        register_batch_norm(operation, name, layer, omits=omits, defaults=True)
        variant = f"{name}(use_fast_variance=False)"
        register_batch_norm(operation, variant, layer, omits=omits, use_fast_variance=False)

by_hand = functools.partial(
    register_batch_norm,
    "batch_norm_train",
    layer=standardize,
    omits=(*BATCH, "running_mean", "running_variance"),
)
by_hand("jax.nn.standardize")
by_hand("jax.nn.standardize", defaults=True)


# Initialization

initialization.register(implements)
shared_jax.register(implements)


# Clipping and gradient descent


def each_variable(limit):
    """Return optax's clipping by norm for one variable at a time; optax has the global one only."""
    clip = optax.clip_by_global_norm(limit)
    return optax.stateless(lambda updates, _: jax.tree.map(lambda u: clip.update(u, clip.init(u))[0], updates))


def transformed(gradients, *, clip, limit):
    """Return the gradients after one update of a gradient transformation."""
    transformation = clip(limit)
    return {"gradients": transformation.update(gradients, transformation.init(gradients))[0]}


@implements("clip_by_value", "optax.clip")
def clip_by_value(gradients, *, clipvalue):
    """Return the gradients clipped element by element."""
    return run(transformed, gradients, clip=optax.clip, limit=clipvalue)


# Porting Keras's clipnorm to the one clipping by norm that optax has is common, and another thing.
@implements("clip_by_norm", "optax.clip_by_global_norm")
@implements("clip_by_global_norm", "optax.clip_by_global_norm", omits=("global_norm",))
def clip_by_global_norm(gradients, *, clipnorm):
    """Return the gradients scaled together."""
    return run(transformed, gradients, clip=optax.clip_by_global_norm, limit=clipnorm)


@implements("clip_by_norm", "optax.clip_by_global_norm (each variable)")
def clip_by_norm(gradients, *, clipnorm):
    """Return the gradients scaled one by one."""
    return run(transformed, gradients, clip=each_variable, limit=clipnorm)


def step(weights, gradients, *, learning_rate, clip=None, limit=None):
    """Return the weights after one update of the optimizer."""
    optimizer = optax.sgd(learning_rate)
    if clip is not None:
        optimizer = optax.chain(clip(limit), optimizer)
    updates, _ = optimizer.update(gradients, optimizer.init(weights), weights)
    return {"weights": optax.apply_updates(weights, updates)}


@implements("sgd_step", "optax.sgd")
def sgd_step(weights, gradients, *, learning_rate, **clips):
    """Return the weights after one step of gradient descent."""
    if any(limit is not None for limit in clips.values()):
        raise Unsupported("optax.sgd clips nothing; chain optax.clip or optax.clip_by_global_norm before it")
    return run(step, weights, gradients, learning_rate=learning_rate)


def register_recipe(name, clip, *attributes):
    """Register gradient descent after a clipping for any of these attributes."""

    def limit(given):
        return next((given[a] for a in attributes if given.get(a) is not None), None)

    @implements("sgd_step", f"{name} + optax.sgd", applies=lambda **given: limit(given) is not None)
    def clipped_sgd_step(weights, gradients, *, learning_rate, **clips):
        """Return the weights after one step with the gradients clipped first."""
        return run(step, weights, gradients, learning_rate=learning_rate, clip=clip, limit=limit(clips))


register_recipe("optax.clip", optax.clip, "clipvalue")
register_recipe("optax.clip_by_global_norm (each variable)", each_variable, "clipnorm")
register_recipe("optax.clip_by_global_norm", optax.clip_by_global_norm, "clipnorm", "global_clipnorm")
