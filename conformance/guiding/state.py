"""What becomes of a trained layer's state: which axis goes where, and what a running variance would have been."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def transposition(source: Sequence[str], target: Sequence[str]) -> tuple[int, ...]:
    """Return the axes in the order in which the target wants them: ``w.transpose(axes)``."""
    return tuple(source.index(axis) for axis in target)


def without_correction(running_variance: Any, n: int, steps: int, momentum: float, initial: float = 1.0) -> Any:
    """Return what a running variance would be if every batch had entered it without the factor n / (n - 1).

    It was ``initial``, and then moved ``steps`` times by running = momentum * running + (1 - momentum) * variance of
    a batch with n elements a channel, n > 1.
    """
    kept = initial * momentum**steps
    return kept + (running_variance - kept) * (n - 1) / n


def with_correction(running_variance: Any, n: int, steps: int, momentum: float, initial: float = 1.0) -> Any:
    """Return what a running variance would be if every batch had entered it with the factor n / (n - 1).

    It was ``initial``, and then moved ``steps`` times by running = momentum * running + (1 - momentum) * variance of
    a batch with n elements a channel, n > 1.
    """
    kept = initial * momentum**steps
    return kept + (running_variance - kept) * n / (n - 1)
