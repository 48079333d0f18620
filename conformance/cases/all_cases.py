"""Every case of every table, in the order of the vector files."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import activations, batch_norm, batch_norm_eval, clipping, initialization, sgd, sweeps
from .numerics import with_numerics
from .vector_case import VectorCase


def all_cases() -> Iterator[VectorCase]:
    """Yield every case, in the order of the vectors in their files."""
    makers: tuple[Callable[[], Iterator[VectorCase]], ...] = (
        activations.cases,
        batch_norm.cases,
        batch_norm_eval.cases,
        clipping.cases,
        sgd.cases,
        initialization.cases,
        sweeps.cases,
    )
    for make in makers:
        yield from map(with_numerics, make())
