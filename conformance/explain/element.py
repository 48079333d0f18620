"""The worst element of an output, with the inputs at its place, as exact decimals."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Iterator, Sequence

from nnconform.conformance.vectors.stored_vector import Entry, StoredTensor, StoredVector

# Outputs of the shape of x, and inputs with one element per channel.
OF_X = ("y", "dx")
OF_A_CHANNEL = ("gamma", "beta", "running_mean", "running_variance")
# The struct formats of dtypes; rounding to one decides how many digits distinguish a number from its neighbours.
PACKED = {"float64": "d", "float32": "f", "float16": "e"}


def decimal(value: float, dtype: str) -> str:
    """Return the shortest decimal that rounds to a number of a dtype; of bfloat16, four digits."""
    if not math.isfinite(value) or dtype not in PACKED:
        return f"{value:.4g}"
    texts = (f"{value:.{digits}g}" for digits in range(1, 18))
    return next((text for text in texts if _bits(float(text), dtype) == _bits(value, dtype)), f"{value:.17g}")


def _bits(number: float, dtype: str) -> bytes:
    try:
        return struct.pack(PACKED[dtype], number)
    except OverflowError:
        return b""


def element_of(tensor: Entry | None, place: Sequence[int]) -> str:
    """Return the decimal at a place of a stored tensor; "" if none is stored there.

    Args:
        tensor: sparse gradients, laws and computed outputs store no element.
        place: an index per axis.
    """
    if not isinstance(tensor, StoredTensor):
        return ""
    if tensor.recipe.startswith("every"):
        return _of_every(tensor.dtype, tensor.recipe, place[0])
    return word_at(tensor.data, tensor.shape, place)


def word_at(text: str | None, shape: Sequence[int], place: Sequence[int]) -> str:
    """Return the word for an element of a tensor; the only word is that of all elements.

    Args:
        text: words in row-major order; fewer than there are elements are repeated.
        shape: of the tensor.
        place: an index per axis.
    """
    words = (text or "").split()
    if len(words) == 1:
        return words[0]
    if not words or len(place) != len(shape):
        return ""
    flat = 0
    for index, size in zip(place, shape, strict=True):
        flat = flat * size + index
    return words[flat % len(words)]


def inputs(vector: StoredVector, output: str, index: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Yield names and decimals of the inputs at the place of an output's element; none for random samples.

    Args:
        vector: as its file stores it.
        output: flat name.
        index: of the element.
    """
    base, _, number = output.partition("[")
    if vector.operation.startswith("batch_norm"):
        yield from _batch_norm(vector, base, index)
        return
    names = ("x", "dy") if base in OF_X else [f"{name}[{number}" for name in ("weights", "gradients") if number]
    for name in names:
        if text := element_of(vector.input(name), place_in_call(vector, index)):
            yield name, text


def place_in_call(vector: StoredVector, index: Sequence[int]) -> Sequence[int]:
    """Return the index into the stored tensors; the outputs of calls of several lengths are concatenated."""
    if not vector.lengths:
        return index
    ends = list(itertools.accumulate(vector.lengths))
    call = next(number for number, end in enumerate(ends) if index[0] < end)
    return [index[0] - (ends[call] - vector.lengths[call])]


def _of_every(dtype: str, recipe: str, place: int) -> str:
    """Return an element of the input with every number of a 16-bit dtype in the order of the bits."""
    if dtype == "float16":
        numbers = (struct.unpack("<e", bits.to_bytes(2, "little"))[0] for bits in range(2**16))
    else:
        numbers = (struct.unpack("<f", (bits << 16).to_bytes(4, "little"))[0] for bits in range(2**16))
    elements = (n for n in numbers if recipe == "every" or not math.isnan(n))
    return decimal(next(itertools.islice(elements, place, None)), dtype)


def _batch_norm(vector: StoredVector, base: str, index: Sequence[int]) -> Iterator[tuple[str, str]]:
    channel = list(index)
    if base in OF_X:
        yield from ((name, element_of(vector.input(name), index)) for name in ("x", "dy"))
        # Steps are stacked before the axes of x.
        axis: int = vector.attributes["channel_axis"]
        channel = [index[axis if axis < 0 else axis + bool(vector.steps)]]
    for name in OF_A_CHANNEL:
        if text := element_of(vector.input(name), channel):
            yield name, text
    for name in ("batch_mean", "batch_variance"):
        if name != base and not vector.steps and (text := element_of(vector.expected.get(name), channel)):
            yield name, text
