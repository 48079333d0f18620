"""TensorFlow and Keras: activations, batch norm, initializers, clipping, SGD.

Modes: ``eager``; ``function``, the call and its gradient inside one ``tf.function``; ``xla``, likewise with
``jit_compile=True``. Keras runs on its TensorFlow backend.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from nnconform.adapters import Adapter, SparseGradient, Unsupported
from nnconform.adapters.initialization import shared_tensorflow
from nnconform.adapters.initialization import tensorflow as initialization


def setup(threads):
    """Fix both of TensorFlow's thread pools."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


adapter = Adapter("tensorflow", requires=("tensorflow", "keras"), modes=("eager", "function", "xla"), setup=setup)


def implements(operation, name, **options):
    """Return a decorator that registers a function as it is, and for the framework's defaults too."""

    def register(function):
        for defaults in (False, True):
            adapter.implements(operation, name, defaults=defaults, **options)(function)
        return function

    return register


def tensor(a):
    """Return a tensor that copies ``a``; IndexedSlices for sparse rows, None for an absent gradient."""
    if a is None:
        return None
    if isinstance(a, SparseGradient):
        return tf.IndexedSlices(tf.constant(a.values), tf.constant(a.indices), tf.constant(a.dense_shape))
    return tf.constant(a)


def array(a):
    """Return the array that a tensor or variable holds; TensorFlow adds up IndexedSlices."""
    if a is None:
        return None
    return np.asarray((tf.convert_to_tensor(a) if isinstance(a, tf.IndexedSlices) else a).numpy())


def arrays(outputs):
    """Return the outputs, tensors or lists of them, as arrays."""
    return {n: [array(a) for a in o] if isinstance(o, list) else array(o) for n, o in outputs.items()}


made: dict[Any, Any] = {}


def once(make, **settings):
    """Return ``make(**settings)``, made on the first call only."""
    # Told apart by their repr, since 0.0 == -0.0 and nan != nan.
    key = make, *((name, v if callable(v) else repr(v)) for name, v in sorted(settings.items()))
    if key not in made:
        made[key] = make(**settings)
    return made[key]


def compiled(*, mode, body, **settings):
    """Return ``body`` as a tf.function of its tensors alone."""
    # jit_compile=False would forbid XLA where None leaves it to TensorFlow.
    jit = True if mode == "xla" else None
    return tf.function(lambda *tensors: body(*tensors, **settings), autograph=False, jit_compile=jit)


def run(body, *tensors, **settings):
    """Call ``body`` in the adapter's mode."""
    if adapter.mode == "eager":
        return body(*tensors, **settings)
    return once(compiled, mode=adapter.mode, body=body, **settings)(*tensors)


# --- relu, elu ---------------------------------------------------------------------------------------------


def elementwise(x, dy, *, function, **hyper):
    """Return ``function`` of x and its gradient."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x, **hyper)
    return {"y": y, "dx": tape.gradient(y, x, dy)}


def activation(operation, name, *, function=None, layer=None, has_alpha=False):
    """Register an activation, given as a function of x or as a layer's constructor."""

    @implements(operation, name)
    def call(x, dy, **hyper):
        if not has_alpha and hyper.pop("alpha", 1.0) != 1.0:
            raise Unsupported(f"{name} has no alpha")
        if layer is None:
            return arrays(run(elementwise, tensor(x), tensor(dy), function=function, **hyper))
        # A layer casts its input to its own dtype, float32 unless the user sets another.
        built = once(layer, dtype=x.dtype.name, **hyper)
        return arrays(run(elementwise, tensor(x), tensor(dy), function=built))


activation("relu", "tf.nn.relu", function=tf.nn.relu)
activation("relu", "keras.activations.relu", function=keras.activations.relu)
activation("relu", "keras.layers.ReLU", layer=keras.layers.ReLU)
activation("relu", "keras.layers.Activation('relu')", layer=partial(keras.layers.Activation, "relu"))
activation("elu", "tf.nn.elu", function=tf.nn.elu)
activation("elu", "keras.activations.elu", function=keras.activations.elu, has_alpha=True)
activation("elu", "keras.layers.ELU", layer=keras.layers.ELU, has_alpha=True)
activation("elu", "keras.layers.Activation('elu')", layer=partial(keras.layers.Activation, "elu"))


# --- batch_norm_train, batch_norm_eval ---------------------------------------------------------------------


def normalized(x, dy, mean, variance, gamma, beta, *, normalize, **settings):
    """Return the outputs of ``normalize``, and the gradients of its y."""
    sources = {"dx": x} if gamma is None else {"dx": x, "dgamma": gamma, "dbeta": beta}
    with tf.GradientTape() as tape:
        tape.watch(list(sources.values()))
        outputs = normalize(x, mean, variance, gamma, beta, **settings)
    return outputs | tape.gradient(outputs["y"], sources, dy)


