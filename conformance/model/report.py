"""A report: the one source of every text, table, page and plot (spec/schema/report.schema.json)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from nnconform.conformance.numbers import Json, number

from .document import ALWAYS, Document
from .result import Result

FORMAT = 1


@dataclass(frozen=True)
class Platform(Document):
    """The machine of a run.

    Attributes:
        system: Linux, Darwin.
        machine: x86_64, arm64.
        processor: its name.
        cores: of the machine.
        threads: of each framework.
        python: the version that ran the suite.
    """

    system: str
    machine: str
    processor: str
    cores: int
    threads: int
    python: str


@dataclass(frozen=True)
class Implementation(Document):
    """An implementation of an operation that an adapter offers, with its modes; ``defaults`` if it sets nothing."""

    operation: str
    name: str
    modes: tuple[str, ...]
    defaults: bool


@dataclass(frozen=True)
class FrameworkEntry(Document):
    """A framework in a report.

    Attributes:
        name: the adapter's name.
        target: as the user named it.
        adapter: its module.
        status: ran, missing, failed (it could not start) or stopped (it ended too often).
        versions: of the packages that the adapter needs, the framework's own first.
        modes: that the adapter has.
        implementations: that the adapter offers.
        seconds: from start to end.
        calls: how many were planned.
        inapplicable: how many of them do not apply.
        not_run: how many of them were not made.
        only: the implementations that the user asked for, as globs; all if empty.
        packages: versions of further packages of its environment.
        python: the version that ran the worker.
        threads: of the worker; None if it did not say.
        reason: why it did not run, or not to the end.
        stderr: the end of the worker's printed output, if it failed.
    """

    name: str
    target: str
    adapter: str
    status: str
    versions: Mapping[str, str] = field(default_factory=dict, metadata=ALWAYS)
    modes: tuple[str, ...] = field(default=(), metadata=ALWAYS)
    implementations: tuple[Implementation, ...] = field(default=(), metadata=ALWAYS)
    seconds: float = field(default=0.0, metadata=ALWAYS)
    calls: int = field(default=0, metadata=ALWAYS)
    inapplicable: int = field(default=0, metadata=ALWAYS)
    not_run: int = field(default=0, metadata=ALWAYS)
    only: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    threads: int | None = None
    reason: str = ""
    stderr: str = ""

    @property
    def version(self) -> str:
        """The version of the framework itself; "" if its worker did not start."""
        return next(iter(self.versions.values()), "")

    @property
    def has_failed(self) -> bool:
        """Whether it could not start or ended too often, through no choice of the user."""
        return self.status in ("failed", "stopped")

    @property
    def ran_to_the_end(self) -> bool:
        """Whether every planned call was made."""
        return self.status == "ran" and not self.not_run


@dataclass(frozen=True)
class Fault(Document):
    """An adapter's breach of its contract: a failure of the suite, not of the framework."""

    framework: str
    implementation: str
    vector: str
    message: str


@dataclass(frozen=True)
class Laws(Document):
    """The numbers of random samples and of their tests, and the probability of a false alarm."""

    samples: int
    tests: int
    false_alarm: float


@dataclass(frozen=True)
class CurveOwner(Document):
    """An implementation that has an error curve, with its modes."""

    name: str
    modes: tuple[str, ...]


@dataclass(frozen=True)
class Curve(Document):
    """An error curve over all vectors of a run.

    Attributes:
        operation: elu, batch_norm_train, clip_by_norm or clip_by_global_norm.
        part: of the operation.
        framework: by name.
        dtype: of the vectors.
        implementations: those that have this curve.
        points: x and y of each.
    """

    operation: str
    part: str
    framework: str
    dtype: str
    implementations: tuple[CurveOwner, ...]
    points: tuple[tuple[float, float], ...]

    def to_json(self) -> Json:
        """Return the row, with whole coordinates without their point."""
        points = [[int(v) if v.is_integer() and abs(v) < 1e6 else number(v) for v in point] for point in self.points]
        return {**Document.to_json(self), "points": points}


@dataclass(frozen=True)
class Report(Document):
    """The report of a run.

    Attributes:
        nnconform: the version that wrote it.
        spec: the version of the spec whose vectors were run.
        complete: False if the run was interrupted, or a framework did not run to its end.
        created: the time, in UTC.
        seconds: of the run.
        platform: the machine.
        selection: the filters, by option.
        vectors: how many were run.
        asked: the digest of each of them, by id.
        problems: vector files that were left out, one message each.
        frameworks: in the order of the command line.
        faults: of adapters.
        results: one per call, in the order of the frameworks and vectors.
        laws: of random samples; None in a report of an older version.
        curves: over all vectors; None in a report of an older version.
        known_problems: entries of a list of known divergences that do not hold.
        outputs: the file of whole outputs, for ``diff``.
    """

    nnconform: str
    spec: str
    complete: bool
    created: str
    seconds: float
    platform: Platform
    selection: Mapping[str, tuple[str, ...]]
    vectors: int
    asked: Mapping[str, str]
    problems: tuple[str, ...]
    frameworks: tuple[FrameworkEntry, ...]
    faults: tuple[Fault, ...]
    results: tuple[Result, ...]
    laws: Laws | None = None
    curves: tuple[Curve, ...] | None = None
    known_problems: tuple[str, ...] = ()
    outputs: str = ""

    @property
    def by_name(self) -> Mapping[str, FrameworkEntry]:
        """The frameworks by name."""
        return {entry.name: entry for entry in self.frameworks}

    def results_on(self, vectors: Iterable[str]) -> list[Result]:
        """Return the results on these vectors."""
        wanted = set(vectors)
        return [result for result in self.results if result.vector in wanted]

    def exit_status(self, *, strict: bool) -> int:
        """Return the exit status of a run: 3 the suite failed, 2 wrong input, 130 interrupted, 1 findings, 0 none."""
        if self.faults or any(entry.has_failed for entry in self.frameworks):
            return 3
        if self.problems:
            return 2
        if not self.complete:
            return 130
        return int(bool(self.known_problems) or any(result.fails(strict=strict) for result in self.results))

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the report of a document that keeps the schema."""
        return super().from_json({key: value for key, value in row.items() if key != "format"})

    def to_json(self) -> Json:
        """Return the document."""
        return {"format": FORMAT, **super().to_json()}
