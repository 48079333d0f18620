"""Drive the workers: one per framework, in parallel, restarted when they end."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnconform.conformance.model.calls import Answer, Call, Hello
from nnconform.conformance.model.report import Fault
from nnconform.conformance.model.result import Result
from nnconform.conformance.vectors.tensors import Array
from nnconform.conformance.vectors.vector import Vector

from .frameworks import BUILT_IN, Framework
from .journal import Earlier
from .options import Options
from .outputs import Key
from .selection import Selection, calls_for
from .worker import Launch, Worker, WorkerFailed, WorkerGone

RESTARTS = 10
# Seconds of work that must be left for a second worker, which imports the framework again, to pay off.
WORTH_HELPING = 15.0


@dataclass
class FrameworkRun:
    """The run of one framework.

    Attributes:
        framework: the framework.
        status: ran, missing, failed (it could not start) or stopped (it ended too often).
        reason: why it did not run, or not to the end.
        hello: the worker's greeting; None if it did not start.
        seconds: from start to end.
        calls: how many calls were planned, by the worker's implementations.
        answered: how many of them have ended.
        inapplicable: how many of them do not apply.
        stderr: the end of the worker's printed output, if it failed.
        results: one per call that applies.
        faults: breaches of the adapter's contract.
        tensors: outputs by framework, implementation, mode, vector and output, if they are kept.
    """

    framework: Framework
    status: str = "ran"
    reason: str = ""
    hello: Hello | None = None
    seconds: float = 0.0
    calls: int = 0
    answered: int = 0
    inapplicable: int = 0
    stderr: str = ""
    results: list[Result] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    tensors: dict[Key, Array] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The adapter's name, as its worker gives it."""
        return self.framework.name if self.hello is None else self.hello.framework

    @property
    def version(self) -> str:
        """The version of the framework; "" if its worker did not start."""
        return "" if self.hello is None else self.hello.version


Event = tuple[str, Any]


class Job:
    """The queue of one framework's vectors, filled by its first worker and shared by all."""

    def __init__(
        self, run: FrameworkRun, vectors: Sequence[Vector], selection: Selection, earlier: Earlier | None = None
    ) -> None:
        self.run, self.vectors, self.selection, self.earlier = run, vectors, selection, earlier
        self.queue: deque[tuple[Vector, list[Call]]] = deque()
        self.planned = 0
        self.ends: Counter[bool] = Counter()
        self.helped = self.over = False
        # Set once the first worker has sent its greeting, or never will.
        self.greeted = threading.Event()
        self.began = time.monotonic()
        self.lock = threading.Lock()

    def plan(self, hello: Hello) -> None:
        """Fill the queue with the calls of this worker's implementations, except those of an earlier run."""
        only, run = self.run.framework.only, self.run
        run.hello = hello
        plans = [(v, calls_for(v, hello, only, self.selection)) for v in self.vectors]
        run.calls = sum(len(calls) for _, calls in plans)
        done = self._restore(hello, {(v.id, call) for v, calls in plans for call in calls})
        for v, calls in plans:
            if rest := [call for call in calls if (v.id, call) not in done]:
                self.queue.append((v, rest))
        self.planned = sum(len(calls) for _, calls in self.queue)

    def _restore(self, hello: Hello, planned: Collection[tuple[str, Call]]) -> set[tuple[str, Call]]:
        """Take over the results of planned calls from an earlier run with the same versions; return these calls."""
        done: set[tuple[str, Call]] = set()
        if self.earlier is None or self.earlier.hello != hello.document:
            return done
        for entry in self.earlier.entries:
            if (entry.vector, entry.call) not in planned:
                continue
            done.add((entry.vector, entry.call))
            self.run.answered += 1
            if entry.result is not None:
                self.run.results.append(entry.result)
            elif entry.fault:
                self.run.faults.append(Fault(hello.framework, entry.call.implementation, entry.vector, entry.fault))
            else:
                self.run.inapplicable += 1
        return done

    def seconds_left(self) -> float:
        """Return the seconds that one worker still needs, by its pace so far."""
        waiting = sum(len(calls) for _, calls in list(self.queue))
        done = self.planned - waiting
        return waiting * (time.monotonic() - self.began) / done if done else 0.0

    @property
    def unknown(self) -> bool:
        """True as long as its duration cannot be estimated."""
        waiting = not self.over and not self.helped and self.run.status == "ran"
        return waiting and self.planned == sum(len(calls) for _, calls in list(self.queue))

    def count_end(self, *, again: bool) -> None:
        """Count the end of a worker; ends after which the call is repeated are counted separately.

        Raises:
            _Exhausted: there were too many.
        """
        with self.lock:
            self.ends[again] += 1
        if self.ends[again] > RESTARTS:
            raise _Exhausted(f"its workers ended {self.ends.total()} times; the rest was not run")

    def promise_help(self) -> bool:
        """Return True to the first driver that asks, if a second worker pays off."""
        with self.lock:
            promised = self.seconds_left() > WORTH_HELPING and not self.helped and self.run.status == "ran"
            self.helped = self.helped or promised
            return promised

    def take(self, *, last: bool) -> tuple[Vector, list[Call]] | None:
        """Return the next vector, from the front of the queue, or from its end for a helper."""
        try:
            return self.queue.pop() if last else self.queue.popleft()
        except IndexError:
            return None


