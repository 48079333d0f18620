"""Run the vectors: one worker a framework, side by side; every call ends in a verdict, and none is lost."""

from __future__ import annotations

import queue
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnconform.conformance.judging.dialect_diagnosis import diagnose
from nnconform.conformance.judging.judge import ContractBroken, judge
from nnconform.conformance.model.calls import Answer
from nnconform.conformance.model.report import Fault
from nnconform.conformance.model.result import Result
from nnconform.conformance.vectors.vector import LawTensor, Vector

from .driver import Driver, Event, FrameworkRun, Job
from .frameworks import Framework, UsageError
from .journal import Entry, Journal
from .options import Options
from .selection import Selection, matches, with_witnesses
from .worker import stage


@dataclass
class Run:
    """All that a run gave.

    Attributes:
        frameworks: one entry a framework, in the order asked for.
        vectors: those that were selected.
        complete: false when the run was interrupted.
        seconds: wall time.
    """

    frameworks: list[FrameworkRun] = field(default_factory=list)
    vectors: list[Vector] = field(default_factory=list)
    complete: bool = True
    seconds: float = 0.0

    @property
    def results(self) -> list[Result]:
        """One a call that applies, in the order of the frameworks and vectors."""
        return [result for entry in self.frameworks for result in entry.results]

    @property
    def faults(self) -> list[Fault]:
        """What is the adapters', not the frameworks'."""
        return [fault for entry in self.frameworks for fault in entry.faults]

    def of(self, side: str) -> Run:
        """Return what belongs to the frameworks of one side of a comparison."""
        chosen = [entry for entry in self.frameworks if entry.framework.side == side]
        return Run(chosen, self.vectors, self.complete, self.seconds)


Progress = Callable[[str, FrameworkRun, Any], None]


def run(
    frameworks: Iterable[Framework],
    vectors: Sequence[Vector],
    options: Options,
    progress: Progress = lambda *_: None,
    journal: Journal | None = None,
) -> Run:
    """Run vectors on frameworks and return every verdict.

    Args:
        frameworks: those that are not installed are reported as missing.
        vectors: all that there are; ``options.selection`` says which to report.
        options: how.
        progress: called with what happened, the framework's run, and a detail: ``started``; ``answer`` with the id of
            the vector; ``flight`` with a number for who drives a worker, and the id of the vector that it has now, or
            ""; ``idle``.
        journal: where to write what is found as it comes; what an earlier run has found is not run again.
    """
    began = time.monotonic()
    result = Run(vectors=[v for v in vectors if options.selection.takes(v)])
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="nnconform-", ignore_cleanup_errors=True) as name:
        stage(Path(name))
        jobs = _jobs(frameworks, vectors, options, result, journal)
        drivers = [Driver(job, jobs, Path(name), options, events) for job in jobs]
        for driver in drivers:
            driver.start()
        try:
            for kind, entry, detail in _Collector(events, options, journal).until_idle(len(drivers)):
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
    for entry in result.frameworks:
        _settle(entry, result.vectors, {v.id: v for v in vectors})
    result.seconds = time.monotonic() - began
    return result


def _jobs(
    frameworks: Iterable[Framework], vectors: Sequence[Vector], options: Options, result: Run, journal: Journal | None
) -> list[Job]:
    """Enter every framework into the result, and return a job for each that is installed."""
    jobs = []
    for framework in frameworks:
        entry = FrameworkRun(framework)
        result.frameworks.append(entry)
        if framework.missing:
            entry.status = "missing"
            entry.reason = f"{', '.join(framework.missing)} not installed; install with: {framework.install}"
            continue
        earlier = None if journal is None else journal.earlier.get(framework.name)
        jobs.append(Job(entry, with_witnesses(result.vectors, vectors), options.selection, earlier))
    return jobs


def _settle(entry: FrameworkRun, chosen: Sequence[Vector], vectors: Mapping[str, Vector]) -> None:
    """Name the dialects, leave out what only served for that, and put the results in order."""
    results = diagnose(entry.results, vectors)
    place = {v.id: number for number, v in enumerate(chosen)}
    served = () if entry.hello is None else entry.hello.implementations
    rank = {(i.name, mode): number for number, i in enumerate(served) for mode in i.modes}
    chosen_faults = (fault for fault in entry.faults if fault.vector in place)
    entry.faults = sorted(chosen_faults, key=lambda f: (place[f.vector], f.implementation, f.message))
    # Workers answer in no fixed order: a report has the vectors'.
    entry.results = sorted(
        (r for r in results if r.vector in place),
        key=lambda r: (place[r.vector], rank[r.implementation, r.mode]),
    )
    entry.tensors = {key: tensor for key, tensor in entry.tensors.items() if key[3] in place}


