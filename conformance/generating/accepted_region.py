"""What an implementation may give for one output: values with the bounds around them, as a vector stores them."""

from __future__ import annotations

import decimal
from typing import Any

import numpy as np

from nnconform.conformance.vectors.tensors import Array, format_bound, format_data, parse_bound
from nnconform.reference import bounds, exact, rounding
from nnconform.reference.case import Output

# Digits that may be lost where numbers nearly cancel, before a value beside a tie is one that rounding put there.
CANCELLED = 20


class Undecided(Exception):
    """A value is so near a tie that the digits that it was computed to do not say on which side it is."""


class Region:
    """The values of an output and the bounds around them, as float64, and the dtype that it must have."""

    def __init__(self, dtype: str, values: Array, bound: Array) -> None:
        self.dtype, self.values, self.bound = dtype, values, bound

    @property
    def bounded(self) -> bool:
        """Whether every element has a finite bound."""
        return bool(np.isfinite(self.bound).all())

    def leaves(self, other: Region) -> bool:
        """Say whether an implementation of this may leave the other's region, by an eighth of its bound or more."""
        if self.dtype != other.dtype:
            return True
        finite = np.isfinite(self.values) & np.isfinite(other.values)
        with np.errstate(invalid="ignore"):
            beyond = np.abs(self.values - other.values) + self.bound > 1.125 * other.bound
        same = (self.values == other.values) | (np.isnan(self.values) & np.isnan(other.values))
        return bool(np.where(finite, beyond & ((self.bound > other.bound) | ~same), ~same).any())

    def differs(self, other: Region) -> bool:
        """Say whether some element is further from ``other``'s than both bounds together."""
        finite = np.isfinite(self.values) & np.isfinite(other.values)
        with np.errstate(invalid="ignore"):
            far = np.abs(self.values - other.values) > self.bound + other.bound
        same = (self.values == other.values) | (np.isnan(self.values) & np.isnan(other.values))
        return bool(np.where(finite, far, ~same).any())

    def holds(self, values: Array) -> bool:
        """Say whether every element of ``values`` is inside the bound."""
        finite = np.isfinite(self.values)
        with np.errstate(invalid="ignore"):
            near = np.abs(self.values - values) <= self.bound
        return bool(np.where(finite, near, True).all())


class Stored(Region):
    """An output as it stands in a vector: values and bounds on the dtype's grid, and their texts.

    Raises:
        Undecided: a value was computed to the digits of the context, and may be on a tie or beside it.
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
        """Return what a dialect's entry in a vector says of this output: only what is not as expected."""
        # The same text may name another number in another dtype.
        result = {"dtype": self.dtype} if self.dtype != expected.dtype else {}
        if result or self.data != expected.data:
            result["data"] = self.data
        return {**result, "bound": self.bound_text if self.values.size else ""}
