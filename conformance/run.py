"""Run the vectors: one worker a framework, side by side; every call ends in a verdict, and none is lost."""

from __future__ import annotations

import fnmatch
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnconform.conformance.frameworks import Framework
from nnconform.conformance.judge import ContractBroken, Result, judge, refuse_swallowed
from nnconform.conformance.vectors import Vector
from nnconform.conformance.worker import THREADS, Answer, Call, Worker, WorkerFailed, WorkerGone, stage

RESTARTS = 10
# Vectors of a filtered run that only show whether an accuracy dialect may be named.
WITNESSES = 4


@dataclass(frozen=True)
class Selection:
    """What to run: globs, any of which may match; none means everything."""

    operations: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    implementations: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()

    def takes(self, vector: Vector) -> bool:
        """Say whether a vector is selected."""
        return (
            matches(vector.operation, self.operations)
            and matches(vector.id, self.vectors)
            and matches(vector.profile, self.profiles)
            and matches(vector.dtype, self.dtypes)
        )


def matches(text: str, globs: Sequence[str]) -> bool:
    """Say whether ``text`` matches one of ``globs``; anything matches none."""
    return not globs or any(fnmatch.fnmatchcase(text, glob) for glob in globs)


@dataclass
class FrameworkRun:
    """What became of one framework.

    Attributes:
        framework: which.
        status: ran, missing, failed (it could not start) or stopped (it ended too often).
        reason: why it did not run, or not to the end.
        hello: what the worker said of itself.
        seconds: from start to end.
        calls: how many calls were planned, by the worker's implementations.
        inapplicable: how many of them do not apply.
        stderr: the end of what the worker printed, where it went wrong.
    """

    framework: Framework
    status: str = "ran"
    reason: str = ""
    hello: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    calls: int = 0
    inapplicable: int = 0
    stderr: str = ""


@dataclass
class Fault:
    """The suite's own failure: an adapter that breaks its contract."""

    framework: str
    implementation: str
    vector: str
    message: str


@dataclass
class Run:
    """All that a run gave.

    Attributes:
        frameworks: one entry a framework, in the order asked for.
        results: one a call that applies.
        faults: what is the suite's, not the frameworks'.
        vectors: how many were selected.
        complete: false when the run was interrupted.
        seconds: wall time.
    """

    frameworks: list[FrameworkRun] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    vectors: int = 0
    complete: bool = True
    seconds: float = 0.0


def with_witnesses(chosen: Sequence[Vector], everything: Sequence[Vector]) -> list[Vector]:
    """Return the chosen vectors and, for each operation and dtype among them, a few benign ones beside."""
    taken = {vector.id for vector in chosen}
    result = list(chosen)
    for operation, dtype in dict.fromkeys((v.operation, v.dtype) for v in chosen if v.dialects):
        benign = [
            v
            for v in everything
            if (v.operation, v.dtype) == (operation, dtype) and v.profile in ("core", "half") and v.compiled
        ]
        result += [v for v in benign[:WITNESSES] if v.id not in taken]
    return result


def calls_for(
    vector: Vector, hello: Mapping[str, Any], only: Sequence[str], selection: Selection
) -> list[Call]:
    """Return the calls to make on a vector: compiled modes run a few vectors, slow modes when asked for."""
    plain = hello["modes"][0]
    result = []
    for implementation in hello["implementations"]:
        name = implementation["name"]
        if implementation["operation"] != vector.operation:
            continue
        if implementation["defaults"] != (vector.profile == "defaults"):
            continue
        if not matches(name, only) or not matches(name, selection.implementations):
            continue
        for mode in implementation["modes"]:
            asked = matches(mode, selection.modes) if selection.modes else mode not in hello["on_request"]
            if asked and (mode == plain or vector.compiled):
                result.append(Call(name, mode))
    return result


Event = tuple[str, Any]


