"""Which frameworks there are, what each needs, and whether it is installed: without importing any."""

from __future__ import annotations

import difflib
import importlib.metadata
import os
import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

GROUP = "nnconform.adapters"


class UsageError(Exception):
    """The user asked for something that does not exist; the message says what was wanted (exit status 2)."""


@dataclass(frozen=True)
class Framework:
    """A framework that can be run.

    Attributes:
        name: on the command line.
        module: the adapter, a dotted name or a path.
        packages: distributions that must be installed, the framework's own first.
        extra: what installs them, an extra of nnconform; "" where that is the user's business.
        only: globs of the implementations to run, where a package of a framework was named; empty for all.
        target: how the user named it and where it lives, ``jax==0.9.2``; "" for its name.
        interpreter: the Python that has it; "" for this one.
        pins: versions of all that an environment made for it has.
        command: a worker of its own, in whatever language; empty for the one of the adapters.
        side: of a comparison, ``old`` or ``new``; "" where nothing is compared.
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
        """Those of ``packages`` that are not installed here, where the framework is to be had here."""
        return () if self.interpreter else tuple(name for name in self.packages if not installed(name))

    @property
    def install(self) -> str:
        """The command that installs what is missing."""
        return f'pip install "nnconform[{self.extra}]"' if self.extra else f"pip install {' '.join(self.missing)}"


BUILT_IN = (
    Framework("torch", "nnconform.adapters.torch", ("torch",), "torch"),
    Framework("tensorflow", "nnconform.adapters.tensorflow", ("tensorflow", "keras"), "tensorflow"),
    Framework("jax", "nnconform.adapters.jax", ("jax", "flax", "optax"), "jax"),
    Framework("numpy", "nnconform.adapters.numpy", ("numpy",)),
)
# The packages that an adapter provides, which can be named too: their implementations begin so.
PARTS = {"keras": "tensorflow", "flax": "jax", "optax": "jax"}
# Distributions that bring a package under another name.
OTHER_NAMES = {"tensorflow": ("tensorflow-cpu", "tensorflow-macos", "tf-nightly")}


def installed(package: str) -> bool:
    """Say whether a distribution of this name, or one that stands for it, is installed."""
    for name in (package, *OTHER_NAMES.get(package, ())):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        return True
    return False


def available() -> dict[str, Framework]:
    """Return every framework that can be named, those of third-party entry points included."""
    found = {framework.name: framework for framework in BUILT_IN}
    for entry in importlib.metadata.entry_points(group=GROUP):
        found.setdefault(entry.name, Framework(entry.name, entry.value.partition(":")[0]))
    return found


def suggestion(word: str, words: Iterable[str]) -> str:
    """Return the end of an error message: the nearest word, or all of them when they are few."""
    known = sorted(set(words))
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; there are {', '.join(known)}" if len(known) <= 24 else ""


def choose(names: Iterable[str], adapters: Iterable[str] = (), workers: Iterable[str] = ()) -> list[Framework]:
    """Return the frameworks to run.

    Args:
        names: as given by the user; none means every installed one, or the numpy control if there is none.
        adapters: modules or paths of further adapters.
        workers: command lines of workers of their own.

    Raises:
        UsageError: a name is unknown, or an adapter's path or a worker's program does not exist.
    """
    known = available()
    extra = [*(_adapter(module) for module in adapters), *(_worker(command) for command in workers)]
    chosen: dict[str, Framework] = {}
    for name in dict.fromkeys(names):
        parent = PARTS.get(name, name)
        if parent not in known:
            raise UsageError(f"unknown framework {name!r}{suggestion(name, [*known, *PARTS])}")
        before = chosen.get(parent)
        # A framework's own name takes all of it, whatever parts are named beside.
        whole = parent == name or (before is not None and not before.only)
        only = () if whole else (*(before.only if before else ()), f"{name}.*")
        target = name if before is None else f"{before.target}+{name}"
        chosen[parent] = replace(known[parent], only=only, target=target)
    if not chosen and not extra:
        others = [f for f in known.values() if f.name != "numpy"]
        return others if any(not f.missing for f in others) else [*others, known["numpy"]]
    everything = [*chosen.values(), *extra]
    names_given = [framework.name for framework in everything]
    for name in names_given:
        if names_given.count(name) > 1:
            raise UsageError(f"two adapters are named {name}; give one of them another name")
    return everything


def _worker(command: str) -> Framework:
    """Return the framework behind a command line; files that it names are found wherever the worker is started."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--worker {command}: {error}") from None
    if not words or (program := shutil.which(words[0])) is None:
        raise UsageError(f"--worker {command}: no such program; wanted a command line, such as 'node worker.mjs'")
    # As they stand: to follow a virtual environment's link would lead out of it.
    words = [os.path.abspath(program), *(os.path.abspath(w) if os.path.isfile(w) else w for w in words[1:])]
    return Framework(Path(words[-1]).stem, command, command=tuple(words), target=command)


def _adapter(module: str) -> Framework:
    path = Path(module)
    if module.endswith(".py"):
        if not path.is_file():
            raise UsageError(f"--adapter {module}: no such file")
        return Framework(path.stem, str(path.resolve()), target=module)
    if "/" in module:
        raise UsageError(f"--adapter {module}: wanted a dotted module name or the path of a .py file")
    return Framework(module.rpartition(".")[2], module, target=module)
