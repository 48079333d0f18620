"""Environments for other versions: made once, and kept in the user's cache by what they hold."""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import IO

from packaging.utils import canonicalize_name

from . import installers
from .resolutions import (
    DAY,
    Resolution,
    Tell,
    cache_folder,
    explained,
    name_of,
    quiet,
    read,
    resolve,
    resolve_of_its_time,
    resolve_pair,
    write,
)
from .subprocesses import EnvironmentFailed

__all__ = [
    "Environment",
    "EnvironmentFailed",
    "Resolution",
    "listing",
    "make",
    "prune",
    "resolve",
    "resolve_of_its_time",
    "resolve_pair",
]

MARKER = "nnconform.json"
# The locks that say "in use" are held until this process ends, or the environment is released.
_IN_USE: dict[str, list[IO[bytes]]] = {}


@dataclass(frozen=True)
class Environment:
    """An environment in the user's cache.

    Attributes:
        key: of the resolution that it was made for.
        folder: where it is.
        requirements: what was asked for.
        packages: the version of all that it has, by normalized name.
        python_version: of its Python.
        size: bytes on disk, when it was made.
        used: when it was last asked for, in seconds of the epoch.
        whole: false for what an interrupted making left behind.
    """

    key: str
    folder: Path
    requirements: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    python_version: str = ""
    size: int = 0
    used: float = 0.0
    whole: bool = False

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def named(self) -> dict[str, str]:
        """The packages that were asked for, in that order, with their versions."""
        names = [name_of(requirement) for requirement in self.requirements]
        return {name: self.packages[name] for name in names if name in self.packages}

    def release(self) -> None:
        """Let it be pruned again before this process ends."""
        if held := _IN_USE.get(self.key):
            held.pop().close()


def make(resolution: Resolution, *, tell: Tell = quiet) -> Environment:
    """Return the environment of a resolution, from the cache or made now; it is not pruned while this process lives.

    Args:
        resolution: what it holds.
        tell: called with a line before what takes time.

    Raises:
        EnvironmentFailed: it cannot be made; nothing is left of it.
    """
    folder = cache_folder() / resolution.key
    with explained(folder):
        return _made(resolution, folder, tell)


def _made(resolution: Resolution, folder: Path, tell: Tell) -> Environment:
    while True:
        lock = _shared(folder, tell)
        found = _environment(folder)
        if found.whole:
            os.utime(folder / MARKER)
            _IN_USE.setdefault(found.key, []).append(lock)
            return found
        lock.close()
        # Broken under our hands: what we hold of it would keep us waiting for ourselves.
        for held in _IN_USE.pop(found.key, []):
            held.close()
        # Not to wait for it: who makes it meanwhile uses it then, and keeps the lock for as long.
        alone = _take(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if alone is None:
            time.sleep(0.05)
            continue
        with alone:
            # Another process may have made it in between.
            if not _environment(folder).whole:
                _make(resolution, folder, alone.fileno(), tell)


def _make(resolution: Resolution, folder: Path, keep: int, tell: Tell) -> None:
    """Make an environment; its installers inherit the lock ``keep``, so that it holds as long as one of them runs."""
    title = _title(resolution)
    tell(f"making the environment {title} (first time; about a minute)")
    installer = installers.choose()
    try:
        shutil.rmtree(folder, ignore_errors=True)
        installer.create(resolution.interpreter, folder, keep)
        installer.install(resolution.pins, folder, keep)
        write(folder / MARKER, _content(resolution, folder))
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, EnvironmentFailed):
            text = f"{title}: the environment cannot be made: {error}"
            raise EnvironmentFailed(text, error.printed, unreachable=error.unreachable) from None
        raise


def _title(resolution: Resolution) -> str:
    names = [name_of(requirement) for requirement in resolution.requirements]
    packages = ", ".join(f"{name} {resolution.packages[name]}" for name in names if name in resolution.packages)
    return f"{packages} on Python {resolution.python_version}"


