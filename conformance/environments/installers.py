"""What makes environments: uv, or venv and pip where uv is missing."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from . import subprocesses
from .subprocesses import EnvironmentFailed, execute, must

if TYPE_CHECKING:
    from .interpreters import Interpreter


@dataclass(frozen=True)
class Request:
    """What to resolve.

    Attributes:
        requirements: PEP 508 texts.
        constraints: pins that must hold.
        preferences: pins to keep where that can be.
        interpreter: for which Python.
        before: an ISO 8601 time; what was uploaded later is left out. "" for now.
    """

    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    preferences: tuple[str, ...]
    interpreter: Interpreter
    before: str = ""


class Installer(Protocol):
    """What resolves requirements and fills environments; ``keep`` is a file descriptor that its processes inherit."""

    @property
    def name(self) -> str:
        """The program's name."""

    def resolve(self, request: Request, scratch: Path) -> list[str]:
        """Return a pin (``name==version`` or ``name @ url``) of every package, working in the folder ``scratch``."""

    def uploaded(self, requirements: Sequence[str], interpreter: Interpreter, scratch: Path) -> datetime | None:
        """Return when the last of these packages was uploaded to its index, or None where that is not to be known."""

    def create(self, interpreter: str, folder: Path, keep: int | None) -> None:
        """Make an environment with nothing in it."""

    def install(self, pins: Sequence[str], folder: Path, keep: int) -> None:
        """Install exactly these packages in an environment."""


def _unresolved(request: Request) -> str:
    return f"{', '.join(request.requirements)}: cannot be resolved for Python {request.interpreter.version}"


