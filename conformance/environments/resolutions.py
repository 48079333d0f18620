"""The packages of an environment, resolved by uv."""

from __future__ import annotations

import hashlib
import json
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .interpreters import Interpreter, find_interpreter
from .subprocesses import EnvironmentFailed, Notify, ignore, run_uv

KEY_LENGTH = 16
NEXT_STEP = (
    "check that these versions exist, fit each other and support this Python (--python chooses another); "
    "uv reads UV_INDEX and UV_FIND_LINKS, not pip's settings"
)


@dataclass(frozen=True)
class Resolution:
    """The packages of an environment.

    Attributes:
        requirements: PEP 508 texts that led to them.
        packages: name and version of every package, sorted by name.
        interpreter: the Python of the environment.
        lock: uv's pylock.toml.
    """

    requirements: tuple[str, ...]
    packages: dict[str, str]
    interpreter: Interpreter
    lock: str = ""

    @property
    def pins(self) -> list[str]:
        """Every package as ``name==version``."""
        return [f"{name}=={version}" for name, version in self.packages.items()]

    @property
    def key(self) -> str:
        """The name of the environment's folder: a digest of packages, Python and platform."""
        content = json.dumps([*self.pins, self.interpreter.version, self.interpreter.platform])
        return hashlib.sha256(content.encode()).hexdigest()[:KEY_LENGTH]

    @property
    def title(self) -> str:
        """The required packages and their versions."""
        names = [name_of(requirement) for requirement in self.requirements]
        return ", ".join(f"{name} {self.packages[name]}" for name in names if name in self.packages)

    @property
    def released(self) -> datetime | None:
        """The time of the last upload among the packages whose version is required, None if the index has no times."""
        names = {name_of(requirement) for requirement in self.requirements if "==" in requirement}
        packages = [package for package in tomllib.loads(self.lock).get("packages", []) if package["name"] in names]
        files = [file for package in packages for file in (*package.get("wheels", []), package.get("sdist", {}))]
        return max((file["upload-time"] for file in files if "upload-time" in file), default=None)


def resolve(
    requirements: Sequence[str],
    *,
    python: str | None = None,
    like: Resolution | None = None,
    except_for: frozenset[str] = frozenset(),
    before: str = "",
    notify: Notify = ignore,
) -> Resolution:
    """Choose the packages of an environment.

    Args:
        requirements: PEP 508 texts, such as ``jax==0.9.2`` and ``flax``.
        python: a version (``3.10``) or the path of an interpreter; None for this one.
        like: an earlier resolution; its versions are kept if they fit.
        except_for: normalized names of packages for which this does not hold.
        before: an ISO 8601 time; later uploads are ignored.
        notify: called with a line before a step that takes time.

    Raises:
        EnvironmentFailed: there is no such Python, no versions fit each other, or uv is missing.
    """
    interpreter = find_interpreter(python)
    listed = ", ".join(requirements)
    near = ", with the other side's versions where they fit" if like else ""
    then = f", as of {before[:10]}" if before else ""
    notify(f"resolving {listed} for Python {interpreter.version}{near}{then}")
    with tempfile.TemporaryDirectory(prefix="nnconform-") as scratch:
        source, lock = Path(scratch, "requirements.in"), Path(scratch, "pylock.toml")
        source.write_text("\n".join(requirements))
        # uv takes the versions of an existing output file as preferences.
        if like is not None:
            lock.write_text(like.lock)
        words = ["pip", "compile", "--python", interpreter.path, "--format", "pylock.toml"]
        words += [word for name in sorted(except_for) for word in ("--upgrade-package", name)]
        words += ["--exclude-newer", before] if before else []
        failure = f"{listed}: cannot be resolved for Python {interpreter.version}"
        run_uv([*words, "--output-file", lock, source], failure, NEXT_STEP, notify)
        text = lock.read_text()
    packages = {package["name"]: package.get("version", "") for package in tomllib.loads(text)["packages"]}
    if unversioned := [name for name, version in packages.items() if not version]:
        raise EnvironmentFailed(
            f"{listed}: {', '.join(unversioned)} comes from no index; install the packages in your own environment "
            "and name its interpreter, python:PATH"
        )
    return Resolution(tuple(requirements), dict(sorted(packages.items())), interpreter, text)


def resolve_as_of_release(
    resolution: Resolution, *, python: str | None = None, notify: Notify = ignore
) -> Resolution | None:
    """Resolve the same requirements with the packages of the day on which the required versions were released.

    Returns:
        None if no version is required, every one is, or the index has no upload times.

    Raises:
        EnvironmentFailed: as for ``resolve``.
    """
    fixed = ["==" in requirement for requirement in resolution.requirements]
    if not any(fixed) or all(fixed) or resolution.released is None:
        return None
    # The files of a release, and of what is released with it, are uploaded within hours.
    before = (resolution.released + timedelta(days=1)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return resolve(resolution.requirements, python=python, before=before, notify=notify)


def resolve_pair(
    old: Sequence[str], new: Sequence[str], *, python: str | None = None, notify: Notify = ignore
) -> tuple[Resolution, Resolution]:
    """Resolve both sides of a comparison so that few packages differ that are not compared.

    The new side is resolved first. The old side keeps its versions if they fit, then the new side those of the old.

    Raises:
        EnvironmentFailed: as for ``resolve``.
    """
    compared = frozenset(name_of(requirement) for requirement in set(old) ^ set(new))
    first = resolve(new, python=python, notify=notify)
    older = resolve(old, python=python, like=first, except_for=compared, notify=notify)
    return older, resolve(new, python=python, like=older, except_for=compared, notify=notify)


def name_of(requirement: str) -> str:
    """Return the normalized name of the package of a requirement."""
    return canonicalize_name(Requirement(requirement).name)
