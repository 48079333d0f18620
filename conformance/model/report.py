"""A report: the one source of every text, table, page and plot (spec/schema/report.schema.json)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from nnconform.conformance.numbers import Json, number

from .result import Result

FORMAT = 1


@dataclass(frozen=True)
class Platform:
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
class Implementation:
    """An implementation of an operation that an adapter offers, with its modes; ``defaults`` if it sets nothing."""

    operation: str
    name: str
    modes: tuple[str, ...]
    defaults: bool

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the implementation of a report's row."""
        return cls(row["operation"], row["name"], tuple(row["modes"]), row["defaults"])

    def to_json(self) -> Json:
        """Return it as a report has it."""
        return {
            "operation": self.operation,
            "name": self.name,
            "modes": list(self.modes),
            "defaults": self.defaults,
        }


@dataclass(frozen=True)
class FrameworkEntry:
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
    versions: Mapping[str, str] = field(default_factory=dict)
    modes: tuple[str, ...] = ()
    implementations: tuple[Implementation, ...] = ()
    seconds: float = 0.0
    calls: int = 0
    inapplicable: int = 0
    not_run: int = 0
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

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the framework of a report's entry."""
        lists = {key: tuple(row.get(key, ())) for key in ("modes", "only")}
        implementations = tuple(Implementation.from_json(i) for i in row["implementations"])
        return cls(**{**row, **lists, "implementations": implementations})

    def to_json(self) -> Json:
        """Return it as a report has it."""
        row: Json = {
            "name": self.name,
            "target": self.target,
            "adapter": self.adapter,
            "status": self.status,
            "versions": dict(self.versions),
            "modes": list(self.modes),
            "implementations": [i.to_json() for i in self.implementations],
            "seconds": self.seconds,
            "calls": self.calls,
            "inapplicable": self.inapplicable,
            "not_run": self.not_run,
        }
        if self.only:
            row["only"] = list(self.only)
        if self.packages:
            row["packages"] = dict(self.packages)
        if self.python:
            row["python"] = self.python
        if self.threads is not None:
            row["threads"] = self.threads
        return row | {key: text for key in ("reason", "stderr") if (text := getattr(self, key))}


@dataclass(frozen=True)
class Fault:
    """An adapter's breach of its contract: a failure of the suite, not of the framework."""

    framework: str
    implementation: str
    vector: str
    message: str


@dataclass(frozen=True)
class Laws:
    """The numbers of random samples and of their tests, and the probability of a false alarm."""

    samples: int
    tests: int
    false_alarm: float


@dataclass(frozen=True)
class Curve:
    """An error curve over all vectors of a run.

    Attributes:
        operation: elu, batch_norm_train, clip_by_norm or clip_by_global_norm.
        part: of the operation.
        framework: by name.
        dtype: of the vectors.
        implementations: those that have this curve, by name, with their modes.
        points: x and y.
    """

    operation: str
    part: str
    framework: str
    dtype: str
    implementations: Mapping[str, tuple[str, ...]]
    points: tuple[tuple[float, float], ...]

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the curve of a report's row."""
        names = {entry["name"]: tuple(entry["modes"]) for entry in row["implementations"]}
        points = tuple((float(x), float(y)) for x, y in row["points"])
        return cls(row["operation"], row["part"], row["framework"], row["dtype"], names, points)

    def to_json(self) -> Json:
        """Return the row of a report."""
        return {
            "operation": self.operation,
            "part": self.part,
            "framework": self.framework,
            "dtype": self.dtype,
            "implementations": [{"name": n, "modes": list(modes)} for n, modes in self.implementations.items()],
            "points": [[_short(x), _short(y)] for x, y in self.points],
        }


def _short(value: float) -> float | str:
    """Return a coordinate, a whole one without its point."""
    return int(value) if value.is_integer() and abs(value) < 1e6 else number(value)


@dataclass(frozen=True)
class Report:
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
        laws: of random samples; None in a report of an older version.
        results: one per call, in the order of the frameworks and vectors.
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
    laws: Laws | None
    results: tuple[Result, ...]
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
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return the report of a document that keeps the schema."""
        curves = document.get("curves")
        laws = document.get("laws")
        return cls(
            nnconform=document["nnconform"],
            spec=document["spec"],
            complete=document["complete"],
            created=document["created"],
            seconds=document["seconds"],
            platform=Platform(**document["platform"]),
            selection={key: tuple(values) for key, values in document["selection"].items()},
            vectors=document["vectors"],
            asked=document["asked"],
            problems=tuple(document["problems"]),
            frameworks=tuple(FrameworkEntry.from_json(row) for row in document["frameworks"]),
            faults=tuple(Fault(**row) for row in document["faults"]),
            laws=None if laws is None else Laws(**laws),
            results=tuple(Result.from_json(row) for row in document["results"]),
            curves=None if curves is None else tuple(Curve.from_json(row) for row in curves),
            known_problems=tuple(document.get("known_problems", ())),
            outputs=document.get("outputs", ""),
        )

    def to_json(self) -> Json:
        """Return the document."""
        document: Json = {
            "format": FORMAT,
            "nnconform": self.nnconform,
            "spec": self.spec,
            "complete": self.complete,
            "created": self.created,
            "seconds": self.seconds,
            "platform": dataclasses.asdict(self.platform),
            "selection": {key: list(values) for key, values in self.selection.items()},
            "vectors": self.vectors,
            "asked": dict(self.asked),
            "problems": list(self.problems),
            "frameworks": [entry.to_json() for entry in self.frameworks],
            "faults": [dataclasses.asdict(fault) for fault in self.faults],
        }
        if self.laws is not None:
            document["laws"] = dataclasses.asdict(self.laws)
        if self.known_problems:
            document["known_problems"] = list(self.known_problems)
        if self.outputs:
            document["outputs"] = self.outputs
        if self.curves is not None:
            document["curves"] = [curve.to_json() for curve in self.curves]
        document["results"] = [result.to_json() for result in self.results]
        return document
