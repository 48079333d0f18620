"""PyTorch: torch.nn.init on a tensor and on the weights of layers, and the weights that layers have by themselves."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from nnconform.adapters.contract import Unsupported

from . import DIRECT, with_draws

LAWS = {"he_normal": torch.nn.init.kaiming_normal_, "he_uniform": torch.nn.init.kaiming_uniform_}


class Kernel(NamedTuple):
    """The weights of a class of layers.

    Attributes:
        cls: the class.
        make: returns a layer whose weight has a shape, from the class, the shape, the groups, and other options.
        kinds: of kernels.
        layout: of its weight.
        rank: of its weight.
        law: the operation whose law is nearest to what the layer draws by itself.
    """

    cls: type[Any]
    make: Callable[..., Any]
    kinds: tuple[str, ...]
    layout: str
    rank: int
    law: str = "he_uniform"

    def applies(self, *, shape, kind, layout, **_):
        """Say whether the layer has such a weight."""
        return kind in self.kinds and (len(shape), layout) == (self.rank, self.layout)


def linear(cls, shape, groups, **options):
    """Return a dense layer with a weight (outputs, inputs)."""
    outputs, inputs = shape
    return cls(inputs, outputs, **options)


def conv(cls, shape, groups, **options):
    """Return a convolution with a weight (outputs, inputs / groups, *spatial)."""
    outputs, inputs, *spatial = shape
    return cls(inputs * groups, outputs, tuple(spatial), groups=groups, **options)


def transposed(cls, shape, groups, **options):
    """Return a transposed convolution with a weight (inputs, outputs / groups, *spatial)."""
    inputs, outputs, *spatial = shape
    return cls(inputs, outputs * groups, tuple(spatial), groups=groups, **options)


def embedding(cls, shape, groups, **options):
    """Return an embedding with a weight (rows, features)."""
    return cls(*shape, **options)


CONV, TRANSPOSED = ("conv", "depthwise_conv"), ("transposed_conv",)
KERNELS = (
    Kernel(torch.nn.Linear, linear, ("dense",), "out_in_spatial", 2),
    Kernel(torch.nn.Conv1d, conv, CONV, "out_in_spatial", 3),
    Kernel(torch.nn.Conv2d, conv, CONV, "out_in_spatial", 4),
    Kernel(torch.nn.Conv3d, conv, CONV, "out_in_spatial", 5),
    Kernel(torch.nn.ConvTranspose1d, transposed, TRANSPOSED, "in_out_spatial", 3),
    Kernel(torch.nn.ConvTranspose2d, transposed, TRANSPOSED, "in_out_spatial", 4),
    Kernel(torch.nn.ConvTranspose3d, transposed, TRANSPOSED, "in_out_spatial", 5),
    Kernel(torch.nn.Embedding, embedding, ("embedding",), "in_out_spatial", 2, "he_normal"),
    Kernel(torch.nn.EmbeddingBag, embedding, ("embedding",), "in_out_spatial", 2, "he_normal"),
)


def dtyped(name):
    """Return torch's dtype of a name."""
    return getattr(torch, name)


def draws(operation, shape, dtype, seed):
    """Return the draws of the plain normal or uniform sampler with the same generator."""
    torch.manual_seed(seed)
    plain = torch.empty(shape, dtype=dtyped(dtype))
    return plain.normal_(0, 1) if operation == "he_normal" else plain.uniform_(-1, 1)


def filled(operation, weight, shape, dtype, seed, mode=None):
    """Return a tensor or parameter filled by kaiming_*_, and the draws; without a mode, by nothing but its defaults."""
    if mode == "fan_avg":
        raise Unsupported("torch.nn.init has fan_in and fan_out, and no fan_avg")
    options = {} if mode is None else {"mode": mode, "nonlinearity": "relu"}
    torch.manual_seed(seed)
    sample = LAWS[operation](weight, **options)
    return with_draws(sample, shape, lambda: draws(operation, shape, dtype, seed))


def several(operation, *, shape, dtype, seed, mode, layers):
    """Return the samples of the initializer for several tensors in turn."""
    torch.manual_seed(seed)
    weights = [torch.empty(shape, dtype=dtyped(dtype)) for _ in range(layers)]
    return {"sample": torch.stack([LAWS[operation](w, mode=mode, nonlinearity="relu") for w in weights])}


def called(operation, *, shape, dtype, seed, mode=None, layers=0, **_):
    """Return the sample of the initializer for a tensor, or one per layer."""
    if layers:
        return several(operation, shape=shape, dtype=dtype, seed=seed, mode=mode, layers=layers)
    return filled(operation, torch.empty(shape, dtype=dtyped(dtype)), shape, dtype, seed, mode)


def initialized(operation, kernel, *, shape, groups, dtype, seed, mode, **_):
    """Return the weight of a layer that the initializer fills."""
    layer = kernel.make(kernel.cls, shape, groups, dtype=dtyped(dtype))
    return filled(operation, layer.weight, shape, dtype, seed, mode)


def fresh(kernel, *, shape, dtype, seed, **_):
    """Return the weight of a layer with its own initialization."""
    torch.manual_seed(seed)
    layer = kernel.make(kernel.cls, shape, 1, dtype=dtyped(dtype))
    return {"sample": layer.weight, "draws": draws(kernel.law, shape, dtype, seed)}


def register(adapter, array):
    """Add all to ``adapter``; ``array`` returns the array of a tensor."""

    def add(operation, name, function, **options):
        def arrays(**attributes):
            return {output: array(value) for output, value in function(**attributes).items()}

        adapter.implements(operation, name, modes=("eager",), **options)(arrays)

    for operation, initializer in LAWS.items():
        name = f"torch.nn.init.{initializer.__name__}"
        for defaults in (False, True):
            run = functools.partial(called, operation)
            add(operation, name, run, applies=has_torch_layout, defaults=defaults, takes=DIRECT)
        for kernel in KERNELS:
            full = f"{name}(torch.nn.{kernel.cls.__name__}.weight)"
            add(operation, full, functools.partial(initialized, operation, kernel), applies=kernel.applies)
    for kernel in KERNELS:
        run = functools.partial(fresh, kernel)
        add(kernel.law, f"torch.nn.{kernel.cls.__name__}", run, applies=kernel.applies, defaults=True)


def has_torch_layout(*, layout, **_):
    """Say whether a kernel's axes are in torch's order."""
    return layout in ("out_in_spatial", "in_out_spatial")
