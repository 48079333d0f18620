"""flax: kernels that the layers of one module draw when they are given one initializer."""

from __future__ import annotations

import flax.linen
import flax.nnx
import jax
import jax.numpy as jnp
import numpy as np

from .jax import HE


class Dense(flax.linen.Module):  # type: ignore[misc]  # mypy does not look into flax
    """Dense layers side by side, with one initializer.

    Attributes:
        features: outputs of each layer.
        layers: how many.
        initializer: of all kernels.
        dtype: of the parameters.
    """

    features: int
    layers: int
    initializer: jax.nn.initializers.Initializer
    dtype: str

    @flax.linen.compact
    def __call__(self, x):
        """Return the outputs of the layers for ``x``."""
        return [
            flax.linen.Dense(self.features, kernel_init=self.initializer, param_dtype=self.dtype, name=f"layer{i}")(x)
            for i in range(self.layers)
        ]


def linen(initializer, *, shape, dtype, seed, layers):
    """Return the kernels of layers of flax.linen."""
    module = Dense(shape[1], layers, initializer, dtype)
    # No rows: to draw the kernels needs no data.
    parameters = module.init(jax.random.key(seed), np.zeros((0, shape[0]), dtype))["params"]
    return [parameters[f"layer{i}"]["kernel"] for i in range(layers)]


def nnx(initializer, *, shape, dtype, seed, layers):
    """Return the kernels of layers of flax.nnx."""
    rngs = flax.nnx.Rngs(seed)
    return [
        flax.nnx.Linear(*shape, kernel_init=initializer, param_dtype=dtype, rngs=rngs).kernel[...]
        for _ in range(layers)
    ]


def register(implements):
    """Add all by ``implements``, which takes functions of JAX arrays."""

    def applies(*, kind, layout, mode, **asked):
        return "layers" in asked and (kind, layout, mode) == ("dense", "spatial_in_out", "fan_in")

    def add(operation, name, draw):
        @implements(operation, name, modes=("eager",), applies=applies, takes=("layers",))
        def kernels(*, shape, dtype, seed, layers, **_):
            return {"sample": jnp.stack(draw(HE[operation](), shape=shape, dtype=dtype, seed=seed, layers=layers))}

    for operation in HE:
        add(operation, f"flax.linen.Dense (one {operation}())", linen)
        add(operation, f"flax.nnx.Linear (one {operation}())", nnx)
