"""The call that a script makes, and pieces of Python text for it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nnconform.adapters import SparseGradient
from nnconform.conformance.vectors.tensors import DTYPES, dtype_name
from nnconform.conformance.vectors.vector import Vector

from .families import RUNNING, Family
from .literals import Arrays

GRADIENTS = frozenset({"dx", "dgamma", "dbeta"})
# Texts of a vector that a script has outside of literals: modes, dtypes, layouts and output names.
WORD = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
OUTPUT = re.compile(r"[A-Za-z_]\w*(\[\d{1,9}\])?", re.ASCII)


class NothingToShow(Exception):
    """No script can be written for a call. The message gives the reason."""


@dataclass(frozen=True)
class Case:
    """The call that a script makes.

    Attributes:
        vector: the vector.
        family: the family of the implementation.
        mode: the mode.
        needed: the outputs that the script checks, without entry numbers.
        array: writes arrays in the syntax of the framework.
    """

    vector: Vector
    family: Family
    mode: str
    needed: frozenset[str]
    array: Arrays

    @property
    def backward(self) -> bool:
        """True if the script has a backward pass: it checks a gradient, or compiles both passes together."""
        return self.mode != "eager" or bool(self.needed & GRADIENTS)

    @property
    def affine(self) -> bool:
        """True if a normalization has gamma and beta."""
        return "gamma" in self.vector.inputs

    @property
    def training(self) -> bool:
        """True if a normalization uses the statistics of the batch."""
        return self.vector.operation == "batch_norm_train"

    @property
    def axis(self) -> int:
        """The channel axis, from 0, of one step's x."""
        return int(self.vector.attributes["channel_axis"] % self.rank)

    @property
    def rank(self) -> int:
        """The rank of one step's x."""
        return len(self.vector.inputs["x"].shape) - bool(self.vector.steps)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one step's x."""
        return tuple(self.vector.inputs["x"].shape[-self.rank :])

    def input(self, name: str) -> Any:
        """Return an input, or None."""
        return self.vector.inputs.get(name)

    def number(self, name: str) -> str | None:
        """Return an attribute as Python text, or None if the vector does not have it."""
        value = self.vector.attributes.get(name)
        return None if value is None else literal(value)

    @property
    def threshold(self) -> str:
        """The clipping threshold as Python text."""
        return str(self.number(self.clipped_by[0]))

    @property
    def clipped_by(self) -> list[str]:
        """The name of the clipping threshold, if any."""
        return [name for name in ("clipvalue", "clipnorm", "global_clipnorm") if self.number(name) is not None]

    def refuse_if(self, condition: bool, reason: str) -> None:
        """Refuse a call that cannot do everything in the vector.

        Raises:
            NothingToShow: the ``condition`` is true.
        """
        if condition:
            raise NothingToShow(f"{self.family.call or self.vector.operation} does not take {self.vector.id}: {reason}")

    def refuse_fan_out(self) -> None:
        """Refuse initializers in another mode than fan_in.

        Raises:
            NothingToShow: the vector has another mode.
        """
        self.refuse_if(self.vector.attributes.get("mode", "fan_in") != "fan_in", "its only mode is fan_in")

    @property
    def stacked(self) -> list[str]:
        """The outputs to check after each of several steps."""
        return sorted(self.needed - {*RUNNING}) if self.vector.steps else []

    def declare(self, *names: str, **renamed: str) -> Iterator[str]:
        """Yield the lines that make inputs, with their own or other names; absent inputs have none."""
        for name, variable in {**{n: n for n in names}, **renamed}.items():
            if self.input(name) is not None:
                yield self.array(variable, self.input(name))

    def declare_batches(self) -> Iterator[str]:
        """Yield the lines that make x and dy, or their batches if there are several steps."""
        x, dy = ("batches", "upstream") if self.vector.steps else ("x", "dy")
        yield from self.declare(x=x, **({"dy": dy} if self.backward else {}))

    def declare_list(self, name: str, letter: str) -> Iterator[str]:
        """Yield the lines that make a list of gradients or weights: one variable per entry, and the list."""
        arrays = self.input(name)
        yield from (self.array(f"{letter}{i}", array) for i, array in enumerate(arrays) if array is not None)
        entries = ("None" if array is None else f"{letter}{i}" for i, array in enumerate(arrays))
        yield f"{name} = [{', '.join(entries)}]"

    def write_call(self, lines: Iterable[str], takes: str, gives: str, decorator: str) -> Iterator[str]:
        """Yield lines unchanged in eager mode, else in a compiled function with a call.

        Args:
            lines: the body.
            takes: the parameters of the function.
            gives: the variables that it returns, or "".
            decorator: the decorator that compiles it.
        """
        yield ""
        if self.mode == "eager":
            yield from lines
            return
        yield f"@{decorator}"
        yield f"def run({takes}):"
        yield from indent([*lines, f"return {gives}"] if gives else lines)
        yield "\n"
        yield f"{gives} = run({takes})" if gives else f"run({takes})"

    def write_steps(self, arrays: str, lines: Iterable[str], number: str) -> Iterator[str]:
        """Yield the lines of one step, or a loop over all steps that collects the outputs to check.

        Args:
            arrays: the variables of the batches of x and dy.
            lines: the lines of one step.
            number: the expression of an output as float64, with ``{}`` for its name.
        """
        if not self.vector.steps:
            yield from lines
            return
        if self.stacked:
            yield f"{', '.join(f'{name}s' for name in self.stacked)} = {', '.join('[]' for _ in self.stacked)}"
        yield f"for x, dy in zip({arrays}):" if self.backward else f"for x in {arrays.partition(',')[0]}:"
        yield from indent(lines)
        for name in self.stacked:
            yield f"    {name}s.append({number.format(self.family.outputs[name])})"


