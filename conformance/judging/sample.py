"""The measurements of a random sample that need no law."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnconform.conformance.vectors.tensors import Array
from nnconform.conformance.vectors.vector import LawTensor

from .compare import spacing
from .sample_scale import Scale, recovered

# The distances along an axis at which elements are correlated.
LAGS = (1, 2, 3, 4)
# Channels are correlated if there are at most MOST_CHANNELS, each of LEAST_ELEMENTS or more: with fewer elements, even
# equal channels are below the criterion (spec/numerics.md, Laws).
MOST_CHANNELS = 1024
LEAST_ELEMENTS = 256


@dataclass(frozen=True)
class Correlation:
    """The largest sum of products of elements that should be independent, in the sample's unit squared.

    Attributes:
        name: of the elements.
        total: the sum of the largest absolute value.
        terms: the number of products in each sum.
        sums: the number of sums.
        shared: products share elements, as those along an axis do, so that they are not independent.
    """

    name: str
    total: float
    terms: int
    sums: int
    shared: bool = False


class Sample:
    """A random sample and its measurements, each computed at its first use.

    Args:
        elements: of any shape and float dtype.
        draws: the standard draws that the sample was made of, in the same shape and dtype; None if unknown.
    """

    def __init__(self, elements: Array, draws: Array | None = None) -> None:
        self.elements = elements
        self.draws = draws if draws is not None and draws.shape == elements.shape else None
        self.wide = elements.astype(np.float64)
        self.size = elements.size
        self.finite = bool(np.isfinite(self.wide).all())
        self.tested: dict[LawTensor, list[Any]] = {}
        self._scales: dict[bool, Scale | None] = {}

    @functools.cached_property
    def largest(self) -> float:
        """The largest absolute value; 0 for an empty sample."""
        return float(np.max(np.abs(self.wide), initial=0.0))

    @functools.cached_property
    def moments(self) -> dict[int, float]:
        """The means of the first, second and fourth power."""
        if not self.size:
            return dict.fromkeys((1, 2, 4), 0.0)
        square = self.wide * self.wide
        return {1: float(np.mean(self.wide)), 2: float(np.mean(square)), 4: float(np.mean(square * square))}

    @functools.cached_property
    def value_counts(self) -> tuple[Array, Array]:
        """The different values in ascending order, NaN last, and the number of elements of each."""
        return np.unique(self.wide, return_counts=True)

    @property
    def distinct(self) -> int:
        """The number of different values."""
        return int(self.value_counts[0].size)

    @functools.cached_property
    def steps(self) -> tuple[Array, Array, Array, Array]:
        """The ends of the intervals that were rounded to each value, and the shares of the sample below and up to it.

        All numbers from v - s / 2 to v + s / 2 were rounded to a value v, s the spacing of the dtype at v. At these
        ends the distribution function of the sample is the same before and after rounding.
        """
        values, counts = self.value_counts
        half = spacing(values, self.elements.dtype.name) / 2
        up_to = np.cumsum(counts)
        return values - half, values + half, (up_to - counts) / self.size, up_to / self.size

    @functools.cached_property
    def correlations(self) -> list[Correlation]:
        """The correlations of elements along each axis, and of the channels of each axis, if there are enough."""
        return [*self._lags(), *self._channels()]

    def _lags(self) -> Iterator[Correlation]:
        for axis in range(self.wide.ndim):
            along = np.moveaxis(self.wide, axis, 0)
            for lag in LAGS:
                if (products := along[lag:] * along[:-lag]).size:
                    total = float(np.sum(products))
                    name = "neighbours" if lag == 1 else f"elements {lag} apart"
                    yield Correlation(f"{name} along axis {axis}", total, products.size, 1, shared=True)

    def _channels(self) -> Iterator[Correlation]:
        for axis, count in enumerate(self.wide.shape):
            length = self.size // max(count, 1)
            if 2 <= count <= MOST_CHANNELS and length >= LEAST_ELEMENTS:
                # Sums of float32 are exact enough, their errors far below the criterion, if squares do not underflow.
                unit = self.largest or 1.0
                rows = (np.moveaxis(self.wide, axis, 0).reshape(count, length) / unit).astype(np.float32)
                with np.errstate(all="ignore"):
                    between = np.abs(rows @ rows.T)
                np.fill_diagonal(between, 0.0)
                name = f"channels of axis {axis}"
                yield Correlation(name, float(np.max(between)) * unit**2, length, count * (count - 1) // 2)

    def scale(self, law: str) -> Scale | None:
        """Return the factor of the standard draws of a law; None if they are unknown or do not fit."""
        affine = law == "uniform"
        if affine not in self._scales:
            usable = self.draws if self.finite and self.size else None
            self._scales[affine] = None if usable is None else recovered(self.elements, usable, affine=affine)
        return self._scales[affine]

    @property
    def stddev(self) -> float:
        """The standard deviation; NaN for an empty sample."""
        return float(np.std(self.wide)) if self.size else math.nan
