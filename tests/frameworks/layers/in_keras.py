"""Give Keras's layers what torch has trained, and train its own on the same batches."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy
import numpy as np
from asked import answer, call, every_call, given

keras.config.set_floatx("float64")
batches = np.moveaxis(given["batches"], 2, -1)
flat = batches.reshape(-1, *batches.shape[2:])
names = {"keras": keras, "numpy": numpy, "lr": 0.1, "x": flat}

copied = call("batch norm in inference", 0, **names)
copied.build(flat.shape)
for name in ("gamma", "beta", "moving_mean", "moving_variance"):
    getattr(copied, name).assign(given[f"state_{name}"])
own = call("batch norm in training", 0, **names)
for x in batches:
    own(x, training=True)

# As users train: compiled, and with an optimizer of the guide.
unbiased = call("batch norm in training", 1, **names)
model = keras.Sequential([keras.Input(flat.shape[1:]), unbiased])
model.compile(call("clipping by the norm of all variables", -1, **names), "mse")
model.fit(flat, np.ones_like(flat), batch_size=batches.shape[1], epochs=1, shuffle=False, verbose=0)

# What ordinary models have too: a last batch of one element a channel, the rows of an embedding, a configuration.
single = call("batch norm in training", 1, **names)
single(flat[(slice(0, 1),) * (flat.ndim - 1)], training=True)
optimizer = call("clipping by the norm of all variables", -1, **names)
embedding = keras.layers.Embedding(5, 2, embeddings_initializer="zeros")
words = keras.Sequential([keras.Input((3,), dtype="int32"), embedding, keras.layers.Flatten(), keras.layers.Dense(1)])
words.compile(optimizer, "mse")
words.fit(np.array([[0, 1, 1]]), np.ones((1, 1)), verbose=0)

convolution, dense = keras.layers.Conv2D(4, 3), keras.layers.Dense(5)
whole = keras.Sequential([keras.Input((5, 6, 2)), convolution, keras.layers.Flatten(), dense])
convolution.kernel.assign(given["convolution"])
dense.kernel.assign(given["dense"])
default = keras.layers.Dense(10)
default.build((None, 10))
every_call(**names)
answer(
    y=np.moveaxis(np.asarray(copied(batches[0])), -1, 1),
    own=np.asarray(own.moving_variance),
    unbiased=np.asarray(unbiased.moving_variance),
    moved=np.asarray(unbiased.gamma) - 1,
    single=np.asarray(single.moving_variance),
    embedded=np.asarray(embedding.embeddings),
    max_norms=np.array([o.max_norm for o in (optimizer, type(optimizer).from_config(optimizer.get_config()))]),
    whole=np.asarray(whole(np.moveaxis(given["image"], 1, -1))),
    bias=np.asarray(default.bias),
)