class _Driver(threading.Thread):
    """Drives one framework's worker through the vectors and reports what happens as events."""

    def __init__(
        self, run: FrameworkRun, vectors: Sequence[Vector], folder: Path, options: Options, events: Any
    ) -> None:
        super().__init__(daemon=True)
        self.run_, self.vectors, self.folder, self.options, self.events = (
            run,
            vectors,
            folder,
            options,
            events,
        )
        self.worker: Worker | None = None
        self.restarts = 0
        self.halted = False

    def run(self) -> None:
        began = time.monotonic()
        try:
            self._start()
            self._all()
        except WorkerFailed as failure:
            self.run_.status, self.run_.reason = "failed", str(failure)
        except _Exhausted as reason:
            self.run_.status, self.run_.reason = "stopped", str(reason)
        finally:
            if self.worker is not None:
                if self.run_.status != "ran":
                    self.run_.stderr = self.worker.tail()
                self.worker.stop()
            self.run_.seconds = time.monotonic() - began
            self.events.put(("ended", self.run_))

    def _start(self) -> None:
        self.worker = Worker(self.run_.framework.module, self.folder, self.options.cache)
        self.run_.hello = self.worker.hello

    def _all(self) -> None:
        planned = [
            (v, calls_for(v, self.run_.hello, self.run_.framework.only, self.options.selection))
            for v in self.vectors
        ]
        self.run_.calls = sum(len(calls) for _, calls in planned)
        self.events.put(("started", self.run_))
        for vector, calls in planned:
            left = calls
            while left and not self.halted:
                left = self._some(vector, left)

    def _some(self, vector: Vector, calls: Sequence[Call]) -> list[Call]:
        """Make calls on a vector until one ends the worker; return those that are left."""
        assert self.worker is not None
        done = 0
        try:
            for answer in self.worker.ask(vector, calls, self.options.timeout):
                done += 1
                self.events.put(("answer", (self.run_, vector, answer)))
        except WorkerGone as gone:
            if self.halted:
                return []
            answer = Answer(calls[done], gone.verdict, gone.reason)
            self.events.put(("answer", (self.run_, vector, answer)))
            self.restarts += 1
            self.worker.stop()
            if self.restarts > RESTARTS:
                raise _Exhausted(f"the worker ended {self.restarts} times; the rest was not run") from None
            self._start()
            return list(calls[done + 1 :])
        return []

    def halt(self) -> None:
        """Stop at once."""
        self.halted = True
        if self.worker is not None:
            self.worker.stop()


class _Exhausted(Exception):
    pass


@dataclass(frozen=True)
class Options:
    """How to run.

    Attributes:
        selection: what.
        timeout: seconds that one call may take, compilation included.
        cache: where frameworks may keep compiled code, or None.
    """

    selection: Selection = Selection()
    timeout: float = 120.0
    cache: Path | None = None


Progress = Callable[[str, FrameworkRun, Any], None]


def run(
    frameworks: Iterable[Framework],
    vectors: Sequence[Vector],
    options: Options,
    progress: Progress = lambda *_: None,
) -> Run:
    """Run vectors on frameworks and return every verdict.

    Args:
        frameworks: those that are not installed are reported as missing.
        vectors: all that there are; ``options.selection`` says which to report.
        options: how.
        progress: called with ``started``, ``answer`` or ``ended``, the framework's run, and the vector's id.
    """
    began = time.monotonic()
    chosen = [v for v in vectors if options.selection.takes(v)]
    result = Run(vectors=len(chosen))
    shown = {v.id for v in chosen}
    events: queue.Queue[Event] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="nnconform-") as name:
        stage(Path(name))
        drivers = []
        for framework in frameworks:
            entry = FrameworkRun(framework)
            result.frameworks.append(entry)
            if framework.missing:
                entry.status = "missing"
                entry.reason = (
                    f"{', '.join(framework.missing)} not installed; install with: {framework.install}"
                )
                continue
            drivers.append(_Driver(entry, with_witnesses(chosen, vectors), Path(name), options, events))
        for driver in drivers:
            driver.start()
        try:
            for kind, entry, detail in _collect(events, len(drivers), result):
                progress(kind, entry, detail)
        except KeyboardInterrupt:
            result.complete = False
        finally:
            for driver in drivers:
                driver.halt()
            for driver in drivers:
                driver.join()
    refuse_swallowed(result.results)
    result.results = [r for r in result.results if r.vector.id in shown]
    result.seconds = time.monotonic() - began
    return result


def _collect(events: Any, running: int, result: Run) -> Iterator[tuple[str, FrameworkRun, Any]]:
    """Judge answers as they come, until every driver has ended."""
    omits: dict[tuple[str, str, str, bool], tuple[str, ...]] = {}
    while running:
        kind, payload = events.get()
        if kind != "answer":
            running -= kind == "ended"
            for i in payload.hello.get("implementations", ()):
                key = payload.framework.name, i["operation"], i["name"], i["defaults"]
                omits[key] = tuple(i["omits"])
            yield kind, payload, None
            continue
        entry, vector, answer = payload
        name = answer.call.implementation
        hidden = omits[entry.framework.name, vector.operation, name, vector.profile == "defaults"]
        try:
            if answer.status == "fault":
                raise ContractBroken(f"{name} on {vector.id}: {answer.reason}")
            if answer.status == "inapplicable":
                entry.inapplicable += 1
            else:
                result.results.append(judge(entry.hello["framework"], vector, hidden, answer))
        except ContractBroken as broken:
            result.faults.append(Fault(entry.framework.name, name, vector.id, str(broken)))
        yield kind, entry, vector.id


__all__ = ["THREADS", "Options", "Run", "Selection", "run"]
