"""What is known of the frameworks, each by itself: which API serves which use, and what its parameters are called.

A guide from one framework to another composes two tables, so that a framework more is one table more. Nothing here is
believed: defaults are compared with the signatures, and what an API does with what it does on the vectors.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import yaml

TRAINING, INFERENCE, KERNEL = "batch norm in training", "batch norm in inference", "a layer's own kernel"
# What a guide goes through, in the order in which one works, with the operations of the spec that show it.
USES: Mapping[str, tuple[str, ...]] = {
    "relu": ("relu",),
    "elu": ("elu",),
    TRAINING: ("batch_norm_train",),
    INFERENCE: ("batch_norm_eval",),
    "He normal": ("he_normal",),
    "He uniform": ("he_uniform",),
    KERNEL: ("he_uniform",),
    "SGD": ("sgd_step",),
    "clipping by value": ("clip_by_value", "sgd_step"),
    "clipping each variable by its norm": ("clip_by_norm", "sgd_step"),
    "clipping by the norm of all variables": ("clip_by_global_norm", "sgd_step"),
}
# Which attribute of an SGD step belongs to which use; the plain step has none of them.
THRESHOLDS = {
    "clipping by value": "clipvalue",
    "clipping each variable by its norm": "clipnorm",
    "clipping by the norm of all variables": "global_clipnorm",
}
NAMES = ("torch", "keras", "flax", "tensorflow")
OTHER_NAMES = {"pytorch": "torch", "jax": "flax", "optax": "flax", "tf": "tensorflow"}


@dataclass(frozen=True)
class Parameter:
    """One number of the spec, as an API has it.

    Attributes:
        name: the API's own name for it; "" where it cannot be set.
        default: what the API takes when nothing is given; None where it must be given.
        complement: the API's number is one minus the spec's.
    """

    name: str = ""
    default: float | int | None = None
    complement: bool = False

    def of_spec(self, value: float) -> float:
        """Return the API's number for the spec's, or the spec's for the API's: the relation is its own inverse."""
        return 1 - value if self.complement else value


@dataclass(frozen=True)
class Choice:
    """One way to write a use in a framework.

    Attributes:
        write: the code, with the spec's names of the parameters in braces.
        apis: the implementations that it stands for, by their names in a report.
        recipe: the function or class of the framework's recipes that it needs; "" for none.
        parameters: by the spec's names.
        side: ``from`` for what one only leaves, ``to`` for what one only goes to, ``both``.
    """

    write: str
    apis: tuple[str, ...]
    recipe: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    side: str = "to"


@dataclass(frozen=True)
class Framework:
    """One framework's table.

    Attributes:
        title: its name in a guide.
        adapter: whose worker runs it, and whose module of recipes has its recipes.
        packages: the distributions whose versions a guide states.
        channels: ``first`` or ``last``, the axis of the channels where nothing is said.
        layouts: the axes of the kernels of dense layers and of convolutions, by name, in order.
        state: what the variables of batch normalization are called.
        kernel: what the kernel of a layer is called.
        initial_bias: how a layer's bias begins when nothing is said.
        beside: what else one must know who comes to it, and of which frameworks; all where none is named.
        uses: the ways to write each use, the plainest first.
    """

    title: str
    adapter: str
    packages: tuple[str, ...]
    channels: str
    layouts: Mapping[str, tuple[str, ...]]
    state: Mapping[str, str]
    kernel: str
    initial_bias: str
    uses: Mapping[str, tuple[Choice, ...]]
    beside: tuple[Mapping[str, Any], ...] = ()

    def left(self, use: str) -> list[Choice]:
        """Return how users of this framework have written a use before any guide; nothing where it has no such API."""
        return [choice for choice in self.uses.get(use, ()) if choice.side != "to"]

    def reached(self, use: str) -> list[Choice]:
        """Return how a use can be written in this framework."""
        return [choice for choice in self.uses.get(use, ()) if choice.side != "from"]


def _choices(entries: Sequence[Mapping[str, Any]]) -> Iterator[Choice]:
    """Yield the ways to write a use; of those that say nothing of sides, the first is both if it is no recipe."""
    plain = not any("side" in entry for entry in entries)
    for place, entry in enumerate(entries):
        parameters = {name: Parameter(**value) for name, value in entry.get("parameters", {}).items()}
        recipe = entry.get("recipe", "")
        side = entry.get("side", "both" if plain and place == 0 and not recipe else "to")
        yield Choice(entry["write"], tuple(entry["apis"]), recipe, parameters, side)


@functools.cache
def table(name: str) -> Framework:
    """Return the table of a framework of ``NAMES``."""
    entry = yaml.safe_load(resources.files(__package__).joinpath(f"{name}.yaml").read_text())
    uses = {use: tuple(_choices(choices)) for use, choices in entry.pop("uses").items()}
    entry |= {key: tuple(entry[key]) for key in ("packages", "beside") if key in entry}
    entry["layouts"] = {layer: tuple(axes) for layer, axes in entry["layouts"].items()}
    return Framework(**entry, uses=uses)


def apis(adapter: str) -> tuple[str, ...]:
    """Return every implementation of an adapter that a table names, in order and once."""
    tables = [table(name) for name in NAMES]
    return tuple(
        dict.fromkeys(
            api
            for framework in tables
            if framework.adapter == adapter
            for choices in framework.uses.values()
            for choice in choices
            for api in choice.apis
        )
    )
