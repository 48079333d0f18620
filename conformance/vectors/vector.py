"""A vector: inputs, expected outputs with their bounds, and the outputs of each dialect."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .call_options import CallOptions
from .stored_vector import LawTensor
from .tensors import Array

__all__ = ["SPEC", "WIDE", "LawTensor", "Tensor", "Vector", "VectorError"]

# The version of the spec that this release's vectors belong to.
SPEC = "1.0.0"
# An accuracy dialect's bound of up to this many times the conforming one hides nothing but rounding.
WIDE = 16.0


class VectorError(Exception):
    """A vector file cannot be used; the message names the file, its content and the rule that it breaks."""


@dataclass(frozen=True)
class Tensor:
    """Expected values of one output.

    Attributes:
        dtype: the dtype that the output must have.
        values: of that dtype, in the expected shape; None if the output is recorded and not judged.
        bound: float64, the most by which each element may differ.
        latitude: the freedoms of an implementation: ``sign-of-zero``, ``subnormal-flush`` or ``any``.
        flushed: the values that are accepted too because subnormal inputs may count as zero.
        shape: the shape that the output must have.
        exhaustive: every number of the dtype went in, so that the wrong results are counted.
    """

    dtype: str
    shape: tuple[int, ...]
    values: Array | None
    bound: Array | None
    latitude: frozenset[str] = frozenset()
    flushed: Array | None = None
    exhaustive: bool = False


@dataclass(frozen=True)
class Vector(CallOptions):
    """One test case: inputs, call options, expected outputs, and the outputs that each dialect prescribes.

    Attributes:
        id: ``operation/name/dtype``.
        operation: the operation's name.
        profile: core, half, edge, range or defaults.
        clauses: ids of the clauses that it tests.
        hunts: ids of the faults and dialects that it is made to catch.
        attributes: by name.
        compiled: whether compiled modes run it.
        unjudged: the whole vector is recorded and not judged.
        inputs: as arrays, SparseGradients, None, or lists of these.
        expected: by flat output name (``gradients[0]``).
        prescribed: the outputs of dialects, by dialect and flat output name.
        errors: the dialects that prescribe an error, with the pattern of its message.
        digest: of its text in the file; two vectors of one id and digest are the same vector.
    """

    id: str
    operation: str
    profile: str
    clauses: tuple[str, ...]
    hunts: tuple[str, ...]
    attributes: Mapping[str, Any]
    compiled: bool
    unjudged: bool
    inputs: Mapping[str, Any]
    expected: Mapping[str, Tensor | LawTensor]
    prescribed: Mapping[str, Mapping[str, Tensor | LawTensor]]
    errors: Mapping[str, re.Pattern[str]]
    digest: str = ""

    @property
    def needs(self) -> frozenset[str]:
        """The abilities that an implementation must declare to be called: ``seeds``, ``extremes``, ``layers``."""
        abilities = {"seeds": bool(self.seeds), "extremes": self.extremes, "layers": "layers" in self.attributes}
        return frozenset(name for name, needed in abilities.items() if needed)

    @property
    def dtype(self) -> str:
        """The dtype in the vector's id."""
        return self.id.rpartition("/")[2]

    @property
    def dialects(self) -> tuple[str, ...]:
        """The dialects that the vector lists, those that prescribe an error last."""
        return (*self.prescribed, *self.errors)

    @functools.cached_property
    def tempting(self) -> Mapping[str, frozenset[str]]:
        """The dialects whose bound on an output is so wide that it could hide a wrong formula, by flat output name.

        They are those whose bound is somewhere more than ``WIDE`` times the conforming one.
        """
        by_name: dict[str, set[str]] = {}
        for dialect, outputs in self.prescribed.items():
            for name, other in outputs.items():
                expected = self.expected[name]
                if isinstance(other, LawTensor) or isinstance(expected, LawTensor):
                    continue
                if (
                    other.bound is not None
                    and expected.bound is not None
                    and (other.bound > WIDE * expected.bound).any()
                ):
                    by_name.setdefault(name, set()).add(dialect)
        return {name: frozenset(names) for name, names in by_name.items()}