def wide(a, x, channel_axis):
    """Return the (C,) tensor shaped to broadcast against x; None stays None."""
    shape = [1] * x.shape.rank
    shape[channel_axis] = x.shape[channel_axis]
    return None if a is None else tf.reshape(a, shape)


def by_moments(x, mean, variance, gamma, beta, *, epsilon, channel_axis):
    """Return y and the batch's statistics; the running ones are left to the user."""
    axes = [axis for axis in range(x.shape.rank) if axis != channel_axis % x.shape.rank]
    mean, variance = tf.nn.moments(x, axes, keepdims=True)
    beta, gamma = wide(beta, x, channel_axis), wide(gamma, x, channel_axis)
    y = tf.nn.batch_normalization(x, mean, variance, beta, gamma, epsilon)
    return {"y": y, "batch_mean": tf.reshape(mean, [-1]), "batch_variance": tf.reshape(variance, [-1])}


def by_statistics(x, mean, variance, gamma, beta, *, epsilon, channel_axis):
    """Return y by the given statistics."""
    mean, variance, beta, gamma = (wide(a, x, channel_axis) for a in (mean, variance, beta, gamma))
    return {"y": tf.nn.batch_normalization(x, mean, variance, beta, gamma, epsilon)}


@adapter.implements(
    "batch_norm_train",
    "tf.nn.moments + tf.nn.batch_normalization",
    omits=("running_mean", "running_variance"),
)
def moments_train(x, dy, running_mean, running_variance, gamma=None, beta=None, *, momentum, **settings):
    """Run tf.nn.moments and tf.nn.batch_normalization."""
    if gamma is not None and gamma.dtype != x.dtype:
        raise Unsupported(f"tf.nn.moments gives {x.dtype} statistics, which {gamma.dtype} does not scale")
    inputs = map(tensor, (x, dy, running_mean, running_variance, gamma, beta))
    return arrays(run(normalized, *inputs, normalize=by_moments, **settings))


@adapter.implements("batch_norm_eval", "tf.nn.batch_normalization", omits=("running_mean", "running_variance"))
def batch_normalization_eval(x, dy, running_mean, running_variance, gamma=None, beta=None, **settings):
    """Run tf.nn.batch_normalization, whose statistics are the caller's."""
    inputs = map(tensor, (x, dy, running_mean, running_variance, gamma, beta))
    return arrays(run(normalized, *inputs, normalize=by_statistics, **settings))


def by_fused(x, mean, variance, gamma, beta, *, channel_axis, **settings):
    """Return y and the running statistics after the step."""
    axis, rank = channel_axis % x.shape.rank, x.shape.rank
    layout = {(4, 3): "NHWC", (4, 1): "NCHW", (5, 4): "NDHWC", (5, 1): "NCDHW"}[rank, axis]
    if gamma is None:  # the op is always affine
        gamma, beta = tf.ones(x.shape[axis]), tf.zeros(x.shape[axis])
    outputs = tf.compat.v1.nn.fused_batch_norm(x, gamma, beta, mean, variance, data_format=layout, **settings)
    return dict(zip(("y", "running_mean", "running_variance"), outputs, strict=True))


def fused(x, dy, mean, variance, gamma, beta, *, is_training, **settings):
    """Run tf.compat.v1.nn.fused_batch_norm with its arguments."""
    if x.dtype == np.float64:
        raise Unsupported("the fused batch norm has no float64")
    if mean.dtype != np.float32:
        raise Unsupported(f"the fused batch norm has float32 parameters and statistics only, no {mean.dtype}")
    if is_training and settings.get("exponential_avg_factor", 1.0) == 1.0:
        mean = variance = None  # nothing is kept of the old ones, and it wants none
    inputs = map(tensor, (x, dy, mean, variance, gamma, beta))
    return arrays(run(normalized, *inputs, normalize=by_fused, is_training=is_training, **settings))


def fused_takes(*, x, channel_axis, **_):
    """Return True if the fused batch norm has a layout for x."""
    return x.ndim in (4, 5) and channel_axis % x.ndim in (1, x.ndim - 1)


hidden = ("batch_mean", "batch_variance")


@implements("batch_norm_train", "tf.compat.v1.nn.fused_batch_norm", omits=hidden, applies=fused_takes)
def fused_train(x, dy, running_mean, running_variance, gamma=None, beta=None, **settings):
    """Run the fused batch norm in training."""
    if "momentum" in settings:
        settings["exponential_avg_factor"] = 1.0 - settings.pop("momentum")
    return fused(x, dy, running_mean, running_variance, gamma, beta, is_training=True, **settings)


@implements("batch_norm_eval", "tf.compat.v1.nn.fused_batch_norm", applies=fused_takes)
def fused_eval(x, dy, running_mean, running_variance, gamma=None, beta=None, **settings):
    """Run the fused batch norm by the given statistics."""
    return fused(x, dy, running_mean, running_variance, gamma, beta, is_training=False, **settings)