def check_ran(outcome: Run, selection: Selection) -> None:
    """Refuse implementation and mode filters that no framework matched: they are known only once it runs.

    Raises:
        UsageError: there is one, or nothing was run.
    """
    served = [i for entry in outcome.frameworks if entry.hello is not None for i in entry.hello.implementations]
    failed = any(entry.status in ("failed", "stopped") for entry in outcome.frameworks)
    if not served or failed or not outcome.complete:
        return
    hint = "`nnconform list implementations` shows what there is"
    for glob in selection.implementations:
        if not any(matches(i.name, (glob,)) for i in served):
            raise UsageError(f"--implementation {glob} matches nothing that these frameworks have; {hint}")
    for glob in selection.modes:
        if not any(matches(mode, (glob,)) for i in served for mode in i.modes):
            raise UsageError(f"--mode {glob} matches nothing that these frameworks have; {hint}")
    if not outcome.results and not outcome.faults:
        raise UsageError(f"no implementation of these frameworks takes these vectors in these modes; {hint}")


class _Collector:
    """Judges answers as they come."""

    def __init__(self, events: queue.SimpleQueue[Event], options: Options, journal: Journal | None) -> None:
        self._events, self._keep, self._journal = events, options.keep, journal
        self._omits: dict[tuple[int, str, str, bool], tuple[str, ...]] = {}

    def until_idle(self, running: int) -> Iterator[tuple[str, FrameworkRun, Any]]:
        """Take in events until no driver has anything left to do."""
        while running:
            kind, payload = self._events.get()
            if kind == "answer":
                entry, vector, answer = payload
                self._take(entry, vector, answer)
                yield kind, entry, vector.id
                continue
            if kind == "flight":
                entry, *detail = payload
                yield kind, entry, detail
                continue
            if kind == "started":
                self._started(payload)
            running -= kind == "idle"
            yield kind, payload, None

    def _started(self, entry: FrameworkRun) -> None:
        assert entry.hello is not None
        for i in entry.hello.implementations:
            self._omits[id(entry), i.operation, i.name, i.defaults] = i.omits
        if self._journal is not None:
            self._journal.begin(entry.framework.name, entry.hello)

    def _take(self, entry: FrameworkRun, vector: Vector, answer: Answer) -> None:
        found = self._judged(entry, vector, answer)
        entry.answered += 1
        if isinstance(found, Result):
            entry.results.append(found)
            if self._keep:
                self._keep_tensors(entry, vector, answer)
        elif isinstance(found, Fault):
            entry.faults.append(found)
        else:
            entry.inapplicable += 1
        if self._journal is not None:
            result = found if isinstance(found, Result) else None
            fault = found.message if isinstance(found, Fault) else ""
            self._journal.add(entry.framework.name, Entry(vector.id, answer.call, result, fault))

    def _judged(self, entry: FrameworkRun, vector: Vector, answer: Answer) -> Result | Fault | None:
        name = answer.call.implementation
        omits = self._omits[id(entry), vector.operation, name, vector.profile == "defaults"]
        if answer.status == "inapplicable":
            return None
        try:
            if answer.status == "fault":
                raise ContractBroken(f"{name} on {vector.id}: {answer.reason}")
            return judge(entry.name, vector, omits, answer, version=entry.version)
        except ContractBroken as broken:
            reason = str(broken)
        except Exception as error:
            # One answer that the suite cannot judge must not cost all the others.
            reason = f"{name} on {vector.id} cannot be judged: {type(error).__name__}: {error}"
        return Fault(entry.name, name, vector.id, reason)

    @staticmethod
    def _keep_tensors(entry: FrameworkRun, vector: Vector, answer: Answer) -> None:
        head = entry.name, answer.call.implementation, answer.call.mode, vector.id
        for name, tensor in answer.outputs.items():
            if tensor is not None and not isinstance(vector.expected.get(name), LawTensor):
                entry.tensors[*head, name] = tensor
