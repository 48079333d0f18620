"""Long sums added one element after the other, to prove that a vector sees such a sum (NUM-10, NUM-11)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnconform.conformance.cases.vector_case import VectorCase
from nnconform.conformance.vectors.tensors import Array


def outputs(case: VectorCase) -> Mapping[str, Array]:
    """Return some or all outputs of a case of long sums, in the arithmetic of its dtype."""
    if case.operation == "batch_norm_train":
        return _moments(case)
    (gradient,) = case.inputs["gradients"]
    long = gradient.whole()
    norm = np.sqrt(_total(long * long))
    scale = np.minimum(long.dtype.type(case.attributes["clipnorm"]) / norm, long.dtype.type(1))
    return {"gradients[0]": gradient.block * scale}


def _moments(case: VectorCase) -> Mapping[str, Array]:
    """Return mean and variance, in two passes, of the channels on the last axis."""
    x = case.inputs["x"].whole()
    m = x.dtype.type(x.shape[0])
    mean = _total(x) / m
    centred = x - mean
    return {"batch_mean": mean, "batch_variance": _total(centred * centred) / m}


def _total(a: Array) -> Array:
    """Return the sum over the first axis, element after element; NumPy guarantees it of ``accumulate`` alone."""
    return np.asarray(np.add.accumulate(a, axis=0)[-1])
