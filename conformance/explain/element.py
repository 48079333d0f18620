"""The worst element of an output, with what went in at its place: exact decimals, as they stand in the vector."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
Tensor = Mapping[str, Any]

# Outputs of the shape of x, and those with an element for each channel.
OF_X = ("y", "dx")
OF_A_CHANNEL = ("gamma", "beta", "running_mean", "running_variance")
# The struct format of a dtype, whose rounding decides how many digits tell a number from its neighbours.
PACKED = {"float64": "d", "float32": "f", "float16": "e"}


def decimal(value: float | str, dtype: str) -> str:
    """Return the shortest decimal that stands for a number of a dtype; bfloat16 needs no more than four digits."""
    number = float(value)
    if not math.isfinite(number) or dtype not in PACKED:
        return f"{number:.4g}"
    texts = (f"{number:.{digits}g}" for digits in range(1, 18))
    return next((text for text in texts if _bits(float(text), dtype) == _bits(number, dtype)), f"{number:.17g}")


def _bits(number: float, dtype: str) -> bytes:
    try:
        return struct.pack(PACKED[dtype], number)
    except OverflowError:
        return b""


def tensor(holder: Mapping[str, Any], name: str) -> Any:
    """Return what is stored under a flat name (``gradients[1]``), or None."""
    base, _, number = name.partition("[")
    value = holder.get(base)
    if not number or value is None:
        return value
    return value[int(number[:-1])]


def at(stored: Tensor | None, place: Sequence[int], key: str = "data") -> str:
    """Return the decimal at a place of a stored tensor, or "" where none is stored there.

    Args:
        stored: as it stands in a vector; sparse gradients and what is computed store no element of a place.
        place: an index for each axis.
        key: ``data``, or ``bound``, which may be one number for all.
    """
    if stored and str(stored.get("recipe")).startswith("every"):
        return _of_every(stored["dtype"], stored["recipe"], place[0])
    if not stored or key not in stored:
        return ""
    words = stored[key].split()
    if len(words) == 1:
        return str(words[0])
    if len(place) != len(stored["shape"]):
        return ""
    flat = 0
    for index, size in zip(place, stored["shape"], strict=True):
        flat = flat * size + index
    # A block that is repeated fills the tensor in this order too.
    return str(words[flat % len(words)]) if words else ""


def inputs(vector: Document, output: str, index: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Yield what went in at the place of an output's element: names and decimals; nothing for random samples.

    Args:
        vector: as it stands in its file.
        output: flat name.
        index: of the element.
    """
    base, _, number = output.partition("[")
    given = vector.get("inputs", {})
    if vector["operation"].startswith("batch_norm"):
        yield from _batch_norm(vector, base, index)
        return
    names = ("x", "dy") if base in OF_X else [f"{name}[{number}" for name in ("weights", "gradients") if number]
    for name in names:
        if text := at(tensor(given, name), place_in_call(vector, index)):
            yield name, text


def place_in_call(vector: Document, index: Sequence[int]) -> Sequence[int]:
    """Return the place in what a vector stores; outputs of a call for each length are one after the other."""
    if "lengths" not in vector:
        return index
    ends = list(itertools.accumulate(vector["lengths"]))
    call = next(number for number, end in enumerate(ends) if index[0] < end)
    return [index[0] - (ends[call] - vector["lengths"][call])]


def _of_every(dtype: str, recipe: str, place: int) -> str:
    """Return an element of the input that holds every number of a dtype of 16 bits, in the order of their bits."""
    if dtype == "float16":
        numbers = (struct.unpack("<e", bits.to_bytes(2, "little"))[0] for bits in range(2**16))
    else:
        numbers = (struct.unpack("<f", (bits << 16).to_bytes(4, "little"))[0] for bits in range(2**16))
    taken = (n for n in numbers if recipe == "every" or not math.isnan(n))
    return decimal(next(itertools.islice(taken, place, None)), dtype)


def _batch_norm(vector: Document, base: str, index: Sequence[int]) -> Iterator[tuple[str, str]]:
    given, expected = vector["inputs"], vector["expected"]
    place = list(index)
    if base in OF_X:
        yield from ((name, at(given[name], place)) for name in ("x", "dy"))
        # Steps are stacked before the axes of x.
        axis = vector["attributes"]["channel_axis"]
        place = [index[axis if axis < 0 else axis + ("steps" in vector)]]
    for name in OF_A_CHANNEL:
        if text := at(given.get(name), place):
            yield name, text
    for name in ("batch_mean", "batch_variance"):
        if name != base and "steps" not in vector and (text := at(expected.get(name), place)):
            yield name, text
