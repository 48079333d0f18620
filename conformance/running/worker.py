"""The harness's side of a worker: stage the adapters, start the process, send requests, and survive its end."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from nnconform.conformance.model.calls import Answer, Call, Hello
from nnconform.conformance.schemas import schema_problem, validator
from nnconform.conformance.vectors.vector import Vector

from . import messages
from .process import Ended, Excessive, Process, Silent

PROTOCOL = 1
START_SECONDS = 180.0
# One thread per framework: results do not depend on the machine's cores, and frameworks run side by side.
THREADS = 1
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",
)


class WorkerFailed(Exception):
    """The worker cannot start or breaks the protocol: the suite's failure, not the framework's.

    Attributes:
        printed: the end of its printed output, perhaps a traceback.
    """

    def __init__(self, reason: str, printed: str = "") -> None:
        super().__init__(reason)
        self.printed = printed


class WorkerGone(Exception):
    """The process ended, or its answer broke the protocol.

    Attributes:
        verdict: ``crash`` or ``timeout``.
        reason: in words.
        printed: the end of its printed output during the call.
        received: False if the request did not reach it, so that another worker may get the request.
    """

    def __init__(self, verdict: str, reason: str, printed: str = "", *, received: bool = True) -> None:
        super().__init__(reason)
        self.verdict, self.reason, self.printed, self.received = verdict, reason, printed, received


@dataclass(frozen=True)
class Launch:
    """The command and environment of a worker.

    Attributes:
        adapter: the adapter's module, a dotted name or a path; for a command, its name in messages.
        interpreter: the Python that has the framework; "" for this one.
        command: a worker in any language; empty for the adapters' worker.
        cache: the folder of JAX's compilation cache.
        memory: bytes of resident memory; None for no limit.
    """

    adapter: str
    interpreter: str = ""
    command: tuple[str, ...] = ()
    cache: Path | None = None
    memory: float | None = None

    @property
    def words(self) -> list[str]:
        """The command line."""
        python = [self.interpreter or sys.executable, "-m", "nnconform.adapters.worker", self.adapter]
        return [*(self.command or python), "--threads", str(THREADS)]

    def environment(self, folder: Path) -> dict[str, str]:
        """Return the variables of the process; ``folder`` holds the staged adapters."""
        result = dict(os.environ)
        # Another interpreter has its own packages: this one's must not come first.
        own = [] if self.interpreter else [os.environ.get("PYTHONPATH")]
        # Absolute, since the worker runs in another folder.
        places = [os.path.abspath(place) for text in own if text for place in text.split(os.pathsep) if place]
        result["PYTHONPATH"] = os.pathsep.join([str(folder), *places])
        result.update(dict.fromkeys(THREAD_VARIABLES, str(THREADS)))
        if self.interpreter:
            result["PYTHONNOUSERSITE"] = "1"
        if self.cache is not None:
            # The same program compiles to the same code: measured for all batch norm programs, with and without cache.
            result.setdefault("JAX_COMPILATION_CACHE_DIR", str(self.cache / "jax"))
            result.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
            result.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
        return result


def stage(folder: Path) -> None:
    """Copy the adapters to ``folder/nnconform/adapters``, the only part of this project that a worker imports."""
    source = Path(str(resources.files("nnconform.adapters")))
    target = folder / "nnconform" / "adapters"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "nnconform" / "__init__.py").write_text("")


class Worker:
    """One adapter's process."""

    def __init__(self, launch: Launch, folder: Path) -> None:
        """Start the process; ``start`` waits until it has imported its framework.

        Args:
            launch: the command and environment.
            folder: with the staged adapters.

        Raises:
            WorkerFailed: the program cannot be started.
        """
        self._name = launch.adapter
        self._last: dict[str, str] = {}
        self._hello: Hello | None = None
        try:
            self._process = Process(launch.words, folder, launch.environment(folder), launch.memory)
        except OSError as error:
            raise WorkerFailed(f"the worker of {self._name} cannot be started: {error}") from None

    @property
    def hello(self) -> Hello:
        """Its greeting, once it has started."""
        assert self._hello is not None
        return self._hello

    def start(self) -> None:
        """Wait until the process has imported its framework and sent its greeting.

        Raises:
            WorkerFailed: it does not start, the adapter cannot be loaded, or it does not speak the protocol.
        """
        try:
            first = self._next(START_SECONDS)
        except WorkerGone as gone:
            raise WorkerFailed(f"the worker of {self._name} did not start: {gone.reason}", self.tail()) from None
        if isinstance(first.get("failed"), str):
            raise WorkerFailed(messages.legible(first["failed"]), self.tail())
        spoken = first["hello"].get("protocol") if isinstance(first.get("hello"), dict) else PROTOCOL
        if spoken != PROTOCOL:
            raise WorkerFailed(f"the worker of {self._name} speaks protocol {spoken!r}; expected {PROTOCOL}")
        if problem := schema_problem(validator("protocol", "hello"), first):
            raise WorkerFailed(f"the worker of {self._name} sent a greeting that breaks the protocol: {problem}")
        self._hello = Hello.from_json(messages.legible(first["hello"]))
        names = [(i.operation, i.name, i.defaults) for i in self._hello.implementations]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise WorkerFailed(f"the worker of {self._name} serves {twice[1]} twice for {twice[0]}; expected once")
        self._process.printed(first.get("stderr"))

    def _next(self, seconds: float) -> dict[str, Any]:
        """Return the next message; any failure kills the process."""
        try:
            line = self._process.receive(seconds)
            message = json.loads(line)
            if not isinstance(message, dict):
                raise ValueError(line)
        except Silent:
            raise self._end("timeout", f"no answer within {seconds:g} s") from None
        except Ended:
            raise self._end("crash", self._process.ending()) from None
        except Excessive as excess:
            raise self._end("crash", str(excess)) from None
        except (ValueError, RecursionError):
            raise self._end("crash", f"the worker wrote {line[:80]!r} instead of an answer") from None
        return message

    def _end(self, verdict: str, reason: str, *, received: bool = True) -> WorkerGone:
        self._process.kill()
        return WorkerGone(verdict, messages.legible(reason), self._process.printed(), received=received)

    def ask(self, vector: Vector, calls: Sequence[Call], seconds: float) -> Iterator[Answer]:
        """Yield one answer per call, in order.

        Raises:
            WorkerGone: the process ended or did not answer in time; the calls not yet answered are lost.
        """
        if not self._process.alive:
            raise self._end("crash", self._process.ending(), received=False)
        if self._process.spoke():
            raise self._end("crash", "the worker wrote more than its answers", received=False)
        try:
            self._process.send(messages.request(vector, [(c.implementation, c.mode) for c in calls]), seconds)
        except Silent:
            raise self._end("timeout", f"the worker did not read within {seconds:g} s") from None
        except Ended as end:
            raise self._end("crash", self._process.ending(), received=end.received) from None
        except Excessive as excess:
            raise self._end("crash", str(excess)) from None
        for call in calls:
            yield self._answer(vector, call, self._next(seconds))

    def _answer(self, vector: Vector, call: Call, message: Mapping[str, Any]) -> Answer:
        if problem := schema_problem(validator("protocol", "answer"), message):
            raise self._end("crash", f"the worker's answer breaks the protocol: {problem}")
        request = {"id": vector.id, "implementation": call.implementation, "mode": call.mode}
        answered = {key: message[key] for key in request}
        if answered != request:
            # A second answer to the previous call is no answer to this one, which another worker may get.
            reason = f"the worker answered another request: {str(message)[:80]}"
            raise self._end("crash", reason, received=answered != self._last)
        self._last = request
        try:
            outputs = messages.outputs(message.get("outputs", {}))
        except (ValueError, TypeError) as error:
            raise self._end("crash", f"the worker's answer holds a tensor that cannot be read: {error}") from None
        printed = self._process.printed(message.get("stderr"))
        return Answer(call, message["status"], messages.legible(message.get("reason", "")), outputs, printed)

    def tail(self) -> str:
        """Return the end of the process's printed output."""
        return self._process.tail()

    def halt(self) -> None:
        """Kill the process and its children; any thread may call this."""
        self._process.kill()

    def stop(self) -> None:
        """Kill the process, unless it has ended, and close its channel."""
        self._process.close()
