"""A mutant: one textual substitution in the source of the control that a vector must catch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

CONTROL = Path(str(resources.files("nnconform.adapters"))) / "numpy.py"

HALVES = ("float16", "bfloat16")
BESIDE_FLOAT32 = ("float64", *HALVES)
# Why a dtype cannot show a fault.
NOTHING_IS_HALF = dict.fromkeys(("float64", "float32"), "nothing is rounded to half precision")
ONLY_FLOAT64 = dict.fromkeys(("float32", *HALVES), "it is computed in float32 anyway")
IT_IS_FLOAT64 = {"float64": "it is float64"}
COPIED_HALVES = dict.fromkeys(HALVES, "the control computes on a copy in float32")
SMALLER_THAN_HALF_ROUNDS = dict.fromkeys(HALVES, "arithmetic in half precision, a dialect, rounds by as much")
# JAX compiles each shape for each dtype.
ONLY_FLOAT32_SHAPES = dict.fromkeys(BESIDE_FLOAT32, "a scalar and an empty array are asked in float32 alone")
ONLY_FLOAT32_DEFAULTS = dict.fromkeys(BESIDE_FLOAT32, "what a layer does by default is asked in float32 alone")
NO_HALF_DEFAULTS = dict.fromkeys(HALVES, "what is done by default is asked in float32 and float64 alone")


class WrongMutant(Exception):
    """A mutant does not fit the current control, or breaks the contract of adapters."""


def changed(name: str, changes: Iterable[tuple[str, str]], count: int = 1) -> str:
    """Return the control's source after changes, one after the other.

    Args:
        name: of the changed control, for the error.
        changes: pairs of old and new text.
        count: the number of occurrences of each old text; all are replaced.

    Raises:
        WrongMutant: the control has been edited since.
    """
    source = CONTROL.read_text()
    for old, new in changes:
        if source.count(old) != count:
            raise WrongMutant(f"{name}: {old!r} occurs {source.count(old)} times in {CONTROL.name}")
        source = source.replace(old, new)
    return source


@dataclass(frozen=True)
class Mutant:
    """The control with one fault.

    Attributes:
        name: of the fault.
        operations: those in which it must be caught, in every dtype except those of ``unseen``.
        kind: ids of spec/dialects.yaml, with blanks between: a vector that hunts one of them must catch it.
        old: a text in the control.
        new: the text that replaces it.
        count: the number of occurrences of ``old`` in the control; all are replaced.
        unseen: dtypes in which the fault cannot be seen, with the reason.
        dialect: names of dialects, with blanks between, if the fault is one; a vector that names one of them catches
            it.
    """

    name: str
    operations: str
    kind: str
    old: str
    new: str
    count: int = 1
    unseen: Mapping[str, str] = field(default_factory=dict)
    dialect: str = ""

    @property
    def source(self) -> str:
        """The control's source with the fault in it.

        Raises:
            WrongMutant: the control has been edited since.
        """
        return changed(self.name, [(self.old, self.new)], self.count)
