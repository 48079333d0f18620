"""The conforming region of a case alone: what a test needs that judges many random cases."""

from __future__ import annotations

import numpy as np

from nnconform.conformance.cases.vector_case import VectorCase
from nnconform.conformance.generating.accepted_region import Stored, Undecided
from nnconform.conformance.generating.expected import exact_case
from nnconform.conformance.vectors.tensors import DTYPES
from nnconform.conformance.vectors.vector import Tensor
from nnconform.reference import exact
from nnconform.reference.variants import OPERATIONS, Output

# More than any rounding or bound of a random case depends on; the vectors themselves are decided by ``evaluate``.
DIGITS = 90


def region(case: VectorCase) -> dict[str, Tensor]:
    """Return what the clauses expect of each output, with its bound, rounded as in a vector; no dialects.

    An output for some element of which no finite bound exists, or whose rounding no digits decide, which no vector may
    have, is left out.
    """
    with exact.precision(DIGITS):
        made = {name: stored for name, output in _outputs(case).items() if (stored := _stored(output)) is not None}
    return {
        name: Tensor(
            stored.dtype,
            stored.values.shape,
            stored.values.astype(DTYPES[stored.dtype]),
            stored.bound,
            frozenset(case.latitude.get(name, ())),
        )
        for name, stored in made.items()
        if stored.bounded
    }


def _stored(output: Output) -> Stored | None:
    try:
        return Stored(output)
    except Undecided:
        return None


def _outputs(case: VectorCase) -> dict[str, Output]:
    with np.errstate(all="ignore"):
        return OPERATIONS[case.operation](exact_case(case))
