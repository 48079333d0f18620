"""A real terminal, which a command prints to."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    *,
    stream: Literal["stdout", "stderr"] = "stdout",
    columns: int = 80,
) -> tuple[str, str, int]:
    """Run a command that has a terminal as one of its outputs, and a pipe as the other.

    Args:
        command: the program and its arguments.
        environment: all variables.
        stream: what is the terminal.
        columns: how wide it is.

    Returns:
        What came on the terminal, what came in the pipe, and the exit status.
    """
    here, there = os.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: there}
    process = subprocess.Popen(command, env=environment, **streams)
    os.close(there)
    shown = bytearray()
    try:
        while piece := os.read(here, 1 << 16):
            shown += piece
    except OSError:
        pass  # What Linux says at the end of a terminal.
    piped = next(filter(None, process.communicate()), b"")
    os.close(here)
    return shown.decode().replace("\r\n", "\n"), piped.decode(), process.returncode
