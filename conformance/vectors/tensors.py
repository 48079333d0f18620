"""Tensors as text: one string of shortest decimals that round-trip in their dtype (spec/vector-format.md)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, ROUND_UP, Context, Decimal
from typing import Any

import ml_dtypes
import numpy as np

from nnconform.reference import rounding

Array = np.ndarray[Any, Any]

DTYPES: dict[str, np.dtype[Any]] = {
    "float64": np.dtype(np.float64),
    "float32": np.dtype(np.float32),
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "int64": np.dtype(np.int64),
}


class TensorError(ValueError):
    """A tensor's text does not fit its dtype and shape; the message names the tensor, the element and the fault."""


def stored(values: Any, dtype: str) -> Array:
    """Return float64 numbers rounded once to ``dtype``, as an array of that dtype."""
    wide = np.asarray(values, np.float64)
    if dtype != "float64":
        from nnconform.reference import exact

        wide = rounding.round_to(exact.exact(wide), dtype)
    return wide.astype(DTYPES[dtype])


def _number(value: float, dtype: str) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if dtype == "bfloat16":
        # str of a Decimal writes 1E+3; repr of the float that it names does not.
        text = repr(float(_shortest(Decimal(value), rounding.FORMATS[dtype])))
    else:
        text = str(DTYPES[dtype].type(value))
    return text.removesuffix(".0") if text != "-0.0" else text


def _shortest(value: Decimal, target: rounding.Format) -> Decimal:
    """Return the shortest decimal that rounds to ``value``, a number of the format."""
    for digits in range(1, 18):
        # Below a power of two the numbers lie closer. There the nearest decimal, if it is below, may not give the
        # number back where the next one above does.
        for direction in (ROUND_HALF_EVEN, ROUND_UP):
            near = Context(prec=digits, rounding=direction).create_decimal(value)
            if rounding.round_number(near, target) == value:
                return near
    raise AssertionError(f"{value} is no number of {target}")


def format_data(values: Array, dtype: str) -> str:
    """Return the elements in row-major order as shortest decimals, joined by blanks.

    Args:
        values: numbers that ``dtype`` holds exactly, of any shape and float dtype; or integers.
        dtype: a key of ``DTYPES``.
    """
    flat = np.asarray(values).ravel()
    if dtype == "int64":
        return " ".join(str(int(v)) for v in flat)
    return " ".join(_number(float(v), dtype) for v in flat.astype(np.float64))


def format_bound(bounds: Array) -> str:
    """Return error bounds as decimals of three digits, rounded up; a single number if all are the same."""
    upward = Context(prec=3, rounding=ROUND_CEILING)
    texts = [
        "inf" if math.isinf(b) else "0" if b == 0 else _upward(upward.create_decimal_from_float(float(b)))
        for b in np.asarray(bounds, np.float64).ravel()
    ]
    return texts[0] if texts and len(set(texts)) == 1 else " ".join(texts)


def _upward(bound: Decimal) -> str:
    # Reading the text rounds to nearest float64, 13 digits finer than the three that were rounded up.
    return f"{bound:.2e}"


# float() reads more than decimals, nan and inf: 1_000, Infinity, the digits of other scripts.
ALPHABET = frozenset("0123456789+-.eEnaif")


def _floats(words: Sequence[str], label: str) -> list[float]:
    try:
        if strange := frozenset().union(*words) - ALPHABET:
            raise ValueError(f"there is {min(strange)!r} in a number")
        return [float(word) for word in words]
    except ValueError as error:
        raise TensorError(f"{label}: {error}; wanted decimals, nan, inf or -inf between blanks") from None