class Driver(threading.Thread):
    """Drives a framework's worker, then helps the slowest framework; reports its progress as events."""

    def __init__(
        self, job: Job, jobs: Sequence[Job], folder: Path, options: Options, events: queue.SimpleQueue[Event]
    ) -> None:
        super().__init__(daemon=True)
        self.job, self.jobs, self.folder, self.options, self.events = job, jobs, folder, options, events
        self.worker: Worker | None = None
        # The number of calls that the worker has answered.
        self.served = 0
        self.halted = False

    def run(self) -> None:
        """Serve the framework, then the slowest one."""
        try:
            self._serve(self.job, first=True)
            while (slow := self._in_need()) is not None:
                self._serve(slow, first=False)
        finally:
            self.events.put(("idle", self.job.run))

    def _in_need(self) -> Job | None:
        """Return a framework that needs a second worker, or None; wait while durations are unknown."""
        while not self.halted:
            slowest = max(self.jobs, key=Job.seconds_left)
            if slowest.promise_help():
                return slowest
            if not any(job.unknown for job in self.jobs):
                return None
            time.sleep(0.1)
        return None

    def _serve(self, job: Job, *, first: bool) -> None:
        calls: list[Call] = []
        try:
            self._new_worker(job, first=first)
            while not self.halted and (next_one := job.take(last=not first)):
                vector, calls = next_one
                while calls and not self.halted:
                    if self.worker is None:
                        self._new_worker(job, first=False)
                    calls = self._some(job, vector, calls)
        except _Exhausted as reason:
            self._fail(job, "stopped", str(reason))
        except WorkerFailed as failure:
            if first:
                self._fail(job, "failed", str(failure), failure.printed)
            elif calls:
                # A helper that fails returns its vector to the framework's own worker.
                job.queue.append((vector, calls))
        except Exception as error:
            # No failure may end the thread unseen: the run would wait for it forever.
            self._fail(job, "failed", f"the suite failed: {type(error).__name__}: {error}")
        finally:
            self._in_flight(job, "")
            self._end_worker()
            job.run.seconds = time.monotonic() - job.began
            if first:
                job.greeted.set()
                job.over = True

    def _new_worker(self, job: Job, *, first: bool) -> None:
        framework = job.run.framework
        launch = Launch(
            framework.module, framework.interpreter, framework.command, self.options.cache, self.options.memory
        )
        # Set before it has started, so that ``halt`` reaches it: an import can take long.
        self.worker, self.served = Worker(launch, self.folder), 0
        if self.halted:
            self.worker.halt()
        self.worker.start()
        if first:
            self._greet(job, self.worker.hello)
        elif self.worker.hello != job.run.hello:
            raise WorkerFailed(f"a second {framework.name} worker reported different versions than the first")

    def _greet(self, job: Job, hello: Hello) -> None:
        """Take the first greeting of a framework; of two adapters with one name, the first keeps it."""
        name = hello.framework
        for other in self.jobs[: self.jobs.index(job)]:
            if other.run.framework.side != job.run.framework.side:
                continue
            # This project's adapters have different names and need not wait for each other.
            if job.run.framework.module not in {framework.module for framework in BUILT_IN}:
                while not other.greeted.wait(0.1) and not self.halted:
                    pass
            if other.run.hello is not None and other.run.hello.framework == name:
                raise WorkerFailed(f"two adapters have the name {name}; rename one of them")
        job.plan(hello)
        self.events.put(("started", job.run))
        job.greeted.set()

    def _end_worker(self) -> None:
        if self.worker is not None:
            self.worker.stop()
            self.worker = None

    def _fail(self, job: Job, status: str, reason: str, printed: str = "") -> None:
        if self.halted:
            return
        job.run.status, job.run.reason = status, reason
        job.run.stderr = printed or (self.worker.tail() if self.worker is not None else "")
        job.queue.clear()

    def _in_flight(self, job: Job, vector: str) -> None:
        """Report the vector in flight, "" for none."""
        self.events.put(("flight", (job.run, self.ident, vector)))

    def _some(self, job: Job, vector: Vector, calls: Sequence[Call]) -> list[Call]:
        """Make calls on a vector until one ends the worker; return the calls that were not made."""
        assert self.worker is not None
        done = 0
        self._in_flight(job, vector.id)
        try:
            for answer in self.worker.ask(vector, calls, self.options.timeout):
                done += 1
                self.served += 1
                self.events.put(("answer", (job.run, vector, answer)))
        except WorkerGone as gone:
            if self.halted:
                return []
            # State or memory of earlier calls may have ended the worker.
            again = not gone.received or (gone.verdict == "crash" and self.served > 0)
            if not again:
                answer = Answer(calls[done], gone.verdict, gone.reason, printed=gone.printed)
                self.events.put(("answer", (job.run, vector, answer)))
                done += 1
            job.count_end(again=again)
            self._end_worker()
            return list(calls[done:])
        return []

    def halt(self) -> None:
        """Stop at once."""
        self.halted = True
        if (worker := self.worker) is not None:
            worker.halt()


class _Exhausted(Exception):
    pass
