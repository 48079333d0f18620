"""A diff: the changes between two reports, the source of every text and page about it (spec/schema/diff.schema.json).

It has no times and is sorted, so that two diffs of the same pair are equal byte for byte.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from nnconform.conformance.numbers import Json

from .change import Change
from .document import ALWAYS, Document
from .report import FrameworkEntry

FORMAT = 1


@dataclass(frozen=True)
class Distribution(Document):
    """The distances of elements of an output that drifted, in ulp, over implementations, modes and vectors.

    Attributes:
        elements: of the outputs that were measured.
        changed: elements with other bits.
        median: of the changed elements.
        p99: the smallest distance that 99 % of the changed elements do not exceed.
        worst: the largest distance.
        vector: with the largest distance.
        implementation: with the largest distance.
        mode: with the largest distance.
    """

    elements: int
    changed: int
    median: float
    p99: float
    worst: float
    vector: str
    implementation: str
    mode: str


@dataclass(frozen=True)
class Drift(Document):
    """An output of an operation that has different bits and the same verdicts.

    Attributes:
        framework: the adapter's name.
        operation: of the vectors.
        output: base name, without index.
        tensors: how many outputs drifted.
        distribution: of their distances; None unless both reports keep whole outputs.
    """

    framework: str
    operation: str
    output: str
    tensors: int
    distribution: Distribution | None = None

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the drift of a diff's row, which has the distribution in itself."""
        own = {field.name for field in dataclasses.fields(cls)}
        rest = {key: value for key, value in row.items() if key not in own}
        return super().from_json({k: row[k] for k in row if k in own} | ({"distribution": rest} if rest else {}))

    def to_json(self) -> Json:
        """Return the row of a diff."""
        row = super().to_json()
        distribution: Json = row.pop("distribution", {})
        return row | distribution


@dataclass(frozen=True)
class Side(Document):
    """One of the two reports.

    Attributes:
        spec: the version of the spec whose vectors were run.
        complete: False if the run was interrupted, or a framework did not run to its end.
        faults: how many calls ended in a fault of the adapter.
        frameworks: their names, targets, status, versions and reasons, in the report's order.
    """

    spec: str
    complete: bool
    faults: int
    frameworks: tuple[FrameworkEntry, ...]

    @property
    def by_name(self) -> Mapping[str, FrameworkEntry]:
        """The frameworks by name."""
        return {entry.name: entry for entry in self.frameworks}

    @property
    def failed(self) -> bool:
        """True if the side did not run to its end, or the suite failed on it."""
        return not self.complete or self.faults > 0 or any(e.status in ("failed", "stopped") for e in self.frameworks)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the side of a diff."""
        entries = tuple(FrameworkEntry(**{"adapter": "", **entry}) for entry in row["frameworks"])
        return cls(row["spec"], row["complete"], row["faults"], entries)

    def to_json(self) -> Json:
        """Return it as a diff has it."""
        entries = [_entry_to_json(entry) for entry in self.frameworks]
        return {"spec": self.spec, "complete": self.complete, "faults": self.faults, "frameworks": entries}


def _entry_to_json(entry: FrameworkEntry) -> Json:
    """Return a framework as a diff has it."""
    row: Json = {"name": entry.name, "target": entry.target, "status": entry.status}
    if entry.reason:
        row["reason"] = entry.reason
    row["versions"] = dict(entry.versions)
    if entry.python:
        row["python"] = entry.python
    if entry.packages:
        row["packages"] = dict(entry.packages)
    return row


@dataclass(frozen=True)
class OneSided(Document):
    """Names that only one of the reports has, sorted.

    Attributes:
        vectors: ids.
        frameworks: names.
    """

    vectors: tuple[str, ...] = field(default=(), metadata=ALWAYS)
    frameworks: tuple[str, ...] = field(default=(), metadata=ALWAYS)


@dataclass(frozen=True)
class Diff(Document):
    """The changes from one report to another.

    Attributes:
        nnconform: the version that compared them.
        old: the old report.
        new: the new report.
        notes: what limits the comparison, one sentence each.
        compared: how many results are on both sides, of vectors that are the same on both.
        unchanged: how many of them have the same verdicts, dialects and bits.
        only_old: names that only the old report has.
        only_new: names that only the new report has.
        altered_vectors: ids of vectors that differ between the sides and are not compared, sorted.
        changes: by framework, operation, vector, implementation, mode, profile, output and kind.
        drift: by framework, operation and output.
    """

    nnconform: str
    old: Side
    new: Side
    notes: tuple[str, ...]
    compared: int
    unchanged: int
    only_old: OneSided
    only_new: OneSided
    altered_vectors: tuple[str, ...]
    changes: tuple[Change, ...]
    drift: tuple[Drift, ...]

    @property
    def incomplete(self) -> bool:
        """True if a side did not run to its end, or the suite failed on it."""
        return self.old.failed or self.new.failed

    @property
    def fruitless(self) -> bool:
        """True if there was something to compare, and nothing of it could be compared."""
        return bool(self.old.frameworks or self.new.frameworks) and not (self.compared or self.changes)

    @property
    def drifted(self) -> int:
        """The number of outputs that drifted."""
        return sum(drift.tensors for drift in self.drift)

    def exit_status(self, *, bits: bool = False) -> int:
        """Return the exit status: 3 a side is not whole or nothing was compared, 1 a change fails, 0 none fails.

        Args:
            bits: whether drift fails too.
        """
        if self.incomplete or self.fruitless:
            return 3
        return int(any(change.fails for change in self.changes) or (bits and bool(self.drift)))

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the diff of a document that keeps the schema."""
        return super().from_json({key: value for key, value in row.items() if key != "format"})

    def to_json(self) -> Json:
        """Return the document."""
        return {"format": FORMAT, **super().to_json()}
