"""What to run and where it lives: ``torch``, ``jax==0.9.2``, ``keras==3.12.0+tensorflow==2.20.0``, ``python:PATH``."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .frameworks import BUILT_IN, OTHER_NAMES, PARTS, Framework, UsageError, available, choose, suggestion
from .interpreters import OLDEST_PYTHON

if TYPE_CHECKING:
    from .environments import Resolution

Tell = Callable[[str], None]

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


def parse(text: str, python: str | None = None) -> Target:
    """Return what a word of the command line names.

    Args:
        text: the word.
        python: the version or path of the Python of environments, for the markers of a requirements file.

    Raises:
        UsageError: it is no such word, or its file does not exist.
    """
    if text.startswith(REQUIREMENTS):
        return Target(text, tuple(_pinned(Path(text.removeprefix(REQUIREMENTS)), python)))
    named, found, interpreter = text.partition(INTERPRETER)
    if found and not interpreter:
        raise UsageError(f"{text}: wanted the path of a Python after {INTERPRETER}")
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


def _pinned(path: Path, python: str | None) -> Iterator[Requirement]:
    """Yield what a requirements file says of the packages that the suite knows; its options are not followed."""
    try:
        lines = path.read_text(encoding="utf-8-sig").replace("\\\n", " ").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{REQUIREMENTS}{path}: cannot be read: {error}") from None
    version = python if python is not None and re.fullmatch(r"\d+\.\d+(\.\d+)?", python) else ""
    markers = {"python_version": ".".join(version.split(".")[:2]), "python_full_version": version} if version else None
    found = False
    for number, line in enumerate(lines, 1):
        try:
            requirement = Requirement(re.split(r"(?:^|\s)#|\s--hash", line)[0].strip())
        except InvalidRequirement:
            continue  # an option, another file, a blank line
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


def _owners(target: Target) -> dict[str, tuple[str, ...]]:
    """Return the frameworks that a target names, each with the globs of implementations to run.

    Raises:
        UsageError: a package is unknown, or none of them is a framework.
    """
    found: dict[str, tuple[str, ...]] = {}
    for requirement in target.packages:
        name = canonicalize_name(requirement.name)
        owner = OWNERS.get(name, name if name in available() and name != "numpy" else "")
        if owner:
            whole = name not in PARTS or found.get(owner) == ()
            found[owner] = () if whole else (*found.get(owner, ()), f"{name}.*")
    if not found and any(canonicalize_name(r.name) == "numpy" for r in target.packages):
        return {"numpy": ()}
    if not found and target.packages:
        names = ", ".join(r.name for r in target.packages)
        raise UsageError(f"{target.text}: none of {names} is a framework{suggestion(names, [*OWNERS, 'numpy'])}")
    return found


def _requirements_of(framework: Framework, target: Target) -> list[str]:
    """Return what an environment for a framework must have: as the user named it, and what is needed beside."""
    named = {canonicalize_name(r.name): r for r in target.packages}
    chosen: dict[str, str] = {}
    for package in (*framework.packages, *WORKER_NEEDS):
        names = [canonicalize_name(name) for name in (package, *OTHER_NAMES.get(package, ()))]
        found = next((named[name] for name in names if name in named), package)
        chosen.setdefault(names[0], str(found))
    # What belongs to this framework and is not needed (jaxlib), or to none, is the user's own wish.
    wishes = {name: str(r) for name, r in named.items() if OWNERS.get(name, framework.name) == framework.name}
    return list(dict.fromkeys([*chosen.values(), *wishes.values()]))


def locate(
    words: Sequence[str],
    adapters: Sequence[str] = (),
    workers: Sequence[str] = (),
    *,
    python: str | None = None,
    tell: Tell,
) -> list[Framework]:
    """Return the frameworks to run, with environments made for those that want one.

    Args:
        words: as given by the user; none means every installed framework.
        adapters: modules or paths of further adapters.
        workers: command lines of workers of their own.
        python: version or path of the Python for environments; this one's when None.
        tell: called with a line about what takes long.

    Raises:
        UsageError: a word is wrong, or two name the same framework.
        EnvironmentFailed: an environment cannot be made.
    """
    targets = [parse(word, python) for word in words]
    plain = [target.text for target in targets if target.here]
    elsewhere = [target for target in targets if not target.here]
    found = choose(plain, adapters, workers) if plain or adapters or workers or not elsewhere else []
    for target in elsewhere:
        found += _elsewhere(target, python, tell)
    names = [framework.name for framework in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{twice} is named twice; compare two versions with `nnconform upgrade OLD NEW`")
    order = [target.text for target in targets]
    # What was named in several words stands where the first of them does; what was not named comes after.
    firsts = {f.name: f.target if f.target in order else f.target.partition("+")[0] for f in found}
    return sorted(found, key=lambda f: order.index(firsts[f.name]) if firsts[f.name] in order else len(order))


def standing_for(word: str, frameworks: Sequence[Framework]) -> list[tuple[int, tuple[str, ...]]]:
    """Return which of the frameworks that ``locate`` gave a word stands for, by position, and its implementations.

    Args:
        word: as given by the user, or the module or path of an adapter.
        frameworks: what ``locate`` gave for this and other words.
    """
    own = [(number, f.only) for number, f in enumerate(frameworks) if f.target == word]
    if own:
        return own
    parts = _owners(parse(word))
    return [(number, parts[f.name]) for number, f in enumerate(frameworks) if f.name in parts]


def _elsewhere(target: Target, python: str | None, tell: Tell) -> list[Framework]:
    if target.interpreter:
        return _interpreter(target)
    from . import environments

    found = []
    for base in _bases(target):
        resolution = environments.resolve(_requirements_of(base, target), python=python, tell=tell)
        found.append(_in_environment(base, target, resolution, python, tell))
    return found


def _bases(target: Target) -> list[Framework]:
    known = available()
    bases = [replace(known[name], only=only) for name, only in _owners(target).items()]
    for base in bases:
        if not base.packages:
            raise UsageError(
                f"{target.text}: the adapter of {base.name} does not say which packages it needs; "
                f"name an interpreter that has it: {base.name}+python:PATH"
            )
    return bases


def _in_environment(
    base: Framework, target: Target, resolution: Resolution, python: str | None, tell: Tell
) -> Framework:
    from .fitting import make_fitting

    made = make_fitting(resolution, base.module, python, tell)
    return replace(base, target=target.text, interpreter=str(made.python), pins=dict(made.packages))


PROBE = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in json.loads(sys.argv[1]):
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps({"python": sys.version_info[:3], "versions": found}))
"""


