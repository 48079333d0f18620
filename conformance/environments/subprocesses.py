"""uv, which resolves and installs: find it, run it, and explain its failures."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from nnconform.conformance.words import install_command

Notify = Callable[[str], None]
TAIL_LINES = 30
# The first version that keeps the packages of an earlier pylock.toml.
OLDEST_UV = (0, 8)
UNREACHABLE = re.compile(r"error sending request|network was disabled|dns error|status server error")
UNREACHABLE_STEP = (
    "the package index cannot be reached: check the network, the proxy (HTTPS_PROXY) and the certificates "
    "(SSL_CERT_FILE), then try again"
)


class EnvironmentFailed(Exception):
    """An environment cannot be made. The message says why, and what to do next.

    Attributes:
        output: the end of uv's output.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


def ignore(line: str) -> None:
    """Drop a message."""


def find_uv() -> str:
    """Return the path of the uv package's program, or else of the one on PATH.

    Raises:
        EnvironmentFailed: neither exists, runs and is recent enough.
    """
    candidates = [shutil.which("uv")]
    with contextlib.suppress(ImportError, FileNotFoundError):
        from uv import find_uv_bin

        candidates.insert(0, find_uv_bin())
    unusable = ""
    for path in filter(None, candidates):
        with contextlib.suppress(OSError):
            _, output = execute([path, "--version"])
            version = re.match(r"uv (\d+)\.(\d+)", output)
            if version and (int(version[1]), int(version[2])) >= OLDEST_UV:
                return path
        unusable = f" ({path} is older or does not run)"
    oldest = ".".join(map(str, OLDEST_UV))
    raise EnvironmentFailed(
        f"environments for other versions need uv {oldest} or later{unusable}; install with: {install_command('envs')}"
    )


def run_uv(arguments: Sequence[str | Path], failure: str, next_step: str, notify: Notify = ignore) -> str:
    """Run uv, a second time without the network if the package index cannot be reached.

    Args:
        arguments: of the command line.
        failure: the start of the message if it fails.
        next_step: the advice in this message.
        notify: called with a line if only the second run succeeds.

    Returns:
        Its output.

    Raises:
        EnvironmentFailed: uv is missing or fails.
    """
    uv = find_uv()
    # An empty project, because the settings of one in the current folder are not meant.
    with tempfile.TemporaryDirectory(prefix="nnconform-") as project:
        command = [uv, "--color", "never", "--no-progress", "--project", project]
        status, output = execute([*command, *arguments])
        if status != 0 and UNREACHABLE.search(output):
            next_step = UNREACHABLE_STEP
            offline_status, offline_output = execute([*command, "--offline", *arguments])
            if offline_status == 0:
                notify("the package index cannot be reached, so uv uses its cache; UV_OFFLINE=1 does this at once")
                return offline_output
    if status != 0:
        tail = "\n".join(output.strip().splitlines()[-TAIL_LINES:])
        raise EnvironmentFailed(f"{failure} (uv ended with status {status}); {next_step}", tail)
    return output


def execute(command: Sequence[str | Path]) -> tuple[int, str]:
    """Run a command and return its status and output. An interrupt ends its children too.

    Raises:
        OSError: it cannot be started.
    """
    # A Python is downloaded only if the user's settings allow it.
    environment = {"UV_PYTHON_DOWNLOADS": "never"} | os.environ
    # A file, because a daemon that the command leaves behind may keep a pipe open for ever.
    with tempfile.TemporaryFile() as output:
        # In its own session it cannot ask for a password on the terminal, and its group can be killed.
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        output.seek(0)
        return status, output.read().decode(errors="replace")
