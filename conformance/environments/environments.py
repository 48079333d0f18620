"""Environments in the user's cache: installed by uv, whole or absent, listed and pruned.

An environment is installed in a folder ``KEY.XXXX`` and renamed to ``KEY`` at the end. A run that uses it holds a
shared lock on a file in it until the process ends, so that ``prune`` leaves it alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from nnconform.conformance import files
from nnconform.conformance.model.document import DAMAGE

from .interpreters import ProbeFailed, probe
from .resolutions import KEY_LENGTH, Resolution
from .subprocesses import EnvironmentFailed, Notify, ignore, run_uv

MARKER = "nnconform.json"
LOCK = "nnconform.lock"
FORMAT = 2
DAY = 86400.0
NEXT_STEP = "see uv's output; a package without a wheel for this Python needs a compiler"
# Removing takes a moment, because it begins with a new name.
ATTEMPTS, PAUSE = 100, 0.05
# The locks of the environments that this process uses.
_IN_USE = contextlib.ExitStack()


@dataclass(frozen=True)
class Environment:
    """An environment in the user's cache.

    Attributes:
        folder: its place.
        title: the required packages and their versions.
        packages: the version of every package by normalized name.
        python_version: such as ``3.11.7``.
        size: in bytes.
        used: the time of its last use, in seconds of the epoch.
        whole: false while it is being installed, after an interrupted installation, or if its Python is gone.
    """

    folder: Path
    title: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    python_version: str = ""
    size: int = 0
    used: float = 0.0
    whole: bool = False

    @property
    def key(self) -> str:
        """The key of its resolution."""
        return self.folder.name[:KEY_LENGTH]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


def cache_folder() -> Path:
    """Return the folder of all environments.

    Raises:
        EnvironmentFailed: it cannot be made.
    """
    folder = files.cache_folder() / "envs"
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def explain_os_errors(folder: Path) -> Iterator[None]:
    """Turn errors of the file system into ``EnvironmentFailed``."""
    try:
        yield
    except OSError as error:
        raise EnvironmentFailed(
            f"{error.filename or folder}: environments cannot be kept here: {error.strerror}; "
            "free some space, or set XDG_CACHE_HOME to a folder that can be written to"
        ) from None


def install(resolution: Resolution, *, notify: Notify = ignore) -> Environment:
    """Return the environment of a resolution, installed if it is not in the cache.

    It is not pruned before this process ends.

    Args:
        resolution: its packages.
        notify: called with a line before a step that takes time.

    Raises:
        EnvironmentFailed: it cannot be installed.
    """
    folder = cache_folder() / resolution.key
    with explain_os_errors(folder):
        for _ in range(ATTEMPTS):
            if environment := _use(folder):
                return environment
            if not folder.exists():
                _install(resolution, folder, notify)
            elif _remove(folder, unused_since=-math.inf) is None:
                time.sleep(PAUSE)  # another process is removing it
    raise EnvironmentFailed(f"{folder}: it is broken and another process uses it; end that run, then try again")


def _use(folder: Path) -> Environment | None:
    lock = _lock(folder, fcntl.LOCK_SH)
    if lock is None:
        return None
    environment = _read(folder)
    if not environment.whole:
        lock.close()
        return None
    os.utime(folder / MARKER)
    _IN_USE.enter_context(lock)
    return environment


def _install(resolution: Resolution, folder: Path, notify: Notify) -> None:
    title = f"{resolution.title} on Python {resolution.interpreter.version}"
    notify(f"making the environment {title} (first time; about a minute)")
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        with _lock(partial, fcntl.LOCK_EX) or contextlib.nullcontext():
            _fill(partial, resolution, notify)
            try:
                partial.rename(folder)
            except OSError:
                # Another process may have installed it meanwhile.
                if not folder.exists():
                    raise
    except EnvironmentFailed as error:
        raise EnvironmentFailed(f"{title}: the environment cannot be made: {error}", error.output) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fill(folder: Path, resolution: Resolution, notify: Notify) -> None:
    python, base = folder / "bin" / "python", resolution.interpreter.path
    venv: list[str | Path] = ["venv", "--allow-existing", "--relocatable", "--python", base, folder]
    run_uv(venv, f"{folder}: no virtual environment of {base}", NEXT_STEP)
    install: list[str | Path] = ["pip", "install", "--no-deps", "--python", python, *resolution.pins]
    run_uv(install, f"{folder}: the packages cannot be installed", NEXT_STEP, notify)
    try:
        installed = probe(str(python))
    except ProbeFailed as error:
        raise EnvironmentFailed(f"{folder}: {error}") from None
    if missing := sorted(resolution.packages.keys() - installed.packages.keys()):
        raise EnvironmentFailed(
            f"uv installed {', '.join(missing)} elsewhere than in {folder}; remove target and prefix from uv.toml"
        )
    size = sum(path.lstat().st_size for path in folder.rglob("*"))
    content = {"title": resolution.title, "packages": installed.packages, "python_version": installed.version}
    (folder / MARKER).write_text(json.dumps({"format": FORMAT, **content, "size": size}, indent=1))


def _read(folder: Path) -> Environment:
    marker, environment = folder / MARKER, Environment(folder)
    with contextlib.suppress(OSError, *DAMAGE):
        content = json.loads(marker.read_text())
        # The link to Python is broken once that Python was uninstalled. A suffix marks an unfinished installation.
        if content.pop("format") == FORMAT and environment.python.exists() and not folder.suffix:
            return Environment(folder, **content, used=marker.stat().st_mtime, whole=True)
    return environment


def _lock(folder: Path, kind: int) -> IO[bytes] | None:
    """Lock an environment until the result is closed; return None if another process locks it or it is gone."""
    with contextlib.ExitStack() as stack, contextlib.suppress(BlockingIOError, FileNotFoundError):
        path = folder / LOCK
        lock = stack.enter_context(path.open("ab"))
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
        # It may have been removed, or replaced, before it was locked.
        if os.path.samestat(os.fstat(lock.fileno()), path.stat()):
            stack.pop_all()
            return lock
    return None


def list_environments() -> list[Environment]:
    """Return the environments in the cache, whole or not, the last used first."""
    return sorted(map(_read, _folders()), key=lambda environment: (-environment.used, environment.key))


def _folders() -> list[Path]:
    name = re.compile(rf"[0-9a-f]{{{KEY_LENGTH}}}(\..*)?")
    return [path for path in cache_folder().iterdir() if name.fullmatch(path.name) and path.is_dir()]


def prune(*, unused_days: float | None) -> list[Environment]:
    """Remove environments that no process uses, and return them.

    Args:
        unused_days: removes those that were not used for this time, and those that are not whole; None removes all.

    Raises:
        EnvironmentFailed: one cannot be removed.
    """
    oldest = math.inf if unused_days is None else time.time() - unused_days * DAY
    with explain_os_errors(cache_folder()):
        pruned = [_remove(folder, unused_since=oldest) for folder in _folders()]
    return [environment for environment in pruned if environment is not None]


def _remove(folder: Path, *, unused_since: float) -> Environment | None:
    """Remove an environment unless it is in use, or whole and used after a time; return it if it was removed."""
    lock = _lock(folder, fcntl.LOCK_EX)
    if lock is None:
        return None
    with lock:
        environment = _read(folder)
        if environment.whole and environment.used > unused_since:
            return None
        # Under another name, so that it is never taken for whole.
        doomed = tempfile.mkdtemp(prefix=f"{folder.name[:KEY_LENGTH]}.", dir=folder.parent)
        folder.rename(doomed)
        shutil.rmtree(doomed)
    return environment
