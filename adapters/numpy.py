"""The positive control: the operations in plain working-precision NumPy, written apart from the reference.

It keeps every clause by the most direct working-precision code that does, so a vector that it fails is
a bound that cannot be met, or a fault of the suite. Half-precision arrays are computed in float32 and
rounded once, as mixed-precision training does.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from nnconform.adapters import Adapter, SparseGradient

adapter = Adapter("numpy", requires=("numpy",))


def working(a):
    """Return ``a`` in the precision to compute in: float32 for half precision, else its own."""
    return a.astype(np.float32) if a.dtype.itemsize == 2 else a


@adapter.implements("relu", "numpy.maximum", defaults=True)
@adapter.implements("relu", "numpy.maximum")
def relu(x, dy):
    """Return the rectifier and its gradient."""
    # maximum propagates a NaN; the gradient is chosen, not multiplied, so dy = inf at x < 0 gives 0.
    return {"y": np.maximum(x, x.dtype.type(0)), "dx": np.where(x > 0, dy, dy.dtype.type(0))}


@adapter.implements("elu", "numpy.expm1")
@np.errstate(invalid="ignore")  # a signalling NaN is no reason for a warning
def elu(x, dy, *, alpha):
    """Return the exponential linear unit and its gradient, both from x."""
    w, a = working(x), working(x).dtype.type(alpha)
    negative = np.minimum(w, 0)
    y = np.where(w > 0, w, a * np.expm1(negative))
    dx = np.where(w > 0, working(dy), working(dy) * (a * np.exp(negative)))
    return {"y": y.astype(x.dtype), "dx": dx.astype(dy.dtype)}


def channels(x, channel_axis):
    """Return the reduced axes and a function that shapes a (C,) array to broadcast against ``x``."""
    kept = channel_axis % x.ndim
    shape = [1] * x.ndim
    shape[kept] = x.shape[kept]
    return tuple(axis for axis in range(x.ndim) if axis != kept), lambda a: a.reshape(shape)


def add(a, axes):
    """Sum over ``axes``; an empty sum is 0."""
    # Only along the last axis NumPy adds pairwise; along others it adds one element after the other (NUM-11).
    kept = [axis for axis in range(a.ndim) if axis not in axes]
    rows = np.ascontiguousarray(np.transpose(a, [*kept, *axes])).reshape(*(a.shape[axis] for axis in kept), -1)
    return np.sum(rows, axis=-1, dtype=a.dtype)


@adapter.implements("batch_norm_train", "numpy two-pass batch norm")
def batch_norm_train(x, dy, running_mean, running_variance, gamma=None, beta=None, *, epsilon, momentum, channel_axis):
    """Return y, the batch's and the running statistics, and the gradients, by the two-pass formulas."""
    axes, wide = channels(x, channel_axis)
    w, g = working(x), working(dy)
    real = w.dtype.type
    m = real(w.size // max(1, w.shape[channel_axis]))
    mean = add(w, axes) / m
    centred = w - wide(mean)
    variance = add(centred * centred, axes) / m
    r = real(1) / np.sqrt(variance + real(epsilon))
    xh = centred * wide(r)
    scale = working(gamma if gamma is not None else np.ones_like(mean)).astype(w.dtype)
    y = xh * wide(scale)
    if beta is not None:
        y = y + wide(working(beta).astype(w.dtype))
    gb, h = add(g, axes) / m, add(g * xh, axes) / m
    dx = wide(scale * r) * (g - wide(gb) - xh * wide(h))
    kept = real(momentum)

    def moved(old, new):
        return (working(old) * kept + new * (real(1) - kept)).astype(old.dtype)

    outputs = {
        "y": y.astype(x.dtype),
        "batch_mean": mean.astype(running_mean.dtype),
        "batch_variance": variance.astype(running_mean.dtype),
        "running_mean": moved(running_mean, mean),
        "running_variance": moved(running_variance, variance),
        "dx": dx.astype(x.dtype),
    }
    if gamma is not None:
        outputs["dgamma"] = add(g * xh, axes).astype(gamma.dtype)
        outputs["dbeta"] = add(g, axes).astype(gamma.dtype)
    return outputs


@adapter.implements("batch_norm_eval", "numpy batch norm with given statistics")
def batch_norm_eval(x, dy, running_mean, running_variance, gamma=None, beta=None, *, epsilon, channel_axis):
    """Return y from the running statistics, these untouched, and the gradients."""
    axes, wide = channels(x, channel_axis)
    w, g = working(x), working(dy)
    real = w.dtype.type
    r = real(1) / np.sqrt(working(running_variance).astype(w.dtype) + real(epsilon))
    xh = (w - wide(working(running_mean).astype(w.dtype))) * wide(r)
    y, dx = xh, g * wide(r)
    outputs = {"running_mean": running_mean, "running_variance": running_variance}
    if gamma is not None:
        scale = wide(working(gamma).astype(w.dtype))
        y, dx = xh * scale + wide(working(beta).astype(w.dtype)), dx * scale
        outputs["dgamma"] = add(g * xh, axes).astype(gamma.dtype)
        outputs["dbeta"] = add(g, axes).astype(gamma.dtype)
    return outputs | {"y": y.astype(x.dtype), "dx": dx.astype(x.dtype)}


def dense(gradient):
    """Return a gradient as a dense array: absent stays None, sparse rows are added up."""
    if not isinstance(gradient, SparseGradient):
        return gradient
    total = np.zeros(gradient.dense_shape, working(gradient.values).dtype)
    np.add.at(total, gradient.indices, working(gradient.values))
    return total.astype(gradient.values.dtype)


def norm(arrays):
    """Return the Euclidean norm of all elements of ``arrays``, scaled so that no square over- or underflows."""
    flat = np.concatenate([working(a).ravel() for a in arrays]) if arrays else np.zeros(0, np.float32)
    largest = np.max(np.abs(flat), initial=flat.dtype.type(0))
    if not np.isfinite(largest) or largest == 0:
        return largest
    # A power of two scales without rounding; two factors, since one alone may not be representable.
    exponent = math.frexp(float(largest))[1]
    half = flat.dtype.type(2.0 ** -(exponent // 2)), flat.dtype.type(2.0 ** -(exponent - exponent // 2))
    scaled = flat * half[0] * half[1]
    return (np.sqrt(np.sum(scaled * scaled, dtype=flat.dtype)) / half[0]) / half[1]


def shrink(gradient, limit, size):
    """Return ``gradient`` with the scale that brings the norm ``size`` down to ``limit``; no more than 1."""
    w = working(gradient)
    if not np.isnan(size) and not size > limit:
        return gradient
    if np.isfinite(size) and size > np.finfo(w.dtype).max * w.dtype.type(limit):
        return (w / w.dtype.type(size) * w.dtype.type(limit)).astype(gradient.dtype)
    return (w * (w.dtype.type(limit) / size)).astype(gradient.dtype)


@adapter.implements("clip_by_value", "numpy.clip")
def clip_by_value(gradients, *, clipvalue):
    """Return every element brought into [-clipvalue, clipvalue]."""

    def clip(gradient):
        limit = gradient.dtype.type(clipvalue)
        return np.where(gradient > limit, limit, np.where(gradient < -limit, -limit, gradient))

    return {"gradients": [None if g is None else clip(g) for g in map(dense, gradients)]}


@adapter.implements("clip_by_norm", "numpy norm, each variable")
def clip_by_norm(gradients, *, clipnorm):
    """Return every variable's gradient scaled to a norm of at most clipnorm."""
    return {"gradients": [None if g is None else shrink(g, clipnorm, norm([g])) for g in map(dense, gradients)]}


@adapter.implements("clip_by_global_norm", "numpy norm, all variables")
def clip_by_global_norm(gradients, *, clipnorm):
    """Return all gradients scaled together to a norm of at most clipnorm, and the norm before it."""
    arrays = [dense(g) for g in gradients]
    present = [a for a in arrays if a is not None]
    size = norm(present)
    return {
        "gradients": [None if a is None else shrink(a, clipnorm, size) for a in arrays],
        "global_norm": np.asarray(size).astype(present[0].dtype if present else np.float32),
    }


@adapter.implements("sgd_step", "numpy w - learning_rate * g")
def sgd_step(weights, gradients, *, learning_rate, clipvalue=None, clipnorm=None, global_clipnorm=None):
    """Return the weights after one step of gradient descent with the gradients clipped as asked."""
    if clipvalue is not None:
        gradients = clip_by_value(gradients, clipvalue=clipvalue)["gradients"]
    if clipnorm is not None:
        gradients = clip_by_norm(gradients, clipnorm=clipnorm)["gradients"]
    if global_clipnorm is not None:
        gradients = clip_by_global_norm(gradients, clipnorm=global_clipnorm)["gradients"]

    def step(weight, gradient):
        if gradient is None:
            return weight
        w, g = working(weight), working(dense(gradient))
        return (w - w.dtype.type(learning_rate) * g).astype(weight.dtype)

    return {"weights": [step(w, g) for w, g in zip(weights, gradients, strict=True)]}


def fan(shape, kind, layout, groups, mode):
    """Return the connections of one unit, from the number of each that the kernel's layout gives."""
    spatial = {"out_in_spatial": shape[2:], "in_out_spatial": shape[2:]}.get(layout, shape[:-2])
    first, second = {"out_in_spatial": shape[:2], "in_out_spatial": shape[:2]}.get(layout, shape[-2:])
    receptive = math.prod(spatial)
    inputs, outputs = (second, first) if layout in ("out_in_spatial", "spatial_out_in") else (first, second)
    if kind == "transposed_conv":
        # The kernel holds all inputs and the outputs of one group.
        inputs = inputs // groups
    elif kind == "depthwise_conv" and layout == "spatial_in_out":
        # The kernel holds all inputs and the multiplier; one output unit sees one input channel.
        inputs = 1
    else:
        outputs = outputs // groups
    if kind == "depthwise_conv" and layout == "out_in_spatial":
        outputs = first // groups
    into, out = inputs * receptive, outputs * receptive
    return {"fan_in": into, "fan_out": out, "fan_avg": (into + out) / 2}[mode]


@adapter.implements("he_normal", "numpy truncated normal", takes=("layers", "extremes"))
def he_normal(*, shape, kind, layout, groups, mode, dtype, seed, layers=0):
    """Return a kernel from the truncated normal law, cut at two deviations and corrected for the cut, or several."""
    stream, deviation = np.random.default_rng(seed), math.sqrt(2 / fan(shape, kind, layout, groups, mode))
    shape = [layers, *shape] if layers else shape
    sample = stream.standard_normal(shape)
    while (outside := np.abs(sample) > 2).any():
        sample[outside] = stream.standard_normal(int(outside.sum()))
    return {"sample": (sample * deviation / 0.87962566103423978).astype(dtype), "draws": sample.astype(dtype)}


@adapter.implements("he_uniform", "numpy uniform", takes=("layers", "extremes"))
def he_uniform(*, shape, kind, layout, groups, mode, dtype, seed, layers=0):
    """Return a kernel from the uniform law within sqrt(6 / fan), or several."""
    limit = math.sqrt(6 / fan(shape, kind, layout, groups, mode))
    shape = [layers, *shape] if layers else shape
    draws = np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)
    return {"sample": np.random.default_rng(seed).uniform(-limit, limit, shape).astype(dtype), "draws": draws}


# What a layer does here when the user sets nothing: the spec's defaults.
for operation, name, function, numbers in (
    ("elu", "numpy.expm1", elu, {"alpha": 1.0}),
    ("batch_norm_train", "numpy two-pass batch norm", batch_norm_train, {"epsilon": 1e-3, "momentum": 0.99}),
    ("batch_norm_eval", "numpy batch norm with given statistics", batch_norm_eval, {"epsilon": 1e-3}),
    ("sgd_step", "numpy w - learning_rate * g", sgd_step, {"learning_rate": 0.01}),
    ("he_normal", "numpy truncated normal", he_normal, {"groups": 1, "mode": "fan_in"}),
    ("he_uniform", "numpy uniform", he_uniform, {"groups": 1, "mode": "fan_in"}),
):
    adapter.implements(operation, name, defaults=True)(functools.partial(function, **numbers))
