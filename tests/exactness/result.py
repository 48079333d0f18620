"""What a formula gives: the elements of one output, before they are rounded."""

from __future__ import annotations

from typing import Any, NamedTuple


class NoMeaning(Exception):
    """The clauses give no meaning to the whole call (latitude any)."""


class Free:
    """The clauses give no meaning to an element (latitude any)."""


FREE = Free()


class Result(NamedTuple):
    dtype: str
    shape: tuple[int, ...]
    values: list[Any]
