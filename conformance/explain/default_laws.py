"""The laws that initializers and layers draw from by themselves, by the parts that frameworks give them in."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from nnconform.reference.defaults import SPECIFIED
from nnconform.reference.initialization import MODES, connections
from nnconform.reference.laws import expected_law, law_dialects, shape_only_fans

# Neither the spec's number or law nor that of a dialect.
OTHER = "other"
# The parts of a law, as the frameworks' general initializers are given them (Keras's and JAX's VarianceScaling), and
# what they come to.
LAW = ("distribution", "scale", "mode", "of He's")
# After a mode: the fan is read off the kernel's shape. In the place of one: the deviation is the same for every shape.
READ, CONSTANT = "*", "none"
# Kernels of several sizes: of the fans of one kernel more than one can be the right one by chance.
PROBES: Sequence[tuple[str, str, Sequence[int]]] = (
    ("dense", "spatial_in_out", (96, 40)),
    ("conv", "spatial_in_out", (3, 3, 10, 28)),
    ("conv", "spatial_in_out", (5, 12, 44)),
    ("depthwise_conv", "spatial_in_out", (3, 3, 14, 6)),
    ("depthwise_conv", "spatial_in_out", (5, 22, 4)),
    ("transposed_conv", "in_out_spatial", (18, 52, 3, 3)),
    ("transposed_conv", "in_out_spatial", (26, 7, 5)),
    ("embedding", "in_out_spatial", (70, 24)),
    ("embedding", "in_out_spatial", (33, 90)),
)


class Law(NamedTuple):
    """A law of initialization: the variance is ``scale`` over the fan that ``mode`` names.

    Attributes:
        distribution: ``normal``, ``truncated_normal`` or ``uniform``.
        scale: as text; of the mode ``none`` the variance itself.
        mode: of ``MODES``, with ``READ`` where the fan is that of the shape alone, or ``CONSTANT``.
        share: the deviation over He's, where fan_in and fan_out are equal; "" where it depends on the fan even so.
    """

    distribution: str
    scale: str
    mode: str
    share: str


class _Probe(NamedTuple):
    """What a law is of one kernel: its variance, the fans of the layer, and those that the shape alone has."""

    distribution: str
    variance: float
    layer: Mapping[str, float]
    shape: Mapping[str, float]


def parts(laws: Iterable[Law | str]) -> list[Law | str]:
    """Return the laws that several kernels show of one initializer, each once.

    Of dense kernels the shape tells the fan: a fan that is read off the shape elsewhere is so there.
    """
    kept = dict.fromkeys(laws)
    return [law for law in kept if isinstance(law, str) or law._replace(mode=law.mode + READ) not in kept]


@functools.cache
def named_laws(operation: str) -> Mapping[str, Law]:
    """Return the law of each dialect of an operation, and the expected one under ""."""
    probes: dict[str, list[_Probe]] = {}
    for kind, layout, shape in PROBES:
        about = {"shape": shape, "kind": kind, "layout": layout, "dtype": "float32", **SPECIFIED[operation]}
        fans = _by_mode(*connections(shape, kind=kind, layout=layout)), _by_mode(*shape_only_fans(about))
        laws = {"": expected_law(operation, about), **law_dialects(operation, about, defaults=True)}
        for dialect, law in laws.items():
            probes.setdefault(dialect, []).append(_Probe(law.law, law.stddev**2, *fans))
    return {dialect: _fitted(found) for dialect, found in probes.items()}


def _by_mode(into: float, out: float) -> dict[str, float]:
    return dict(zip(MODES, (into, out, (into + out) / 2), strict=True))


def _fitted(probes: Sequence[_Probe]) -> Law:
    """Return a law by its parts: the mode is the one whose fan makes the scale the same for all kernels."""
    for mode, scales in _scales(probes):
        if all(math.isclose(scale, scales[0], rel_tol=1e-9) for scale in scales):
            share = "" if mode == CONSTANT else f"{math.sqrt(scales[0] / 2):.3g}"
            return Law(probes[0].distribution, _fraction(scales[0]), mode, share)
    return Law(probes[0].distribution, OTHER, OTHER, "")


def _scales(probes: Sequence[_Probe]) -> Iterator[tuple[str, list[float]]]:
    for mode in MODES:
        yield mode, [p.variance * p.layer[mode] for p in probes]
    for mode in MODES:
        yield mode + READ, [p.variance * p.shape[mode] for p in probes]
    yield CONSTANT, [p.variance for p in probes]


def _fraction(scale: float) -> str:
    near = Fraction(scale).limit_denominator(12)
    return str(near) if math.isclose(near, scale, rel_tol=1e-9) else f"{scale:.4g}"


def of_kind(law: Law, kind: str) -> Law:
    """Return a law without the share where it hangs on more than that the layer's fans are equal."""
    # Equal fans of a depthwise layer are those of one output an input, of which the shape has the inputs beside it.
    return law._replace(share="") if kind == "depthwise_conv" and law.mode.endswith(READ) else law


def common(laws: Iterable[Law]) -> Law:
    """Return what laws have in common; "" for a part that they do not."""
    values: Iterable[tuple[Any, ...]] = zip(*laws, strict=True)
    return Law(*(same[0] if len({*same}) == 1 else "" for same in values))
