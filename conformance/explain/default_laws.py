"""The laws of default initializers, by the parts that frameworks' general initializers have."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from nnconform.reference.defaults import SPECIFIED
from nnconform.reference.initialization import MODES, connections
from nnconform.reference.laws import expected_law, law_dialects, shape_only_fans

# Neither the spec's number or law nor that of a dialect.
OTHER = "other"
# After a mode: the fan is that of the shape alone. Instead of a mode: the deviation is the same for every shape.
READ, CONSTANT = "*", "none"
# Kernels of several sizes: with a single kernel, several fans can agree by chance.
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


@dataclass(frozen=True)
class Law:
    """A law of initialization: the variance is ``scale`` over the fan that ``mode`` names.

    The parts are the arguments of ``VarianceScaling`` in Keras and JAX. A part is "" if laws differ in it.

    Attributes:
        distribution: ``normal``, ``truncated_normal`` or ``uniform``.
        scale: as text; for the mode ``none``, the variance itself.
        mode: of ``MODES``, with ``READ`` if the fan is that of the shape alone, or ``CONSTANT``.
        share: the deviation over He's if fan_in and fan_out are equal; "" if it depends on the fan even then.
    """

    distribution: str
    scale: str
    mode: str
    share: str


# The names of a law's parts in the table of defaults.
LAW = {"distribution": "distribution", "scale": "scale", "mode": "mode", "share": "of He's"}


@dataclass(frozen=True)
class _Probe:
    """The variance that a law has for one kernel, the fans of the layer, and those of the shape alone."""

    distribution: str
    variance: float
    layer: Mapping[str, float]
    shape: Mapping[str, float]


def without_repeats(laws: Iterable[Law | str]) -> list[Law | str]:
    """Return the different laws that one initializer shows on several kernels.

    For a dense kernel, the fan of the layer is that of the shape: a law that other kernels show with the fan of the
    shape is the same law.
    """
    different = dict.fromkeys(laws)

    def repeats(law: Law | str) -> bool:
        return isinstance(law, Law) and dataclasses.replace(law, mode=law.mode + READ) in different

    return [law for law in different if not repeats(law)]


@functools.cache
def named_laws(operation: str) -> Mapping[str, Law]:
    """Return the law of each dialect of an operation; the expected one has the name ""."""
    probes: dict[str, list[_Probe]] = {}
    for kind, layout, shape in PROBES:
        attributes = {"shape": shape, "kind": kind, "layout": layout, "dtype": "float32", **SPECIFIED[operation]}
        fans = _by_mode(*connections(shape, kind=kind, layout=layout)), _by_mode(*shape_only_fans(attributes))
        laws = {"": expected_law(operation, attributes), **law_dialects(operation, attributes, defaults=True)}
        for dialect, law in laws.items():
            probes.setdefault(dialect, []).append(_Probe(law.law, law.stddev**2, *fans))
    return {dialect: _fitted(of_it) for dialect, of_it in probes.items()}


def _by_mode(fan_in: float, fan_out: float) -> dict[str, float]:
    return dict(zip(MODES, (fan_in, fan_out, (fan_in + fan_out) / 2), strict=True))


def _fitted(probes: Sequence[_Probe]) -> Law:
    """Return the law of which all probes have the same scale."""
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
    """Return a law for a kind of kernel: without its share if equal fans of the layer do not decide it."""
    # If a depthwise layer has equal fans, it has one output per input, and the shape has the inputs as a further axis.
    return dataclasses.replace(law, share="") if kind == "depthwise_conv" and law.mode.endswith(READ) else law


def common(laws: Iterable[Law]) -> Law:
    """Return a law with the parts that laws have in common, and "" for the others."""
    parts = zip(*map(dataclasses.astuple, laws), strict=True)
    return Law(*(values[0] if len(set(values)) == 1 else "" for values in parts))
