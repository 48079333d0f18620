"""The laws of he_normal and he_uniform, from spec/initialization.md."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from mpmath import mp

from .numbers import BITS, Root, nearest
from .result import NoMeaning


def fans(attributes: Mapping[str, Any]) -> tuple[Fraction, Fraction]:
    """fan_in and fan_out, INIT-1 to INIT-6."""
    shape, kind, layout = attributes["shape"], attributes["kind"], attributes["layout"]
    groups = Fraction(attributes.get("groups", 1))  # FORMAT-14
    if len(shape) < 2:
        raise NoMeaning  # INIT-13
    first = layout in ("out_in_spatial", "in_out_spatial")
    k = math.prod(shape[2:] if first else shape[:-2])
    a, b = shape[:2] if first else shape[-2:]
    if kind == "depthwise_conv":
        # INIT-4, with groups = inputs in the layout (inputs * multiplier, 1, *spatial)
        multiplier = a / groups if first else Fraction(b)
        return Fraction(k), multiplier * k
    if kind == "embedding":
        return Fraction(a), Fraction(b)  # INIT-16: rows, features
    inputs, outputs = (a, b) if layout in ("in_out_spatial", "spatial_in_out") else (b, a)
    if kind == "transposed_conv":
        return inputs / groups * k, Fraction(outputs * k)  # the kernel holds the outputs of one group
    return Fraction(inputs * k), outputs / groups * k  # the kernel holds the inputs of one group


def fan(attributes: Mapping[str, Any]) -> Fraction:
    into, out = fans(attributes)
    # INIT-7, INIT-14
    size = {"fan_in": into, "fan_out": out, "fan_avg": (into + out) / 2}[attributes.get("mode", "fan_in")]
    if size == 0:
        raise NoMeaning  # INIT-13
    return size


def law(operation: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """INIT-8 to INIT-10, both numbers rounded once to float64."""
    size = fan(attributes)
    stddev = nearest(Root(Fraction(0), Fraction(2), 2 * size), "float64")  # sqrt(2 / fan)
    if operation == "he_uniform":
        return {
            "law": "uniform",
            "stddev": stddev,
            "bound": nearest(Root(Fraction(0), Fraction(6), 6 * size), "float64"),
        }
    return {"law": "truncated_normal", "stddev": stddev, "bound": _support(size)}


def _support(size: Fraction) -> float:
    """2 tau = 2 sigma / (the deviation of a standard normal law that is cut at 2)."""
    with mp.workprec(BITS):
        density = mp.exp(-2) / mp.sqrt(2 * mp.pi)
        deviation = mp.sqrt(1 - 4 * density / (2 * mp.ncdf(2) - 1))
        # INIT-9 writes the deviation as 0.87962566103423978; it is 0.879625661034239750..., the same float64.
        assert float(deviation) == 0.87962566103423978
        sigma = mp.sqrt(mp.mpf(2) * size.denominator / size.numerator)
        return float(2 * sigma / mp.mpf("0.87962566103423978"))


def pattern(vector: Mapping[str, Any]) -> str:
    """INIT-11 for the seeds, INIT-15 for the layers: which samples have the same elements."""
    if "seeds" in vector:
        different = sorted(set(vector["seeds"]), key=vector["seeds"].index)
        return "".join(chr(ord("a") + different.index(seed)) for seed in vector["seeds"])
    return "".join(chr(ord("a") + layer) for layer in range(vector["attributes"].get("layers", 0)))


def largest(law: Mapping[str, Any], count: int) -> tuple[Fraction, float]:
    """Where the largest of ``count`` elements lies, numerics.md, Extremes: the lower end and the upper one."""
    end = Fraction(law["bound"])
    with mp.workprec(BITS):
        p = 1 - mp.mpf(10) ** (mp.mpf(-11) / count) + mp.mpf(4) / 2**23
        if law["law"] == "uniform":
            r = 2 * p
        else:
            # Phi(2 (1 - r)) = Phi(2) - p (2 Phi(2) - 1)
            level = mp.ncdf(2) - p * (2 * mp.ncdf(2) - 1)
            r = 1 - mp.findroot(lambda z: mp.ncdf(z) - level, 2) / 2
        low = end * (1 - Fraction(int(r * 2**200), 2**200))
    return low, nearest(end * (1 + 4 * Fraction(1, 2**24)), "float32")
