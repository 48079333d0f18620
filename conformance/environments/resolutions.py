"""Which packages an environment takes: resolved by an installer, and remembered."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from . import installers, interpreters
from .installers import Installer, Request
from .subprocesses import EnvironmentFailed

Tell = Callable[[str], None]
FORMAT = 1
DAY = 86400.0


def quiet(line: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Resolution:
    """Which packages an environment is to have.

    Attributes:
        requirements: what was asked for.
        pins: all that it takes, sorted, ``name==version`` (or ``name @ url`` for what comes from no index).
        interpreter: path of the Python that it is for.
        python_version: its version.
        platform: the platform and binary interface that its packages are built for.
        note: what limits this resolution; "" for nothing.
    """

    requirements: tuple[str, ...]
    pins: tuple[str, ...]
    interpreter: str
    python_version: str
    platform: str
    note: str = ""

    @property
    def packages(self) -> dict[str, str]:
        """The version of every package, by its normalized name."""
        return dict(_split(pin) for pin in self.pins)

    @property
    def key(self) -> str:
        """What tells its environment from others: a digest of packages, Python and platform."""
        return _digest([*self.pins, self.python_version, self.platform])


def _split(pin: str) -> tuple[str, str]:
    name, _, version = pin.partition("==") if " @ " not in pin else pin.partition(" @ ")
    return name, version


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def resolve(
    requirements: Sequence[str],
    *,
    python: str | None = None,
    constraints: Sequence[str] = (),
    preferences: Sequence[str] = (),
    before: str = "",
    tell: Tell = quiet,
) -> Resolution:
    """Return which packages an environment takes.

    What was resolved is remembered for a day, and for as long as the package index cannot be reached.

    Args:
        requirements: PEP 508 texts, such as ``jax==0.9.2`` and ``flax``.
        python: a version (``3.10``) or the path of an interpreter; this one when None.
        constraints: pins that must hold for what is installed.
        preferences: pins to keep where that is possible.
        before: an ISO 8601 time; what was uploaded to the index later is left out.
        tell: called with a line about what takes time.

    Raises:
        EnvironmentFailed: a requirement is malformed, there is no such Python, or no versions go together.
    """
    wanted = tuple(_requirement(text) for text in requirements)
    interpreter = interpreters.find(python)
    request = Request(wanted, tuple(sorted(constraints)), tuple(sorted(preferences)), interpreter, before)
    pins, note = _pins(request, installers.choose(), tell)
    return Resolution(wanted, pins, interpreter.path, interpreter.version, interpreter.platform, note)


def resolve_of_its_time(
    requirements: Sequence[str], *, python: str | None = None, tell: Tell = quiet
) -> Resolution | None:
    """Return what an environment took when the last of the versions that are named was released.

    Returns:
        None where no version is named, every one is, or the installer cannot look back (pip).

    Raises:
        EnvironmentFailed: as for ``resolve``.
    """
    named = [text for text in requirements if "==" in text]
    if not named or len(named) == len(requirements):
        return None
    with tempfile.TemporaryDirectory(prefix="nnconform-") as scratch:
        released = installers.choose().uploaded(named, interpreters.find(python), Path(scratch))
    if released is None:
        return None
    # The files of one release, and of what is released with it, come within hours.
    before = (released + timedelta(days=1)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return resolve(requirements, python=python, before=before, tell=tell)


def _requirement(text: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        parsed = Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise EnvironmentFailed(f"{text!r} is no requirement ({reason}); wanted a text such as jax==0.9.2") from None
    if parsed.url is not None and parsed.url.startswith("file:"):
        raise EnvironmentFailed(
            f"{text}: a file may change under its name, so no environment is kept for it; "
            "install it in an environment of yours and give the path of its interpreter"
        )
    return str(parsed)


def _pins(request: Request, installer: Installer, tell: Tell) -> tuple[tuple[str, ...], str]:
    """Return the pins for a request, and a note; from memory where that is fresh or there is no other way."""
    path = cache_folder() / "resolutions" / f"{_memory_key(request, installer)}.json"
    known = read(path)
    age = time.time() - known["when"] if known else DAY
    # What a branch or an address holds may change at any time.
    if known and 0 <= age < DAY and not any("@" in requirement for requirement in request.requirements):
        return tuple(known["pins"]), ""
    near = ", keeping what the other side has" if request.preferences else ""
    then = f", as of {request.before[:10]}" if request.before else ""
    tell(f"resolving {', '.join(request.requirements)} for Python {request.interpreter.version}{near}{then}")
    try:
        with tempfile.TemporaryDirectory(prefix="nnconform-") as scratch:
            pins = sorted(_normal(installer.resolve(request, Path(scratch))))
    except EnvironmentFailed as error:
        if not error.unreachable or not known:
            raise
        when = datetime.fromtimestamp(known["when"], UTC).date()
        note = f"the package index cannot be reached: {', '.join(request.requirements)} as resolved on {when}"
        tell(note)
        return tuple(known["pins"]), note
    with explained(path):
        write(path, {"when": time.time(), "pins": pins})
    return tuple(pins), ""


def _memory_key(request: Request, installer: Installer) -> str:
    """Return what a resolution is remembered by: what was asked, and the settings that name other indexes."""
    settings = sorted(item for item in os.environ.items() if item[0].startswith(("UV_", "PIP_")))
    asked = sorted(request.requirements), request.constraints, request.preferences, request.before
    return _digest([asked, request.interpreter.version, request.interpreter.platform, installer.name, settings])


def _normal(lines: Sequence[str]) -> Iterator[str]:
    """Yield the pins among the lines of an installer, with normalized names and nothing else."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    for line in lines:
        # A user's settings may add options, hashes and comments.
        with contextlib.suppress(InvalidRequirement):
            pin = Requirement(line.partition(" #")[0].rstrip(" \\"))
            name = canonicalize_name(pin.name)
            yield f"{name} @ {pin.url}" if pin.url else f"{name}{pin.specifier}"


