"""Recipes for Keras and TensorFlow: the behaviour of PyTorch, flax and optax, and parts that tf.nn lacks."""

from __future__ import annotations

import math
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from nnconform.adapters import Unsupported
from nnconform.adapters.tensorflow import (
    adapter,
    array,
    arrays,
    batch_norm,
    clip_symmetric,
    elementwise,
    hidden,
    normalized,
    sgd_step,
    tensor,
)

__all__ = ["adapter"]


def implements(operation, name, **options):
    """Return a decorator that registers a function in eager mode."""
    return adapter.implements(operation, name, modes=("eager",), **options)


# --- relu, elu ---------------------------------------------------------------------------------------------


def keras_elu(x, alpha=1.0):
    """Return ELU with all its digits near 0, by expm1."""
    below = alpha * keras.ops.expm1(keras.ops.where(x > 0, 0, x))
    return keras.ops.where(x > 0, x, below)


def tf_elu(x, alpha=1.0):
    """Return ELU with any alpha, with all its digits near 0, by expm1."""
    below = tf.where(x > 0, tf.zeros_like(x), x)
    return tf.where(x > 0, x, alpha * tf.math.expm1(below))


for function in (keras_elu, tf_elu):

    @implements("elu", f"recipe {function.__name__}")
    def elu(x, dy, *, alpha, function=function):
        """Return ELU and its gradient."""
        return arrays(elementwise(tensor(x), tensor(dy), function=function, alpha=alpha))


# --- batch_norm_train --------------------------------------------------------------------------------------


class UnbiasedBatchNormalization(keras.layers.BatchNormalization):
    """BatchNormalization whose moving variance takes var * n / (n - 1)."""

    def call(self, inputs, training=None, mask=None):
        """Normalize; in training move the statistics too."""
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        kept = self.moving_variance * self.momentum
        self.moving_variance.assign(keras.ops.zeros_like(kept))
        outputs = super().call(inputs, training=True, mask=mask)
        n = keras.ops.size(inputs) / inputs.shape[self.axis]
        factor = keras.ops.cast(n / keras.ops.maximum(n - 1, 1), kept.dtype)
        self.moving_variance.assign(kept + self.moving_variance * factor)
        return outputs


@implements("batch_norm_train", "recipe UnbiasedBatchNormalization", omits=hidden)
def unbiased_batch_norm(x, dy, running_mean, running_variance, gamma=None, beta=None, **hyper):
    """Run the layer in training."""
    arguments = x, dy, running_mean, running_variance, gamma, beta
    return batch_norm(*arguments, training=True, kind=UnbiasedBatchNormalization, **hyper)


def batch_norm_in_training(
    x,
    scale,
    offset,
    moving_mean,
    moving_variance,
    momentum,
    epsilon,
    unbiased=False,
):
    """Normalize x, channels last, and move two variables as layers do."""
    mean, variance = tf.nn.moments(x, list(range(x.shape.rank - 1)))
    new = variance
    if unbiased:
        n = tf.size(x) / x.shape[-1]
        new *= tf.cast(n / tf.maximum(n - 1, 1), x.dtype)
    moving_mean.assign(momentum * moving_mean + (1 - momentum) * mean)
    moving_variance.assign(momentum * moving_variance + (1 - momentum) * new)
    return tf.nn.batch_normalization(x, mean, variance, offset, scale, epsilon)


for brackets, options in (("", {}), ("(unbiased=True)", {"unbiased": True})):

    @implements(
        "batch_norm_train",
        f"recipe batch_norm_in_training{brackets}",
        omits=hidden,
        applies=lambda x, channel_axis, **_: channel_axis % x.ndim == x.ndim - 1,
    )
    def with_moments(
        x, dy, running_mean, running_variance, gamma=None, beta=None, *, channel_axis, options=options, **numbers
    ):
        """Run tf.nn.moments and tf.nn.batch_normalization with statistics that move."""
        if running_mean.dtype != x.dtype:
            raise Unsupported(f"tf.nn.moments gives {x.dtype} statistics, which do not go with {running_mean.dtype}")
        moving = tf.Variable(running_mean), tf.Variable(running_variance)

        def normalize(x, mean, variance, gamma, beta):
            return {"y": batch_norm_in_training(x, gamma, beta, moving[0], moving[1], **numbers, **options)}

        given = tensor(x), tensor(dy), None, None, tensor(gamma), tensor(beta)
        outputs = normalized(*given, normalize=normalize)
        return arrays(outputs | dict(zip(("running_mean", "running_variance"), moving, strict=True)))


