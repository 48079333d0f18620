"""The original: a small convolutional network, trained in PyTorch for 20 steps in float64.

Saves the start of a port, the trajectory, and eight more in which torch sums in another order.
"""

from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_
from trajectory import Arrays, save, save_start

STEPS, BATCH, CLASSES = 20, 8, 10
SHUFFLES = 8
MAX_NORM = 3.0


def network() -> nn.Sequential:
    """Return the network with He initialization, the same at every call."""
    torch.manual_seed(0)
    model = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 8, 3),
            norm1=nn.BatchNorm2d(8),
            elu1=nn.ELU(),
            conv2=nn.Conv2d(8, 16, 3, stride=2, padding=1),
            norm2=nn.BatchNorm2d(16),
            elu2=nn.ELU(),
            flatten=nn.Flatten(),
            linear=nn.Linear(16 * 4 * 4, CLASSES),
        )
    )
    for layer in (model.conv1, model.conv2, model.linear):
        nn.init.kaiming_normal_(layer.weight)
    return model


def thermal_images(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch for each step: images in kelvin, about 290 with a deviation of about 1, and their classes."""
    patterns = rng.normal(size=(CLASSES, 3, 10, 10))
    labels = rng.integers(CLASSES, size=(STEPS, BATCH))
    return 290 + 0.5 * patterns[labels] + rng.normal(size=(STEPS, BATCH, 3, 10, 10)), labels


def state(model: nn.Module) -> Arrays:
    """Return a copy of the weights and running statistics."""
    return {name: t.numpy().copy() for name, t in model.state_dict().items() if not name.endswith("tracked")}


def train(images: np.ndarray, labels: np.ndarray) -> list[Arrays]:
    """Train the network on the batches in order and return the state after each step."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    steps = []
    for x, y in zip(torch.tensor(images), torch.tensor(labels), strict=True):
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        norm = clip_grad_norm_(model.parameters(), MAX_NORM)
        optimizer.step()
        steps.append(state(model) | {"loss": loss.detach().numpy(), "clipped": norm.numpy() > MAX_NORM})
    return steps


def main() -> None:
    """Train on the original batches, then with the images of each batch in another order."""
    torch.set_default_dtype(torch.float64)
    rng = np.random.default_rng(0)
    images, labels = thermal_images(rng)
    save_start(images, labels, state(network()))

    runs = {"torch": train(images, labels)}
    for number in range(SHUFFLES):
        orders = rng.permuted(np.tile(np.arange(BATCH), (STEPS, 1)), axis=1)
        each = np.arange(STEPS)[:, None]
        runs[f"shuffled {number}"] = train(images[each, orders], labels[each, orders])
    save("torch.npz", runs)


if __name__ == "__main__":
    main()
