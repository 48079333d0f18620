"""How far apart two tensors are: which elements have other bits, and by how many units in the last place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnconform.conformance.judging.compare import spacing
from nnconform.conformance.vectors.tensors import Array
from nnconform.reference.rounding import FORMATS


@dataclass(frozen=True)
class Distance:
    """How far apart two tensors of one dtype and shape are, element by element in row-major order.

    Attributes:
        changed: where the bits differ; two NaNs are the same, whatever their bits.
        ulps: |new - old| in units in the last place of the larger of the two, for numbers without such units in 1;
            infinite where one of two that differ is not finite; 0 for two zeros of other signs.
    """

    changed: Array
    ulps: Array

    @property
    def count(self) -> int:
        """How many elements changed."""
        return int(np.count_nonzero(self.changed))

    @property
    def position(self) -> int:
        """Where the worst changed element is; -1 where none changed."""
        return int(np.argmax(np.where(self.changed, self.ulps, -1.0))) if self.changed.any() else -1

    @property
    def worst(self) -> float:
        """The greatest distance; 0 where nothing changed."""
        return float(self.ulps.max(initial=0.0))


def comparable(old: Array | None, new: Array | None) -> bool:
    """Say whether two tensors are there, alike in dtype and shape, and of real numbers."""
    if old is None or new is None:
        return False
    return old.dtype == new.dtype and old.shape == new.shape and (old.dtype.kind in "biuf" or old.dtype.name in FORMATS)


def distances(pairs: Sequence[tuple[Array, Array]]) -> list[Distance]:
    """Return how far apart the tensors of each pair are.

    All pairs of a dtype are computed at once: most tensors are so small that each by itself costs more.

    Args:
        pairs: old and new tensors that are ``comparable``.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, (old, _) in enumerate(pairs):
        places[old.dtype.name].append(place)
    result: dict[int, Distance] = {}
    for name, chosen in places.items():
        old, new = (np.concatenate([pairs[place][side].ravel() for place in chosen]) for side in (0, 1))
        changed, ulps = _elements(old, new, name)
        ends = np.cumsum([pairs[place][0].size for place in chosen])
        for place, end in zip(chosen, ends.tolist(), strict=True):
            piece = slice(end - pairs[place][0].size, end)
            result[place] = Distance(changed[piece], ulps[piece])
    return [result[place] for place in range(len(pairs))]


def _elements(old: Array, new: Array, dtype: str) -> tuple[Array, Array]:
    a, b = old.astype(np.float64), new.astype(np.float64)
    with np.errstate(all="ignore"):
        same = (old == new) | (np.isnan(a) & np.isnan(b))
        signs = same & (a == 0) & (np.signbit(a) != np.signbit(b))
        if dtype in FORMATS:
            unit = spacing(np.maximum(np.abs(a), np.abs(b)), dtype)
            # Halves first where the difference of two finite numbers overflows; units are powers of two.
            apart = np.where(np.isinf(a - b), np.abs(a / 2 - b / 2) / (unit / 2), np.abs(a - b) / unit)
        else:
            apart = np.abs(a - b)
    apart = np.where(np.isfinite(a) & np.isfinite(b), apart, np.inf)
    return ~same | signs, np.where(same, 0.0, apart)
