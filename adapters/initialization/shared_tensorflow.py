"""Keras: kernels that layers draw from one initializer instance, and those of an instance without a seed."""

from __future__ import annotations

import keras
import numpy as np

from .tensorflow import HE


def called(initializer, *, shape, dtype, layers):
    """Return an initializer's samples, one call per layer."""
    return [initializer(tuple(shape), dtype=dtype) for _ in range(layers)]


def built(initializer, *, shape, dtype, layers):
    """Return the kernels of dense layers that are given one initializer."""
    made = [keras.layers.Dense(shape[1], kernel_initializer=initializer, dtype=dtype) for _ in range(layers)]
    for layer in made:
        layer.build((None, shape[0]))
    return [layer.kernel for layer in made]


def register(adapter, array):
    """Add all to ``adapter``; ``array`` returns the array of a tensor or variable."""

    def add(operation, name, draw, *, seeded):
        def applies(*, kind, layout, mode, **asked):
            return "layers" in asked and (kind, layout, mode) == ("dense", "spatial_in_out", "fan_in")

        @adapter.implements(operation, name, modes=("eager",), applies=applies, takes=("layers",))
        def kernels(*, shape, dtype, seed, layers, **_):
            keras.utils.set_random_seed(seed)  # an initializer without a seed is seeded by it when it is made
            initializer = HE[operation](seed=seed) if seeded else HE[operation]()
            drawn = draw(initializer, shape=shape, dtype=dtype, layers=layers)
            return {"sample": np.stack([array(kernel) for kernel in drawn])}

    for operation, initializer in HE.items():
        name = initializer.__name__
        add(operation, f"keras.initializers.{name}() (no seed)", called, seeded=False)
        add(operation, f"keras.layers.Dense (one {name}(seed=n))", built, seeded=True)
        add(operation, f"keras.layers.Dense (one {name}())", built, seeded=False)