def _interpreter(target: Target) -> list[Framework]:
    """Return the frameworks that an interpreter has, or those of them that are named."""
    known = available()
    names = {p for f in known.values() for q in f.packages for p in (q, *OTHER_NAMES.get(q, ()))} | set(WORKER_NEEDS)
    # The path as it stands: to resolve a virtual environment's link would lead out of it.
    path = str(Path(target.interpreter).expanduser().absolute())
    try:
        words = [path, "-c", PROBE, json.dumps(sorted(names))]
        ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
        said = json.loads(ended.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        printed = (getattr(error, "stderr", None) or "").strip().rpartition("\n")[2]
        raise UsageError(f"{target.text}: no Python that runs: {printed or error}") from None
    if tuple(said["python"][:2]) < OLDEST_PYTHON:
        version = ".".join(map(str, said["python"]))
        raise UsageError(f"{target.text}: it is Python {version}; wanted {'.'.join(map(str, OLDEST_PYTHON))} or later")
    there = set(said["versions"])

    def lacking(packages: Iterable[str]) -> list[str]:
        return [p for p in packages if not there & {p, *OTHER_NAMES.get(p, ())}]

    if lacks := lacking(WORKER_NEEDS):
        raise UsageError(
            f"{target.text}: it has no {', '.join(lacks)}; install with: {path} -m pip install {' '.join(lacks)}"
        )
    for package in target.packages:
        name = next((n for n in (package.name, *OTHER_NAMES.get(package.name, ())) if n in there), package.name)
        has = said["versions"].get(name)
        if str(package.specifier) and not (has and package.specifier.contains(has, prereleases=True)):
            raise UsageError(f"{target.text}: it has {f'{name} {has}' if has else f'no {name}'}; wanted {package}")
    only = _owners(target)
    for name in only:
        if lacks := lacking(known[name].packages):
            raise UsageError(f"{target.text}: it has no {', '.join(lacks)}")
    having = [f for f in known.values() if f.packages and f.name != "numpy" and not lacking(f.packages)]
    chosen = [replace(known[name], only=globs) for name, globs in only.items()] or having or [known["numpy"]]
    return [replace(f, target=target.text, interpreter=path) for f in chosen]


def locate_pair(
    old: str, new: str, *, python: str | None = None, tell: Tell
) -> tuple[list[Framework], list[Framework]]:
    """Return the frameworks of both sides of a comparison, whose environments differ in as little as can be.

    Raises:
        UsageError: a word is wrong, or the sides have no framework in common.
        EnvironmentFailed: an environment cannot be made.
    """
    from . import environments

    before, after = parse(old, python), parse(new, python)
    if before.here or after.here or before.interpreter or after.interpreter:
        sides = [locate([old], python=python, tell=tell), locate([new], python=python, tell=tell)]
        common = {f.name for f in sides[0]} & {f.name for f in sides[1]}
        if not common:
            raise UsageError(f"{old} and {new} have no framework in common")
        first, second = ([f for f in side if f.name in common] for side in sides)
    else:
        first, second = [], []
        others = {base.name: base for base in _bases(after)}
        for base in _bases(before):
            if base.name not in others:
                continue
            wanted = _requirements_of(base, before), _requirements_of(base, after)
            if wanted[0] == wanted[1] and before.text.startswith(REQUIREMENTS):
                continue  # what a change of the file does not touch need not be compared
            resolutions = environments.resolve_pair(*wanted, python=python, tell=tell)
            first.append(_in_environment(base, before, resolutions[0], python, tell))
            second.append(_in_environment(others[base.name], after, resolutions[1], python, tell))
        if not first and not {b.name for b in _bases(before)} & set(others):
            raise UsageError(f"{old} and {new} have no framework in common")
    return ([replace(f, side="old") for f in first], [replace(f, side="new") for f in second])
