"""Environments whose packages work together, which their declared requirements do not ensure."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nnconform.conformance.running.worker import Launch, Worker, WorkerFailed, stage

from . import environments, resolutions
from .environments import Environment, explain_os_errors
from .resolutions import Resolution
from .subprocesses import EnvironmentFailed, Notify


def install_compatible(resolution: Resolution, adapter: str, python: str | None, notify: Notify) -> Environment:
    """Return an environment in which the worker of an adapter starts.

    If it does not start with the packages of the resolution, those that the user did not name are taken from the
    release date of those that the user named: an old version cannot know that a later companion breaks it.

    Args:
        resolution: its packages.
        adapter: the adapter's module.
        python: as for ``resolve``.
        notify: called with a line before a step that takes time.

    Raises:
        EnvironmentFailed: it cannot be installed, or the worker starts with neither.
    """
    environment = environments.install(resolution, notify=notify)
    failure = worker_failure(environment, adapter)
    if failure is not None:
        notify(f"{environment.title}: the worker does not start: {failure}")
        older = resolutions.resolve_as_of_release(resolution, python=python, notify=notify)
        if older is not None:
            environment = environments.install(older, notify=notify)
            failure = worker_failure(environment, adapter)
    if failure is not None:
        raise EnvironmentFailed(
            f"{environment.title}: the worker does not start: {failure}; name versions that belong together, "
            "such as flax==0.10.7+jax==0.6.2",
            failure.printed,
        )
    return environment


def worker_failure(environment: Environment, adapter: str) -> WorkerFailed | None:
    """Start the worker of an adapter in an environment, unless it did before, and return the failure."""
    success = environment.folder / f"started.{adapter}"
    if success.exists():
        return None
    with tempfile.TemporaryDirectory(prefix="nnconform-") as folder:
        stage(Path(folder))
        try:
            worker = Worker(Launch(adapter, str(environment.python)), Path(folder))
        except WorkerFailed as failure:
            return failure
        try:
            worker.start()
        except WorkerFailed as failure:
            return failure
        finally:
            worker.stop()
    with explain_os_errors(success):
        success.touch()
    return None
