"""Whether equal elements give equal results, wherever they stand (RELU-8, ELU-11; FORMAT-18)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnconform.conformance.vectors.described_tensors import places
from nnconform.conformance.vectors.tensors import Array
from nnconform.conformance.vectors.vector import LawTensor, Tensor, Vector

from .compare import canonical, ratios

# The dialect of an output that is right everywhere, and not the same for equal elements.
DIALECT = "position-dependent"


def dependence(vector: Vector, name: str, expected: Tensor, got: Array) -> str:
    """Return in words where an element's result depends on its position or on the length, or "".

    Args:
        vector: one with lengths.
        name: the output's flat name.
        expected: says whether the sign of a zero is free.
        got: the output for all lengths, one after the other.
    """
    kinds = _kinds(vector.inputs, name)
    place = places(vector.lengths)
    if "any" in expected.latitude or got.shape != place.shape:
        return ""
    bits = np.ascontiguousarray(canonical(got, expected)).view(f"u{got.dtype.itemsize}")
    label = kinds[place]
    _, first = np.unique(label, return_index=True)
    other = np.flatnonzero(bits != bits[first][label])
    if not other.size:
        return ""
    one, two = int(first[label[other[0]]]), int(other[0])
    lengths = np.repeat(vector.lengths, vector.lengths)
    where = (f"{got[i]!s} as element {place[i]} of {lengths[i]}" for i in (one, two))
    return f"the same number gives {' and '.join(where)}"


def mixture(prescribed: Mapping[str, Mapping[str, Tensor | LawTensor]], name: str, expected: Tensor, got: Array) -> str:
    """Return the dialect that, with the clauses, explains every element: at some places the one, at others the other.

    Args:
        prescribed: what dialects prescribe, by dialect and flat output name.
        name: the output's flat name.
        expected: what the clauses prescribe.
        got: the output, of the expected dtype and shape.

    Returns:
        The dialect of the narrowest region, or "".
    """
    right = ratios(got, expected) <= 1
    found = [
        (float(np.sum(np.asarray(tensor.bound))), dialect.count("+"), dialect)
        for dialect, outputs in prescribed.items()
        if isinstance(tensor := outputs.get(name), Tensor) and tensor.dtype == expected.dtype
        if (right | (ratios(got, tensor) <= 1)).all()
    ]
    return min(found)[2] if found else ""


def _kinds(inputs: Mapping[str, Any], name: str) -> Array:
    """Return a label for each place of the longest inputs, 0 and up: equal where all inputs have the same bits."""
    index = name.partition("[")[2].rstrip("]")
    arrays = [value[int(index)] if isinstance(value, list) else value for value in inputs.values()]
    bits = np.stack([np.ascontiguousarray(a).view(f"u{a.dtype.itemsize}").astype(np.uint64) for a in arrays], axis=1)
    return np.asarray(np.unique(bits, axis=0, return_inverse=True)[1]).ravel()
