"""A worker's process: lines sent and received within deadlines, with limits on memory and printed output."""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from .messages import legible

# Seconds between two checks of a silent process.
TICK = 0.1
# Longer lines are no answers, and more printed output during one call is no log.
LONGEST_LINE = 1 << 28
MOST_PRINTED = 1 << 28
# Printed output is kept up to this size, and dropped before the next request.
KEPT_PRINTED = 1 << 24


class Silent(Exception):
    """No line was received, or none was accepted, in time."""


class Ended(Exception):
    """The process has closed its channel; ``Process.ending`` describes its end.

    Attributes:
        received: whether it received any part of the line.
    """

    def __init__(self, *, received: bool = True) -> None:
        super().__init__()
        self.received = received


class Excessive(Exception):
    """The process exceeds its memory limit, or prints or writes a line without end."""


class Process:
    """A process in its own group, with a channel of lines; it is killed with its group.

    All calls but ``kill`` belong to one thread.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], memory: float | None = None
    ) -> None:
        """Start the process.

        Args:
            command: program and arguments.
            folder: with the staged adapters; the process runs in its own folder below it.
            environment: variables.
            memory: bytes of resident memory; None for no limit.

        Raises:
            OSError: it cannot be started.
        """
        self._memory = memory
        self._folder = f"{folder}/"
        self._closing = threading.Lock()
        self._closed = False
        self._watched = time.monotonic()
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the process)
        # Append: the process prints at the end, wherever this side has read.
        flags = fcntl.fcntl(self._printed, fcntl.F_GETFL)
        fcntl.fcntl(self._printed, fcntl.F_SETFL, flags | os.O_APPEND)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            # Its own empty folder: files that one process writes must not affect another.
            cwd=tempfile.mkdtemp(prefix="worker-", dir=folder),
            env=environment,
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        os.set_blocking(self._input.fileno(), False)
        os.set_blocking(self._output.fileno(), False)
        self._buffer = bytearray()
        self._searched = 0
        self._mark = 0
        # If memory runs out, the system should kill this process and not the harness.
        with contextlib.suppress(OSError):
            Path(f"/proc/{self._process.pid}/oom_score_adj").write_text("800")

    @property
    def alive(self) -> bool:
        """True until the process ends."""
        return self._process.poll() is None

    def send(self, line: bytes, seconds: float) -> None:
        """Write a line.

        Raises:
            Silent: the process does not read.
            Ended: it has ended, or has closed its input.
            Excessive: it uses too much memory or prints too much.
        """
        if self.printed_bytes() > KEPT_PRINTED:
            # The process is waiting for this line, so it prints nothing now.
            os.ftruncate(self._printed.fileno(), 0)
            self._mark = 0
        deadline = time.monotonic() + seconds
        rest = memoryview(line)
        while rest:
            self._wait(self._input.fileno(), selectors.EVENT_WRITE, deadline)
            with contextlib.suppress(BlockingIOError):
                try:
                    rest = rest[os.write(self._input.fileno(), rest) :]
                except (BrokenPipeError, ValueError):
                    raise Ended(received=len(rest) < len(line)) from None

    def receive(self, seconds: float) -> bytes:
        """Return the next line.

        Raises:
            Silent: no line came in time.
            Ended: the process has ended, or has closed its output.
            Excessive: it uses too much memory, prints too much, or its line does not end.
        """
        deadline = time.monotonic() + seconds
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            self._searched = len(self._buffer)
            if self._searched > LONGEST_LINE:
                raise Excessive(f"the worker wrote a line of more than {LONGEST_LINE >> 20} MB")
            self._wait(self._output.fileno(), selectors.EVENT_READ, deadline)
            with contextlib.suppress(BlockingIOError):
                if not (piece := os.read(self._output.fileno(), 1 << 20)):
                    raise Ended
                self._buffer += piece
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        """Wait for a descriptor, and check the process at intervals."""
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, event)
            ready = False
            while not ready:
                now = time.monotonic()
                ready = bool(selector.select(max(0.0, min(TICK, deadline - now))))
                if not ready and now >= deadline:
                    raise Silent
                # By the clock, so that a process that writes all the time is checked too.
                if now - self._watched >= TICK:
                    self._watched = now
                    self._watch()

    def _watch(self) -> None:
        if self.printed_bytes() - self._mark > MOST_PRINTED:
            raise Excessive(f"the process printed more than {MOST_PRINTED >> 20} MB")
        if self._memory is None:
            return
        with contextlib.suppress(psutil.Error):
            used = sum(p.memory_info().rss for p in (psutil.Process(self._process.pid), *self._children()))
            if used > self._memory:
                raise Excessive(
                    f"the process used {used / 2**30:.1f} GB of memory; the limit is {self._memory / 2**30:g}"
                )

    def spoke(self) -> bool:
        """Check for data that can be received now."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._output.fileno(), selectors.EVENT_READ)
            return bool(self._buffer) or bool(selector.select(0))

    def printed_bytes(self) -> int:
        """Return the number of printed bytes that are kept."""
        return os.fstat(self._printed.fileno()).st_size

    def printed(self, to: int | None = None, most: int = 1000) -> str:
        """Return the end of the output printed since the last call of this method.

        Args:
            to: the position of the end; later output is left for the next call. None for all.
            most: the largest number of bytes to return.
        """
        end = self.printed_bytes() if to is None else min(int(to), self.printed_bytes())
        start, self._mark = self._mark, max(self._mark, end)
        return self._text(max(start, end - most), end)

    def tail(self, most: int = 4000) -> str:
        """Return the end of all printed output."""
        end = self.printed_bytes()
        return self._text(max(0, end - most), end)

    def _text(self, start: int, end: int) -> str:
        if end <= start:
            return ""
        text = os.pread(self._printed.fileno(), end - start, start).decode(errors="replace").strip()
        # The folder has a different name in every run.
        return str(legible(text.replace(self._folder, "")))

    def ending(self) -> str:
        """Describe the end of a process that has closed its channel."""
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
            return "the process closed its channel and lived on"
        end = f"was killed by {_signal(-code)}" if code < 0 else f"ended with status {code}"
        last = self.tail().rpartition("\n")[2][:200]
        return f"the process {end}: {last}" if last else f"the process {end}"

    def kill(self) -> None:
        """Kill the process and its children, unless it is closed. Any thread may call this."""
        with self._closing:
            # After the wait, another process may have its number.
            if self._closed:
                return
            children = self._children()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            for process in children:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            self._process.wait()
            self._closed = True

    def _children(self) -> list[psutil.Process]:
        """Return the descendants of the process, including those that have left its group."""
        with contextlib.suppress(psutil.Error):
            return list(psutil.Process(self._process.pid).children(recursive=True))
        return []

    def close(self) -> None:
        """Kill the process and close its channel; its printed output stays readable."""
        self.kill()
        for stream in (self._input, self._output):
            with contextlib.suppress(OSError):
                stream.close()


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