# --- he_normal, he_uniform ---------------------------------------------------------------------------------


def he_normal(shape, dtype="float32"):
    """Draw a kernel (*spatial, in, out) from He's normal law, truncated."""
    stddev = math.sqrt(2 / math.prod(shape[:-1])) / 0.87962566103423978
    return tf.random.truncated_normal(shape, stddev=stddev, dtype=dtype)


def kaiming_normal(shape, dtype="float32"):
    """Draw a kernel (*spatial, in, out) as torch's kaiming_normal_ does."""
    stddev = math.sqrt(2 / math.prod(shape[:-1]))
    return tf.random.normal(shape, stddev=stddev, dtype=dtype)


def he_uniform(shape, dtype="float32"):
    """Draw a kernel (*spatial, in, out) from He's uniform law."""
    bound = math.sqrt(6 / math.prod(shape[:-1]))
    return tf.random.uniform(shape, -bound, bound, dtype)


def torch_default(shape, dtype="float32"):
    """Draw a kernel (*spatial, in, out) as torch's layers do by themselves."""
    bound = math.sqrt(1 / math.prod(shape[:-1]))
    return tf.random.uniform(shape, -bound, bound, dtype)


def lecun_normal(shape, dtype="float32"):
    """Draw a kernel (*spatial, in, out) as flax's layers do by themselves."""
    stddev = math.sqrt(1 / math.prod(shape[:-1])) / 0.87962566103423978
    return tf.random.truncated_normal(shape, stddev=stddev, dtype=dtype)


def glorot_uniform(shape, dtype="float32"):
    """Draw a kernel (*spatial, in, out) as Keras's layers do by themselves."""
    *spatial, inputs, outputs = shape
    bound = math.sqrt(6 / (math.prod(spatial) * (inputs + outputs)))
    return tf.random.uniform(shape, -bound, bound, dtype)


def register_initializer(operation, name, make, *, defaults=False):
    """Register an initializer that is given a shape and a dtype."""

    def applies(*, layout, mode="fan_in", kind, **_):
        plain = kind in ("dense", "conv") or not defaults
        return layout in ("spatial_in_out", "spatial_out_in") and mode == "fan_in" and plain

    @implements(operation, name, applies=applies, defaults=defaults)
    def sample(*, shape, dtype, seed, **_):
        """Return a kernel."""
        keras.utils.set_random_seed(seed)
        return {"sample": array(make(tuple(shape), dtype=dtype))}


for operation, function, of_layers in (
    ("he_normal", he_normal, False),
    ("he_normal", kaiming_normal, False),
    ("he_uniform", he_uniform, False),
    ("he_uniform", torch_default, True),
    ("he_uniform", lecun_normal, True),
    ("he_uniform", glorot_uniform, True),
):
    register_initializer(operation, f"recipe {function.__name__}", function, defaults=of_layers)

UNIFORM = "keras.initializers.VarianceScaling(1 / 3, 'fan_in', 'uniform')"
for name, make in (
    (UNIFORM, partial(keras.initializers.VarianceScaling, 1 / 3, "fan_in", "uniform")),
    ("keras.initializers.LecunNormal()", keras.initializers.LecunNormal),
):
    register_initializer("he_uniform", name, lambda shape, dtype, make=make: make()(shape, dtype), defaults=True)


# --- clip_by_global_norm, sgd_step -------------------------------------------------------------------------


