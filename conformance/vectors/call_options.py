"""The options of a vector: the number of calls, their inputs, and the part of the outputs that is compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class CallOptions:
    """The options that a vector, its stored form and the case that it is generated from share; off by default.

    Attributes:
        steps: the number of training steps that x and dy are stacked for; 0 if they are not stacked (FORMAT-9).
        lengths: for each length n a call on the first n elements of every input; () for one call (FORMAT-18).
        first: the number of elements that longer outputs are cut to; 0 for whole outputs (FORMAT-17).
        seeds: for each seed a call with it as the attribute ``seed``, outputs stacked; () for one call (FORMAT-20).
        extremes: outputs are reduced to their smallest and largest element (FORMAT-21).
    """

    steps: int = 0
    lengths: tuple[int, ...] = ()
    first: int = 0
    seeds: tuple[int, ...] = ()
    extremes: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """All options by name, in the order of vector files."""
        return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(field.name for field in fields(CallOptions))


def read_options(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a vector in a file by name, without those that it leaves at their default."""
    values = {name: document[name] for name in NAMES if name in document}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
