"""Where what is named lives: in this environment, in one that is made for it, or behind another interpreter."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from nnconform.conformance.running.frameworks import (
    OTHER_NAMES,
    PARTS,
    Framework,
    UsageError,
    available,
    choose,
    suggestion,
)

from .interpreters import OLDEST_PYTHON
from .naming import OWNERS, REQUIREMENTS, WORKER_NEEDS, Target, parse
from .resolutions import Tell

if TYPE_CHECKING:
    from .environments import Resolution


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
    return _located([parse(word, python, tell) for word in words], adapters, workers, python=python, tell=tell)


def _located(
    targets: Sequence[Target],
    adapters: Sequence[str] = (),
    workers: Sequence[str] = (),
    *,
    python: str | None,
    tell: Tell,
) -> list[Framework]:
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
    from .compatible import make_fitting

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
    names = {p for f in known.values() for q in f.packages for p in _family(q)} | set(WORKER_NEEDS)
    names |= {canonicalize_name(package.name) for package in target.packages}
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
        return [p for p in packages if not there & set(_family(p))]

    if lacks := lacking(WORKER_NEEDS):
        raise UsageError(
            f"{target.text}: it has no {', '.join(lacks)}; install with: {path} -m pip install {' '.join(lacks)}"
        )
    for package in target.packages:
        name = next((n for n in _family(canonicalize_name(package.name)) if n in there), package.name)
        has = said["versions"].get(name)
        if has is None or not _fits(has, package):
            raise UsageError(
                f"{target.text}: it has {f'no {name}' if has is None else f'{name} {has}'}; wanted {package}"
            )
    only = _owners(target)
    for name in only:
        if lacks := lacking(known[name].packages):
            raise UsageError(f"{target.text}: it has no {', '.join(lacks)}")
    having = [f for f in known.values() if f.packages and f.name != "numpy" and not lacking(f.packages)]
    chosen = [replace(known[name], only=globs) for name, globs in only.items()] or having or [known["numpy"]]
    return [replace(f, target=target.text, interpreter=path) for f in chosen]


def _family(package: str) -> tuple[str, ...]:
    """Return the names of the distributions that bring a package, its own first."""
    return package, *OTHER_NAMES.get(package, ())


def _fits(version: str, wanted: Requirement) -> bool:
    try:
        return wanted.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return False


def locate_pair(
    old: str, new: str, *, python: str | None = None, tell: Tell
) -> tuple[list[Framework], list[Framework]]:
    """Return the frameworks of both sides of a comparison, whose environments differ in as little as can be.

    Raises:
        UsageError: a word is wrong, or the sides have no framework in common.
        EnvironmentFailed: an environment cannot be made.
    """
    from . import environments

    before, after = parse(old, python, tell), parse(new, python, tell)
    if before.here or after.here or before.interpreter or after.interpreter:
        sides = [_located([target], python=python, tell=tell) for target in (before, after)]
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
            if resolutions[0].pins == resolutions[1].pins:
                same = ", ".join(f"{name} {resolutions[0].packages.get(name, '?')}" for name in base.packages)
                raise UsageError(f"{old} and {new} are the same, {same}; name versions exactly, as in jax==0.9.2")
            first.append(_in_environment(base, before, resolutions[0], python, tell))
            second.append(_in_environment(others[base.name], after, resolutions[1], python, tell))
        if not first and not {b.name for b in _bases(before)} & set(others):
            raise UsageError(f"{old} and {new} have no framework in common")
    return ([replace(f, side="old") for f in first], [replace(f, side="new") for f in second])
