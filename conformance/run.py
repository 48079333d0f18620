"""Run the vectors: one worker a framework, side by side; every call ends in a verdict, and none is lost."""

from __future__ import annotations

import fnmatch
import queue
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .diagnose import diagnose
from .frameworks import Framework
from .judge import ContractBroken, Result, judge
from .vectors import Vector
from .worker import Answer, Call, Worker, WorkerFailed, WorkerGone, stage

RESTARTS = 10
# So many seconds must be left for a second worker, which imports the framework anew, to be worth its start.
WORTH_HELPING = 15.0
# Vectors of a filtered run that only show whether a dialect may be named: benign ones, and those that hunt it.
WITNESSES = 4
HUNTERS = 2


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
    """Return the chosen vectors and, beside them, a few that decide which of their dialects may be named (NUM-10).

    For each operation and dtype these are benign vectors; for each dialect that is listed, vectors that hunt it in the
    same dtype, or in float32 and float64. A run of all vectors has them already.
    """
    added: dict[str, Vector] = {}
    left: Counter[tuple[str, ...]] = Counter()
    for v in chosen:
        left[v.operation, v.dtype] = WITNESSES if v.prescribed else 0
        for part in (part for dialect in v.prescribed for part in dialect.split("+")):
            for dtype in (v.dtype, "float32", "float64"):
                left[v.operation, dtype, part] = HUNTERS
    taken = {v.id for v in chosen}
    for v in everything:
        hunted = [(v.operation, v.dtype, part) for part in v.hunts]
        benign = [(v.operation, v.dtype)] if v.profile in ("core", "half") and v.compiled else []
        for key in (key for key in (*benign, *hunted) if left[key] > 0):
            left[key] -= 1
            if v.id not in taken:
                added[v.id] = v
    return [*chosen, *added.values()]


def calls_for(vector: Vector, hello: Mapping[str, Any], only: Sequence[str], selection: Selection) -> list[Call]:
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


class _Job:
    """One framework's vectors still to run, from which its workers take; the plan comes from the first worker."""

    def __init__(self, run: FrameworkRun, vectors: Sequence[Vector], selection: Selection) -> None:
        self.run, self.vectors, self.selection = run, vectors, selection
        self.left: deque[tuple[Vector, list[Call]]] = deque()
        self.restarts = 0
        self.helped = False
        self.began = time.monotonic()
        self.lock = threading.Lock()

    def plan(self, hello: Mapping[str, Any]) -> None:
        """Lay out the calls that this worker's implementations want."""
        only = self.run.framework.only
        planned = ((v, calls_for(v, hello, only, self.selection)) for v in self.vectors)
        self.left.extend((v, calls) for v, calls in planned if calls)
        self.run.hello, self.run.calls = hello, sum(len(calls) for _, calls in self.left)

    def seconds_left(self) -> float:
        """Return how long one worker would still need, judged by its pace so far."""
        left = sum(len(calls) for _, calls in list(self.left))
        done = self.run.calls - left
        return left * (time.monotonic() - self.began) / done if done else 0.0

    def promise_help(self) -> bool:
        """Say whether a second worker is worth its start; it is promised to the first who asks."""
        with self.lock:
            promised = self.seconds_left() > WORTH_HELPING and not self.helped and self.run.status == "ran"
            self.helped = self.helped or promised
            return promised

    def take(self, *, last: bool) -> tuple[Vector, list[Call]] | None:
        """Return the next vector to run, from the front, or from the end for a worker that helps."""
        try:
            return self.left.pop() if last else self.left.popleft()
        except IndexError:
            return None


