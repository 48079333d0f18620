"""Vectors of many lengths (FORMAT-18): the call with the worst element, or the two calls that differ."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from nnconform.conformance.model.result import Result
from nnconform.conformance.vectors.described_tensors import places
from nnconform.conformance.vectors.vector import LawTensor, Tensor, Vector

from .reported_calls import output_of

POSITION = re.compile(
    r"^the same number gives .* as element (\d+) of (\d+) and .* as element (\d+) of (\d+)$", re.ASCII
)


def one_length(vector: Vector, result: Result | None, names: list[str]) -> tuple[Vector, Result | None, list[str]]:
    """Return a vector of many lengths, its result and outputs, cut to the length with the worst element."""
    if not vector.lengths or not names:
        return vector, result, names
    if places_and_lengths := position(result, names):
        longest = max(places_and_lengths[1::2])
        return replace(vector, inputs={k: _cut(vector.inputs[k], longest) for k in vector.inputs}), result, names[:1]
    output = output_of(result, names[0])
    at = output.worst.index[0] if output.worst is not None else -1
    length = int(np.repeat(vector.lengths, vector.lengths)[at])
    place = int(places(vector.lengths)[at])
    start = at % sum(vector.lengths) - place
    if output.worst is not None:
        assert result is not None
        output = replace(output, worst=replace(output.worst, index=(place,)))
        result, names = replace(result, outputs={names[0]: output}), names[:1]
    expected = {name: _part(vector.expected[name], start, length) for name in names}
    inputs = {name: _cut(vector.inputs[name], length) for name in vector.inputs}
    return replace(vector, inputs=inputs, expected=expected, lengths=()), result, names


def _part(tensor: Tensor | LawTensor, start: int, length: int) -> Tensor:
    assert isinstance(tensor, Tensor)
    values, bound, flushed = (
        None if part is None else part[start : start + length] for part in (tensor.values, tensor.bound, tensor.flushed)
    )
    return replace(tensor, shape=(length,), values=values, bound=bound, flushed=flushed)


def _cut(value: Any, length: int) -> Any:
    return [_cut(v, length) for v in value] if isinstance(value, list) else value[:length]


def position(result: Result | None, names: list[str]) -> tuple[int, int, int, int] | None:
    """Return the two places and lengths with different results for one number, or None."""
    match = POSITION.fullmatch(output_of(result, names[0]).problem) if names else None
    if match is None:
        return None
    one, of_one, two, of_two = map(int, match.groups())
    return one, of_one, two, of_two