def resolve_pair(
    old: Sequence[str], new: Sequence[str], *, python: str | None = None, tell: Tell = quiet
) -> tuple[Resolution, Resolution]:
    """Return the resolutions for a comparison, which differ in little but what was named.

    New is resolved first; old then keeps what new has, where that is possible; new then keeps what old has. Packages
    whose requirements differ between the two, the object of the comparison, are kept by neither.

    Raises:
        EnvironmentFailed: as for ``resolve``.
    """
    before, after = {_requirement(text) for text in old}, {_requirement(text) for text in new}
    compared = {name_of(text) for text in before ^ after}

    def kept(resolution: Resolution) -> list[str]:
        return [pin for pin in resolution.pins if _split(pin)[0] not in compared]

    first = resolve(new, python=python, tell=tell)
    older = resolve(old, python=python, preferences=kept(first), tell=tell)
    return older, resolve(new, python=python, preferences=kept(older), tell=tell)


def name_of(requirement: str) -> str:
    """Return the normalized name of the package that a requirement asks for."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    return canonicalize_name(Requirement(requirement).name)


def cache_folder() -> Path:
    """Return the folder of the user's cache that holds environments and resolutions.

    Raises:
        EnvironmentFailed: it cannot be made.
    """
    from nnconform.conformance.files import cache_folder as of_the_user

    folder = of_the_user() / "envs"
    with explained(folder):
        (folder / "resolutions").mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Make what the file system refuses in the cache an ``EnvironmentFailed``."""
    try:
        yield
    except OSError as error:
        raise EnvironmentFailed(
            f"{error.filename or folder}: environments cannot be kept here: {error.strerror}; "
            "make room there, or set XDG_CACHE_HOME to a folder that can be written to"
        ) from None


def read(path: Path) -> dict[str, Any] | None:
    """Return what ``write`` has written; None where there is nothing whole."""
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text())
        if isinstance(content, dict) and content.get("format") == FORMAT:
            return content
    return None


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object so that it is whole or not there.

    Raises:
        OSError: it cannot be written.
    """
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as file:
        json.dump({"format": FORMAT, **content}, file, indent=1)
    os.replace(file.name, path)
