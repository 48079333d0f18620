"""Give flax's layers what torch has trained, and train its own on the same batches."""

import flax.linen
import flax.nnx
import jax
import numpy
import numpy as np
import optax
from asked import answer, call, every_call, given
from flax import nnx

jax.config.update("jax_enable_x64", True)
batches = np.moveaxis(given["batches"], 2, -1)
channels = batches.shape[-1]
names = {"flax": flax, "jax": jax, "numpy": numpy, "optax": optax, "lr": 0.1, "x": batches[0], "C": channels}
names["rngs"] = nnx.Rngs(0)

copied = call("batch norm in inference", 0, **names)
nnx.update(copied, {name: given[f"state_{name}"] for name in ("scale", "bias", "mean", "var")})


def trained(place):
    layer = call("batch norm in training", place, **names)
    # It makes them in float32.
    nnx.update(layer, {"mean": np.zeros(channels), "var": np.ones(channels)})
    step = nnx.jit(lambda layer, x: layer(x, use_running_average=False))
    for x in batches:
        step(layer, x)
    return np.asarray(layer.var[...])


convolution = nnx.Conv(2, 4, (3, 3), padding="VALID", param_dtype="float64", rngs=nnx.Rngs(0))
dense = nnx.Linear(4 * 3 * 4, 5, param_dtype="float64", rngs=nnx.Rngs(0))
nnx.update(convolution, {"kernel": given["convolution"]})
nnx.update(dense, {"kernel": given["dense"]})
image = np.moveaxis(given["image"], 1, -1)
every_call(**names)
answer(
    y=np.moveaxis(np.asarray(copied(batches[0])), -1, 1),
    own=trained(1),
    unbiased=trained(2),
    whole=np.asarray(dense(convolution(image).reshape(len(image), -1))),
    bias=np.asarray(flax.linen.Dense(10).init(jax.random.key(0), np.ones((1, 4)))["params"]["bias"]),
)
