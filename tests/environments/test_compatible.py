"""Environments in which the worker starts, with packages of the release date if it does not."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from nnconform.conformance.environments import compatible, environments, resolutions
from nnconform.conformance.environments.environments import Environment
from nnconform.conformance.environments.interpreters import Interpreter
from nnconform.conformance.environments.resolutions import Resolution
from nnconform.conformance.environments.subprocesses import EnvironmentFailed, ignore

HERE = Interpreter(sys.executable, "3.11.7", "here")


@pytest.fixture
def starts(monkeypatch, tmp_path):
    """Whether the worker starts, for each installed environment in turn."""
    starts: list[bool] = []

    def install(resolution, *, notify):
        return Environment(tmp_path / resolution.key, "jax 1, flax 2")

    failure = compatible.WorkerFailed("cannot import name 'x' from 'jax'")
    monkeypatch.setattr(environments, "install", install)
    monkeypatch.setattr(compatible, "worker_failure", lambda *_: None if starts.pop(0) else failure)
    return starts


NOW = Resolution(("jax", "flax==2"), {"jax": "1"}, HERE)


def test_if_a_worker_does_not_start_the_other_packages_are_those_of_the_release_date(starts, monkeypatch):
    starts += [False, True]
    then = Resolution(("jax", "flax==2"), {"jax": "0"}, HERE)
    monkeypatch.setattr(resolutions, "resolve_as_of_release", lambda *_, **__: then)
    assert compatible.install_compatible(NOW, "nnconform.adapters.jax", None, ignore).key == then.key


def test_if_no_packages_fit_the_message_says_what_to_name(starts, monkeypatch):
    starts += [False, False]
    monkeypatch.setattr(resolutions, "resolve_as_of_release", lambda *_, **__: NOW)
    with pytest.raises(
        EnvironmentFailed, match=r"cannot import name 'x' from 'jax'; name versions that belong together"
    ):
        compatible.install_compatible(NOW, "nnconform.adapters.jax", None, ignore)


def test_an_environment_whose_worker_started_once_is_not_tried_again(tmp_path, monkeypatch):
    here = Environment(tmp_path / "env")
    (here.folder / "bin").mkdir(parents=True)
    here.python.symlink_to(sys.executable)
    monkeypatch.setenv("PYTHONPATH", "")
    assert compatible.worker_failure(here, "nnconform.adapters.no_such_adapter") is not None
    (here.folder / "started.nnconform.adapters.no_such_adapter").touch()
    assert compatible.worker_failure(here, "nnconform.adapters.no_such_adapter") is None


def test_a_worker_whose_program_cannot_be_started_does_not_start(tmp_path):
    failure = compatible.worker_failure(Environment(tmp_path), "nnconform.adapters.numpy")
    assert "cannot be started" in str(failure)


def test_an_environment_that_cannot_be_written_to_is_explained(tmp_path, monkeypatch):
    here = Environment(tmp_path / "env")
    (here.folder / "bin").mkdir(parents=True)
    here.python.symlink_to(sys.executable)
    monkeypatch.setattr(compatible.Worker, "start", lambda _: None)

    def fail(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "touch", fail)
    with pytest.raises(EnvironmentFailed, match=r"started\.nnconform\.adapters.*: .* No space left .* XDG_CACHE_HOME"):
        compatible.worker_failure(here, "nnconform.adapters.numpy")
