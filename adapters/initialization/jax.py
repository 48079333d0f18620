"""JAX and flax: initializers on a shape, the kernels of layers that are given one, and those that layers draw."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen
import flax.nnx
import jax
import numpy as np

from nnconform.adapters.contract import Unsupported

from . import DIRECT, with_draws

LAWS = {"he_normal": "truncated_normal", "he_uniform": "uniform"}
HE = {operation: getattr(jax.nn.initializers, operation) for operation in LAWS}


def draws(law, key, shape, dtype):
    """Return the draws of the plain sampler for a key."""
    if law == "uniform":
        return jax.random.uniform(key, tuple(shape), dtype, -1)
    if law == "normal":
        return jax.random.normal(key, tuple(shape), dtype)
    return jax.random.truncated_normal(key, -2, 2, tuple(shape), dtype)


def flax_kernel(*, shape, kind, layout, groups=1, **_):
    """Say whether a layer of flax has such a kernel."""
    # They are (*spatial, inputs / groups, outputs), a depthwise one a grouped convolution with one input a
    # group; the kernel (*spatial, inputs, multiplier) is Keras's own. ConvTranspose has no groups, and on
    # request the axes of a convolution that it is the transpose of.
    if kind == "transposed_conv":
        return layout in ("spatial_in_out", "spatial_out_in") and groups == 1
    return layout == "spatial_in_out" and (kind != "depthwise_conv" or shape[-2:-1] == (1,))


def called(make, law, *, shape, dtype, seed, mode=None, layers=0, **_):
    """Return the sample of the initializer that ``make`` returns for a mode, and the draws."""
    if layers:
        raise Unsupported("jax.nn.initializers are given a key at each call, and have no stream of their own")
    key = jax.random.key(seed)
    sample = make(mode)(key, tuple(shape), dtype)
    return with_draws(sample, shape, lambda: draws(law, key, shape, dtype))


class Kernel(NamedTuple):
    """The kernels of a class of layers, in both of flax's interfaces.

    Attributes:
        linen: the class of flax.linen.
        nnx: the class of flax.nnx.
        make: returns the arguments of both, and the shape and dtype of inputs, from the kernel's shape and the groups.
        kind: of kernel.
        layout: of its kernel.
        options: of the layer, that are part of the implementation.
        attribute: the layer's, that holds the kernel.
        initializer: the parameter of the layer that takes the initializer.
        law: of the draws, if the layer gets no initializer.
    """

    linen: type[Any]
    nnx: type[Any]
    make: Callable[..., Any]
    kind: str
    layout: str = "spatial_in_out"
    options: dict[str, Any] = {}  # noqa: RUF012 (nobody writes to it)
    attribute: str = "kernel"
    initializer: str = "kernel_init"
    law: str = "truncated_normal"

    def applies(self, *, kind, layout, mode="fan_in", **_):
        """Say whether the layer has such a kernel."""
        return (kind, layout, mode) == (self.kind, self.layout, "fan_in")

    def name(self, cls, initializer=""):
        """Return the name of an implementation, of a class with an initializer."""
        package = "flax.linen" if cls is self.linen else "flax.nnx"
        options = self.options | ({self.initializer: f"{initializer}()"} if initializer else {})
        brackets = f"({', '.join(f'{name}={value}' for name, value in options.items())})" if options else ""
        return f"{package}.{cls.__name__}{brackets}"


class Sizes(NamedTuple):
    """The arguments of a layer: as flax.nnx has them, inputs first, and how many of them flax.linen leaves out."""

    inputs: tuple[Any, ...]
    rest: tuple[Any, ...]
    options: dict[str, Any]


def dense(shape, groups):
    """Return the sizes of a dense layer with a kernel (inputs, outputs)."""
    return Sizes(shape[:1], shape[1:], {})


def conv(shape, groups):
    """Return the sizes of a convolution with a kernel (*spatial, inputs / groups, outputs)."""
    *spatial, inputs, outputs = shape
    return Sizes((inputs * groups,), (outputs, tuple(spatial)), {"feature_group_count": groups})


def transposed(shape, groups, swapped=False):
    """Return the sizes of a transposed convolution with a kernel (*spatial, inputs, outputs)."""
    if groups != 1:
        raise Unsupported("flax's ConvTranspose has no groups")
    *spatial, inputs, outputs = shape
    inputs, outputs = (outputs, inputs) if swapped else (inputs, outputs)
    return Sizes((inputs,), (outputs, tuple(spatial)), {})


def embedding(shape, groups):
    """Return the sizes of an embedding with a table (rows, features)."""
    return Sizes((), shape, {})


TRANSPOSES = (flax.linen.ConvTranspose, flax.nnx.ConvTranspose)
KERNELS = (
    Kernel(flax.linen.Dense, flax.nnx.Linear, dense, "dense"),
    Kernel(flax.linen.Conv, flax.nnx.Conv, conv, "conv"),
    Kernel(*TRANSPOSES, transposed, "transposed_conv"),
    Kernel(
        *(*TRANSPOSES, functools.partial(transposed, swapped=True), "transposed_conv", "spatial_out_in"),
        options={"transpose_kernel": True},
    ),
    Kernel(
        *(flax.linen.Embed, flax.nnx.Embed, embedding, "embedding"),
        attribute="embedding",
        initializer="embedding_init",
        law="normal",
    ),
)


def linen_kernel(kernel, shape, groups, seed, **options):
    """Return the kernel of a new layer, and the key that it was make_kernel by."""
    sizes, key = kernel.make(tuple(shape), groups), jax.random.key(seed)
    layer = kernel.linen(*sizes.rest, **sizes.options, **kernel.options, **options)
    # No rows: to draw the kernel needs no data, and lazy_init would compile the drawing once more.
    ones = (1,) * (len(shape) - 2)
    x = np.zeros((0, *ones, *sizes.inputs), options["param_dtype"] if sizes.inputs else np.int32)
    value = layer.init(key, x)["params"][kernel.attribute]
    # The kernel is the first parameter, and gets the first key of the stream.
    return value, layer.apply({}, rngs={"params": key}, method=lambda layer: layer.make_rng("params"))


def nnx_kernel(kernel, shape, groups, seed, **options):
    """Return the kernel of a new layer, and the key that it was make_kernel by."""
    sizes, rngs = kernel.make(tuple(shape), groups), flax.nnx.Rngs(seed)
    layer = kernel.nnx(*sizes.inputs, *sizes.rest, **sizes.options, **kernel.options, **options, rngs=rngs)
    return getattr(layer, kernel.attribute)[...], flax.nnx.Rngs(seed).params()


def initialized(operation, make_kernel, kernel, *, shape, groups, dtype, seed, **_):
    """Return the kernel of a layer that is given the initializer."""
    options = {"param_dtype": dtype, kernel.initializer: HE[operation]()}
    sample, key = make_kernel(kernel, shape, groups, seed, **options)
    return {"sample": sample, "draws": draws(LAWS[operation], key, shape, dtype)}


def fresh(make_kernel, kernel, *, shape, dtype, seed, **_):
    """Return the kernel of a layer with its own initialization."""
    sample, key = make_kernel(kernel, shape, 1, seed, param_dtype=dtype)
    return {"sample": sample, "draws": draws(kernel.law, key, shape, dtype)}


def register(implements):
    """Add all by ``implements``, which is that of JAX's adapter."""
    for operation in LAWS:
        _initializers(functools.partial(implements, operation, modes=("eager",)), operation)
        for kernel in KERNELS:
            for cls, make_kernel in ((kernel.linen, linen_kernel), (kernel.nnx, nnx_kernel)):
                add = functools.partial(implements, operation, modes=("eager",), applies=kernel.applies)
                add(kernel.name(cls, operation))(functools.partial(initialized, operation, make_kernel, kernel))
                add(kernel.name(cls), defaults=True)(functools.partial(fresh, make_kernel, kernel))


def _initializers(add, operation):
    def fan_in_only(*, mode, **kernel):
        return mode == "fan_in" and flax_kernel(**kernel)

    he = functools.partial(called, lambda mode: HE[operation](), LAWS[operation])
    add(f"jax.nn.initializers.{operation}", applies=fan_in_only, takes=DIRECT)(he)
    add(f"jax.nn.initializers.{operation}", applies=flax_kernel, defaults=True)(he)

    def scaled(mode):
        return jax.nn.initializers.variance_scaling(2.0, mode, LAWS[operation])

    scaling = functools.partial(called, scaled, LAWS[operation])
    add("jax.nn.initializers.variance_scaling(2.0)", applies=flax_kernel, takes=DIRECT)(scaling)
