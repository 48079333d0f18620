"""Give flax's layers what torch has trained, and train its own on the same batches."""

import flax.linen
import jax
import numpy as np
import optax  # noqa: F401 - its signatures are asked for
from asked import answer, given, recipe
from flax import nnx

jax.config.update("jax_enable_x64", True)
batches = np.moveaxis(given["batches"], 2, -1)
options = {"epsilon": float(given["epsilon"]), "momentum": float(given["momentum"]), "param_dtype": "float64"}


def built(kind, **more):
    layer = kind(batches.shape[-1], rngs=nnx.Rngs(0), **options, **more)
    # It makes them in float32 even so.
    nnx.update(layer, {"mean": np.zeros(batches.shape[-1]), "var": np.ones(batches.shape[-1])})
    return layer


copied = built(nnx.BatchNorm, use_running_average=True)
nnx.update(copied, {name: given[f"state_{name}"] for name in ("scale", "bias", "mean", "var")})


def trained(layer):
    step = nnx.jit(lambda layer, x: layer(x, use_running_average=False))
    for x in batches:
        step(layer, x)
    return np.asarray(layer.var[...])


convolution = nnx.Conv(2, 4, (3, 3), padding="VALID", param_dtype="float64", rngs=nnx.Rngs(0))
dense = nnx.Linear(4 * 3 * 4, 5, param_dtype="float64", rngs=nnx.Rngs(0))
nnx.update(convolution, {"kernel": given["convolution"]})
nnx.update(dense, {"kernel": given["dense"]})
image = np.moveaxis(given["image"], 1, -1)
answer(
    y=np.moveaxis(np.asarray(copied(batches[0])), -1, 1),
    own=trained(built(nnx.BatchNorm, use_fast_variance=False)),
    unbiased=trained(built(recipe("UnbiasedBatchNorm"), use_fast_variance=False)),
    whole=np.asarray(dense(convolution(image).reshape(len(image), -1))),
    bias=np.asarray(flax.linen.Dense(10).init(jax.random.key(0), np.ones((1, 4)))["params"]["bias"]),
)
