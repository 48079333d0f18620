"""The table of each framework: the APIs for each use, and the names of their parameters.

A guide from one framework to another composes two tables, so that a new framework is one new table. Tests compare the
defaults with the signatures, and the vectors measure every API.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any

import yaml

TRAINING, INFERENCE, KERNEL = "batch norm in training", "batch norm in inference", "a layer's own kernel"
# The uses in the order of a guide, with the operations of the spec that show them.
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
# The attribute of an SGD step for each use; the plain step has none of them.
THRESHOLDS = {
    "clipping by value": "clipvalue",
    "clipping each variable by its norm": "clipnorm",
    "clipping by the norm of all variables": "global_clipnorm",
}
NAMES = ("torch", "keras", "flax", "tensorflow")
OTHER_NAMES = {"pytorch": "torch", "jax": "flax", "optax": "flax", "tf": "tensorflow"}


@dataclass(frozen=True)
class Parameter:
    """An API's parameter for a number of the spec.

    Attributes:
        name: of the parameter; "" if the number cannot be set.
        default: None if the parameter is required.
        complement: whether the parameter is one minus the spec's number.
    """

    name: str = ""
    default: float | int | None = None
    complement: bool = False

    def of_spec(self, value: float) -> float:
        """Return the API's number for the spec's, or the spec's for the API's; the relation is its own inverse."""
        return 1 - value if self.complement else value


@dataclass(frozen=True)
class Choice:
    """One way to write a use in a framework.

    Attributes:
        write: the code, with the spec's names of the parameters in braces.
        apis: the implementations with this code, by their names in a report.
        recipe: the function or class of the framework's recipes that it needs; "" for none.
        parameters: by the spec's names.
        side: ``from`` for code that a guide only replaces, ``to`` for code that it only recommends, or ``both``.
    """

    write: str
    apis: tuple[str, ...]
    recipe: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    side: str = "to"


@dataclass(frozen=True)
class Note:
    """A note for porters to a framework about more than the spec's operations.

    Attributes:
        text: Markdown.
        sources: the frameworks that a guide with the note is from; all if empty.
    """

    text: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Framework:
    """One framework's table.

    Attributes:
        title: its name in a guide.
        adapter: whose worker runs it, and whose module of recipes has its recipes.
        packages: the distributions whose versions a guide states.
        channels: ``first`` or ``last``, the default axis of the channels.
        layouts: the axes of the kernels of dense layers and of convolutions, by name, in order.
        state: the names of the variables of batch normalization.
        kernel: the name of a layer's kernel.
        initial_bias: the default initializer of a layer's bias.
        uses: the ways to write each use, the plainest first.
        notes: for porters to this framework.
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
    notes: tuple[Note, ...] = ()

    def source_choices(self, use: str) -> list[Choice]:
        """Return the ways to write a use that a guide from this framework replaces."""
        return [choice for choice in self.uses.get(use, ()) if choice.side != "to"]

    def target_choices(self, use: str) -> list[Choice]:
        """Return the ways to write a use that a guide to this framework can recommend."""
        return [choice for choice in self.uses.get(use, ()) if choice.side != "from"]


def _choices(entries: Sequence[Mapping[str, Any]]) -> Iterator[Choice]:
    """Yield the ways to write a use; if none has a side, the first is for both unless it is a recipe."""
    without_sides = not any("side" in entry for entry in entries)
    for number, entry in enumerate(entries):
        parameters = {name: Parameter(**fields) for name, fields in entry.get("parameters", {}).items()}
        choice = Choice(**{**entry, "apis": tuple(entry["apis"]), "parameters": parameters})
        first = without_sides and number == 0 and not choice.recipe
        yield replace(choice, side="both") if first else choice


@functools.cache
def table(name: str) -> Framework:
    """Return the table of a framework of ``NAMES``."""
    entry = yaml.safe_load(resources.files(__package__).joinpath(f"{name}.yaml").read_text())
    entry["packages"] = tuple(entry["packages"])
    entry["layouts"] = {layer: tuple(axes) for layer, axes in entry["layouts"].items()}
    entry["notes"] = tuple(Note(note["text"], tuple(note.get("sources", ()))) for note in entry.get("notes", ()))
    entry["uses"] = {use: tuple(_choices(choices)) for use, choices in entry["uses"].items()}
    return Framework(**entry)


def apis(adapter: str) -> tuple[str, ...]:
    """Return the implementations of an adapter in all tables, without repeats."""
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
