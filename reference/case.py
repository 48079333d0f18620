"""The inputs and outputs of an operation: exact arrays with their bounds and dtypes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from . import exact
from .exact import Array


class Output(NamedTuple):
    """One output: exact values, the bound b of each before it is stored, and the dtype that it is stored in."""

    values: Array
    bound: Array
    dtype: str


class Case(NamedTuple):
    """The inputs of an operation.

    Attributes:
        inputs: exact arrays by name; a sparse gradient as its dense sum.
        dtypes: of the inputs, by name.
        attributes: by name.
        rows: the rows of the sparse gradients, one array of indices and one of values, by place in the list.
    """

    inputs: Mapping[str, Any]
    dtypes: Mapping[str, str]
    attributes: Mapping[str, Any]
    rows: Mapping[int, tuple[Array, Array]] = {}


Outputs = dict[str, Output]


def zeros_like(a: Array) -> Array:
    """Return zeros in the shape and the number system of ``a``: the bound of an output that is not computed."""
    a = np.asarray(a)
    return exact.full(a.shape, 0.0, a)
