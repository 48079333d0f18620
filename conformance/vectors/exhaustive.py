"""Expected values of all 65,536 inputs of a half format, computed at each run instead of stored.

The reference's formulas run on float64 arrays. An element whose rounding float64 does not decide is computed again in
exact arithmetic, and a digest in the vector proves that all are the exact results, rounded once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from nnconform.reference import exact, rounding
from nnconform.reference.dialects import variants_of
from nnconform.reference.variants import OPERATIONS, Case, Output, Outputs

from .described_tensors import Repeated
from .stored_vector import StoredTensor
from .tensors import DTYPES, Array, TensorError, dtype_name, widened
from .vector import Tensor

# More than the relative error of a few operations and library functions in float64, and of sums with a bound.
MARGIN = 2.0**-44
# Digits that decide all roundings but a few.
DIGITS = 50


class Sweep:
    """The outputs of one vector whose inputs are every number of a dtype.

    Attributes:
        outputs: by flat name, as the vector has them: dtype, shape, latitude and digest.
    """

    def __init__(
        self,
        vector: str,
        operation: str,
        inputs: Mapping[str, Any],
        attributes: Mapping[str, Any],
        outputs: Mapping[str, StoredTensor],
    ) -> None:
        self.outputs = outputs
        self._vector, self._operation, self._inputs, self._attributes = vector, operation, inputs, attributes
        self._regions: dict[str, Mapping[str, Tensor]] = {}

    def output(self, dialect: str, name: str) -> Tensor:
        """Return the tensor that a dialect, or the clauses for "", prescribe for one output; raises as ``region``."""
        return self.region(dialect)[name]

    def region(self, dialect: str) -> Mapping[str, Tensor]:
        """Return the tensors that a dialect, or the clauses for "", prescribe, by flat output name.

        Raises:
            TensorError: the digest of the clauses' values is not the vector's.
        """
        if dialect not in self._regions:
            self._regions[dialect] = self._computed(dialect)
        return self._regions[dialect]

    def _computed(self, dialect: str) -> Mapping[str, Tensor]:
        dtype = self._vector.rpartition("/")[2]
        named = {v.name: v.keywords for v in variants_of(self._operation, dtype=dtype, defaults=False)}
        keywords = named[dialect] if dialect else {}
        # Among all numbers are NaNs, infinities and those whose exponential overflows.
        with np.errstate(all="ignore"):
            inputs = {k: _whole(v) for k, v in self._inputs.items()}
            flat = {k: without_subnormals(v, dtype) for k, v in inputs.items()}
            outputs, flat_outputs = (OPERATIONS[self._operation](self._wide(i), **keywords) for i in (inputs, flat))
            values = {k: self._rounded(k, outputs[k], inputs, keywords) for k in self.outputs}
            flushed = {k: self._rounded(k, flat_outputs[k], flat, keywords) for k in self.outputs}
            return {k: self._tensor(k, dialect, outputs[k], values[k], flushed[k]) for k in self.outputs}

    def _wide(self, inputs: Mapping[str, Any]) -> Case:
        return wide_case(inputs, self._attributes)

    def _tensor(self, name: str, dialect: str, output: Output, values: Array, flushed: Array) -> Tensor:
        stored = self.outputs[name]
        latitude = frozenset(stored.latitude)
        if not dialect and (digest := digest_of(values, output.dtype, latitude)) != stored.digest:
            raise TensorError(
                f"{self._vector}: {name} as computed here has the digest {digest[:23]}..., the vector has "
                f"{stored.digest[:23]}...; the expected values are not those of this spec"
            )
        return Tensor(
            output.dtype,
            values.shape,
            values.astype(DTYPES[output.dtype]),
            bound_of(output, values),
            latitude,
            flushed.astype(DTYPES[output.dtype]) if "subnormal-flush" in latitude else None,
            exhaustive=not dialect,
        )

    def _rounded(self, name: str, output: Output, inputs: Mapping[str, Any], keywords: Mapping[str, Any]) -> Array:
        """Return the values rounded once; exact arithmetic rounds those that float64 does not decide."""
        values = rounding.round_floats(output.values, output.dtype)
        open_ones = np.flatnonzero(~decided(output.values, output.dtype))
        if open_ones.size:
            some = {k: _some(v, open_ones) for k, v in inputs.items()}
            values[open_ones] = exact_outputs(self._operation, some, self._attributes, keywords)[name]
        return values


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return value.whole() if isinstance(value, Repeated) else value


def _some(value: Any, indices: Array) -> Any:
    return [_some(v, indices) for v in value] if isinstance(value, list) else value[indices]


def wide_case(inputs: Mapping[str, Any], attributes: Mapping[str, Any]) -> Case:
    """Return the inputs as float64, which has every number of a half format."""

    def wide(value: Any) -> Any:
        return [wide(v) for v in value] if isinstance(value, list) else widened(value).reshape(value.shape)

    dtypes = {k: dtype_name(v[0] if isinstance(v, list) else v) for k, v in inputs.items()}
    return Case({k: wide(v) for k, v in inputs.items()}, dtypes, attributes)


def without_subnormals(value: Any, dtype: str) -> Any:
    """Return an input, or a list of them, with its subnormal numbers replaced by zero."""
    if isinstance(value, list):
        return [without_subnormals(v, dtype) for v in value]
    least = 2.0 ** rounding.FORMATS[dtype].least
    return np.where(np.abs(widened(value)).reshape(value.shape) < least, value.dtype.type(0), value)


def decided(values: Array, dtype: str) -> Array:
    """Return a mask of the ``values`` whose neighbours within ``MARGIN`` all round to the same number of ``dtype``."""
    low, high = (rounding.round_floats(values * (1 + side), dtype) for side in (-MARGIN, MARGIN))
    return np.asarray((low == high) | np.isnan(values))


def exact_outputs(
    operation: str, inputs: Mapping[str, Any], attributes: Mapping[str, Any], keywords: Mapping[str, Any]
) -> dict[str, Array]:
    """Return the outputs of an elementwise operation, exact and rounded once, as float64 by flat name.

    Raises:
        TensorError: the digits that are computed do not decide a rounding.
    """
    with exact.precision(DIGITS), np.errstate(all="ignore"):
        wide = wide_case(inputs, attributes)
        outputs: Outputs = OPERATIONS[operation](
            wide._replace(inputs={k: _exactly(v) for k, v in wide.inputs.items()}), **keywords
        )
        return {name: _decided(output) for name, output in outputs.items()}


def _exactly(value: Any) -> Any:
    return [_exactly(v) for v in value] if isinstance(value, list) else exact.exact(value)


def _decided(output: Output) -> Array:
    """Return exact values rounded once; the last five digits of a value that is not exact are not trusted."""
    margin = exact.number(10.0, output.values) ** (5 - DIGITS)
    low, high = (rounding.round_to(output.values * (1 + side), output.dtype) for side in (-margin, margin))
    # Equal numbers on both sides of it: the value between them rounds to the same.
    for index in zip(*np.nonzero((low != high) & ~np.isnan(low)), strict=True):
        # A shorter number was not rounded: it is on the tie.
        if len(output.values[index].as_tuple().digits) >= DIGITS - 5:
            raise TensorError(f"{DIGITS} digits do not decide every rounding")
        low[index] = rounding.round_number(output.values[index], rounding.FORMATS[output.dtype])
    return low


def bound_of(output: Output, values: Array) -> Array:
    """Return the bound around the rounded ``values``, somewhat rounded up: 0 if a value is not finite (NUM-2)."""
    reach = output.bound * (1 + MARGIN) + np.where(output.bound > 0, np.abs(output.values) * MARGIN, 0.0)
    ends = [np.abs(rounding.round_floats(output.values + side * reach, output.dtype) - values) for side in (-1, 1)]
    bound = np.where(np.isfinite(values), np.maximum(*ends), 0.0)
    if not np.isfinite(bound).all():
        raise TensorError("a bound is not finite")
    return np.asarray(bound)


def digest_of(values: Array, dtype: str, latitude: frozenset[str]) -> str:
    """Return the digest of expected values: NaNs made alike, and zeros too if their sign is free."""
    canonical = np.where(np.isnan(values), np.nan, values)
    if "sign-of-zero" in latitude:
        canonical = np.where(canonical == 0, 0.0, canonical)
    return f"sha256:{hashlib.sha256(canonical.astype(DTYPES[dtype]).tobytes()).hexdigest()}"