def _content(resolution: Resolution, folder: Path) -> dict[str, object]:
    """Return what the marker says of an environment that is finished, having looked at what is in it."""
    places = [str(place) for place in folder.glob("lib*/python*/site-packages")]
    packages = {canonicalize_name(found.name): found.version for found in distributions(path=places)}
    if missing := sorted(resolution.packages.keys() - packages.keys()):
        raise EnvironmentFailed(
            f"{folder} lacks {', '.join(missing)}, which the installer says that it has installed; unset what sends "
            "packages elsewhere: PIP_TARGET, PIP_PREFIX, PIP_ROOT, or their like in a configuration file"
        )
    return {
        "requirements": resolution.requirements,
        "packages": dict(sorted(packages.items())),
        "python_version": resolution.python_version,
        "size": _size(folder),
    }


def _size(folder: Path) -> int:
    size = 0
    for at, _, names in os.walk(folder):
        for name in names:
            # Another process may be making or removing it.
            with contextlib.suppress(FileNotFoundError):
                size += os.lstat(os.path.join(at, name)).st_size
    return size


def _environment(folder: Path) -> Environment:
    """Return what is in a folder of the cache, whole or not."""
    marker, used = read(folder / MARKER), 0.0
    with contextlib.suppress(FileNotFoundError):
        used = (folder / MARKER).stat().st_mtime
    # The link to the Python that it was made with leads nowhere once that is uninstalled.
    if marker is None or not (folder / "bin" / "python").exists():
        return Environment(folder.name, folder, size=_size(folder))
    return Environment(
        folder.name,
        folder,
        tuple(marker["requirements"]),
        marker["packages"],
        marker["python_version"],
        marker["size"],
        used,
        whole=True,
    )


def _shared(folder: Path, tell: Tell) -> IO[bytes]:
    """Lock an environment to use it; closing the result unlocks it."""
    lock = _take(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
    if lock is None:
        tell(f"waiting for another process that makes or removes the environment {folder.name}")
        lock = _take(folder, fcntl.LOCK_SH)
    assert lock is not None
    return lock


def _take(folder: Path, mode: int) -> IO[bytes] | None:
    path = folder.with_suffix(".lock")
    while True:
        lock = path.open("ab")
        with contextlib.ExitStack() as stack:
            stack.callback(lock.close)
            try:
                fcntl.flock(lock, mode)
                current = path.stat().st_ino == os.fstat(lock.fileno()).st_ino
            except BlockingIOError:
                return None
            except FileNotFoundError:
                current = False
            # Whoever pruned may have removed the file that was waited for: the lock is on the one that is there.
            if current:
                stack.pop_all()
                return lock


def listing() -> list[Environment]:
    """Return what is in the cache, whole or not, the last used first."""
    found = (_environment(folder) for folder in _folders(cache_folder()) if folder.is_dir())
    return sorted(found, key=lambda environment: (-environment.used, environment.key))


def _folders(root: Path) -> list[Path]:
    """Return the folders of environments, those too of which only the lock is left."""
    names = (re.fullmatch(r"([0-9a-f]{16})(\.lock)?", path.name) for path in root.iterdir())
    return sorted({root / match[1] for match in names if match})


def prune(*, unused_days: float | None) -> list[Environment]:
    """Remove environments that were not used for so many days, and broken ones; return them. None: all.

    Those that a process uses or makes are kept. Resolutions of that age are forgotten too.

    Raises:
        EnvironmentFailed: one cannot be removed.
    """
    root = cache_folder()
    oldest = time.time() - unused_days * DAY if unused_days is not None else math.inf
    with explained(root):
        for memory in (root / "resolutions").iterdir():
            if memory.stat().st_mtime <= oldest:
                memory.unlink(missing_ok=True)
        return [removed for folder in _folders(root) if (removed := _remove(folder, oldest)) is not None]


def _remove(folder: Path, oldest: float) -> Environment | None:
    """Remove an environment last used at ``oldest`` or before, or broken; return it, or None where it is kept."""
    lock = _take(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if lock is None:
        return None
    with lock:
        found, exists = _environment(folder), folder.exists()
        if found.whole and found.used > oldest:
            return None
        # The marker first: what is half removed must not be mistaken for whole.
        (folder / MARKER).unlink(missing_ok=True)
        if exists:
            shutil.rmtree(folder)
        folder.with_suffix(".lock").unlink()
    return found if exists else None
