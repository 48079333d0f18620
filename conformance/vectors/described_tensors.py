"""Tensors that a vector describes instead of storing them (spec/vector-format.md, FORMAT-17 to FORMAT-19)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from .tensors import DTYPES, Array

Value = TypeVar("Value")


@dataclass(frozen=True)
class Repeated:
    """An array of ``shape`` that holds the elements of ``block`` again and again, in row-major order."""

    block: Array
    shape: tuple[int, ...]

    @property
    def times(self) -> int:
        """The number of times that the block is repeated."""
        return math.prod(self.shape) // self.block.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return np.dtype(self.block.dtype)

    def whole(self) -> Array:
        """Return the array itself."""
        return np.resize(self.block, self.shape)


class Lazily(Mapping[str, Value]):
    """A mapping that makes a value at each access and keeps none: most values are large."""

    def __init__(self, makers: Mapping[str, Callable[[], Value]]) -> None:
        self._makers = makers

    def __getitem__(self, key: str) -> Value:
        return self._makers[key]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def every(dtype: str, recipe: str = "every") -> Array:
    """Return every number of a 16-bit dtype in the order of the bit patterns, or every one but the NaNs.

    Args:
        dtype: float16 or bfloat16.
        recipe: ``every``, shape (65536,), or ``every-but-nan``.
    """
    numbers = np.arange(1 << 16, dtype=np.uint16).view(DTYPES[dtype])
    with np.errstate(invalid="ignore"):
        return numbers if recipe == "every" else numbers[~np.isnan(numbers)]


def prefixes(longest: Array, lengths: Sequence[int]) -> Array:
    """Return the first n elements for each n of ``lengths``, one after the other on one axis."""
    return np.concatenate([longest[:n] for n in lengths])


def places(lengths: Sequence[int]) -> Array:
    """Return the index in the longest input of each element of ``prefixes``."""
    return np.concatenate([np.arange(n) for n in lengths])


def first(output: Any, count: int) -> Any:
    """Return the first ``count`` elements of an array that has more, on one axis; smaller ones as they are."""
    return output.ravel()[:count] if count and output.size > count else output
