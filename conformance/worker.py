"""The harness's side of a worker: stage the adapters, start the process, ask it, and survive its end."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from nnconform.adapters import SparseGradient

from .tensors import DTYPES, Array
from .vectors import Vector

PROTOCOL = 1
# What a worker says of itself in its first message.
HELLO = {"protocol", "framework", "versions", "modes", "on_request", "implementations"}
START_SECONDS = 180.0
# One thread a framework: results do not depend on the machine's cores, and frameworks run side by side.
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
        printed: the end of what it printed, a traceback perhaps.
    """

    def __init__(self, reason: str, printed: str = "") -> None:
        super().__init__(reason)
        self.printed = printed


class WorkerGone(Exception):
    """The process ended, or did not answer in time.

    Attributes:
        verdict: ``crash`` or ``timeout``.
        reason: in words.
        asked: false when it was gone before it could be asked, so that the question may be put to another worker.
    """

    def __init__(self, verdict: str, reason: str, *, asked: bool = True) -> None:
        super().__init__(reason)
        self.verdict, self.reason, self.asked = verdict, reason, asked


@dataclass(frozen=True)
class Call:
    """One implementation to run in one mode."""

    implementation: str
    mode: str


@dataclass
class Answer:
    """What one call gave.

    Attributes:
        call: which.
        status: value, unsupported, inapplicable, raised, fault, crash or timeout.
        reason: why there is no value.
        outputs: arrays by flat name; None where the framework gave nothing for an entry of a list.
    """

    call: Call
    status: str
    reason: str = ""
    outputs: Mapping[str, Array | None] = field(default_factory=dict)


def stage(folder: Path) -> None:
    """Copy the adapters to ``folder/nnconform/adapters``, all that a worker sees of this project."""
    source = Path(str(resources.files("nnconform.adapters")))
    target = folder / "nnconform" / "adapters"
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "nnconform" / "__init__.py").write_text("")


def _tensor(array: Array) -> dict[str, Any]:
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "data": base64.b64encode(np.ascontiguousarray(array).tobytes()).decode(),
    }


def _encode(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, SparseGradient):
        return {
            "indices": _tensor(value.indices),
            "values": _tensor(value.values),
            "dense_shape": list(value.dense_shape),
        }
    return [_encode(v) for v in value] if isinstance(value, list) else _tensor(value)


def _decode(value: Mapping[str, Any]) -> Array:
    dtype = DTYPES.get(value["dtype"], None)
    raw = base64.b64decode(value["data"])
    return np.frombuffer(raw, dtype if dtype is not None else np.dtype(value["dtype"])).reshape(value["shape"])


def _outputs(message: Mapping[str, Any]) -> dict[str, Array | None]:
    result: dict[str, Array | None] = {}
    for name, value in message.items():
        entries = ((f"{name}[{i}]", v) for i, v in enumerate(value)) if isinstance(value, list) else [(name, value)]
        result |= {key: None if v is None else _decode(v) for key, v in entries}
        if value == []:
            result[name] = None
    return result


class Worker:
    """One adapter's process.

    Attributes:
        hello: what it said of itself: versions, modes, implementations.
    """

    def __init__(self, module: str, folder: Path, cache: Path | None = None) -> None:
        """Start the process; ``start`` waits until it has imported its framework.

        Args:
            module: the adapter, a dotted name or a path.
            folder: where the adapters are staged.
            cache: where JAX may keep what it compiled, from one run to the next.
        """
        self._module = module
        self.hello: dict[str, Any] = {}
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the process)
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nnconform.adapters.worker", module, "--threads", str(THREADS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=folder,
            env=_environment(folder, cache),
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def start(self) -> None:
        """Wait until the process has imported its framework and said what it serves.

        Raises:
            WorkerFailed: it does not start, the adapter cannot be loaded, or it does not speak the protocol.
        """
        try:
            first = self._next(START_SECONDS)
        except WorkerGone as gone:
            raise WorkerFailed(f"the worker of {self._module} did not start: {gone.reason}", self.tail()) from None
        if "hello" not in first:
            said = first.get("failed", f"the worker of {self._module} said {str(first)[:200]}")
            raise WorkerFailed(said, self.tail())
        if first["hello"].get("protocol") != PROTOCOL:
            spoken = first["hello"].get("protocol")
            raise WorkerFailed(f"the worker of {self._module} speaks protocol {spoken!r}; wanted {PROTOCOL}")
        if missing := HELLO - set(first["hello"]):
            raise WorkerFailed(f"the worker of {self._module} did not say its {', '.join(sorted(missing))}")
        self.hello = first["hello"]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _next(self, seconds: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            self.stop()
            raise WorkerGone("timeout", f"no answer within {seconds:g} s") from None
        if line is None:
            raise WorkerGone("crash", self._ending())
        try:
            message = json.loads(line)
            if not isinstance(message, dict):
                raise ValueError(line)
        except ValueError:
            self.stop()
            raise WorkerGone("crash", f"the worker wrote {line[:80]!r} where an answer was due") from None
        return message

    def _ending(self) -> str:
        """Return how the process ended, which has closed its channel, and the last line that it printed."""
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.stop()
            return "the process closed its channel and lived on"
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        last = self.tail().strip().rpartition("\n")[2][:200]
        return f"the process {how}: {last}" if last else f"the process {how}"

    def ask(self, vector: Vector, calls: Sequence[Call], seconds: float) -> Iterator[Answer]:
        """Yield one answer a call, in order.

        Raises:
            WorkerGone: the process ended or did not answer in time; the calls not yet answered are lost.
        """
        request = {
            "id": vector.id,
            "operation": vector.operation,
            "defaults": vector.profile == "defaults",
            "steps": vector.steps,
            "attributes": vector.attributes,
            "inputs": {name: _encode(value) for name, value in vector.inputs.items()},
            "calls": [[call.implementation, call.mode] for call in calls],
        }
        assert self._process.stdin is not None
        if self._process.poll() is not None:
            raise WorkerGone("crash", self._ending(), asked=False)
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise WorkerGone("crash", self._ending(), asked=False) from None
        for call in calls:
            message = self._next(seconds)
            if [message.get(key) for key in ("id", "implementation", "mode")] != [
                vector.id,
                call.implementation,
                call.mode,
            ]:
                self.stop()
                raise WorkerGone("crash", f"the worker answered another question: {str(message)[:80]}")
            yield Answer(call, message["status"], message.get("reason", ""), _outputs(message.get("outputs", {})))

    def tail(self, size: int = 4000) -> str:
        """Return the end of what the process wrote on its standard output and error."""
        self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, self._stderr.tell() - size))
        return self._stderr.read().decode(errors="replace")

    def stop(self) -> None:
        """End the process and what it has started; nothing happens when it has ended."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


def _environment(folder: Path, cache: Path | None) -> dict[str, str]:
    result = dict(os.environ)
    result["PYTHONPATH"] = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    result.update(dict.fromkeys(THREAD_VARIABLES, str(THREADS)))
    if cache is not None:
        # The same program compiles to the same code: found for all batch norm programs, with and without cache.
        result.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache / "jax"))
        result.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        result.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
    return result
