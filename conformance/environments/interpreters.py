"""Python interpreters: find one with uv, and read its version and packages."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .subprocesses import EnvironmentFailed, execute, find_uv, run_uv

# The oldest Python that runs a worker.
OLDEST_PYTHON = (3, 10)
PROBE_SECONDS = 60
PROBE = """
import json, platform, re, sys, sysconfig
packages = {}
if sys.version_info >= (3, 10):
    from importlib.metadata import distributions
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name:
            packages.setdefault(re.sub("[-_.]+", "-", name).lower(), distribution.version)
built_for = sysconfig.get_platform() + " " + (sysconfig.get_config_var("SOABI") or "")
print(json.dumps([platform.python_version(), built_for.strip(), packages]))
"""


class ProbeFailed(Exception):
    """An interpreter does not run, or is too old for a worker."""


@dataclass(frozen=True)
class Interpreter:
    """A Python interpreter.

    Attributes:
        path: of its program.
        version: such as ``3.11.7``.
        platform: the platform and binary interface of its packages.
        packages: versions by normalized name.
    """

    path: str
    version: str
    platform: str
    packages: Mapping[str, str] = field(default_factory=dict)


def probe(path: str) -> Interpreter:
    """Return the interpreter at a path.

    Raises:
        ProbeFailed: it does not run, or is too old for a worker.
    """
    try:
        words = [path, "-I", "-c", PROBE]
        ended = subprocess.run(words, capture_output=True, text=True, timeout=PROBE_SECONDS, check=True)
        interpreter = Interpreter(path, *json.loads(ended.stdout.splitlines()[-1]))
    except (OSError, ValueError, LookupError, subprocess.SubprocessError) as error:
        last_line = (getattr(error, "stderr", None) or "").strip().rpartition("\n")[2]
        raise ProbeFailed(f"no Python that runs: {last_line or error}") from None
    if tuple(int(part) for part in interpreter.version.split(".")[:2]) < OLDEST_PYTHON:
        raise ProbeFailed(f"it is Python {interpreter.version}; wanted {'.'.join(map(str, OLDEST_PYTHON))} or later")
    return interpreter


def find_interpreter(request: str | None) -> Interpreter:
    """Return the interpreter for new environments.

    Args:
        request: a version (``3.10``), a path, or anything else that ``uv python find`` takes; None for this one.

    Raises:
        EnvironmentFailed: none is found, it does not run, or it is too old for a worker.
    """
    if request is None or f"{platform.python_version()}.".startswith(f"{request}."):
        path = sys.executable
    else:
        path = _find_path(request)
    try:
        return probe(path)
    except ProbeFailed as error:
        raise EnvironmentFailed(f"{path}: {error}") from None


def _find_path(request: str) -> str:
    words = ["python", "find", os.path.expanduser(request)]
    if os.environ.get("UV_PYTHON_DOWNLOADS") == "automatic" and execute([find_uv(), *words])[0] != 0:
        execute([find_uv(), "python", "install", request])
    next_step = f"install it (uv python install {request}, pyenv, the system's packages) or give an interpreter's path"
    try:
        return run_uv(words, f"Python {request}: none found", next_step).splitlines()[-1]
    except EnvironmentFailed:
        # uv fails at the shims of those versions of pyenv that are not selected.
        pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
        pythons = sorted(pyenv.glob("versions/*/bin/python"))
        candidates = [path for path in pythons if f"{path.parts[-3]}.".startswith(f"{request}.")]
        if not candidates:
            raise
        return str(candidates[-1])
