"""Locate the frameworks of targets: in this environment, in one that is made for them, or at another interpreter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

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

from . import compatible, resolutions
from .interpreters import ProbeFailed, probe
from .resolutions import Resolution
from .subprocesses import Notify
from .targets import OWNERS, REQUIREMENTS, WORKER_NEEDS, Target, parse


def locate(
    words: Sequence[str],
    adapters: Sequence[str] = (),
    workers: Sequence[str] = (),
    *,
    python: str | None = None,
    notify: Notify,
) -> list[Framework]:
    """Return the frameworks to run. Their environments are made if needed.

    Args:
        words: targets on the command line; none means every installed framework.
        adapters: modules or paths of further adapters.
        workers: command lines of further workers.
        python: version or path of the Python for environments; None for this one.
        notify: called with a line before a step that takes time.

    Raises:
        UsageError: a word is wrong, or two name the same framework.
        EnvironmentFailed: an environment cannot be made.
    """
    targets = [parse(word, python, notify) for word in words]
    return _locate_targets(targets, adapters, workers, python=python, notify=notify)


def locate_pair(
    old: str, new: str, *, python: str | None = None, notify: Notify
) -> tuple[list[Framework], list[Framework]]:
    """Return the frameworks of both sides of a comparison. Their environments differ as little as possible.

    Raises:
        UsageError: a word is wrong, the sides are the same, or they have no framework in common.
        EnvironmentFailed: an environment cannot be made.
    """
    before, after = parse(old, python, notify), parse(new, python, notify)
    if any(target.here or target.interpreter for target in (before, after)):
        first, second = (_locate_targets([target], python=python, notify=notify) for target in (before, after))
        common = {f.name for f in first} & {f.name for f in second}
        if not common:
            raise UsageError(f"{old} and {new} have no framework in common")
        first, second = ([f for f in side if f.name in common] for side in (first, second))
    else:
        first, second = _install_pair(before, after, python, notify)
    return [replace(f, side="old") for f in first], [replace(f, side="new") for f in second]


def indices_of(word: str, frameworks: Sequence[Framework]) -> list[tuple[int, tuple[str, ...]]]:
    """Return the index of each framework that a word names, with the globs of its implementations.

    Args:
        word: a target on the command line, or the module or path of an adapter.
        frameworks: the result of ``locate`` for this and other words.
    """
    own = [(index, f.only) for index, f in enumerate(frameworks) if f.target == word]
    if own:
        return own
    globs = _owners(parse(word))
    return [(index, globs[f.name]) for index, f in enumerate(frameworks) if f.name in globs]


def _locate_targets(
    targets: Sequence[Target],
    adapters: Sequence[str] = (),
    workers: Sequence[str] = (),
    *,
    python: str | None,
    notify: Notify,
) -> list[Framework]:
    plain = [target.text for target in targets if target.here]
    elsewhere = [target for target in targets if not target.here]
    frameworks = choose(plain, adapters, workers) if plain or adapters or workers or not elsewhere else []
    for target in elsewhere:
        frameworks += _locate_elsewhere(target, python, notify)
    names = [framework.name for framework in frameworks]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{twice} is named twice; compare two versions with `nnconform upgrade OLD NEW`")
    order = [target.text for target in targets]
    # A framework of several words comes at the place of the first, one of no word at the end.
    firsts = {f.name: f.target if f.target in order else f.target.partition("+")[0] for f in frameworks}
    return sorted(frameworks, key=lambda f: order.index(firsts[f.name]) if firsts[f.name] in order else len(order))


def _locate_elsewhere(target: Target, python: str | None, notify: Notify) -> list[Framework]:
    if target.interpreter:
        return _locate_at_interpreter(target)
    frameworks = []
    for base in _bases(target):
        resolution = resolutions.resolve(_requirements_of(base, target), python=python, notify=notify)
        frameworks.append(_install(base, target, resolution, python, notify))
    return frameworks


def _install(base: Framework, target: Target, resolution: Resolution, python: str | None, notify: Notify) -> Framework:
    environment = compatible.install_compatible(resolution, base.module, python, notify)
    packages = dict(environment.packages)
    return replace(base, target=target.text, interpreter=str(environment.python), pins=packages)


def _install_pair(
    before: Target, after: Target, python: str | None, notify: Notify
) -> tuple[list[Framework], list[Framework]]:
    old_bases, new_bases = ({base.name: base for base in _bases(target)} for target in (before, after))
    common = [name for name in old_bases if name in new_bases]
    if not common:
        raise UsageError(f"{before.text} and {after.text} have no framework in common")
    first, second = [], []
    for name in common:
        old, new = _requirements_of(old_bases[name], before), _requirements_of(new_bases[name], after)
        if old == new and before.text.startswith(REQUIREMENTS):
            continue  # the files differ in other frameworks
        older, newer = resolutions.resolve_pair(old, new, python=python, notify=notify)
        if older.pins == newer.pins:
            same = ", ".join(f"{package} {older.packages.get(package, '?')}" for package in old_bases[name].packages)
            raise UsageError(
                f"{before.text} and {after.text} are the same, {same}; name versions exactly, as in jax==0.9.2"
            )
        first.append(_install(old_bases[name], before, older, python, notify))
        second.append(_install(new_bases[name], after, newer, python, notify))
    return first, second


def _locate_at_interpreter(target: Target) -> list[Framework]:
    """Return the frameworks of an interpreter, or those of them that the target names."""
    # Links are not followed: that of a virtual environment leads out of it.
    path = str(Path(target.interpreter).expanduser().absolute())
    try:
        versions = probe(path).packages
    except ProbeFailed as error:
        raise UsageError(f"{target.text}: {error}") from None

    def missing(packages: Iterable[str]) -> list[str]:
        return [package for package in packages if not versions.keys() & set(_distributions(package))]

    if lacks := missing(WORKER_NEEDS):
        raise UsageError(
            f"{target.text}: it has no {', '.join(lacks)}; install with: {path} -m pip install {' '.join(lacks)}"
        )
    for package in target.packages:
        name = next((name for name in _distributions(package.name) if name in versions), "")
        if not name or not _fits(versions[name], package):
            has = f"{name} {versions[name]}" if name else f"no {package.name}"
            raise UsageError(f"{target.text}: it has {has}; wanted {package}")
    frameworks, only = available(), _owners(target)
    for name in only:
        if lacks := missing(frameworks[name].packages):
            raise UsageError(f"{target.text}: it has no {', '.join(lacks)}")
    complete = [f for f in frameworks.values() if f.packages and f.name != "numpy" and not missing(f.packages)]
    named = [replace(frameworks[name], only=globs) for name, globs in only.items()]
    return [replace(f, target=target.text, interpreter=path) for f in named or complete or [frameworks["numpy"]]]


def _distributions(package: str) -> tuple[str, ...]:
    """Return the normalized names of the distributions that contain a package, its own first."""
    name = canonicalize_name(package)
    return name, *OTHER_NAMES.get(name, ())


def _fits(version: str, requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return False


def _bases(target: Target) -> list[Framework]:
    """Return the frameworks of a target as they are known, with the globs of implementations to run."""
    frameworks = available()
    bases = [replace(frameworks[name], only=globs) for name, globs in _owners(target).items()]
    for base in bases:
        if not base.packages:
            raise UsageError(
                f"{target.text}: the adapter of {base.name} does not list the packages that it needs; "
                f"name an interpreter that has them: {base.name}+python:PATH"
            )
    return bases


def _owners(target: Target) -> dict[str, tuple[str, ...]]:
    """Return the frameworks of a target's packages, each with the globs of implementations to run.

    Raises:
        UsageError: none of the packages is a framework.
    """
    owners: dict[str, tuple[str, ...]] = {}
    for requirement in target.packages:
        name = canonicalize_name(requirement.name)
        owner = OWNERS.get(name, name if name in available() and name != "numpy" else "")
        if owner:
            whole = name not in PARTS or owners.get(owner) == ()
            owners[owner] = () if whole else (*owners.get(owner, ()), f"{name}.*")
    if not owners and any(canonicalize_name(requirement.name) == "numpy" for requirement in target.packages):
        return {"numpy": ()}
    if not owners and target.packages:
        names = ", ".join(requirement.name for requirement in target.packages)
        raise UsageError(f"{target.text}: none of {names} is a framework{suggestion(names, [*OWNERS, 'numpy'])}")
    return owners


def _requirements_of(framework: Framework, target: Target) -> list[str]:
    """Return the requirements of a framework's environment: the user's, and any version of the other packages."""
    required: dict[str, Requirement] = {canonicalize_name(r.name): r for r in target.packages}
    needed: dict[str, str] = {}
    for package in (*framework.packages, *WORKER_NEEDS):
        names = _distributions(package)
        needed[names[0]] = next((str(required[name]) for name in names if name in required), package)
    # Of the other packages, those of this framework (jaxlib) and of none are wanted, those of another are not.
    extra = [str(r) for name, r in required.items() if OWNERS.get(name, framework.name) == framework.name]
    return list(dict.fromkeys([*needed.values(), *extra]))
