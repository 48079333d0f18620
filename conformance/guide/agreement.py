"""Whether two APIs of two frameworks agree, vector by vector, and where they do not, why and by how much.

On one vector and every output that both show, two APIs agree when both conform, or when both are named by the same
dialect: then both are inside the same bound of the same value. Where one is named by dialects of accuracy that the
other does not have, the other is nearer to the exact value. What the first refuses is no question: no program that
works does it.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nnconform.reference.dialects import DIALECTS

from .measurements import Measured
from .tables import KERNEL, THRESHOLDS, USES, Choice

if TYPE_CHECKING:
    from nnconform.conformance.vectors.tensors import Array

# It says nothing of the value: every element is inside its bound.
HARMLESS = "position-dependent"
# What is measured of a random sample, and how far two samples' deviations may be apart by chance (they have at least
# 60,000 elements).
OF_SAMPLES = (("standard deviation", "stddev"), ("largest size", "largest"))
CHANCE = 0.02


@dataclass(frozen=True)
class Sight:
    """The two numbers that differ most, relative to the larger: where, what the one gave and what the other."""

    vector: str
    output: str
    ours: float
    theirs: float

    @property
    def relative(self) -> float:
        """The difference over the larger of the two sizes; infinite where one of them is not finite."""
        difference, size = abs(self.ours - self.theirs), max(abs(self.ours), abs(self.theirs))
        if not math.isfinite(difference):
            return math.inf
        return difference / size if size else 0.0


@dataclass
class Gap:
    """One way in which two APIs differ.

    Attributes:
        output: by name without index; "" where the second raises an error.
        ours: the dialect of the first, "" where it conforms, "diverges" where nothing explains it.
        theirs: that of the second.
        vectors: where.
        sights: the numbers that differ most, by profile; none for errors.
    """

    output: str
    ours: str
    theirs: str
    vectors: list[str] = field(default_factory=list)
    sights: dict[str, Sight] = field(default_factory=dict)

    @property
    def nearer(self) -> bool:
        """Whether the second is the one that is nearer to the exact value, and else the same."""
        parts, others = _parts(self.ours), _parts(self.theirs)
        return others < parts and all(part in DIALECTS and DIALECTS[part].accuracy for part in parts - others)

    @property
    def names(self) -> tuple[str, ...]:
        """The dialects of one side that the other does not have."""
        ours, theirs = _parts(self.ours), _parts(self.theirs)
        return tuple(part for part in (*self.ours.split("+"), *self.theirs.split("+")) if part in ours ^ theirs)

    def see(self, profile: str, sight: Sight) -> None:
        """Keep what differs most."""
        if profile not in self.sights or sight.relative > self.sights[profile].relative:
            self.sights[profile] = sight

    def copy(self) -> Gap:
        """Return the same gap, to be joined with others."""
        return Gap(self.output, self.ours, self.theirs, list(self.vectors), dict(self.sights))

    def join(self, other: Gap) -> None:
        """Take in what was seen of another gap."""
        self.vectors += [name for name in other.vectors if name not in self.vectors]
        for profile, sight in other.sights.items():
            self.see(profile, sight)


@dataclass
class Agreement:
    """What was found of two APIs for one use.

    Attributes:
        vectors: those that both take.
        agreed: those of them on which the two agree, or the second is nearer to the exact value.
        gaps: the differences, those where the second is nearer included.
    """

    vectors: list[str] = field(default_factory=list)
    agreed: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    @property
    def count(self) -> str:
        """How many of the vectors agree, in words."""
        return f"{len(self.agreed)} of {len(self.vectors)}"

    @property
    def share(self) -> float:
        """The share of the vectors on which they agree."""
        return len(self.agreed) / len(self.vectors) if self.vectors else 0.0


def _parts(dialect: str) -> frozenset[str]:
    return frozenset(dialect.split("+")) - {"", HARMLESS}


def agreement(
    use: str, ours: Choice, mine: Measured, theirs: Choice, other: Measured, dtypes: Sequence[str] = ()
) -> Agreement:
    """Return how far two ways to write a use agree.

    Args:
        use: of ``USES``.
        ours: the way of the framework that one leaves.
        mine: what was measured of that framework.
        theirs: the way of the framework that one goes to.
        other: what was measured of it.
        dtypes: the only ones to look at; none for all.
    """
    left, right = _results(use, ours, mine, dtypes), _results(use, theirs, other, dtypes)
    found = Agreement()
    gaps: dict[tuple[str, str, str], Gap] = {}
    for key in (key for key in left if key in right and all(row["outputs"] for row in left[key])):
        name = left[key][0]["vector"]
        found.vectors.append(name)
        differing = []
        for a, b in itertools.product(left[key], right[key]):
            for output, of_a, of_b in _differences(a, b):
                gap = gaps.setdefault((output, of_a, of_b), Gap(output.partition("[")[0], of_a, of_b))
                differing.append(gap)
                _enter(gap, output, a, mine, b, other)
        if all(gap.nearer for gap in differing):
            found.agreed.append(name)
    found.gaps = _merged(gaps.values())
    return found


def _results(
    use: str, choice: Choice, measured: Measured, dtypes: Sequence[str]
) -> Mapping[tuple[Any, ...], list[Mapping[str, Any]]]:
    """Return the results that show a use, by what makes two vectors the same question."""
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in measured.report["results"]:
        if row["implementation"] not in choice.apis or row["operation"] not in USES[use]:
            continue
        attributes = measured.attributes[row["vector"]]
        wanted = _shows(use, row, attributes) and row.get("judged", True) and row["verdict"] != "unsupported"
        if wanted and (not dtypes or row["vector"].rpartition("/")[2] in dtypes):
            found[_question(row, attributes)].append(row)
    return found


def _shows(use: str, row: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    """Say whether a vector of one of the use's operations shows the use."""
    if (row["profile"] == "defaults") != (use == KERNEL):
        return False
    given = [name for name in THRESHOLDS.values() if attributes.get(name) is not None]
    return row["operation"] != "sgd_step" or given == ([THRESHOLDS[use]] if use in THRESHOLDS else [])