class TorchClippedSGD(keras.optimizers.SGD):
    """SGD that clips as torch.nn.utils.clip_grad_norm_ does.

    Not with loss_scale_factor or gradient_accumulation_steps, which Keras
    applies after this clipping and before its own.
    """

    def __init__(self, *args, max_norm, **kwargs):
        super().__init__(*args, **kwargs)
        self.max_norm = max_norm

    def get_config(self):
        """Return what a saved model needs to make the optimizer again."""
        return {**super().get_config(), "max_norm": self.max_norm}

    def apply(self, grads, trainable_variables=None):
        """Clip, then take the step."""
        # Those of embeddings come as rows.
        grads = [None if g is None else tf.convert_to_tensor(g) for g in grads]
        present = [g for g in grads if g is not None]
        norm = keras.ops.sqrt(sum(keras.ops.sum(g * g) for g in present))
        scale = keras.ops.minimum(self.max_norm / (norm + 1e-6), 1)
        grads = [None if g is None else g * scale for g in grads]
        return super().apply(grads, trainable_variables)


def clip_by_global_norm_like_torch(gradients, max_norm):
    """Clip gradients as torch.nn.utils.clip_grad_norm_ does."""
    # Those of embeddings come as rows.
    dense = [g if g is None else tf.convert_to_tensor(g) for g in gradients]
    norm = tf.linalg.global_norm(dense)
    scale = tf.minimum(max_norm / (norm + 1e-6), 1)
    return [g if g is None else g * scale for g in dense]


def given(threshold):
    """Return the predicate that is true where this clip, or none, is asked for."""
    return lambda **attributes: attributes.get(threshold) is not None if threshold else True


@implements("sgd_step", "recipe TorchClippedSGD", applies=given("global_clipnorm"))
def torch_clipped_sgd(weights, gradients, *, learning_rate, global_clipnorm, **_):
    """Run one step of the optimizer with its clipping."""
    options = {"learning_rate": learning_rate, "max_norm": global_clipnorm}
    return sgd_step(weights, gradients, kind=TorchClippedSGD, **options)


@implements("sgd_step", "keras.optimizers.SGD(learning_rate=lambda: numpy.float64(learning_rate))")
def exact_rate_sgd(weights, gradients, *, learning_rate, **clips):
    """Run one step with a learning rate that is never made a float32 variable."""
    return sgd_step(weights, gradients, learning_rate=lambda: np.float64(learning_rate), **clips)


@implements("clip_by_global_norm", "recipe clip_by_global_norm_like_torch", omits=("global_norm",))
def clip_globally(gradients, *, clipnorm):
    """Clip the gradients together."""
    return arrays({"gradients": clip_by_global_norm_like_torch([tensor(g) for g in gradients], clipnorm)})


def each(clip):
    """Return what clips every gradient on its own."""
    return lambda gradients, limit: [None if g is None else clip(g, limit) for g in gradients]


for name, threshold, clip in (
    ("tf.Variable.assign_sub", "", None),
    ("tf.Variable.assign_sub(lr of float32)", "", None),
    ("tf.clip_by_value + tf.Variable.assign_sub", "clipvalue", each(clip_symmetric)),
    ("tf.clip_by_norm + tf.Variable.assign_sub", "clipnorm", each(tf.clip_by_norm)),
    (
        "tf.clip_by_global_norm + tf.Variable.assign_sub",
        "global_clipnorm",
        lambda gradients, limit: tf.clip_by_global_norm(gradients, limit)[0],
    ),
    (
        "recipe clip_by_global_norm_like_torch + tf.Variable.assign_sub",
        "global_clipnorm",
        clip_by_global_norm_like_torch,
    ),
):

    @implements("sgd_step", name, applies=given(threshold))
    def descent(weights, gradients, *, learning_rate, name=name, threshold=threshold, clip=clip, **clips):
        """Clip and take a step by hand."""
        if clip is None and any(limit is not None for limit in clips.values()):
            raise Unsupported("tf.Variable.assign_sub clips nothing")
        rate = float(np.float32(learning_rate)) if "float32" in name else learning_rate
        variables = [tf.Variable(w) for w in weights]
        held = [tensor(g) for g in gradients]
        for variable, gradient in zip(variables, clip(held, clips[threshold]) if clip else held, strict=True):
            if gradient is not None:
                variable.assign_sub(rate * gradient)
        return {"weights": [array(v) for v in variables]}