def _lines(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def _held(request: Request, scratch: Path) -> list[str | Path]:
    """Return the options that make constraints hold; an empty file of them makes uv warn."""
    if not request.constraints:
        return []
    return ["-c", _lines(scratch / "constraints.txt", request.constraints)]


RESOLVE_STEP = "check that these versions exist, go together and have this Python (--python chooses another)"
INSTALL_STEP = "see what the installer printed; a package without a wheel for this Python needs a compiler"


@dataclass(frozen=True)
class Uv:
    """Installs with uv; its own settings (UV_* variables, uv.toml) hold, those of a project in the folder do not."""

    path: str
    name: str = "uv"

    def _command(self, project: Path) -> list[str | Path]:
        # A folder of ours as the project: the overrides of whatever project this is run in are not meant.
        return [self.path, "--color", "never", "--no-progress", "--project", project]

    def resolve(self, request: Request, scratch: Path) -> list[str]:
        """Return a pin of every package; preferences are what an earlier output file says."""
        wanted = _lines(scratch / "requirements.in", request.requirements)
        pins = _lines(scratch / "pins.txt", request.preferences)
        command = [*self._command(scratch), "pip", "compile", "--no-header", "--no-annotate"]
        command += ["--python", request.interpreter.path, *_held(request, scratch), "-o", pins, wanted]
        command += ["--exclude-newer", request.before] if request.before else []
        try:
            must(command, _unresolved(request), RESOLVE_STEP)
        except EnvironmentFailed as error:
            hint = _hint_for_uv()
            raise EnvironmentFailed(f"{error}{hint}", error.printed, unreachable=error.unreachable) from None
        return pins.read_text().splitlines()

    def uploaded(self, requirements: Sequence[str], interpreter: Interpreter, scratch: Path) -> datetime | None:
        """Return the latest upload among the packages, as a lock file of theirs has it."""
        wanted, lock = _lines(scratch / "named.in", requirements), scratch / "pylock.toml"
        command = [*self._command(scratch), "pip", "compile", "--no-deps", "--no-header", "--format", "pylock.toml"]
        status, _ = execute([*command, "--python", interpreter.path, "-o", lock, wanted])
        if status != 0:
            return None
        packages = tomllib.loads(lock.read_text()).get("packages", [])
        files = [file for p in packages for file in (*p.get("wheels", []), p.get("sdist", {}))]
        return max((file["upload-time"] for file in files if "upload-time" in file), default=None)

    def create(self, interpreter: str, folder: Path, keep: int | None) -> None:
        """Make an environment with nothing in it."""
        command = [*self._command(folder.parent), "venv", "--no-project", "--python", interpreter, folder]
        must(command, f"{folder}: no virtual environment of {interpreter}", INSTALL_STEP, keep=keep)

    def install(self, pins: Sequence[str], folder: Path, keep: int) -> None:
        """Install exactly these packages."""
        wanted = _lines(folder / "requirements.txt", pins)
        command = [*self._command(folder), "pip", "install", "--no-deps", "-r", wanted]
        command += ["--python", folder / "bin" / "python"]
        must(command, f"{folder}: the packages cannot be installed", INSTALL_STEP, keep=keep)


def _hint_for_uv() -> str:
    """Say so where pip has indexes of its own, which uv does not read; their addresses may hold passwords."""
    settings = re.compile(r"(find-links|extra-index-url|index-url)=")
    with contextlib.suppress(OSError):
        _, printed = execute([sys.executable, "-P", "-m", "pip", "config", "list"])
        found = sorted({match[1] for match in settings.finditer(printed)})
        if found:
            return (
                f"; pip is set up with {', '.join(found)}, which uv does not read: "
                "set UV_FIND_LINKS, UV_INDEX or UV_INDEX_URL likewise"
            )
    return ""


@dataclass(frozen=True)
class Pip:
    """Installs with the venv module and this Python's pip; the environments have no pip in them."""

    name: str = "pip"

    def _command(self, python: Path) -> list[str | Path]:
        # -P: a folder `pip` or `numpy` where this is run must not be imported.
        pip: list[str | Path] = [sys.executable, "-P", "-m", "pip", "--python", python, "--no-input", "--no-color"]
        return [*pip, "--disable-pip-version-check", "install", "--no-user", "--progress-bar", "off"]

    def resolve(self, request: Request, scratch: Path) -> list[str]:
        """Return a pin of every package.

        pip knows no preferences: they are tried as constraints on what the request leaves open, and then left out.
        """
        if not request.preferences:
            return self._resolve(request, scratch)
        constraints = {*request.constraints, *_of_open(request)}
        try:
            return self._resolve(replace(request, constraints=tuple(sorted(constraints))), scratch)
        except EnvironmentFailed as error:
            if error.unreachable:
                raise
            return self._resolve(request, scratch)

    def _resolve(self, request: Request, scratch: Path) -> list[str]:
        # An empty environment of that Python: a system's own Python may refuse pip, or have settings of its own.
        empty, report = scratch / "empty", scratch / "report.json"
        if not empty.exists():
            self.create(request.interpreter.path, empty, None)
        wanted = _lines(scratch / "requirements.in", request.requirements)
        command = self._command(empty / "bin" / "python")
        command += ["--dry-run", "--ignore-installed", "--report", report, "-r", wanted, *_held(request, scratch)]
        must(command, _unresolved(request), RESOLVE_STEP)
        entries = json.loads(report.read_text())["install"]
        return [_pin(e["metadata"], e["download_info"] if e["is_direct"] else None) for e in entries]

    def uploaded(self, requirements: Sequence[str], interpreter: Interpreter, scratch: Path) -> datetime | None:
        """Return None: pip does not tell."""
        return None

    def create(self, interpreter: str, folder: Path, keep: int | None) -> None:
        """Make an environment with nothing in it."""
        command: list[str | Path] = [interpreter, "-I", "-m", "venv", "--without-pip", folder]
        must(command, f"{folder}: no virtual environment of {interpreter}", INSTALL_STEP, keep=keep)

    def install(self, pins: Sequence[str], folder: Path, keep: int) -> None:
        """Install exactly these packages."""
        wanted = _lines(folder / "requirements.txt", pins)
        command = [*self._command(folder / "bin" / "python"), "--no-deps", "--no-compile", "-r", wanted]
        must(command, f"{folder}: the packages cannot be installed", INSTALL_STEP, keep=keep)


def _of_open(request: Request) -> Iterator[str]:
    """Yield the preferences for requirements that ask for no version."""
    from packaging.requirements import Requirement

    wanted = (Requirement(text) for text in request.requirements)
    free = {_canonical(r.name) for r in wanted if not r.specifier and not r.url}
    yield from (pin for pin in request.preferences if _canonical(re.split(r"[=@ ]", pin)[0]) in free)


def _canonical(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)


def _pin(metadata: Mapping[str, Any], direct: Mapping[str, Any] | None) -> str:
    """Return the pin of an entry of pip's report; ``direct`` is where it comes from if not from an index."""
    if direct is None:
        return f"{metadata['name']}=={metadata['version']}"
    url = direct["url"]
    if "vcs_info" in direct:
        url = f"{direct['vcs_info']['vcs']}+{url}@{direct['vcs_info']['commit_id']}"
    if "subdirectory" in direct:
        url += f"#subdirectory={direct['subdirectory']}"
    return f"{metadata['name']} @ {url}"


def choose() -> Installer:
    """Return uv where it is there, else pip.

    Raises:
        EnvironmentFailed: neither is there.
    """
    path = subprocesses.find_uv()
    if path is not None:
        return Uv(path)
    if importlib.util.find_spec("pip") is None:
        raise EnvironmentFailed(
            f"{sys.executable} has neither uv nor pip, one of which makes environments; "
            "install uv, or nnconform with its extra: nnconform[envs]"
        )
    return Pip()
