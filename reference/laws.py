"""The law that each vector of he_normal and he_uniform asks for, and those of the dialects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .initialization import (
    LAYOUTS,
    TRUNCATED_DEVIATION,
    Law,
    connections,
    fan,
    he_normal_law,
    he_stddev,
    he_uniform_law,
)


def expected_law(operation: str, attributes: Mapping[str, Any]) -> Law:
    """Return the law that the clauses prescribe (INIT-9, INIT-10).

    Args:
        operation: ``he_normal`` or ``he_uniform``.
        attributes: shape, kind, layout, groups and mode.
    """
    size = fan(
        attributes["shape"],
        kind=attributes["kind"],
        layout=attributes["layout"],
        groups=attributes["groups"],
        mode=attributes["mode"],
    )
    return _law(operation, size)


def _law(operation: str, size: float) -> Law:
    return he_normal_law(size) if operation == "he_normal" else he_uniform_law(size)


def _shape_only_fan(attributes: Mapping[str, Any]) -> float:
    """Return the fan read off two axes of the shape, whatever the kind of the layer and its groups."""
    shape, layout = attributes["shape"], attributes["layout"]
    # torch reads (1, 0) and Keras (-2, -1), also off the kernels of transposed and depthwise layers.
    first = layout in ("out_in_spatial", "in_out_spatial")
    in_axis, out_axis, spatial = LAYOUTS["out_in_spatial" if first else "spatial_in_out"]
    receptive = math.prod(shape[spatial])
    into, out = shape[in_axis] * receptive, shape[out_axis] * receptive
    fans: dict[str, float] = {"fan_in": into, "fan_out": out, "fan_avg": (into + out) / 2}
    return fans[attributes["mode"]]


def law_dialects(operation: str, attributes: Mapping[str, Any], *, defaults: bool) -> dict[str, Law]:
    """Return the laws of the dialects that differ from the clause's, by name; only a fan can be the same.

    Args:
        operation: ``he_normal`` or ``he_uniform``.
        attributes: as for ``expected_law``.
        defaults: whether the vector asks what happens when the user sets nothing.
    """
    right = expected_law(operation, attributes)
    read = _shape_only_fan(attributes)
    laws = {"shape-only-fan": _law(operation, read)}
    if operation == "he_normal":
        laws["untruncated-normal"] = Law("normal", right.stddev, math.inf)
        # Cut at two deviations and not corrected: narrower by the deviation of the cut law.
        laws["uncorrected-truncation"] = Law("truncated_normal", right.stddev * TRUNCATED_DEVIATION, 2 * right.stddev)
        laws["shape-only-fan+untruncated-normal"] = Law("normal", he_stddev(read), math.inf)
    if defaults:
        into, out = connections(
            attributes["shape"],
            kind=attributes["kind"],
            layout=attributes["layout"],
            groups=attributes["groups"],
        )
        narrow, glorot = 1 / math.sqrt(into), math.sqrt(6 / (into + out))
        laws["default-uniform-inverse-sqrt-fan"] = Law("uniform", narrow / math.sqrt(3), narrow)
        laws["default-glorot-uniform"] = Law("uniform", glorot / math.sqrt(3), glorot)
        laws["default-lecun-normal"] = Law("truncated_normal", narrow, 2 * narrow / TRUNCATED_DEVIATION)
    plain = laws["shape-only-fan"] == right
    return {name: law for name, law in laws.items() if not (plain and name.startswith("shape-only-fan"))}
