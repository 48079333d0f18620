"""Whole outputs of a run in one file, for a comparison of two runs bit by bit (``--outputs FILE``).

Tens of thousands of small arrays are too many for one zip member each. The .npz has one flat buffer of bytes per dtype
and an index of its pieces. NumPy alone can read it.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from nnconform.conformance.files import write_whole
from nnconform.conformance.model import document
from nnconform.conformance.vectors.tensors import Array

FORMAT = 1
INDEX = "index"
# Raised by damaged or foreign files. AttributeError: np.load returns a single array without members.
DAMAGE = (*document.DAMAGE, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)

# framework, implementation, mode, vector, output (flat name)
Key = tuple[str, str, str, str, str]


class OutputsError(Exception):
    """A file of outputs cannot be used. The message names the file, the problem and the next step."""


def write(path: Path, tensors: Mapping[Key, Array]) -> None:
    """Write tensors to a file, whole or not at all.

    Args:
        path: of the .npz file.
        tensors: numbers of any dtype and shape, by key.

    Raises:
        TypeError: an array's dtype is not of numbers.
        OSError: the folder does not exist or cannot be written to.
    """
    words: dict[str, int] = {}
    entries: list[list[Any]] = []
    pieces: dict[str, list[bytes]] = {}
    for key, array in tensors.items():
        name = array.dtype.name
        if name not in pieces:
            _dtype(name)
        entries.append([*(words.setdefault(word, len(words)) for word in (*key, name)), list(array.shape)])
        pieces.setdefault(name, []).append(_little(array).tobytes())
    index = json.dumps({"format": FORMAT, "words": list(words), "tensors": entries}, separators=(",", ":"))
    members: dict[str, Any] = {name: np.frombuffer(b"".join(parts), np.uint8) for name, parts in pieces.items()}
    file = io.BytesIO()
    np.savez(file, **members | {INDEX: np.frombuffer(index.encode(), np.uint8)})
    write_whole(path, file.getvalue())


def _little(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _dtype(name: str) -> np.dtype[Any]:
    """Return the numeric dtype with a name, including those of ml_dtypes."""
    try:
        dtype = np.dtype(getattr(ml_dtypes, name, name))
    except TypeError:
        raise TypeError(f"dtype {name}: not known to this NumPy") from None
    if dtype.kind not in "biufcV" or dtype.hasobject or dtype.itemsize == 0:
        raise TypeError(f"dtype {name}: expected numbers")
    return dtype.newbyteorder("<")


def read(path: Path) -> Mapping[Key, Array]:
    """Return the tensors of a file that ``write`` wrote, by key, as read-only arrays.

    Raises:
        OutputsError: the file cannot be read, is not one of these, or is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as members:
            index = json.loads(members[INDEX].tobytes())
            if index["format"] != FORMAT:
                raise OutputsError(
                    f"{path}: format {index['format']}, expected {FORMAT}; run both sides with the same nnconform"
                )
            buffers = {name: members[name].view(_dtype(name)) for name in members.files if name != INDEX}
        return _cut(index["words"], index["tensors"], buffers)
    except OSError as error:
        raise OutputsError(f"{path}: cannot be read: {error.strerror or error}") from None
    except DAMAGE as error:
        raise OutputsError(
            f"{path}: not a file that nnconform wrote with --outputs, or damaged ({type(error).__name__}: {error}); "
            "write it again with --outputs"
        ) from None


def _cut(words: list[str], entries: list[list[Any]], buffers: Mapping[str, Array]) -> dict[Key, Array]:
    """Cut the buffers into tensors, in the order of the index."""
    result: dict[Key, Array] = {}
    places = dict.fromkeys(buffers, 0)
    for framework, implementation, mode, vector, output, dtype, shape in entries:
        name = words[dtype]
        start = places[name]
        places[name] = end = start + math.prod(shape)
        tensor = buffers[name][start:end].reshape(shape)
        tensor.flags.writeable = False
        result[words[framework], words[implementation], words[mode], words[vector], words[output]] = tensor
    if surplus := [name for name, end in places.items() if end != len(buffers[name])]:
        raise ValueError(f"{surplus[0]} has more or fewer elements than the index says")
    return result
