"""The network of torch_model.py in flax and optax, ported with `nnconform guide torch flax`.

Trains the port with the guide, then a port with the same names only, then ports without one setting each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import flax.nnx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from trajectory import Arrays, load_start, save

# The axes of torch's arrays in flax's order: (out, in, height, width) is (height, width, in, out) there.
AXES = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}
MAX_NORM = 3.0


# The recipes of the guide, unchanged.


def elu(x, alpha=1.0):
    """Return ELU with a gradient that keeps its digits far below 0.

    alpha is a number: it has no gradient.
    """

    @jax.custom_jvp
    def value(x):
        return jnp.where(x > 0, x, alpha * jnp.expm1(jnp.minimum(x, 0)))

    def derivative(dx, y, x):
        return jnp.where(x > 0, dx, dx * alpha * jnp.exp(jnp.minimum(x, 0)))

    value.defjvps(derivative)
    return value(x)


class UnbiasedBatchNorm(flax.nnx.BatchNorm):
    """BatchNorm whose running variance takes var * n / (n - 1)."""

    def __call__(self, x, use_running_average=None, **kwargs):
        """Normalize; in training move the running statistics too."""
        if use_running_average is None:
            use_running_average = self.use_running_average
        if use_running_average:
            return super().__call__(x, True, **kwargs)
        before = self.var[...]
        self.var[...] = jnp.zeros_like(before)
        y = super().__call__(x, False, **kwargs)
        n = x.size // x.shape[self.axis]
        factor = n / max(n - 1, 1)
        self.var[...] = self.momentum * before + self.var[...] * factor
        return y


def clip_by_global_norm_like_torch(max_norm):
    """Return a transformation that clips as torch's clip_grad_norm_ does."""

    def scaled(updates, _):
        norm = optax.global_norm(updates)
        scale = jnp.minimum(1.0, max_norm / (norm + 1e-6))
        return jax.tree.map(lambda g: (g * scale).astype(g.dtype), updates)

    return optax.stateless(scaled)


@dataclass(frozen=True)
class Settings:
    """The settings of the guide."""

    x64: bool = True  # without it JAX makes every float64 array a float32 one
    assign: Callable[[nnx.Variable, jax.Array], None] = nnx.Variable.set_value  # keeps the array's dtype
    momentum: float = 0.9  # the weight of the old value: 1 - torch's momentum
    norm: type[nnx.BatchNorm] = UnbiasedBatchNorm
    use_fast_variance: bool = False  # E[x^2] - E[x]^2 cancels if the mean is large
    clip: Callable[[float], optax.GradientTransformation] = clip_by_global_norm_like_torch
    padding: int | str = 1  # "SAME" would pad at the bottom and right only, if the stride is 2
    channels_first: bool = True  # torch flattens (channels, height, width)


# The effect of using the same names in flax and optax. The naive port has all of these.
SAME_NAMES = {
    "no jax_enable_x64": {"x64": False},
    "variable[...] = array": {"assign": lambda variable, array: variable.__setitem__(..., array)},
    "momentum 0.99": {"momentum": 0.99},
    "biased running variance": {"norm": nnx.BatchNorm},
    "use_fast_variance": {"use_fast_variance": True},
    "clip_by_global_norm": {"clip": optax.clip_by_global_norm},
}
# Settings whose absence the first forward pass shows: the naive port has them right.
FORWARD_PASS = {"padding 'SAME'": {"padding": "SAME"}, "reshape alone": {"channels_first": False}}
NAIVE = {name: value for change in SAME_NAMES.values() for name, value in change.items()}


class Network(nnx.Module):
    """The network, the layers by torch's names."""

    def __init__(self, settings: Settings, rngs: nnx.Rngs):
        norm = partial(settings.norm, momentum=settings.momentum, use_fast_variance=settings.use_fast_variance)
        zeros = nnx.initializers.zeros  # torch's weights come in their place
        self.conv1 = nnx.Conv(3, 8, (3, 3), padding="VALID", kernel_init=zeros, rngs=rngs)
        self.norm1 = norm(8, rngs=rngs)
        self.conv2 = nnx.Conv(8, 16, (3, 3), strides=2, padding=settings.padding, kernel_init=zeros, rngs=rngs)
        self.norm2 = norm(16, rngs=rngs)
        self.linear = nnx.Linear(16 * 4 * 4, 10, kernel_init=zeros, rngs=rngs)
        self.channels_first = settings.channels_first

    def __call__(self, x):
        """Return the logits (batch, 10) of images (batch, height, width, channels)."""
        x = elu(self.norm1(self.conv1(x)))
        x = elu(self.norm2(self.conv2(x)))
        if self.channels_first:
            x = x.transpose(0, 3, 1, 2)
        return self.linear(x.reshape(len(x), -1))


def variables(model: Network) -> dict[str, nnx.Variable]:
    """Return the variables by torch's names."""
    found = {}
    for name in ("conv1", "conv2", "linear"):
        layer = getattr(model, name)
        found |= {f"{name}.weight": layer.kernel, f"{name}.bias": layer.bias}
    for name in ("norm1", "norm2"):
        layer = getattr(model, name)
        found |= {f"{name}.weight": layer.scale, f"{name}.bias": layer.bias}
        found |= {f"{name}.running_mean": layer.mean, f"{name}.running_var": layer.var}
    return found


def state(model: Network) -> Arrays:
    """Return the weights and running statistics, in torch's layouts."""
    arrays = {name: np.asarray(variable[...]) for name, variable in variables(model).items()}
    return {name: a.transpose(np.argsort(AXES[a.ndim])) for name, a in arrays.items()}


@nnx.jit
def step(model: Network, optimizer: nnx.Optimizer, x: jax.Array, y: jax.Array) -> jax.Array:
    """Make one step of training and return the loss before it."""
    loss, gradients = nnx.value_and_grad(loss_of)(model, x, y)
    optimizer.update(model, gradients)
    return loss


def loss_of(model: Network, x: jax.Array, y: jax.Array) -> jax.Array:
    """Return the mean cross entropy of a batch."""
    return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()


def train(settings: Settings) -> list[Arrays]:
    """Train the network on torch's batches, from torch's weights, and return the state after each step."""
    jax.config.update("jax_enable_x64", settings.x64)
    images, labels, start = load_start()
    model = Network(settings, nnx.Rngs(0))
    for name, variable in variables(model).items():
        settings.assign(variable, jnp.asarray(start[name].transpose(AXES[start[name].ndim])))
    optimizer = nnx.Optimizer(model, optax.chain(settings.clip(MAX_NORM), optax.sgd(0.1)), wrt=nnx.Param)
    steps = []
    for x, y in zip(images.transpose(0, 1, 3, 4, 2), labels, strict=True):
        loss = step(model, optimizer, jnp.asarray(x), jnp.asarray(y))
        steps.append(state(model) | {"loss": np.asarray(loss)})
    return steps


def main() -> None:
    """Train the port with the guide, the naive port, and the ports without one setting each."""
    left_out = SAME_NAMES | FORWARD_PASS
    runs = {"guide": train(Settings()), "naive": train(Settings(**NAIVE))}
    save("flax.npz", runs | {name: train(Settings(**change)) for name, change in left_out.items()})


if __name__ == "__main__":
    main()
