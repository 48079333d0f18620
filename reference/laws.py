"""The law that each vector of he_normal and he_uniform asks for, and those of the dialects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .bounds import HALF
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
from .rounding import FORMATS

# Combinations that implementations have.
COMBINATIONS: tuple[tuple[str, ...], ...] = (
    ("shape-only-fan", "untruncated-normal"),
    ("shape-only-fan", "default-uniform-inverse-sqrt-fan"),
    ("shape-only-fan", "default-glorot-uniform"),
    ("shape-only-fan", "default-lecun-normal"),
    ("few-bit-draws", "half-precision-scale"),
    ("initializer-repeats", "untruncated-normal"),
)


def expected_law(operation: str, attributes: Mapping[str, Any], seeds: Sequence[int] = ()) -> Law:
    """Return the law that the clauses prescribe (INIT-9, INIT-10).

    Args:
        operation: ``he_normal`` or ``he_uniform``.
        attributes: shape, kind, layout, groups and mode, and layers where one initializer makes several kernels.
        seeds: the call is made with each; none for one call.
    """
    pattern = _by_seed(seeds) if seeds else _independent(attributes)
    return _law(operation, _fan(attributes))._replace(pattern=pattern)


LETTERS = "abcdefgh"


def _by_seed(seeds: Sequence[int]) -> str:
    """Return the pattern of the samples of seeds: equal for equal ones, independent for different ones (INIT-11)."""
    letters = dict(zip(dict.fromkeys(seeds), LETTERS, strict=False))
    return "".join(letters[seed] for seed in seeds)


def _independent(attributes: Mapping[str, Any]) -> str:
    """Return the pattern of the kernels of as many layers, each independent of the others (INIT-15)."""
    return LETTERS[: attributes["layers"]] if "layers" in attributes else ""


def _fan(attributes: Mapping[str, Any]) -> float:
    return fan(
        attributes["shape"],
        kind=attributes["kind"],
        layout=attributes["layout"],
        groups=attributes["groups"],
        mode=attributes["mode"],
    )


def _law(operation: str, size: float) -> Law:
    return he_normal_law(size) if operation == "he_normal" else he_uniform_law(size)


def _shape_only_fan(attributes: Mapping[str, Any]) -> float:
    into, out = shape_only_fans(attributes)
    return {"fan_in": into, "fan_out": out, "fan_avg": (into + out) / 2}[attributes["mode"]]


def shape_only_fans(attributes: Mapping[str, Any]) -> tuple[float, float]:
    """Return fan_in and fan_out read off two axes of the shape, whatever the kind of the layer and its groups.

    Args:
        attributes: shape and layout.
    """
    shape, layout = attributes["shape"], attributes["layout"]
    # torch reads (1, 0) and Keras (-2, -1), also off the kernels of transposed and depthwise layers.
    first = layout in ("out_in_spatial", "in_out_spatial")
    in_axis, out_axis, spatial = LAYOUTS["out_in_spatial" if first else "spatial_in_out"]
    receptive = math.prod(shape[spatial])
    return shape[in_axis] * receptive, shape[out_axis] * receptive


def law_dialects(
    operation: str, attributes: Mapping[str, Any], *, defaults: bool, seeds: Sequence[int] = ()
) -> dict[str, Law]:
    """Return the laws of the dialects that differ from the clause's, by name; only a fan can be the same.

    Args:
        operation: ``he_normal`` or ``he_uniform``.
        attributes: as for ``expected_law``, and dtype.
        defaults: whether the vector asks what happens when the user sets nothing.
        seeds: as for ``expected_law``.
    """
    right = expected_law(operation, attributes, seeds)
    laws = _other_laws(operation, attributes, right, defaults=defaults)
    if "layers" in attributes:
        laws |= _repeating({"": right, **laws})
    return laws


def _repeating(laws: Mapping[str, Law]) -> dict[str, Law]:
    """Return the laws of an initializer that gives the same kernel each time, by itself and not cut at two deviations.

    Both are Keras's ``VarianceScaling(2.0, distribution="untruncated_normal")``.
    """
    kept = {name: laws[name] for name in ("", "untruncated-normal") if name in laws}
    return {
        "+".join(filter(None, ("initializer-repeats", name))): law._replace(pattern="a" * len(law.pattern))
        for name, law in kept.items()
    }


def _other_laws(operation: str, attributes: Mapping[str, Any], right: Law, *, defaults: bool) -> dict[str, Law]:
    """Return the laws of all dialects but ``initializer-repeats``, in the pattern of the ``right`` one."""
    read = _shape_only_fan(attributes)
    laws = {"shape-only-fan": _law(operation, read)._replace(pattern=right.pattern)}
    if operation == "he_normal":
        laws["untruncated-normal"] = Law("normal", right.stddev, math.inf)
        # Cut at two deviations and not corrected: narrower by the deviation of the cut law.
        laws["uncorrected-truncation"] = Law("truncated_normal", right.stddev * TRUNCATED_DEVIATION, 2 * right.stddev)
        laws["shape-only-fan+untruncated-normal"] = Law("normal", he_stddev(read), math.inf)
    if attributes["dtype"] in HALF:
        laws |= _in_half(right, attributes["dtype"])
    if attributes["dtype"] == "float64":
        laws["float32-scale"] = right._replace(accuracy=4 * 2.0 ** -FORMATS["float32"].bits)
    if defaults:
        laws |= _defaults(attributes)
    plain = laws["shape-only-fan"] == right
    return {
        name: law._replace(pattern=right.pattern)
        for name, law in laws.items()
        if not (plain and name.startswith("shape-only-fan"))
    }


def _in_half(right: Law, dtype: str) -> dict[str, Law]:
    """Return the laws of samples that are drawn or scaled in half precision, not in float32 (INIT-12)."""
    target = FORMATS[dtype]
    # A uniform draw that fills the digits of a number in [1, 2) has a digit less than the dtype.
    levels = 2 ** (target.bits - 1)
    # sqrt(2 / fan) / 0.8796...: the quotient under the root, the root, the constant and the last quotient are rounded,
    # 3.5 u and the products of these.
    accuracy = 4 * 2.0**-target.bits
    return {
        "half-precision-scale": right._replace(accuracy=accuracy),
        "few-bit-draws": right._replace(levels=levels),
        "few-bit-draws+half-precision-scale": right._replace(levels=levels, accuracy=accuracy),
    }


def _defaults(attributes: Mapping[str, Any]) -> dict[str, Law]:
    """Return the laws of layers without an initializer argument."""
    fans = connections(
        attributes["shape"], kind=attributes["kind"], layout=attributes["layout"], groups=attributes["groups"]
    )
    read = shape_only_fans(attributes)
    laws = _by_default(*fans)
    # Swapped fans leave Glorot's law the same.
    laws |= {f"shape-only-fan+{name}": law for name, law in _by_default(*read).items() if law != laws[name]}
    if attributes["kind"] == "embedding":
        laws["default-standard-normal"] = Law("normal", 1.0, math.inf)
        laws["default-uniform-0.05"] = Law("uniform", 0.05 / math.sqrt(3), 0.05)
        # flax: the fan_in of a layer from the features to the rows.
        laws["default-normal-by-features"] = Law("normal", 1 / math.sqrt(fans[1]), math.inf)
    return laws


def _by_default(into: float, out: float) -> dict[str, Law]:
    narrow, glorot = 1 / math.sqrt(into), math.sqrt(6 / (into + out))
    return {
        "default-uniform-inverse-sqrt-fan": Law("uniform", narrow / math.sqrt(3), narrow),
        "default-glorot-uniform": Law("uniform", glorot / math.sqrt(3), glorot),
        "default-lecun-normal": Law("truncated_normal", narrow, 2 * narrow / TRUNCATED_DEVIATION),
    }
