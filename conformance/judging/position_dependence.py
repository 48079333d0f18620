"""The dependence of a result on the position of its element (RELU-8, ELU-11; FORMAT-18)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnconform.conformance.vectors.described_tensors import places
from nnconform.conformance.vectors.tensors import Array
from nnconform.conformance.vectors.vector import LawTensor, Tensor, Vector

from .compare import canonical, ratios

# The dialect of an output that is inside its bounds and not the same for equal elements.
DIALECT = "position-dependent"


def dependence(vector: Vector, name: str, expected: Tensor, got: Array) -> str:
    """Return a description of two equal elements with unequal results, or "".

    Args:
        vector: one with lengths.
        name: the output's flat name.
        expected: its latitude may free the signs of zeros.
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
    elements = (f"{got[i]!s} as element {place[i]} of {lengths[i]}" for i in (one, two))
    return f"the same number gives {' and '.join(elements)}"


def mixture(prescribed: Mapping[str, Mapping[str, Tensor | LawTensor]], name: str, expected: Tensor, got: Array) -> str:
    """Return the dialect that, with the clauses, explains every element: each fits the one or the other.

    Args:
        prescribed: the outputs of dialects, by dialect and flat output name.
        name: the output's flat name.
        expected: the output by the clauses.
        got: the output, of the expected dtype and shape.

    Returns:
        The dialect with the narrowest bounds, or "".
    """
    right = ratios(got, expected) <= 1
    candidates = [
        (float(np.sum(np.asarray(tensor.bound))), dialect.count("+"), dialect)
        for dialect, outputs in prescribed.items()
        if isinstance(tensor := outputs.get(name), Tensor) and tensor.dtype == expected.dtype
        if (right | (ratios(got, tensor) <= 1)).all()
    ]
    return min(candidates)[2] if candidates else ""


def _kinds(inputs: Mapping[str, Any], name: str) -> Array:
    """Return a label for each place of the longest inputs, 0 or more: equal for equal bits in all inputs."""
    index = name.partition("[")[2].rstrip("]")
    arrays = [value[int(index)] if isinstance(value, list) else value for value in inputs.values()]
    bits = np.stack([np.ascontiguousarray(a).view(f"u{a.dtype.itemsize}").astype(np.uint64) for a in arrays], axis=1)
    return np.asarray(np.unique(bits, axis=0, return_inverse=True)[1]).ravel()
