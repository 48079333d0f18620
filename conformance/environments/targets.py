"""Targets: words of the command line that name packages, versions, an interpreter or a requirements file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nnconform.conformance.running.frameworks import BUILT_IN, OTHER_NAMES, PARTS, UsageError, available

from .interpreters import find_interpreter
from .subprocesses import Notify, ignore

INTERPRETER = "python:"
REQUIREMENTS = "requirements:"
# Packages that a worker needs in addition to its framework.
WORKER_NEEDS = ("numpy", "ml_dtypes")
# The framework to which a package belongs.
OWNERS = {
    **{framework.name: framework.name for framework in BUILT_IN if framework.name != "numpy"},
    **PARTS,
    **{other: name for name, others in OTHER_NAMES.items() for other in others},
    "jaxlib": "jax",
}
PACKAGES = (*OWNERS, *(canonicalize_name(name) for name in WORKER_NEEDS))


@dataclass(frozen=True)
class Target:
    """A word of the command line that names a framework and its place.

    Attributes:
        text: the word.
        packages: the packages in it, with their versions.
        interpreter: the path of a Python that has them; "" for none.
    """

    text: str
    packages: tuple[Requirement, ...] = ()
    interpreter: str = ""

    @property
    def here(self) -> bool:
        """Whether it is a name alone, which means this environment."""
        elsewhere = self.interpreter or self.text.startswith(REQUIREMENTS)
        return not elsewhere and not any(str(package.specifier) for package in self.packages)


def parse(text: str, python: str | None = None, notify: Notify = ignore) -> Target:
    """Parse a word of the command line.

    Args:
        text: the word.
        python: the version or path of the Python of environments, for the markers of a requirements file.
        notify: called with a message about each line of a requirements file that is ignored.

    Raises:
        UsageError: it is malformed, or its file does not exist.
        EnvironmentFailed: there is no Python at this path.
    """
    if text.startswith(REQUIREMENTS):
        return Target(text, tuple(_read_requirements(Path(text.removeprefix(REQUIREMENTS)), python, notify)))
    packages, separator, interpreter = text.partition(INTERPRETER)
    if separator and not interpreter:
        raise UsageError(f"{text}: wanted the path of a Python after {INTERPRETER}")
    if separator and packages and (packages == "+" or not packages.endswith("+")):
        raise UsageError(f"{text}: wanted packages and a plus sign before {INTERPRETER}, or nothing")
    return Target(
        text, tuple(_parse_packages(packages.removesuffix("+") if separator else packages, text)), interpreter
    )


def _parse_packages(packages: str, text: str) -> Iterator[Requirement]:
    for piece in _split(packages):
        try:
            requirement = Requirement(piece)
            if requirement.url:
                raise InvalidRequirement("an address")
            yield requirement
        except InvalidRequirement as error:
            reason = str(error).partition("\n")[0]
            raise UsageError(
                f"{text}: {piece!r} is no package with a version ({reason}); wanted jax==0.9.2, "
                "keras==3.12.0+tensorflow==2.20.0 or python:PATH"
            ) from None


def _split(packages: str) -> list[str]:
    """Split packages at plus signs, except for that of a local version: torch==2.13.0+cpu."""
    pieces: list[str] = []
    for piece in packages.split("+") if packages else ():
        if pieces and "=" in pieces[-1] and not _is_package(piece):
            pieces[-1] += f"+{piece}"
        else:
            pieces.append(piece)
    return pieces


def _is_package(piece: str) -> bool:
    if canonicalize_name(piece.strip()) in {*PACKAGES, *available()}:
        return True
    try:
        return bool(str(Requirement(piece).specifier))
    except InvalidRequirement:
        return False


def _read_requirements(path: Path, python: str | None, notify: Notify) -> Iterator[Requirement]:
    """Yield the requirements of a file for the packages that the suite knows; options in it are ignored."""
    lines, markers = list(_read_lines(path)), _marker_variables(python)
    has_any = False
    for number, line in lines:
        try:
            requirement = Requirement(re.split(r"\s--", line)[0])
        except InvalidRequirement:
            # An option, another file or a wheel. The address of an index may hold a password.
            text = re.sub(r"//[^/\s]*@", "//", line)
            notify(f"{REQUIREMENTS}{path}: line {number} is ignored: {text}")
            continue
        name = canonicalize_name(requirement.name)
        if name not in PACKAGES or not (requirement.marker is None or requirement.marker.evaluate(markers)):
            continue
        if requirement.url:
            raise UsageError(
                f"{REQUIREMENTS}{path}: {name} (line {number}) comes from an address; "
                "install the file's packages in your own environment and name its interpreter, python:PATH"
            )
        has_any = True
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        yield Requirement(f"{name}{extras}{requirement.specifier}")
    if not has_any:
        raise UsageError(
            f"{REQUIREMENTS}{path}: it has none of {', '.join(OWNERS)}; files that it includes with -r are not read"
        )


def _read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line of a requirements file, without comments and with its continuations."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{REQUIREMENTS}{path}: cannot be read: {error}") from None
    # Comment lines go first, because a backslash does not continue them.
    text = re.sub(r"^[ \t]*#.*$", "", text, flags=re.MULTILINE)
    number = 1
    for line in re.split(r"(?<!\\)\n", text):
        if content := re.sub(r"\s#.*", "", line.replace("\\\n", " ")).strip():
            yield number, content
        number += 1 + line.count("\n")


def _marker_variables(python: str | None) -> dict[str, str] | None:
    """Return the variables of environment markers for a Python; None for this one."""
    if python is None:
        return None
    version = python if re.fullmatch(r"\d+\.\d+(\.\d+)?", python) else find_interpreter(python).version
    return {"python_version": ".".join(version.split(".")[:2]), "python_full_version": version}
