"""The packages of a framework's environment: their versions, and those that a comparison is about."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.utils import canonicalize_name

from nnconform.conformance.environments.targets import REQUIREMENTS, parse
from nnconform.conformance.model.report import FrameworkEntry
from nnconform.conformance.running.frameworks import OTHER_NAMES, UsageError


def requested(entry: FrameworkEntry) -> tuple[str, ...]:
    """Return the packages in a framework's target, canonical; none for a target that names no package."""
    if entry.target.startswith(REQUIREMENTS):  # the file may be gone, or be another by now
        return ()
    try:
        return tuple(canonicalize_name(requirement.name) for requirement in parse(entry.target).packages)
    except UsageError:  # a command line that starts a worker, the name of an adapter's file
        return ()


def versions(entry: FrameworkEntry) -> dict[str, str]:
    """Return the known versions of all packages by canonical name, the framework's own first."""
    return {canonicalize_name(name): version for name, version in {**entry.versions, **entry.packages}.items()}


def examined(old: FrameworkEntry, new: FrameworkEntry) -> list[str]:
    """Return the packages that the comparison is about, those of the new side first.

    They are the packages of the targets. If none of these is installed, they are those that the adapter needs, or the
    framework's own alone if a target names another.
    """
    installed = {*versions(new), *versions(old)}
    names = [*dict.fromkeys([*requested(new), *requested(old)])]
    if own := [name for name in names if name in installed]:
        return own
    needed: list[str] = [canonicalize_name(name) for name in dict.fromkeys([*new.versions, *old.versions])]
    return needed[:1] if names else needed


def with_aliases(packages: Iterable[str]) -> set[str]:
    """Return packages with the other names of their distributions: tensorflow-cpu is tensorflow."""
    result = set(packages)
    for name, others in OTHER_NAMES.items():
        family = {name, *others}
        if family & result:
            result |= family
    return result
