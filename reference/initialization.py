"""He initialization: the fan of a kernel, the deviation and bound, and the laws (spec/initialization.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from .exact import precision

KINDS = ("dense", "conv", "depthwise_conv", "transposed_conv", "embedding")
MODES = ("fan_in", "fan_out", "fan_avg")

# The deviation of a standard normal law cut at two deviations:
# sqrt(1 - 2 c phi(c) / (2 Phi(c) - 1)) at c = 2.
TRUNCATED_DEVIATION = 0.87962566103423978
# The number that the clause writes, which is not quite that float64.
_CLAUSE_DEVIATION = Decimal("0.87962566103423978")
# The one rounding of each parameter of a law is then the right one: fans are halves of whole numbers below 2^54, and
# the square of sqrt(gain / fan) / 0.8796..., if it is not that of a tie of float64, is off it by more than 10^-83 of
# itself.
_DIGITS = 100

# Where a kernel's axes are: the axis of the inputs, of the outputs, and the spatial ones.
LAYOUTS = {
    "out_in_spatial": (1, 0, slice(2, None)),
    "in_out_spatial": (0, 1, slice(2, None)),
    "spatial_in_out": (-2, -1, slice(0, -2)),
    "spatial_out_in": (-1, -2, slice(0, -2)),
}


class Law(NamedTuple):
    """The law of a random sample, symmetric about 0.

    Attributes:
        law: ``normal``, ``truncated_normal`` (a normal law cut at two of its deviations) or ``uniform``.
        stddev: the standard deviation of the samples, after any cut.
        bound: no sample is greater in size than this; infinite for ``normal``.
        accuracy: the relative error that the scale may have; None for that of the working precision, 4u.
        levels: the draws are k / levels with k from 0 to levels - 1, through the inverse of the distribution
            function; 0 where they fill the line.
        pattern: of several samples, which have the same elements (the same letter) and which are independent.
    """

    law: str
    stddev: float
    bound: float
    accuracy: float | None = None
    levels: int = 0
    pattern: str = ""

    def entry(self) -> dict[str, str | float]:
        """Return the law as a vector has it, without fields that have their usual value (FORMAT-12)."""
        usual = Law._field_defaults
        return {k: v for k, v in self._asdict().items() if k not in usual or v != usual[k]}


def connections(shape: Sequence[int], *, kind: str, layout: str, groups: int = 1) -> tuple[int, int]:
    """Return fan_in and fan_out: the connections of one output and of one input unit at stride 1.

    Source: He et al. 2015, section 2.2: n = k^2 c, the connections of a response (INIT-1 to INIT-6).

    Args:
        shape: the kernel's shape, rank 2 to 5.
        kind: one of ``KINDS``.
        layout: one of ``LAYOUTS``.
        groups: groups of a grouped convolution, 1 or more; a depthwise kernel has one a channel, given by
            its shape in the layout spatial_in_out.

    Raises:
        ValueError: a rank below 2, or an unknown kind or layout.
    """
    if len(shape) < 2:
        raise ValueError(f"a kernel has rank 2 or more, not the shape {tuple(shape)}")
    if kind not in KINDS or layout not in LAYOUTS:
        raise ValueError(f"kind {kind!r} is none of {KINDS}, or layout {layout!r} none of {tuple(LAYOUTS)}")
    in_axis, out_axis, spatial = LAYOUTS[layout]
    inputs, outputs = shape[in_axis], shape[out_axis]
    receptive = math.prod(shape[spatial])
    if kind == "depthwise_conv" and layout == "spatial_in_out":
        # (*spatial, channels, multiplier): a group has one input channel and `multiplier` outputs.
        return receptive, outputs * receptive
    if kind == "transposed_conv":
        # The kernel holds all inputs and one group's outputs.
        return inputs // groups * receptive, outputs * receptive
    # The kernel holds one group's inputs and all outputs.
    return inputs * receptive, outputs // groups * receptive


def fan(shape: Sequence[int], *, kind: str, layout: str, groups: int = 1, mode: str) -> float:
    """Return the fan that scales a kernel: fan_in, fan_out, or the mean of both (INIT-7).

    Args:
        shape: as for ``connections``.
        kind: as for ``connections``.
        layout: as for ``connections``.
        groups: as for ``connections``.
        mode: one of ``MODES``.

    Raises:
        ValueError: as for ``connections``, or an unknown mode.
    """
    fan_in, fan_out = connections(shape, kind=kind, layout=layout, groups=groups)
    match mode:
        case "fan_in":
            return fan_in
        case "fan_out":
            return fan_out
        case "fan_avg":
            return (fan_in + fan_out) / 2
    raise ValueError(f"mode {mode!r} is none of {MODES}")


def he_stddev(fan: float) -> float:
    """Return the standard deviation of He initialization, sqrt(2 / fan) (He et al. 2015, eq. 10; INIT-8).

    Args:
        fan: above 0.
    """
    return _rooted(2, fan)


def _rooted(gain: int, fan: float, divisor: Decimal = Decimal(1)) -> float:
    """Return sqrt(gain / fan) / divisor, rounded once."""
    with precision(_DIGITS):
        return float((gain / Decimal(fan)).sqrt() / divisor)


def he_bound(fan: float) -> float:
    """Return the bound of He's uniform law, sqrt(6 / fan), whose deviation is ``he_stddev`` (INIT-10).

    Args:
        fan: above 0.
    """
    return _rooted(6, fan)


def he_normal_law(fan: float) -> Law:
    """Return the law of he_normal: cut at two deviations, the deviation corrected for the cut (INIT-9).

    Source: Keras HeNormal, "a truncated normal distribution"; He et al. 2015 draw from the whole normal law.

    Args:
        fan: above 0.
    """
    # sigma = sqrt(2 / fan),   2 tau = 2 sigma / 0.8796... = sqrt(8 / fan) / 0.8796...
    return Law("truncated_normal", he_stddev(fan), _rooted(8, fan, _CLAUSE_DEVIATION))


def he_uniform_law(fan: float) -> Law:
    """Return the law of he_uniform: uniform within +-``he_bound`` (INIT-10).

    Args:
        fan: above 0.
    """
    return Law("uniform", he_stddev(fan), he_bound(fan))
