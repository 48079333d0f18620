"""What a word of the command line names: packages, versions, an interpreter, or what a requirements file pins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nnconform.conformance.running.frameworks import BUILT_IN, OTHER_NAMES, PARTS, UsageError, available

from .interpreters import find
from .resolutions import Tell

INTERPRETER = "python:"
REQUIREMENTS = "requirements:"
# What a worker needs beside its framework.
WORKER_NEEDS = ("numpy", "ml_dtypes")
# Whose implementations a package brings: all of a framework's, or those of a part of it.
OWNERS = {
    **{framework.name: framework.name for framework in BUILT_IN if framework.name != "numpy"},
    **PARTS,
    **{other: name for name, others in OTHER_NAMES.items() for other in others},
    "jaxlib": "jax",
}
PACKAGES = (*OWNERS, *(canonicalize_name(name) for name in WORKER_NEEDS))


@dataclass(frozen=True)
class Target:
    """What the user named.

    Attributes:
        text: as it was typed.
        packages: what is named, with the versions that are wanted.
        interpreter: the path of a Python that has it; "" for none.
    """

    text: str
    packages: tuple[Requirement, ...] = ()
    interpreter: str = ""

    @property
    def here(self) -> bool:
        """Whether it lives in this environment: a name alone."""
        elsewhere = self.interpreter or self.text.startswith(REQUIREMENTS)
        return not elsewhere and not any(str(p.specifier) for p in self.packages)


def parse(text: str, python: str | None = None, tell: Tell = lambda _: None) -> Target:
    """Return what a word of the command line names.

    Args:
        text: the word.
        python: the version or path of the Python of environments, for the markers of a requirements file.
        tell: called with a line about each line of a requirements file that is not followed.

    Raises:
        UsageError: it is no such word, or its file does not exist.
        EnvironmentFailed: there is no Python at this path.
    """
    if text.startswith(REQUIREMENTS):
        return Target(text, tuple(_pinned(Path(text.removeprefix(REQUIREMENTS)), python, tell)))
    named, found, interpreter = text.partition(INTERPRETER)
    if found and not interpreter:
        raise UsageError(f"{text}: wanted the path of a Python after {INTERPRETER}")
    if found and named and (named == "+" or not named.endswith("+")):
        raise UsageError(f"{text}: wanted packages and a plus sign before {INTERPRETER}, or nothing")
    return Target(text, tuple(_requirements(named.removesuffix("+") if found else named, text)), interpreter)


def _requirements(named: str, text: str) -> Iterator[Requirement]:
    pieces: list[str] = []
    for piece in named.split("+") if named else ():
        # A plus sign also begins a local version: torch==2.13.0+cpu.
        if pieces and "=" in pieces[-1] and canonicalize_name(piece.strip()) not in {*PACKAGES, *available()}:
            try:
                has_version = bool(str(Requirement(piece).specifier))
            except InvalidRequirement:
                has_version = False
            if not has_version:
                pieces[-1] += f"+{piece}"
                continue
        pieces.append(piece)
    for piece in pieces:
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


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what stands in a requirements file but comments, each with the number of the line on which it begins."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{REQUIREMENTS}{path}: cannot be read: {error}") from None
    # First the lines that are comments: the next one does not continue them.
    text = re.sub(r"^[ \t]*#.*$", "", text, flags=re.MULTILINE)
    number = 1
    for line in re.split(r"(?<!\\)\n", text):
        if content := re.sub(r"\s#.*", "", line.replace("\\\n", " ")).strip():
            yield number, content
        number += 1 + line.count("\n")


def _markers(python: str | None) -> dict[str, str] | None:
    """Return what the markers of a requirements file see of the Python that is wanted; None for this one."""
    if python is None:
        return None
    version = python if re.fullmatch(r"\d+\.\d+(\.\d+)?", python) else find(python).version
    return {"python_version": ".".join(version.split(".")[:2]), "python_full_version": version}


def _pinned(path: Path, python: str | None, tell: Tell) -> Iterator[Requirement]:
    """Yield what a requirements file says of the packages that the suite knows; its options are not followed."""
    lines, markers = list(_lines(path)), _markers(python)
    found = False
    for number, line in lines:
        try:
            requirement = Requirement(re.split(r"\s--", line)[0])
        except InvalidRequirement:
            # An option, another file, a wheel. The address of an index may hold a password.
            shown = re.sub(r"//[^/\s]*@", "//", line)
            tell(f"{REQUIREMENTS}{path}: line {number} is not followed: {shown}")
            continue
        name = canonicalize_name(requirement.name)
        if name not in PACKAGES or not (requirement.marker is None or requirement.marker.evaluate(markers)):
            continue
        if requirement.url:
            raise UsageError(
                f"{REQUIREMENTS}{path}: {name} (line {number}) is taken from an address; "
                "install the file's packages in an environment of yours and name its interpreter, python:PATH"
            )
        found = True
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        yield Requirement(f"{name}{extras}{requirement.specifier}")
    if not found:
        raise UsageError(
            f"{REQUIREMENTS}{path}: none of {', '.join(OWNERS)} is in it; files that it names with -r are not read"
        )
