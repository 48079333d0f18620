"""Requests to a worker and outputs in its answers, as JSON (spec/protocol.md, PROTOCOL-4 to PROTOCOL-6)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnconform.adapters import SparseGradient
from nnconform.conformance.vectors.described_tensors import Repeated
from nnconform.conformance.vectors.tensors import DTYPES, Array
from nnconform.conformance.vectors.vector import Vector


def _tensor(array: Array | Repeated) -> dict[str, Any]:
    elements = array.block if isinstance(array, Repeated) else array
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "data": base64.b64encode(np.ascontiguousarray(elements).tobytes()).decode(),
    }


def _encode(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, SparseGradient):
        return {
            "indices": _tensor(value.indices),
            "values": _tensor(value.values),
            "dense_shape": list(value.dense_shape),
        }
    return [_encode(v) for v in value] if isinstance(value, list) else _tensor(value)


def request(vector: Vector, calls: Sequence[tuple[str, str]]) -> bytes:
    """Return the request for calls, pairs of implementation and mode, on a vector."""
    message = {
        "id": vector.id,
        "operation": vector.operation,
        "defaults": vector.profile == "defaults",
        **vector.options,
        "attributes": vector.attributes,
        "inputs": {name: _encode(value) for name, value in vector.inputs.items()},
        "calls": [list(call) for call in calls],
    }
    return json.dumps(message).encode() + b"\n"


def _decode(value: Mapping[str, Any]) -> Array:
    name = value["dtype"]
    dtype = DTYPES[name] if name in DTYPES else np.dtype(name)
    if dtype.kind not in "biufc" and name not in DTYPES:
        raise ValueError(f"dtype {name} is not numeric")
    raw = base64.b64decode(value["data"], validate=True)
    return np.frombuffer(raw, dtype).reshape(value["shape"])


def outputs(message: Mapping[str, Any]) -> dict[str, Array | None]:
    """Return an answer's outputs by flat name; None for an entry of a list without a value.

    Raises:
        ValueError: a tensor's dtype, shape and data do not match.
        TypeError: no dtype has that name.
    """
    result: dict[str, Array | None] = {}
    for name, value in message.items():
        entries = ((f"{name}[{i}]", v) for i, v in enumerate(value)) if isinstance(value, list) else [(name, value)]
        result |= {key: None if v is None else _decode(v) for key, v in entries}
        if value == []:
            result[name] = None
    return result


def legible(value: Any) -> Any:
    """Return a message without control characters and lone surrogates in its texts."""
    if isinstance(value, str):
        return value if value.isprintable() else "".join(c for c in value if c.isprintable() or c in "\n\t")
    if isinstance(value, dict):
        return {legible(key): legible(v) for key, v in value.items()}
    return [legible(v) for v in value] if isinstance(value, list) else value
