"""Keras: initializers on a shape, the kernels of layers that are given one, and those that layers draw."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import keras

from nnconform.adapters.contract import Unsupported

from . import DIRECT, with_draws

MODES = ("fan_in", "fan_out", "fan_avg")
HE = {"he_normal": keras.initializers.HeNormal, "he_uniform": keras.initializers.HeUniform}
scaling = functools.partial(keras.initializers.VarianceScaling, scale=2.0)
SAMPLERS = {
    "truncated_normal": functools.partial(keras.random.truncated_normal, mean=0.0, stddev=1.0),
    "untruncated_normal": functools.partial(keras.random.normal, mean=0.0, stddev=1.0),
    "uniform": functools.partial(keras.random.uniform, minval=-1.0, maxval=1.0),
}


def draws(distribution, shape, dtype, seed):
    """Return the draws of the plain sampler for the seed."""
    return SAMPLERS[distribution](tuple(shape), dtype=dtype, seed=seed)


def called(initializer, *, shape, dtype, seed, mode=None, layers=0, **_):
    """Return an initializer's sample and the draws; without a mode, with its defaults.

    For several layers the one instance is called once for each.
    """
    options = {"mode": mode} if mode and initializer.modes else {}
    instance = initializer.make(seed=seed, **options)
    if layers:
        return {"sample": keras.ops.stack([instance(tuple(shape), dtype=dtype) for _ in range(layers)])}
    sample = instance(tuple(shape), dtype=dtype)
    return with_draws(sample, shape, lambda: draws(initializer.distribution, shape, dtype, seed))


class Kernel(NamedTuple):
    """The kernels of a class of layers.

    Attributes:
        cls: the class's name in keras.layers.
        make: returns a layer whose kernel has a shape, and the shape of its inputs, from the class, the kernel's shape,
            the groups, and other options.
        kinds: of kernels.
        layout: of its kernel.
        rank: of its kernel.
        attribute: the layer's, that holds the kernel.
        initializer: the parameter of the layer that takes the initializer.
    """

    cls: str
    make: Callable[..., Any]
    kinds: tuple[str, ...]
    rank: int
    layout: str = "spatial_in_out"
    attribute: str = "kernel"
    initializer: str = "kernel_initializer"

    def applies(self, *, shape, kind, layout, mode="fan_in", **_):
        """Say whether the layer has such a kernel; a separable layer's second one has no spatial size."""
        wide = self.make is pointwise and {*shape[:-2]} != {1}
        same = kind in self.kinds and (len(shape), layout) == (self.rank, self.layout)
        return same and mode == "fan_in" and not wide


def batches(shape, channels):
    """Return the shape of the inputs of a layer whose kernel has ``shape``."""
    return (*[None] * (len(shape) - 1), channels)


def dense(cls, shape, groups, **options):
    """Return a dense layer with a kernel (inputs, outputs)."""
    return cls(shape[1], **options), (None, shape[0])


def conv(cls, shape, groups, **options):
    """Return a convolution with a kernel (*spatial, inputs / groups, outputs)."""
    *spatial, inputs, outputs = shape
    return cls(outputs, tuple(spatial), groups=groups, **options), batches(shape, inputs * groups)


def depthwise(cls, shape, groups, **options):
    """Return a depthwise convolution with a kernel (*spatial, inputs, multiplier)."""
    *spatial, inputs, multiplier = shape
    return cls(tuple(spatial), depth_multiplier=multiplier, **options), batches(shape, inputs)


def separable(cls, shape, groups, **options):
    """Return a separable convolution whose first kernel is (*spatial, inputs, multiplier)."""
    *spatial, inputs, multiplier = shape
    return cls(1, tuple(spatial), depth_multiplier=multiplier, **options), batches(shape, inputs)


def pointwise(cls, shape, groups, **options):
    """Return a separable convolution whose second kernel is (*ones, inputs, outputs)."""
    *ones, inputs, outputs = shape
    if groups != 1:
        raise Unsupported("the pointwise kernel of a separable layer has no groups")
    return cls(outputs, tuple(ones), **options), batches(shape, inputs)


def transposed(cls, shape, groups, **options):
    """Return a transposed convolution with a kernel (*spatial, outputs, inputs)."""
    *spatial, outputs, inputs = shape
    if groups != 1:
        raise Unsupported("Keras's transposed convolutions have no groups")
    return cls(outputs, tuple(spatial), **options), batches(shape, inputs)


def embedding(cls, shape, groups, **options):
    """Return an embedding with a table (rows, features)."""
    return cls(*shape, **options), (None,)


