"""Python and uv are found, or explained if they are missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nnconform.conformance.environments import interpreters, subprocesses
from nnconform.conformance.environments.interpreters import find_interpreter
from nnconform.conformance.environments.subprocesses import EnvironmentFailed


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def fake_python(path, version):
    return script(path, f"""echo '["{version}", "linux-x86_64 cpython", {{}}]'""")


def test_a_version_of_pyenv_is_found_although_uv_fails_at_its_shim(fake, tmp_path, monkeypatch):
    for version in ("3.7.16", "3.77.1"):
        fake_python(tmp_path / f"versions/{version}/bin/python", version)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert find_interpreter("3.77").path == str(tmp_path / "versions/3.77.1/bin/python")


def test_a_python_that_is_not_found_is_explained(fake, tmp_path, monkeypatch):
    fake_python(tmp_path / "versions/3.77.1/bin/python", "3.77.1")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    with pytest.raises(EnvironmentFailed, match=r"Python 3\.7: none found .* give an interpreter's path") as failure:
        find_interpreter("3.7")
    assert failure.value.output == "No interpreter found"


def test_a_python_may_be_a_path(tmp_path):
    path = Path(sys.executable).resolve()
    assert find_interpreter(str(path)).path == str(path)
    with pytest.raises(EnvironmentFailed, match="none found"):
        find_interpreter(str(tmp_path / "nowhere"))


def test_a_python_that_does_not_run_or_is_too_old_is_refused(tmp_path):
    with pytest.raises(interpreters.ProbeFailed, match="no Python that runs: not here"):
        interpreters.probe(str(script(tmp_path / "broken", "echo not here >&2; exit 127")))
    with pytest.raises(interpreters.ProbeFailed, match=r"it is Python 3\.9\.18; wanted 3\.10 or later"):
        interpreters.probe(str(fake_python(tmp_path / "python", "3.9.18")))


@pytest.mark.parametrize("unusable", ["exit 127", "echo uv 0.7.22"])
def test_a_uv_that_does_not_run_or_is_too_old_is_named_with_the_command_that_installs_one(
    tmp_path, monkeypatch, unusable
):
    path = script(tmp_path / "uv", unusable)
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFailed, match=rf"\({path} is older or does not run\); .*pip install -c"):
        subprocesses.find_uv()
    script(path, "echo uv 0.8.0")
    assert subprocesses.find_uv() == str(path)


def test_a_missing_uv_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        EnvironmentFailed, match=r'uv 0\.8 or later; install with: pip install -c constraints\.txt "\.\[envs\]"'
    ):
        subprocesses.find_uv()
