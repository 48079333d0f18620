"""The frameworks: names, adapters and packages, and their installation, without importing any."""

from __future__ import annotations

import difflib
import importlib.metadata
import os
import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nnconform.conformance.words import install_command

GROUP = "nnconform.adapters"


class UsageError(Exception):
    """Wrong usage; the message names the problem and the next step (exit status 2)."""


@dataclass(frozen=True)
class Framework:
    """A framework that can be run.

    Attributes:
        name: on the command line.
        module: the adapter, a dotted name or a path.
        packages: distributions that must be installed, the framework's own first.
        extra: of nnconform that installs them; "" if there is none.
        only: globs of the implementations to run, if the user named a package of a framework; empty for all.
        target: as the user named it, ``jax==0.9.2``; "" for its name.
        interpreter: the Python that has it; "" for this one.
        pins: versions of all packages of its environment.
        command: a worker in any language; empty for the adapters' worker.
        side: of a comparison, ``old`` or ``new``; "" outside one.
    """

    name: str
    module: str
    packages: tuple[str, ...] = ()
    extra: str = ""
    only: tuple[str, ...] = ()
    target: str = ""
    interpreter: str = ""
    pins: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    side: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that are not installed, unless another interpreter has the framework."""
        return () if self.interpreter else tuple(name for name in self.packages if not installed(name))

    @property
    def install(self) -> str:
        """The command that installs the missing packages."""
        return install_command(self.extra) if self.extra else f"pip install {' '.join(self.missing)}"


BUILT_IN = (
    Framework("torch", "nnconform.adapters.torch", ("torch",), "torch"),
    Framework("tensorflow", "nnconform.adapters.tensorflow", ("tensorflow", "keras"), "tensorflow"),
    Framework("jax", "nnconform.adapters.jax", ("jax", "flax", "optax"), "jax"),
    Framework("numpy", "nnconform.adapters.numpy", ("numpy",)),
)
# Packages that an adapter covers and users can name; their implementations begin with these names.
PARTS = {"keras": "tensorflow", "flax": "jax", "optax": "jax"}
# Distributions that bring a package under another name.
OTHER_NAMES = {"tensorflow": ("tensorflow-cpu", "tensorflow-macos", "tf-nightly")}


def installed(package: str) -> bool:
    """Check for an installed distribution with this name, or with another name of the same package."""
    for name in (package, *OTHER_NAMES.get(package, ())):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        return True
    return False


def available() -> dict[str, Framework]:
    """Return the frameworks by name, including those of third-party entry points."""
    frameworks = {framework.name: framework for framework in BUILT_IN}
    for entry in importlib.metadata.entry_points(group=GROUP):
        frameworks.setdefault(entry.name, Framework(entry.name, entry.value.partition(":")[0]))
    return frameworks


def suggestion(word: str, words: Iterable[str]) -> str:
    """Return the end of an error message: the nearest words, or all of them if they are few."""
    choices = sorted(set(words))
    near = difflib.get_close_matches(word, choices, n=3, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; choose from {', '.join(choices)}" if len(choices) <= 24 else ""


def check_installed(frameworks: Iterable[Framework]) -> None:
    """Check that no package of these frameworks is missing.

    Raises:
        UsageError: a package is missing.
    """
    for framework in frameworks:
        if framework.missing:
            packages = ", ".join(framework.missing)
            raise UsageError(f"{framework.name}: {packages} not installed; install with: {framework.install}")


def choose(names: Iterable[str], adapters: Iterable[str] = (), workers: Iterable[str] = ()) -> list[Framework]:
    """Return the frameworks to run.

    Args:
        names: from the user; without any, all that are installed, or the NumPy control if none is.
        adapters: modules or paths of further adapters.
        workers: command lines of workers in any language.

    Raises:
        UsageError: a name is unknown, or an adapter's path or a worker's program does not exist.
    """
    frameworks = available()
    extra = [*(_adapter(module) for module in adapters), *(_worker(command) for command in workers)]
    selected: dict[str, Framework] = {}
    for name in dict.fromkeys(names):
        parent = PARTS.get(name, name)
        if parent not in frameworks:
            raise UsageError(f"unknown framework {name!r}{suggestion(name, [*frameworks, *PARTS])}")
        before = selected.get(parent)
        # A framework's own name means all of it, even if some of its packages are named too.
        whole = parent == name or (before is not None and not before.only)
        only = () if whole else (*(before.only if before else ()), f"{name}.*")
        target = name if before is None else f"{before.target}+{name}"
        selected[parent] = replace(frameworks[parent], only=only, target=target)
    if not selected and not extra:
        others = [f for f in frameworks.values() if f.name != "numpy"]
        return others if any(not f.missing for f in others) else [*others, frameworks["numpy"]]
    everything = [*selected.values(), *extra]
    all_names = [framework.name for framework in everything]
    for name in all_names:
        if all_names.count(name) > 1:
            raise UsageError(f"two adapters have the name {name}; rename one of them")
    return everything


def _worker(command: str) -> Framework:
    """Return the framework of a command line, with absolute paths of the files that it names."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--worker {command}: {error}") from None
    if not words or (program := shutil.which(words[0])) is None:
        raise UsageError(f"--worker {command}: no such program; expected a command line such as 'node worker.mjs'")
    # Without following links: those of a virtual environment lead out of it.
    words = [os.path.abspath(program), *(os.path.abspath(w) if os.path.isfile(w) else w for w in words[1:])]
    return Framework(Path(words[-1]).stem, command, command=tuple(words), target=command)


def _adapter(module: str) -> Framework:
    path = Path(module)
    if module.endswith(".py"):
        if not path.is_file():
            raise UsageError(f"--adapter {module}: no such file")
        return Framework(path.stem, str(path.resolve()), target=module)
    if "/" in module:
        raise UsageError(f"--adapter {module}: expected a dotted module name or the path of a .py file")
    return Framework(module.rpartition(".")[2], module, target=module)