FIRST = {"attribute": "depthwise_kernel", "initializer": "depthwise_initializer"}
SECOND = {"attribute": "pointwise_kernel", "initializer": "pointwise_initializer"}
KERNELS = (
    Kernel("Dense", dense, ("dense",), 2),
    *(Kernel(f"Conv{n}D", conv, ("conv",), n + 2) for n in (1, 2, 3)),
    *(
        Kernel(f"DepthwiseConv{n}D", depthwise, ("depthwise_conv",), n + 2, initializer="depthwise_initializer")
        for n in (1, 2)
    ),
    *(Kernel(f"SeparableConv{n}D", separable, ("depthwise_conv",), n + 2, **FIRST) for n in (1, 2)),
    *(Kernel(f"SeparableConv{n}D", pointwise, ("conv",), n + 2, **SECOND) for n in (1, 2)),
    *(
        Kernel(f"Conv{n}DTranspose", transposed, ("transposed_conv",), n + 2, layout="spatial_out_in")
        for n in (1, 2, 3)
    ),
    Kernel(*("Embedding", embedding, ("embedding",), 2), attribute="embeddings", initializer="embeddings_initializer"),
)


def built(kernel, shape, groups, **options):
    """Return a layer with its kernels."""
    layer, inputs = kernel.make(getattr(keras.layers, kernel.cls), shape, groups, **options)
    layer.build(inputs)
    return layer


def initialized(operation, kernel, *, shape, groups, dtype, seed, **_):
    """Return the kernel of a layer that is given the initializer."""
    options = {kernel.initializer: HE[operation](seed=seed)}
    layer = built(kernel, shape, groups, dtype=dtype, **options)
    distribution = options[kernel.initializer].distribution
    return {"sample": getattr(layer, kernel.attribute), "draws": draws(distribution, shape, dtype, seed)}


def fresh(kernel, *, shape, dtype, seed, **_):
    """Return the kernel of a layer with its own initialization, and its uniform draws."""
    keras.utils.set_random_seed(seed)  # the layer's own initializer is seeded by it when it is made
    layer = built(kernel, shape, 1, dtype=dtype)
    own = getattr(layer, kernel.initializer).seed
    return {"sample": getattr(layer, kernel.attribute), "draws": draws("uniform", shape, dtype, own)}


class Initializer(NamedTuple):
    """An initializer, as it is called directly.

    Attributes:
        name: of the implementation.
        make: returns it from a seed, and from a mode where it has ``modes``.
        distribution: of its draws.
        modes: that it takes; one that takes none is fan_in.
    """

    name: str
    make: Callable[..., Any]
    distribution: str
    modes: tuple[str, ...] = MODES

    def applies(self, *, layout, mode="fan_in", **_):
        """Say whether it has the mode, and the kernel Keras's layout."""
        return layout in ("spatial_in_out", "spatial_out_in") and mode in (self.modes or MODES[:1])


UNTRUNCATED = functools.partial(scaling, distribution="untruncated_normal")
UNIFORM = functools.partial(scaling, distribution="uniform")
SCALING = "keras.initializers.VarianceScaling"
INITIALIZERS = {
    "he_normal": (
        Initializer("keras.initializers.HeNormal", HE["he_normal"], "truncated_normal", ()),
        Initializer(f"{SCALING}(scale=2.0)", scaling, "truncated_normal"),
        Initializer(f"{SCALING}(scale=2.0, distribution='untruncated_normal')", UNTRUNCATED, "untruncated_normal"),
    ),
    "he_uniform": (
        Initializer("keras.initializers.HeUniform", HE["he_uniform"], "uniform", ()),
        Initializer(f"{SCALING}(scale=2.0, distribution='uniform')", UNIFORM, "uniform"),
    ),
}


def register(adapter, array):
    """Add all to ``adapter``; ``array`` returns the array of a tensor or variable."""

    def add(operation, name, function, *about, **options):
        def arrays(**attributes):
            return {output: array(value) for output, value in function(*about, **attributes).items()}

        adapter.implements(operation, name, modes=("eager",), **options)(arrays)

    for operation, initializers in INITIALIZERS.items():
        for initializer in initializers:
            for defaults in (False, True):
                options = {"applies": initializer.applies, "defaults": defaults, "takes": DIRECT}
                add(operation, initializer.name, called, initializer, **options)
        for kernel in KERNELS:
            name = f"keras.layers.{kernel.cls}({kernel.initializer}={HE[operation].__name__}())"
            add(operation, name, initialized, operation, kernel, applies=kernel.applies)
    for kernel in KERNELS:
        which = f".{kernel.attribute}" if kernel.cls.startswith("Separable") else ""
        add("he_uniform", f"keras.layers.{kernel.cls}{which}", fresh, kernel, applies=kernel.applies, defaults=True)