def _question(row: Mapping[str, Any], attributes: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what two frameworks must share to be compared: the vector, or the same layer in their own layouts."""
    if "stddev" not in attributes:
        return (row["vector"],)
    layer = tuple(attributes.get(name) for name in ("kind", "groups", "mode", "dtype", "pattern"))
    return (*layer, len(attributes["shape"]), f"{attributes['stddev']:.12g}")


def _differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the outputs on which two results are named differently, and their names."""
    if not b["outputs"]:
        yield "", "", b.get("dialect", b["verdict"])
    for output in (name for name in a["outputs"] if name in b["outputs"]):
        names = [_name(row["outputs"][output]) for row in (a, b)]
        if _parts(names[0]) != _parts(names[1]) or "diverges" in names:
            yield output, names[0], names[1]


def _name(output: Mapping[str, Any]) -> str:
    if output["verdict"] == "conforms" or output.get("dialect") == HARMLESS:
        return ""
    return str(output.get("dialect", output["verdict"]))


def _enter(gap: Gap, output: str, a: Mapping[str, Any], mine: Measured, b: Mapping[str, Any], other: Measured) -> None:
    """Add a vector to a gap, and its numbers where they differ most so far."""
    if a["vector"] not in gap.vectors:
        gap.vectors.append(a["vector"])
    if not output:
        return
    if "measured" in a["outputs"][output]:
        sight = _of_law(a["vector"], a["outputs"][output]["measured"], b["outputs"][output]["measured"])
    else:
        names = [(row["framework"], row["implementation"], row["mode"], row["vector"], output) for row in (a, b)]
        sight = _of_elements(a["vector"], output, mine.tensors[names[0]], other.tensors[names[1]])
    gap.see(a["profile"], sight)


def _of_law(vector: str, ours: Mapping[str, float], theirs: Mapping[str, float]) -> Sight:
    """Return what tells two random samples apart: their deviations, or their largest numbers where these are equal."""
    deviation, largest = (Sight(vector, name, ours[key], theirs[key]) for name, key in OF_SAMPLES)
    return deviation if deviation.relative > CHANCE else largest


def _of_elements(vector: str, output: str, ours: Array, theirs: Array) -> Sight:
    """Return the elements of two outputs that differ most."""
    x, y = (np.ravel(array).astype(np.float64) for array in (ours, theirs))
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(x), np.abs(y))
        relative = np.where(size > 0, np.abs(x - y) / size, 0.0)
    place = int(np.argmax(np.where(np.isfinite(relative), relative, np.inf)))
    return Sight(vector, output, float(x[place]), float(y[place]))


def _merged(gaps: Iterable[Gap]) -> list[Gap]:
    """Return one gap for the entries of a list of gradients or weights, the most frequent first."""
    merged: dict[tuple[str, str, str], Gap] = {}
    for gap in gaps:
        key = gap.output, gap.ours, gap.theirs
        if key in merged:
            merged[key].join(gap)
        else:
            merged[key] = gap
    return sorted(merged.values(), key=lambda gap: -len(gap.vectors))