def refuse_foreign(vector: Vector) -> None:
    """Refuse a vector with an attribute, an output name or a dtype that could inject code into a script.

    The schema of vectors refuses them too, but a vector need not come from a file.

    Raises:
        NothingToShow: an attribute, name or dtype is not one that a vector can have.
    """
    if problem := next(_foreign(vector), ""):
        raise NothingToShow(f"{vector.id}: {problem} is not allowed in a script")


def _foreign(vector: Vector) -> Iterator[str]:
    for name, value in vector.attributes.items():
        for part in value if isinstance(value, list | tuple) else [value]:
            plain = WORD.fullmatch(part) if isinstance(part, str) else part is None or isinstance(part, int | float)
            if not plain:
                yield f"the attribute {name} = {part!r}"
    for name in vector.expected:
        if not OUTPUT.fullmatch(name):
            yield f"the output {name!r}"
        if vector.expected[name].dtype not in DTYPES:
            yield f"the dtype {vector.expected[name].dtype!r}"


def literal(value: Any) -> str:
    """Return a value as Python text, with double quotes; infinity is a name of ``math``."""
    if isinstance(value, str):
        return f'"{"".join(map(_escaped, value))}"'
    if isinstance(value, tuple | list):
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    return repr(value)


def _escaped(character: str) -> str:
    """Return a character as it is written within double quotes."""
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else repr(character)[1:-1]


def arguments(*positional: object, **keywords: object) -> str:
    """Return the arguments of a call, without those that are None or ""."""
    texts = [str(value) for value in positional if value not in (None, "")]
    return ", ".join([*texts, *(f"{name}={value}" for name, value in keywords.items() if value not in (None, ""))])


def indent(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines indented by one level."""
    for line in lines:
        yield textwrap.indent(line, "    ")


def complement(momentum: str | None) -> str | None:
    """Return the momentum of an interface that multiplies the new value by it."""
    return None if momentum is None else f"1 - {momentum}"


def dtype_and_shape(gradient: Any) -> tuple[str, tuple[int, ...]]:
    """Return the dtype and shape of a gradient; of an absent one, any."""
    if gradient is None:
        return "float32", ()
    if isinstance(gradient, SparseGradient):
        return dtype_name(gradient.values), tuple(gradient.dense_shape)
    return dtype_name(gradient), tuple(gradient.shape)
