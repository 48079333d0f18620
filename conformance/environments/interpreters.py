"""The Python that an environment is for: found by version or path, and tried before it is believed."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import subprocesses
from .subprocesses import EnvironmentFailed, execute

# What a worker runs on.
OLDEST_PYTHON = (3, 10)
PROBE = """
import json, platform, sysconfig
print(json.dumps([platform.python_version(), sysconfig.get_platform(), sysconfig.get_config_var("SOABI") or ""]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs: its path, version, and the platform and binary interface that its packages are built for."""

    path: str
    version: str
    platform: str


def find(wanted: str | None) -> Interpreter:
    """Return an interpreter that runs.

    Args:
        wanted: a version (``3.10``), a path, or a program's name; None for the one that runs this.

    Raises:
        EnvironmentFailed: there is none, or it is too old for a worker.
    """
    version = wanted if wanted is not None and re.fullmatch(r"\d+(\.\d+){0,2}", wanted) else None
    refused = []
    for path in _candidates(wanted, version):
        found = _probe(path)
        if isinstance(found, str):
            refused.append(f"{path}: {found}")
        elif version is None or f"{found.version}.".startswith(f"{version}."):
            return _new_enough(found)
    raise EnvironmentFailed(
        f"Python {wanted}: found none that runs; looked for it on PATH, among those of uv and of pyenv; "
        "install it (`uv python install`, pyenv, the system's packages), or give the path of an interpreter",
        "\n".join(refused),
    )


def _candidates(wanted: str | None, version: str | None) -> Iterator[str]:
    """Yield paths of interpreters that may be the one wanted; those on PATH may be shims of pyenv that fail."""
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    if wanted is None:
        yield sys.executable
    elif version is None:
        path = Path(wanted).expanduser()
        places = [path] if os.sep in wanted or path.exists() else [Path(folder, wanted) for folder in folders]
        yield from (str(place.absolute()) for place in places if place.is_file())
    else:
        yield sys.executable
        name = "python" + ".".join(version.split(".")[:2])
        on_path = (os.path.join(folder, name) for folder in folders)
        yield from (candidate for candidate in on_path if os.access(candidate, os.X_OK))
        yield from _of_uv(version)
        root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
        yield from (str(found) for found in sorted(root.glob(f"versions/{version}*/bin/python"), reverse=True))


def _of_uv(version: str) -> Iterator[str]:
    """Yield the Python that uv has itself installed, or installs now if the user's settings say that it may."""
    path = subprocesses.find_uv()
    if path is None:
        return
    if os.environ.get("UV_PYTHON_DOWNLOADS") == "automatic":
        execute([path, "python", "install", version])
    status, printed = execute([path, "--color", "never", "python", "find", "--no-project", "--managed-python", version])
    if status == 0 and printed.strip():
        yield printed.strip().splitlines()[-1]


def _probe(path: str) -> Interpreter | str:
    """Return what an interpreter says of itself, or why it does not."""
    try:
        status, printed = execute([path, "-I", "-c", PROBE])
    except OSError as error:
        return error.strerror or str(error)
    if status != 0:
        return printed.strip() or f"ended with status {status}"
    version, *platform = json.loads(printed.splitlines()[-1])
    return Interpreter(path, version, " ".join(platform).strip())


def _new_enough(found: Interpreter) -> Interpreter:
    if tuple(int(part) for part in found.version.split(".")[:2]) >= OLDEST_PYTHON:
        return found
    oldest = ".".join(map(str, OLDEST_PYTHON))
    raise EnvironmentFailed(f"{found.path} is Python {found.version}: wanted {oldest} or later, which the worker needs")
