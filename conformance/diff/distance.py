"""The distance between two tensors: the elements with other bits, and their distances in units in the last place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnconform.conformance.judging.compare import spacing
from nnconform.conformance.vectors.tensors import Array
from nnconform.reference.rounding import FORMATS


@dataclass(frozen=True)
class ElementDistances:
    """The distances between two tensors of one dtype and shape, element by element in row-major order.

    Attributes:
        changed: whether the bits of each element differ; two NaNs are equal, whatever their bits.
        ulps: |new - old| in units in the last place of the larger of the two, or in ones for a dtype without such
            units; infinite if one of two that differ is not finite; 0 for two zeros of other signs.
    """

    changed: Array
    ulps: Array

    @property
    def count(self) -> int:
        """The number of changed elements."""
        return int(np.count_nonzero(self.changed))

    @property
    def worst_position(self) -> int:
        """The position of the changed element with the largest distance; -1 if none changed."""
        return int(np.argmax(np.where(self.changed, self.ulps, -1.0))) if self.changed.any() else -1

    @property
    def worst(self) -> float:
        """The largest distance; 0 if no element changed."""
        return float(self.ulps.max(initial=0.0))


def comparable(old: Array | None, new: Array | None) -> bool:
    """Return True if two tensors exist and have one dtype, of real numbers, and one shape."""
    if old is None or new is None:
        return False
    return old.dtype == new.dtype and old.shape == new.shape and (old.dtype.kind in "biuf" or old.dtype.name in FORMATS)


def element_distances(pairs: Sequence[tuple[Array, Array]]) -> list[ElementDistances]:
    """Return the distances between the tensors of each pair.

    All pairs of a dtype are computed at once, because most tensors are small.

    Args:
        pairs: old and new tensors that are ``comparable``.
    """
    numbers_by_dtype: dict[str, list[int]] = defaultdict(list)
    for number, (old, _) in enumerate(pairs):
        numbers_by_dtype[old.dtype.name].append(number)
    result: dict[int, ElementDistances] = {}
    for dtype, numbers in numbers_by_dtype.items():
        old, new = (np.concatenate([pairs[number][side].ravel() for number in numbers]) for side in (0, 1))
        changed, ulps = _distances(old, new, dtype)
        ends = np.cumsum([pairs[number][0].size for number in numbers])
        for number, end in zip(numbers, ends.tolist(), strict=True):
            piece = slice(end - pairs[number][0].size, end)
            result[number] = ElementDistances(changed[piece], ulps[piece])
    return [result[number] for number in range(len(pairs))]


def _distances(old: Array, new: Array, dtype: str) -> tuple[Array, Array]:
    a, b = old.astype(np.float64), new.astype(np.float64)
    with np.errstate(all="ignore"):
        same = (old == new) | (np.isnan(a) & np.isnan(b))
        signs = same & (a == 0) & (np.signbit(a) != np.signbit(b))
        if dtype in FORMATS:
            unit = spacing(np.maximum(np.abs(a), np.abs(b)), dtype)
            # Halves first if the difference of two finite numbers overflows; units are powers of two.
            ulps = np.where(np.isinf(a - b), np.abs(a / 2 - b / 2) / (unit / 2), np.abs(a - b) / unit)
        else:
            ulps = np.abs(a - b)
    ulps = np.where(np.isfinite(a) & np.isfinite(b), ulps, np.inf)
    return ~same | signs, np.where(same, 0.0, ulps)
