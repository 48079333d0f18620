"""The agreement of two APIs of two frameworks, vector by vector, with the cause and size of each difference.

On one vector, an output of two APIs agrees if both conform, or if the same dialect explains both: then both are inside
the same bound of the same value. If an accuracy dialect explains the source alone, the target is nearer to the exact
value. Vectors that the source refuses do not count: no working program makes that call.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nnconform.conformance.model.result import Measured, Output, Result
from nnconform.reference.dialects import DIALECTS

from .measurements import Measurement
from .tables import KERNEL, THRESHOLDS, USES, Choice

if TYPE_CHECKING:
    from nnconform.conformance.model.calls import Array

# Every element is inside its bound, so that the values agree.
HARMLESS = "position-dependent"
# The largest relative difference of two samples' deviations by chance (they have at least 60,000 elements).
CHANCE = 0.02


@dataclass(frozen=True)
class Difference:
    """The two numbers of an output that differ most.

    Attributes:
        vector: its id.
        output: the output's flat name, or a statistic of a random sample.
        source: the number of the framework that is ported from.
        target: the number of the framework that is ported to.
    """

    vector: str
    output: str
    source: float
    target: float

    @property
    def relative(self) -> float:
        """The difference over the larger absolute value; infinite if one of them is not finite."""
        difference, size = abs(self.source - self.target), max(abs(self.source), abs(self.target))
        if not math.isfinite(difference):
            return math.inf
        return difference / size if size else 0.0


@dataclass
class Gap:
    """One way in which two APIs differ.

    Attributes:
        output: its name without index; "" if the target raises an error.
        source: the dialect of the source; "" if it conforms, "diverges" if no dialect explains it.
        target: that of the target.
        vectors: on which they differ.
        largest: the largest difference by profile; none for errors.
    """

    output: str
    source: str
    target: str
    vectors: list[str] = field(default_factory=list)
    largest: dict[str, Difference] = field(default_factory=dict)

    @property
    def target_is_nearer(self) -> bool:
        """Whether the target is nearer to the exact value, and otherwise the same."""
        source, target = _parts(self.source), _parts(self.target)
        return target < source and all(part in DIALECTS and DIALECTS[part].accuracy for part in source - target)

    @property
    def dialects(self) -> tuple[str, ...]:
        """The dialects of one side that the other side does not have."""
        one_sided = _parts(self.source) ^ _parts(self.target)
        return tuple(part for part in (*self.source.split("+"), *self.target.split("+")) if part in one_sided)

    def add_difference(self, profile: str, difference: Difference) -> None:
        """Keep the difference if it is the largest of its profile."""
        if profile not in self.largest or difference.relative > self.largest[profile].relative:
            self.largest[profile] = difference

    def copy(self) -> Gap:
        """Return a gap that can be merged with others while this one stays as it is."""
        return Gap(self.output, self.source, self.target, list(self.vectors), dict(self.largest))

    def merge(self, other: Gap) -> None:
        """Add the vectors and differences of another gap."""
        self.vectors += [name for name in other.vectors if name not in self.vectors]
        for profile, difference in other.largest.items():
            self.add_difference(profile, difference)


@dataclass
class Agreement:
    """The agreement of two APIs for one use.

    Attributes:
        vectors: that both take.
        agreed: those on which they agree, or the target is nearer to the exact value.
        gaps: all differences, also those where the target is nearer.
    """

    vectors: list[str] = field(default_factory=list)
    agreed: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    @property
    def count(self) -> str:
        """The number of agreeing vectors in words: ``31 of 33``."""
        return f"{len(self.agreed)} of {len(self.vectors)}"

    @property
    def share(self) -> float:
        """The share of the vectors on which they agree."""
        return len(self.agreed) / len(self.vectors) if self.vectors else 0.0


def _parts(dialect: str) -> frozenset[str]:
    return frozenset(dialect.split("+")) - {"", HARMLESS}


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a way to write a use, and the measurement of its framework."""

    choice: Choice
    measurement: Measurement

    def results(self, use: str, dtypes: Sequence[str]) -> Mapping[Hashable, list[Result]]:
        """Return the results that show a use, by the key that comparable vectors of two frameworks share.

        Args:
            use: of ``USES``.
            dtypes: the only ones; all if empty.
        """
        results: dict[Hashable, list[Result]] = defaultdict(list)
        for result in self.measurement.report.results:
            if result.implementation not in self.choice.apis or result.operation not in USES[use]:
                continue
            attributes = self.measurement.attributes[result.vector]
            counts = result.judged and result.verdict != "unsupported" and _shows(use, result, attributes)
            if counts and (not dtypes or result.dtype in dtypes):
                results[_comparable(result, attributes)].append(result)
        return results

    def tensor(self, result: Result, output: str) -> Array:
        """Return an output of a result."""
        key = (result.framework, result.implementation, result.mode, result.vector, output)
        return self.measurement.tensors[key]


