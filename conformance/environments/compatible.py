"""Environments whose packages go together, which their own statements of what they need do not ensure."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nnconform.conformance.running.worker import Launch, Worker, WorkerFailed, stage

from . import environments
from .environments import Environment, EnvironmentFailed, Resolution
from .resolutions import Tell, explained, read, write

# Said by an environment of itself, beside the marker that it is whole.
STARTED = "started.json"


def make_fitting(resolution: Resolution, adapter: str, python: str | None, tell: Tell) -> Environment:
    """Return an environment in which the worker of an adapter starts.

    Where that of the resolution is none, what is not named is taken as it was when what is named was released: an old
    version cannot know that a later one of its neighbours will break it.

    Args:
        resolution: what the environment is to hold.
        adapter: the module of the adapter.
        python: as for ``resolve``.
        tell: called with a line about what takes long.

    Raises:
        EnvironmentFailed: there is no such environment; the message says what to name beside.
    """
    made = environments.make(resolution, tell=tell)
    if (failure := failure_of(made, adapter)) is None:
        return made
    tell(f"{_title(made)}: the worker does not start: {failure}")
    older = environments.resolve_of_its_time(resolution.requirements, python=python, tell=tell)
    if older is not None:
        made = environments.make(older, tell=tell)
        if (failure := failure_of(made, adapter)) is None:
            return made
    raise EnvironmentFailed(
        f"{_title(made)}: the worker does not start: {failure}; name versions that belong together, "
        "such as flax==0.10.7+jax==0.6.2",
        failure.printed,
    )


def _title(made: Environment) -> str:
    return ", ".join(f"{name} {version}" for name, version in made.named.items())


def failure_of(made: Environment, adapter: str) -> WorkerFailed | None:
    """Return why the worker of an adapter does not start in an environment, or None; once it has, it is believed to."""
    path = made.folder / STARTED
    known = (read(path) or {}).get("adapters", [])
    if adapter in known:
        return None
    with tempfile.TemporaryDirectory(prefix="nnconform-") as folder:
        stage(Path(folder))
        try:
            worker = Worker(Launch(adapter, str(made.python)), Path(folder))
        except WorkerFailed as failure:
            return failure
        try:
            worker.start()
        except WorkerFailed as failure:
            return failure
        finally:
            worker.stop()
    with explained(path):
        write(path, {"adapters": [*known, adapter]})
    return None
