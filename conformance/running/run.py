"""Run the vectors: one worker per framework, in parallel; every call ends in a verdict."""

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
from nnconform.conformance.vectors.tensors import Array
from nnconform.conformance.vectors.vector import LawTensor, Vector

from .driver import Driver, Event, FrameworkRun, Job
from .frameworks import Framework, UsageError
from .journal import Entry, Journal
from .options import Options
from .outputs import Key
from .selection import Selection, matches, with_witnesses
from .worker import stage


@dataclass
class Run:
    """The results of a run.

    Attributes:
        frameworks: one entry per framework, in the order of the command line.
        vectors: the selected ones.
        complete: false when the run was interrupted.
        seconds: wall time.
    """

    frameworks: list[FrameworkRun] = field(default_factory=list)
    vectors: list[Vector] = field(default_factory=list)
    complete: bool = True
    seconds: float = 0.0

    @property
    def results(self) -> list[Result]:
        """One per call that applies, in the order of the frameworks and vectors."""
        return [result for entry in self.frameworks for result in entry.results]

    @property
    def faults(self) -> list[Fault]:
        """Breaches of the adapters' contracts."""
        return [fault for entry in self.frameworks for fault in entry.faults]

    @property
    def tensors(self) -> dict[Key, Array]:
        """The whole outputs that were kept, by call and output."""
        return {key: tensor for entry in self.frameworks for key, tensor in entry.tensors.items()}

    def of(self, side: str) -> Run:
        """Return the part of the run for one side of a comparison."""
        entries = [entry for entry in self.frameworks if entry.framework.side == side]
        return Run(entries, self.vectors, self.complete, self.seconds)


Progress = Callable[[str, FrameworkRun, Any], None]


def run(
    frameworks: Iterable[Framework],
    vectors: Sequence[Vector],
    options: Options,
    progress: Progress = lambda *_: None,
    journal: Journal | None = None,
) -> Run:
    """Run vectors on frameworks and return the verdicts.

    Args:
        frameworks: those not installed are reported as missing.
        vectors: all published ones; ``options.selection`` selects those to report.
        options: of the run.
        progress: called with an event, the framework's run, and a detail: ``started``; ``answer`` with the vector's id;
            ``flight`` with the driver's number and the id of the vector in flight, or ""; ``idle``.
        journal: saves each result as it arrives; the results of an earlier run are not computed again.
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
        if job.queue and result.complete and job.run.status == "ran":
            # A helper failed and returned its vector after the framework's own worker had ended.
            job.run.status, job.run.reason = (
                "stopped",
                f"{len(job.queue)} vectors were not run before its workers ended",
            )
    for entry in result.frameworks:
        _settle(entry, result.vectors, {v.id: v for v in vectors})
    result.seconds = time.monotonic() - began
    return result


def _jobs(
    frameworks: Iterable[Framework], vectors: Sequence[Vector], options: Options, result: Run, journal: Journal | None
) -> list[Job]:
    """Add every framework to the result, and return a job for each that is installed."""
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


def _settle(entry: FrameworkRun, selected: Sequence[Vector], vectors: Mapping[str, Vector]) -> None:
    """Name the dialects, drop the results that only served for that, and sort the rest."""
    results = diagnose(entry.results, vectors)
    place = {v.id: number for number, v in enumerate(selected)}
    implementations = () if entry.hello is None else entry.hello.implementations
    rank = {(i.name, mode): number for number, i in enumerate(implementations) for mode in i.modes}
    faults = (fault for fault in entry.faults if fault.vector in place)
    entry.faults = sorted(faults, key=lambda f: (place[f.vector], f.implementation, f.message))
    # Workers answer in any order; a report has the order of the vectors.
    entry.results = sorted(
        (r for r in results if r.vector in place),
        key=lambda r: (place[r.vector], rank[r.implementation, r.mode]),
    )
    entry.tensors = {key: tensor for key, tensor in entry.tensors.items() if key[3] in place}


def check_ran(outcome: Run, selection: Selection) -> None:
    """Refuse implementation and mode filters that match nothing: the frameworks must run to know.

    Raises:
        UsageError: a filter matches nothing, or nothing was run.
    """
    implementations = [
        i for entry in outcome.frameworks if entry.hello is not None for i in entry.hello.implementations
    ]
    failed = any(entry.status in ("failed", "stopped") for entry in outcome.frameworks)
    if not implementations or failed or not outcome.complete:
        return
    hint = "`nnconform list implementations` shows them all"
    for glob in selection.implementations:
        if not any(matches(i.name, (glob,)) for i in implementations):
            raise UsageError(f"--implementation {glob} matches nothing in these frameworks; {hint}")
    for glob in selection.modes:
        if not any(matches(mode, (glob,)) for i in implementations for mode in i.modes):
            raise UsageError(f"--mode {glob} matches nothing in these frameworks; {hint}")
    if not outcome.results and not outcome.faults:
        raise UsageError(f"no implementation of these frameworks takes these vectors in these modes; {hint}")


class _Collector:
    """Judges answers as they arrive."""

    def __init__(self, events: queue.SimpleQueue[Event], options: Options, journal: Journal | None) -> None:
        self._events, self._keep, self._journal = events, options.keep, journal
        self._omits: dict[tuple[int, str, str, bool], tuple[str, ...]] = {}

    def until_idle(self, running: int) -> Iterator[tuple[str, FrameworkRun, Any]]:
        """Take events until all drivers are idle."""
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
        result = self._judge(entry, vector, answer)
        entry.answered += 1
        if isinstance(result, Result):
            entry.results.append(result)
            if self._keep:
                self._keep_tensors(entry, vector, answer)
        elif isinstance(result, Fault):
            entry.faults.append(result)
        else:
            entry.inapplicable += 1
        if self._journal is not None:
            fault = result.message if isinstance(result, Fault) else ""
            verdict = result if isinstance(result, Result) else None
            self._journal.add(entry.framework.name, Entry(vector.id, answer.call, verdict, fault))

    def _judge(self, entry: FrameworkRun, vector: Vector, answer: Answer) -> Result | Fault | None:
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
            # An answer that the suite cannot judge must not cost the others.
            reason = f"{name} on {vector.id} cannot be judged: {type(error).__name__}: {error}"
        return Fault(entry.name, name, vector.id, reason)

    @staticmethod
    def _keep_tensors(entry: FrameworkRun, vector: Vector, answer: Answer) -> None:
        head = entry.name, answer.call.implementation, answer.call.mode, vector.id
        for name, tensor in answer.outputs.items():
            if tensor is not None and not isinstance(vector.expected.get(name), LawTensor):
                entry.tensors[*head, name] = tensor