def agreement(use: str, source: Side, target: Side, dtypes: Sequence[str] = ()) -> Agreement:
    """Return the agreement of two ways to write a use.

    Args:
        use: of ``USES``.
        source: of the framework that is ported from.
        target: of the framework that is ported to.
        dtypes: the only ones to compare; all if empty.
    """
    source_results, target_results = source.results(use, dtypes), target.results(use, dtypes)
    total = Agreement()
    gaps: dict[tuple[str, str, str], Gap] = {}
    for key, ours in source_results.items():
        if key not in target_results or not all(result.outputs for result in ours):
            continue
        total.vectors.append(ours[0].vector)
        all_gaps = []
        for a, b in itertools.product(ours, target_results[key]):
            for output, of_a, of_b in _differences(a, b):
                gap = gaps.setdefault((output, of_a, of_b), Gap(output.partition("[")[0], of_a, of_b))
                all_gaps.append(gap)
                _add_vector(gap, output, (source, a), (target, b))
        if all(gap.target_is_nearer for gap in all_gaps):
            total.agreed.append(ours[0].vector)
    total.gaps = _merged(gaps.values())
    return total


def _shows(use: str, result: Result, attributes: Mapping[str, Any]) -> bool:
    """Return whether a vector of one of the use's operations shows the use."""
    if result.is_default != (use == KERNEL):
        return False
    thresholds = [name for name in THRESHOLDS.values() if attributes.get(name) is not None]
    return result.operation != "sgd_step" or thresholds == ([THRESHOLDS[use]] if use in THRESHOLDS else [])


def _comparable(result: Result, attributes: Mapping[str, Any]) -> Hashable:
    """Return the vector's id, or the attributes of a layer that each framework has in its own layout."""
    if "stddev" not in attributes:
        return result.vector
    layer = tuple(attributes.get(name) for name in ("kind", "groups", "mode", "dtype", "pattern"))
    return (*layer, len(attributes["shape"]), f"{attributes['stddev']:.12g}")


def _differences(a: Result, b: Result) -> Iterator[tuple[str, str, str]]:
    """Yield the flat names of outputs that different dialects explain, with the two dialects."""
    if not b.outputs:
        yield "", "", b.dialect or b.verdict
    for output in (name for name in a.outputs if name in b.outputs):
        names = _name(a.outputs[output]), _name(b.outputs[output])
        if _parts(names[0]) != _parts(names[1]) or "diverges" in names:
            yield output, *names


def _name(output: Output) -> str:
    if output.verdict == "conforms" or output.dialect == HARMLESS:
        return ""
    return output.dialect or output.verdict


def _add_vector(gap: Gap, output: str, source: tuple[Side, Result], target: tuple[Side, Result]) -> None:
    """Add a vector to a gap, and its difference if that is the largest so far."""
    a, b = source[1], target[1]
    if a.vector not in gap.vectors:
        gap.vectors.append(a.vector)
    if not output:
        return
    of_a, of_b = a.outputs[output].measured, b.outputs[output].measured
    if of_a is not None and of_b is not None:
        difference = _of_samples(a.vector, of_a, of_b)
    else:
        difference = _of_elements(a.vector, output, source[0].tensor(a, output), target[0].tensor(b, output))
    gap.add_difference(a.profile, difference)


def _of_samples(vector: str, source: Measured, target: Measured) -> Difference:
    """Return the deviations of two random samples, or their largest absolute values if the deviations are equal."""
    deviation = Difference(vector, "standard deviation", source.stddev, target.stddev)
    largest = Difference(vector, "largest absolute value", source.largest, target.largest)
    return deviation if deviation.relative > CHANCE else largest


def _of_elements(vector: str, output: str, source: Array, target: Array) -> Difference:
    """Return the elements of two outputs that differ most."""
    x, y = (np.ravel(array).astype(np.float64) for array in (source, target))
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(x), np.abs(y))
        relative = np.where(size > 0, np.abs(x - y) / size, 0.0)
    place = int(np.argmax(np.where(np.isfinite(relative), relative, np.inf)))
    return Difference(vector, output, float(x[place]), float(y[place]))


def _merged(gaps: Iterable[Gap]) -> list[Gap]:
    """Return the gaps with all entries of a list of gradients or weights as one, the most frequent first."""
    merged: dict[tuple[str, str, str], Gap] = {}
    for gap in gaps:
        key = gap.output, gap.source, gap.target
        if key in merged:
            merged[key].merge(gap)
        else:
            merged[key] = gap
    return sorted(merged.values(), key=lambda gap: -len(gap.vectors))
