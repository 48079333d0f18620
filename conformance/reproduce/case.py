"""What the writers of scripts share: the case to write, and small pieces of Python text."""

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
# Texts of a vector that a script has outside a literal: names of modes, dtypes and layouts, and of outputs.
WORD = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
OUTPUT = re.compile(r"[A-Za-z_]\w*(\[\d{1,9}\])?", re.ASCII)


class NothingToShow(Exception):
    """There is no such call, or nothing of it is judged; the message says why."""


@dataclass(frozen=True)
class Case:
    """One call to write.

    Attributes:
        vector: what is asked.
        family: how the implementation is called.
        mode: how it runs.
        needed: the outputs that the script looks at, without the number of an entry.
        array: writes arrays in the framework's words.
    """

    vector: Vector
    family: Family
    mode: str
    needed: frozenset[str]
    array: Arrays

    @property
    def backward(self) -> bool:
        """Whether a gradient is looked at, or the backward pass is compiled with the rest."""
        return self.mode != "eager" or bool(self.needed & GRADIENTS)

    @property
    def affine(self) -> bool:
        """Whether a normalization has gamma and beta."""
        return "gamma" in self.vector.inputs

    @property
    def training(self) -> bool:
        """Whether a normalization is by the batch's own statistics."""
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
        """Return an attribute as Python text; None where the vector leaves it out."""
        value = self.vector.attributes.get(name)
        return None if value is None else literal(value)

    @property
    def threshold(self) -> str:
        """The clipping threshold as Python text."""
        return str(self.number(self.clipped_by[0]))

    @property
    def clipped_by(self) -> list[str]:
        """The name of the threshold, where there is one."""
        return [name for name in ("clipvalue", "clipnorm", "global_clipnorm") if self.number(name) is not None]

    def refuse(self, lacking: bool, what: str) -> None:
        """Refuse to write a call that would leave out something that the vector asks for.

        Raises:
            NothingToShow: it is ``lacking``.
        """
        if lacking:
            raise NothingToShow(f"{self.family.call or self.vector.operation} does not take {self.vector.id}: {what}")

    @property
    def stacked(self) -> list[str]:
        """The outputs that are looked at after every one of several steps."""
        return sorted(self.needed - {*RUNNING}) if self.vector.steps else []

    def declared(self, *names: str, **renamed: str) -> Iterator[str]:
        """Yield the lines that make inputs, under their own names or others; one that is absent has none."""
        for name, variable in {**{n: n for n in names}, **renamed}.items():
            if self.input(name) is not None:
                yield self.array(variable, self.input(name))

    def stepped(self, arrays: str, lines: Iterable[str], collected: str) -> Iterator[str]:
        """Yield the lines of one step, or a loop over all of them that collects what is looked at.

        Args:
            arrays: what the steps' x and dy are called.
            lines: of one step.
            collected: the expression of an output as float64, with ``{}`` for its name.
        """
        if not self.vector.steps:
            yield from lines
            return
        if self.stacked:
            yield f"{', '.join(f'{name}s' for name in self.stacked)} = {', '.join('[]' for _ in self.stacked)}"
        yield f"for x, dy in zip({arrays}):" if self.backward else f"for x in {arrays.partition(',')[0]}:"
        yield from indented(lines)
        for name in self.stacked:
            yield f"    {name}s.append({collected.format(self.family.outputs[name])})"


def refuse_foreign(vector: Vector) -> None:
    """Refuse a vector with an attribute, an output or a dtype that would be another piece of code.

    The schema of vectors refuses it too; a vector need not come from a file.

    Raises:
        NothingToShow: the text or the number is none that a vector can have.
    """
    if problem := next(_foreign(vector), ""):
        raise NothingToShow(f"{vector.id}: {problem} has no place in a script")


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
    """Return a value as Python text, its strings in double quotes; infinity is a name of math."""
    if isinstance(value, str):
        return f'"{"".join(map(_escaped, value))}"'
    if isinstance(value, tuple | list):
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    return repr(value)


def _escaped(character: str) -> str:
    """Return a character as it can be within double quotes."""
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else repr(character)[1:-1]


def arguments(*positional: object, **keywords: object) -> str:
    """Return the arguments of a call; those that are None or "" are left out."""
    given = [str(value) for value in positional if value not in (None, "")]
    return ", ".join([*given, *(f"{name}={value}" for name, value in keywords.items() if value not in (None, ""))])


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines one level deeper."""
    for line in lines:
        yield textwrap.indent(line, "    ")


def complement(momentum: str | None) -> str | None:
    """Return the momentum of an interface where it weighs the new value."""
    return None if momentum is None else f"1 - {momentum}"


def dtype_and_shape(gradient: Any) -> tuple[str, tuple[int, ...]]:
    """Return what a gradient's variable has; an absent one's is of no matter."""
    if gradient is None:
        return "float32", ()
    if isinstance(gradient, SparseGradient):
        return dtype_name(gradient.values), tuple(gradient.dense_shape)
    return dtype_name(gradient), tuple(gradient.shape)
