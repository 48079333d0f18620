"""The network of torch_model.py in Keras on TensorFlow, ported with `nnconform guide torch keras`.

Trains the port with the guide, then a port with the same names only, then ports without one setting each.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from trajectory import Arrays, load_start, save

# The axes of torch's arrays in Keras's order: (out, in, height, width) is (height, width, in, out) there.
AXES = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}
MAX_NORM = 3.0


# The recipes of the guide, unchanged.


def keras_elu(x, alpha=1.0):
    """Return ELU with all its digits near 0, by expm1."""
    below = alpha * keras.ops.expm1(keras.ops.where(x > 0, 0, x))
    return keras.ops.where(x > 0, x, below)


class UnbiasedBatchNormalization(keras.layers.BatchNormalization):
    """BatchNormalization whose moving variance takes var * n / (n - 1)."""

    def call(self, inputs, training=None, mask=None):
        """Normalize; in training move the statistics too."""
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        kept = self.moving_variance * self.momentum
        self.moving_variance.assign(keras.ops.zeros_like(kept))
        outputs = super().call(inputs, training=True, mask=mask)
        n = keras.ops.size(inputs) / inputs.shape[self.axis]
        factor = keras.ops.cast(n / keras.ops.maximum(n - 1, 1), kept.dtype)
        self.moving_variance.assign(kept + self.moving_variance * factor)
        return outputs


class TorchClippedSGD(keras.optimizers.SGD):
    """SGD that clips as torch.nn.utils.clip_grad_norm_ does.

    Not with loss_scale_factor or gradient_accumulation_steps, which Keras
    applies after this clipping and before its own.
    """

    def __init__(self, *args, max_norm, **kwargs):
        super().__init__(*args, **kwargs)
        self.max_norm = max_norm

    def get_config(self):
        """Return what a saved model needs to make the optimizer again."""
        return {**super().get_config(), "max_norm": self.max_norm}

    def apply(self, grads, trainable_variables=None):
        """Clip, then take the step."""
        # Those of embeddings come as rows.
        grads = [None if g is None else tf.convert_to_tensor(g) for g in grads]
        present = [g for g in grads if g is not None]
        norm = keras.ops.sqrt(sum(keras.ops.sum(g * g) for g in present))
        scale = keras.ops.minimum(self.max_norm / (norm + 1e-6), 1)
        grads = [None if g is None else g * scale for g in grads]
        return super().apply(grads, trainable_variables)


def torch_clipped_sgd(rate: float) -> keras.optimizers.Optimizer:
    """Return torch's optimizer and the clipping before it."""
    return TorchClippedSGD(rate, max_norm=MAX_NORM)


@dataclass(frozen=True)
class Settings:
    """The settings of the guide. Layers are float64 in any case."""

    floatx: str = "float64"  # the dtype of the inputs and of the optimizer's learning rate
    epsilon: float = 1e-5
    momentum: float = 0.9  # the weight of the old value: 1 - torch's momentum
    norm: type[layers.BatchNormalization] = UnbiasedBatchNormalization
    optimizer: Callable[[float], keras.optimizers.Optimizer] = torch_clipped_sgd
    zero_padding: bool = True  # "same" would pad at the bottom and right only, if the stride is 2
    channels_first: bool = True  # torch flattens (channels, height, width)


# The effect of using the same names in Keras. The naive port has all of these, and the last of the two optimizers.
SAME_NAMES = {
    "floatx float32": {"floatx": "float32"},
    "epsilon 1e-3": {"epsilon": 1e-3},
    "momentum 0.99": {"momentum": 0.99},
    "biased running variance": {"norm": layers.BatchNormalization},
    "SGD(global_clipnorm)": {"optimizer": lambda rate: keras.optimizers.SGD(rate, global_clipnorm=MAX_NORM)},
    "SGD(clipnorm)": {"optimizer": lambda rate: keras.optimizers.SGD(rate, clipnorm=MAX_NORM)},
}
# Settings whose absence the first forward pass shows: the naive port has them right.
FORWARD_PASS = {"padding 'same'": {"zero_padding": False}, "Flatten alone": {"channels_first": False}}
NAIVE = {name: value for change in SAME_NAMES.values() for name, value in change.items()}


def network(settings: Settings) -> keras.Sequential:
    """Return the network, the layers by torch's names."""
    norm = {"epsilon": settings.epsilon, "momentum": settings.momentum}
    padding = "valid" if settings.zero_padding else "same"
    return keras.Sequential(
        [
            layers.Input((10, 10, 3)),
            layers.Conv2D(8, 3, name="conv1"),
            settings.norm(**norm, name="norm1"),
            layers.Activation(keras_elu),
            *([layers.ZeroPadding2D(1)] if settings.zero_padding else []),
            layers.Conv2D(16, 3, strides=2, padding=padding, name="conv2"),
            settings.norm(**norm, name="norm2"),
            layers.Activation(keras_elu),
            *([layers.Permute((3, 1, 2))] if settings.channels_first else []),
            layers.Flatten(),
            layers.Dense(10, name="linear"),
        ]
    )


def variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Return the variables by torch's names."""
    found = {}
    for name in ("conv1", "conv2", "linear"):
        layer = model.get_layer(name)
        found |= {f"{name}.weight": layer.kernel, f"{name}.bias": layer.bias}
    for name in ("norm1", "norm2"):
        layer = model.get_layer(name)
        found |= {f"{name}.weight": layer.gamma, f"{name}.bias": layer.beta}
        found |= {f"{name}.running_mean": layer.moving_mean, f"{name}.running_var": layer.moving_variance}
    return found


def state(model: keras.Model) -> Arrays:
    """Return the weights and running statistics, in torch's layouts."""
    arrays = {name: keras.ops.convert_to_numpy(variable) for name, variable in variables(model).items()}
    return {name: a.transpose(np.argsort(AXES[a.ndim])) for name, a in arrays.items()}


def train(settings: Settings) -> list[Arrays]:
    """Train the network on torch's batches, from torch's weights, and return the state after each step."""
    keras.config.set_floatx(settings.floatx)
    keras.config.set_dtype_policy("float64")
    images, labels, start = load_start()
    model = network(settings)
    for name, variable in variables(model).items():
        variable.assign(start[name].transpose(AXES[start[name].ndim]))
    optimizer = settings.optimizer(0.1)
    steps = []
    for x, y in zip(images.transpose(0, 1, 3, 4, 2), labels, strict=True):
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(y, model(x, training=True), from_logits=True)
            loss = tf.reduce_mean(losses)
        optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
        steps.append(state(model) | {"loss": loss.numpy()})
    return steps


def main() -> None:
    """Train the port with the guide, the naive port, and the ports without one setting each."""
    left_out = SAME_NAMES | FORWARD_PASS
    runs = {"guide": train(Settings()), "naive": train(Settings(**NAIVE))}
    save("keras.npz", runs | {name: train(Settings(**change)) for name, change in left_out.items()})


if __name__ == "__main__":
    main()
