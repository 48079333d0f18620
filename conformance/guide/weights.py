"""The conversion of a trained layer's state: the order of a kernel's axes, and the correction of a running variance."""

from __future__ import annotations

from collections.abc import Sequence

# The kernel k of a dense layer after a flattened image of c channels, from data with the channels first or last: the
# transposition of the kernel together with the order of its inputs.
FLATTENED = {
    "first": "k.reshape(units, c, h, w).transpose(2, 3, 1, 0).reshape(h * w * c, units)",
    "last": "k.reshape(h, w, c, units).transpose(3, 2, 0, 1).reshape(units, c * h * w)",
}


def transposition(source: Sequence[str], target: Sequence[str]) -> tuple[int, ...]:
    """Return the axes in the order of the target: ``w.transpose(axes)``."""
    return tuple(source.index(axis) for axis in target)


def without_correction(
    running_variance: float,
    n: int,
    steps: int,
    momentum: float,
    initial: float = 1.0,
) -> float:
    """Return a running variance as it would be without the n / (n - 1).

    Exact (before rounding) if all `steps` batches had n elements per channel.
    The momentum is the weight of the old value; `initial` is the value before
    the first step. Arrays work too.
    """
    start = initial * momentum**steps
    return start + (running_variance - start) * (n - 1) / n


def with_correction(
    running_variance: float,
    n: int,
    steps: int,
    momentum: float,
    initial: float = 1.0,
) -> float:
    """Return a running variance as it would be with the n / (n - 1).

    Exact (before rounding) if all `steps` batches had n elements per channel.
    The momentum is the weight of the old value; `initial` is the value before
    the first step. Arrays work too.
    """
    start = initial * momentum**steps
    return start + (running_variance - start) * n / (n - 1)