class _Driver(threading.Thread):
    """Drives workers through a framework's vectors, then helps where most is left; reports what happens as events."""

    def __init__(self, job: _Job, jobs: Sequence[_Job], folder: Path, options: Options, events: Any) -> None:
        super().__init__(daemon=True)
        self.job, self.jobs, self.folder, self.options, self.events = job, jobs, folder, options, events
        self.worker: Worker | None = None
        self.halted = False

    def run(self) -> None:
        job: _Job | None = self.job
        while job is not None and not self.halted:
            self._serve(job, first=job is self.job)
            slowest = max(self.jobs, key=_Job.seconds_left)
            job = slowest if slowest.promise_help() else None
        self.events.put(("idle", self.job.run))

    def _serve(self, job: _Job, *, first: bool) -> None:
        self.worker = None
        left: list[Call] = []
        try:
            self._new_worker(job, first=first)
            while not self.halted and (taken := job.take(last=not first)):
                vector, left = taken
                while left and not self.halted:
                    if self.worker is None:
                        self._new_worker(job, first=False)
                    left = self._some(job, vector, left)
        except _Exhausted as reason:
            self._fail(job, "stopped", str(reason))
        except WorkerFailed as failure:
            if first:
                self._fail(job, "failed", str(failure), failure.printed)
            elif left:
                # A helper that cannot go on leaves its vector to the framework's own worker.
                job.left.append((vector, left))
        except Exception as error:
            # Whatever else goes wrong must not end the thread unseen: the run would wait for it for ever.
            self._fail(job, "failed", f"the suite failed: {type(error).__name__}: {error}")
        finally:
            if self.worker is not None:
                self.worker.stop()
            job.run.seconds = time.monotonic() - job.began

    def _new_worker(self, job: _Job, *, first: bool) -> None:
        # Known to ``halt`` before it has started: an import can take long.
        self.worker = Worker(job.run.framework.module, self.folder, self.options.cache)
        if self.halted:
            self.worker.stop()
        self.worker.start()
        if first:
            name = self.worker.hello["framework"]
            if any(name == other.run.hello.get("framework") for other in self.jobs):
                raise WorkerFailed(f"two adapters are named {name}; give one of them another name")
            job.plan(self.worker.hello)
            self.events.put(("started", job.run))

    def _fail(self, job: _Job, status: str, reason: str, printed: str = "") -> None:
        if self.halted:
            return
        job.run.status, job.run.reason = status, reason
        job.run.stderr = printed or (self.worker.tail() if self.worker is not None else "")
        job.left.clear()

    def _some(self, job: _Job, vector: Vector, calls: Sequence[Call]) -> list[Call]:
        """Make calls on a vector until one ends the worker; return those that are left."""
        assert self.worker is not None
        done = 0
        try:
            for answer in self.worker.ask(vector, calls, self.options.timeout):
                done += 1
                self.events.put(("answer", (job.run, vector, answer)))
        except WorkerGone as gone:
            if self.halted:
                return []
            if gone.asked:
                answer = Answer(calls[done], gone.verdict, gone.reason)
                self.events.put(("answer", (job.run, vector, answer)))
                done += 1
            self.worker.stop()
            with job.lock:
                job.restarts += 1
            if job.restarts > RESTARTS:
                raise _Exhausted(f"its workers ended {job.restarts} times; the rest was not run") from None
            self.worker = None
            return list(calls[done:])
        return []

    def halt(self) -> None:
        """Stop at once."""
        self.halted = True
        if (worker := self.worker) is not None:
            worker.stop()


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
        progress: called with ``started``, ``answer`` or ``idle``, the framework's run, and the vector's id.
    """
    began = time.monotonic()
    chosen = [v for v in vectors if options.selection.takes(v)]
    result = Run(vectors=len(chosen))
    events: queue.Queue[Event] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="nnconform-") as name:
        stage(Path(name))
        jobs: list[_Job] = []
        for framework in frameworks:
            entry = FrameworkRun(framework)
            result.frameworks.append(entry)
            if framework.missing:
                entry.status = "missing"
                entry.reason = f"{', '.join(framework.missing)} not installed; install with: {framework.install}"
                continue
            jobs.append(_Job(entry, with_witnesses(chosen, vectors), options.selection))
        drivers = [_Driver(job, jobs, Path(name), options, events) for job in jobs]
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
    for job in jobs:
        if job.left and result.complete and job.run.status == "ran":
            # A helper that could not go on gave its vector back when nobody was there to take it any more.
            job.run.status, job.run.reason = "stopped", f"{len(job.left)} vectors were left when its workers had ended"
    place = {v.id: number for number, v in enumerate(chosen)}
    rank = {entry.hello.get("framework"): number for number, entry in enumerate(result.frameworks)}
    diagnose(result.results)
    # Workers answer in no fixed order: a report has the frameworks' and the vectors'.
    result.faults = [fault for fault in result.faults if fault.vector in place]
    result.results = sorted(
        (r for r in result.results if r.vector.id in place),
        key=lambda r: (rank[r.framework], place[r.vector.id]),
    )
    result.seconds = time.monotonic() - began
    return result


def _collect(events: Any, running: int, result: Run) -> Iterator[tuple[str, FrameworkRun, Any]]:
    """Judge answers as they come, until no driver has anything left to do."""
    omits: dict[tuple[int, str, str, bool], tuple[str, ...]] = {}
    while running:
        kind, payload = events.get()
        if kind != "answer":
            running -= kind == "idle"
            for i in payload.hello.get("implementations", ()):
                key = id(payload), i["operation"], i["name"], i["defaults"]
                omits[key] = tuple(i["omits"])
            yield kind, payload, None
            continue
        entry, vector, answer = payload
        name = answer.call.implementation
        hidden = omits[id(entry), vector.operation, name, vector.profile == "defaults"]
        try:
            if answer.status == "fault":
                raise ContractBroken(f"{name} on {vector.id}: {answer.reason}")
            if answer.status == "inapplicable":
                entry.inapplicable += 1
            else:
                result.results.append(judge(entry.hello["framework"], vector, hidden, answer))
        except ContractBroken as broken:
            result.faults.append(Fault(entry.framework.name, name, vector.id, str(broken)))
        except Exception as error:
            # One answer that the suite cannot judge must not cost all the others.
            reason = f"{name} on {vector.id} cannot be judged: {type(error).__name__}: {error}"
            result.faults.append(Fault(entry.framework.name, name, vector.id, reason))
        yield kind, entry, vector.id