def parse_data(text: str, dtype: str, shape: Sequence[int], label: str) -> Array:
    """Return the array that a text describes.

    Args:
        text: decimals between blanks.
        dtype: a key of ``DTYPES``.
        shape: its product is the number of elements.
        label: the tensor's name in an error.

    Raises:
        TensorError: another number of elements, a word that is no number, or a number that does not fit the dtype.
    """
    words = text.split()
    count = math.prod(shape)
    if len(words) != count:
        raise TensorError(f"{label}: {len(words)} numbers for the shape {list(shape)}; wanted {count}")
    if dtype == "int64":
        try:
            return np.array([int(word) for word in words], np.int64).reshape(shape)
        except (ValueError, OverflowError) as error:
            raise TensorError(f"{label}: {error}; wanted integers of 64 bits") from None
    wide = np.array(_floats(words, label), np.float64)
    result = _rounded_once(words, wide, dtype)
    _check_fit(words, wide, result, dtype, label)
    return result.reshape(shape)


def _rounded_once(words: Sequence[str], wide: Array, dtype: str) -> Array:
    """Return the numbers of ``dtype`` nearest to the decimals; ``wide`` has the nearest numbers of float64."""
    if dtype == "float64":
        return wide
    # The cast to bfloat16 rounds to float32 first, so that it may go wrong anywhere.
    doubtful = np.ones(wide.shape, bool)
    result = np.zeros(wide.shape, DTYPES[dtype])
    if dtype != "bfloat16":
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            result = wide.astype(DTYPES[dtype])
            narrow = result.astype(np.float64)
            # Rounding to float64 first goes wrong if float64 lands on a tie that the decimal is only near. Then the
            # number at the same distance on the other side is one of the dtype too, or beyond its largest.
            other = 2 * wide - narrow
            doubtful = (
                (narrow != wide) & ((other.astype(DTYPES[dtype]) == other) | np.isinf(narrow)) & np.isfinite(wide)
            )
    for i in np.flatnonzero(doubtful).tolist():
        result[i] = rounding.round_number(Decimal(words[i]), rounding.FORMATS[dtype])
    return result


def _check_fit(words: Sequence[str], wide: Array, result: Array, dtype: str, label: str) -> None:
    """Refuse a finite number that became infinite in ``dtype``, or a nonzero one that became 0."""
    numbers = result.astype(np.float64).ravel()
    for i in np.flatnonzero((np.isinf(numbers) | (numbers == 0)) & (numbers != wide.ravel())).tolist():
        raise TensorError(f"{label}: element {i} is {words[i]}, which does not fit {dtype}")
    # float() itself overflows to inf and underflows to 0.
    for i in np.flatnonzero(np.isinf(numbers) | (numbers == 0)).tolist():
        digits = words[i].lower().partition("e")[0].strip("+-0.")
        if digits != ("" if numbers[i] == 0 else "inf"):
            raise TensorError(f"{label}: element {i} is {words[i]}, which does not fit {dtype}")


def parse_bound(text: str, shape: Sequence[int], label: str) -> Array:
    """Return error bounds as float64; a single number is spread over ``shape``.

    Raises:
        TensorError: another number of elements, or a bound that is negative or not a number.
    """
    words = text.split()
    count = math.prod(shape)
    if len(words) not in (1, count):
        raise TensorError(f"{label}: {len(words)} bounds for the shape {list(shape)}; wanted 1 or {count}")
    values = np.array(_floats(words, label), np.float64)
    if not (values >= 0).all():
        raise TensorError(f"{label}: a bound is negative or not a number; wanted 0 or more")
    return np.broadcast_to(values, (count,)).reshape(shape) if len(words) == 1 else values.reshape(shape)


def dtype_name(array: Array) -> str:
    """Return the name of an array's dtype, as vectors write it."""
    return str(array.dtype.name)


def shape_text(shape: Iterable[int]) -> str:
    """Return a shape as vectors write it, ``[2, 3]``."""
    return f"[{', '.join(str(n) for n in shape)}]"


def widened(a: Array) -> Array:
    """Return the elements as float64, on one axis, without NumPy's warning about a signalling NaN."""
    with np.errstate(invalid="ignore"):
        return a.astype(np.float64).ravel()
