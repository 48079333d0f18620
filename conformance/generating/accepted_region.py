"""The accepted values of one output: values with the bounds around them, as a vector stores them."""

from __future__ import annotations

import decimal
from typing import Any

import numpy as np

from nnconform.conformance.vectors.tensors import Array, format_bound, format_data, parse_bound
from nnconform.reference import bounds, exact, rounding
from nnconform.reference.case import Output

# Digits that may be lost when numbers nearly cancel: a value closer to a tie may be an artefact of rounding.
CANCELLED = 20


class Undecided(Exception):
    """A value is so near a tie that its computed digits do not decide the side."""


class Region:
    """The dtype, values and bounds of an output; values and bounds are float64."""

    def __init__(self, dtype: str, values: Array, bound: Array) -> None:
        self.dtype, self.values, self.bound = dtype, values, bound

    @property
    def bounded(self) -> bool:
        """Whether every element has a finite bound."""
        return bool(np.isfinite(self.bound).all())

    def leaves(self, other: Region) -> bool:
        """Return True if values of this region may leave the other one, by an eighth of its bound or more."""
        if self.dtype != other.dtype:
            return True
        finite = np.isfinite(self.values) & np.isfinite(other.values)
        with np.errstate(invalid="ignore"):
            beyond = np.abs(self.values - other.values) + self.bound > 1.125 * other.bound
        same = (self.values == other.values) | (np.isnan(self.values) & np.isnan(other.values))
        return bool(np.where(finite, beyond & ((self.bound > other.bound) | ~same), ~same).any())

    def differs(self, other: Region) -> bool:
        """Return True if an element is further from the other region's than both bounds together."""
        finite = np.isfinite(self.values) & np.isfinite(other.values)
        with np.errstate(invalid="ignore"):
            far = np.abs(self.values - other.values) > self.bound + other.bound
        same = (self.values == other.values) | (np.isnan(self.values) & np.isnan(other.values))
        return bool(np.where(finite, far, ~same).any())

    def holds(self, values: Array) -> bool:
        """Return True if every element of ``values`` is inside the bound."""
        finite = np.isfinite(self.values)
        with np.errstate(invalid="ignore"):
            near = np.abs(self.values - values) <= self.bound
        return bool(np.where(finite, near, True).all())


class Stored(Region):
    """An output as a vector stores it: values and bounds on the dtype's grid, and their texts.

    Raises:
        Undecided: a value, computed to the digits of the context, may be on a tie or near it.
    """

    def __init__(self, output: Output, first: int = 0) -> None:
        # NumPy makes a bare Decimal of an operation on zero-dimensional object arrays.
        exact_values, bound = np.asarray(output.values, object), np.asarray(output.bound, object)
        if first and exact_values.size == first:
            exact_values, bound = exact_values.ravel(), bound.ravel()
        target, digits = rounding.FORMATS[output.dtype], decimal.getcontext().prec - CANCELLED
        if any(rounding.is_unsettled(value, target, digits) for _, value in exact.elements(exact_values)):
            raise Undecided
        wide = bounds.stored(exact_values, bound, output.dtype)
        self.bound_text = format_bound(wide)
        stored = parse_bound(self.bound_text, exact_values.shape, "bound") if wide.size else wide
        super().__init__(output.dtype, rounding.round_to(exact_values, output.dtype), stored)
        self.data = format_data(self.values, output.dtype)

    def entry(self, expected: Stored) -> dict[str, Any]:
        """Return a dialect's entry for this output in a vector: the bound, and dtype and data if they differ."""
        # The same text may name another number in another dtype.
        result = {"dtype": self.dtype} if self.dtype != expected.dtype else {}
        if result or self.data != expected.data:
            result["data"] = self.data
        return {**result, "bound": self.bound_text if self.values.size else ""}