def batch_norm_layer(*, shape, affine, kind=keras.layers.BatchNormalization, **settings):
    """Return a layer of that ``kind`` built for inputs of ``shape``."""
    layer = kind(center=affine, scale=affine, **settings)
    layer.build(shape)
    return layer


def layer_step(x, dy, *, layer, training):
    """Return the layer's y, and the gradients with respect to x and to its parameters."""
    sources = {"dx": x} | ({"dgamma": layer.gamma, "dbeta": layer.beta} if layer.center else {})
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=training)
    gradients = tape.gradient(y, list(sources.values()), dy)
    return {"y": y} | dict(zip(sources, gradients, strict=True))


def batch_norm(x, dy, mean, variance, gamma, beta, *, training, channel_axis, **hyper):
    """Run keras.layers.BatchNormalization with the given parameters and statistics."""
    dtype = x.dtype.name if mean.dtype == x.dtype else f"mixed_{x.dtype.name}"
    shape = [None] * x.ndim
    shape[channel_axis] = x.shape[channel_axis]
    layer = once(batch_norm_layer, shape=shape, affine=gamma is not None, axis=channel_axis, dtype=dtype, **hyper)
    layer.set_weights([a for a in (gamma, beta, mean, variance) if a is not None])
    outputs = arrays(run(layer_step, tensor(x), tensor(dy), layer=layer, training=training))
    moving = {"running_mean": array(layer.moving_mean), "running_variance": array(layer.moving_variance)}
    return outputs | moving


@implements("batch_norm_train", "keras.layers.BatchNormalization", omits=hidden)
def keras_train(x, dy, running_mean, running_variance, gamma=None, beta=None, **hyper):
    """Run the layer in training."""
    return batch_norm(x, dy, running_mean, running_variance, gamma, beta, training=True, **hyper)


@implements("batch_norm_eval", "keras.layers.BatchNormalization")
def keras_eval(x, dy, running_mean, running_variance, gamma=None, beta=None, **hyper):
    """Run the layer in inference."""
    return batch_norm(x, dy, running_mean, running_variance, gamma, beta, training=False, **hyper)


# --- he_normal, he_uniform ---------------------------------------------------------------------------------


initialization.register(adapter, array)
shared_tensorflow.register(adapter, array)


# --- clip_by_value, clip_by_norm, clip_by_global_norm, sgd_step --------------------------------------------


def each(gradients, *, clip, limit):
    """Return every gradient clipped on its own; an absent one is the user's to skip."""
    return {"gradients": [None if g is None else clip(g, limit) for g in gradients]}


def clip_symmetric(gradient, limit):
    """Return the gradient within [-limit, limit]."""
    return tf.clip_by_value(gradient, -limit, limit)


@adapter.implements("clip_by_value", "tf.clip_by_value")
def clip_by_value(gradients, *, clipvalue):
    """Run tf.clip_by_value on every gradient."""
    return arrays(run(each, [tensor(g) for g in gradients], clip=clip_symmetric, limit=clipvalue))


@adapter.implements("clip_by_norm", "tf.clip_by_norm")
def clip_by_norm(gradients, *, clipnorm):
    """Run tf.clip_by_norm on every gradient."""
    return arrays(run(each, [tensor(g) for g in gradients], clip=tf.clip_by_norm, limit=clipnorm))


def together(gradients, *, limit):
    """Return all gradients clipped together, and their norm."""
    return dict(zip(("gradients", "global_norm"), tf.clip_by_global_norm(gradients, limit), strict=True))


@adapter.implements("clip_by_global_norm", "tf.clip_by_global_norm")
def clip_by_global_norm(gradients, *, clipnorm):
    """Run tf.clip_by_global_norm."""
    return arrays(run(together, [tensor(g) for g in gradients], limit=clipnorm))


def descent(*, shapes, dtypes, kind=keras.optimizers.SGD, **hyper):
    """Return variables, and the step of an optimizer of that ``kind`` that is built for them."""
    variables = [keras.Variable(np.zeros(s), dtype=d) for s, d in zip(shapes, dtypes, strict=True)]
    optimizer = kind(**hyper)
    optimizer.build(variables)

    def step(gradients):
        optimizer.apply(gradients, variables)

    return variables, step


@implements("sgd_step", "keras.optimizers.SGD", modes=["eager", "function"])
def sgd_step(weights, gradients, **hyper):
    """Run one step of the optimizer with its own clipping."""
    shapes, dtypes = [w.shape for w in weights], [w.dtype.name for w in weights]
    variables, step = once(descent, shapes=shapes, dtypes=dtypes, **hyper)
    for variable, weight in zip(variables, weights, strict=True):
        variable.assign(weight)
    run(step, [tensor(g) for g in gradients])
    return {"weights": [array(v) for v in variables]}
