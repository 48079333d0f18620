"""Give Keras's layers what torch has trained, and train its own on the same batches."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
from asked import answer, given, recipe

keras.config.set_floatx("float64")
batches = np.moveaxis(given["batches"], 2, -1)
options = {"epsilon": float(given["epsilon"]), "momentum": float(given["momentum"])}
flat = batches.reshape(-1, *batches.shape[2:])


def built():
    layer = keras.layers.BatchNormalization(**options)
    layer.build(flat.shape)
    return layer


copied = built()
for name in ("gamma", "beta", "moving_mean", "moving_variance"):
    getattr(copied, name).assign(given[f"state_{name}"])
own = built()
for x in batches:
    own(x, training=True)

# As users train: compiled, and with an optimizer of the guide.
unbiased = recipe("UnbiasedBatchNormalization")(**options)
model = keras.Sequential([keras.Input(flat.shape[1:]), unbiased])
model.compile(recipe("TorchClippedSGD")(0.1, max_norm=1e-3), "mse")
model.fit(flat, np.ones_like(flat), batch_size=batches.shape[1], epochs=1, shuffle=False, verbose=0)

convolution, dense = keras.layers.Conv2D(4, 3), keras.layers.Dense(5)
whole = keras.Sequential([keras.Input((5, 6, 2)), convolution, keras.layers.Flatten(), dense])
convolution.kernel.assign(given["convolution"])
dense.kernel.assign(given["dense"])
default = keras.layers.Dense(10)
default.build((None, 10))
answer(
    y=np.moveaxis(np.asarray(copied(batches[0])), -1, 1),
    own=np.asarray(own.moving_variance),
    unbiased=np.asarray(unbiased.moving_variance),
    moved=np.asarray(unbiased.gamma) - 1,
    whole=np.asarray(whole(np.moveaxis(given["image"], 1, -1))),
    bias=np.asarray(default.bias),
)
