"""Programs of others: run to their end, or ended with all that they have started, and their failures explained."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

Command = Sequence[str | Path]
TAIL_LINES = 30
# What an installer prints when it could not ask the package index, other than being refused by it.
UNREACHABLE = re.compile(
    r"error sending request|network was disabled|dns error|NewConnectionError|ConnectTimeoutError|ReadTimeoutError"
    r"|Max retries exceeded|Could not resolve host|status server error|50[234] Server Error"
)
UNREACHABLE_STEP = (
    "the package index cannot be reached: check the network, the proxy (HTTPS_PROXY) and the certificates "
    "(SSL_CERT_FILE), then try again"
)


class EnvironmentFailed(Exception):
    """An environment cannot be made; the message says what, where, what was wanted and the next step.

    Attributes:
        printed: the end of what the installer printed.
        unreachable: whether the package index could not be reached.
    """

    def __init__(self, message: str, printed: str = "", *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.printed, self.unreachable = printed, unreachable


def execute(command: Command, *, keep: int | None = None) -> tuple[int, str]:
    """Run a command to its end; return its status and what it printed. An interrupt ends all that it started.

    Raises:
        OSError: it cannot be started.
    """
    environment = {"UV_PYTHON_DOWNLOADS": "never"} | os.environ
    # A file, not a pipe: a daemon that the command leaves behind may hold a pipe open for ever.
    with tempfile.TemporaryFile() as printed:
        # A session of its own: nothing can ask for a password on the terminal, and the group can be ended.
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=() if keep is None else (keep,),
        )
        try:
            status = process.wait()
        except BaseException:
            _end(process)
            raise
        printed.seek(0)
        return status, printed.read().decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group, with a moment to remove its temporary files."""
    try:
        with contextlib.suppress(ProcessLookupError, PermissionError, subprocess.TimeoutExpired):
            os.killpg(process.pid, signal.SIGINT)
            process.wait(3)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def must(command: Command, what: str, next_step: str, *, keep: int | None = None) -> None:
    """Run a command that has to succeed.

    Args:
        command: program and arguments.
        what: what has failed if it does not.
        next_step: what a user can do then, unless the package index could not be reached.
        keep: a file descriptor that its processes inherit.

    Raises:
        EnvironmentFailed: it has not succeeded.
    """
    try:
        status, printed = execute(command, keep=keep)
    except OSError as error:
        raise EnvironmentFailed(f"{what}: {command[0]} cannot be started: {error.strerror}; {next_step}") from None
    if status == 0:
        return
    unreachable = UNREACHABLE.search(printed) is not None
    tail = "\n".join(printed.strip().splitlines()[-TAIL_LINES:])
    message = f"{what} ({command[0]} ended with status {status}); {UNREACHABLE_STEP if unreachable else next_step}"
    raise EnvironmentFailed(message, tail, unreachable=unreachable)


def find_uv() -> str | None:
    """Return the path of a uv that runs: the package's, or one on PATH."""
    paths: list[str | None] = []
    with contextlib.suppress(ImportError, FileNotFoundError):
        from uv import find_uv_bin

        paths.append(find_uv_bin())
    paths.append(shutil.which("uv"))
    for path in filter(None, paths):
        with contextlib.suppress(OSError):
            if execute([path, "--version"])[0] == 0:
                return path
    return None
