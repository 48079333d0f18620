"""What a formula gives: the elements of one output, before they are rounded."""

from __future__ import annotations

import math
from typing import Any, NamedTuple


class NoMeaning(Exception):
    """The clauses give no meaning to the whole call (latitude any)."""


class Free:
    """The clauses give no meaning to an element (latitude any)."""


FREE = Free()


class Result(NamedTuple):
    """The elements in row-major order; or a block of them that stands in the output ``times`` times."""

    dtype: str
    shape: tuple[int, ...]
    values: list[Any]
    times: int = 1

    def cut(self, first: int) -> Result:
        """What a vector expects of it: its first so many elements where it has more (FORMAT-17), or all."""
        count = math.prod(self.shape)
        shape = (first,) if first and count > first else self.shape
        repeats = -(-math.prod(shape) // len(self.values)) if self.values else 1
        assert len(self.values) * self.times == count
        return Result(self.dtype, shape, (self.values * repeats)[: math.prod(shape)])
