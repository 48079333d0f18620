"""Environments for other versions: installed once by uv, whole or absent, and explained if they fail."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnconform.conformance.commands.envs import command
from nnconform.conformance.environments import environments
from nnconform.conformance.environments.environments import install, list_environments, prune
from nnconform.conformance.environments.interpreters import find_interpreter
from nnconform.conformance.environments.resolutions import resolve
from nnconform.conformance.environments.subprocesses import EnvironmentFailed

REQUIRED = ["numpy==2.3.0", "ml_dtypes"]
PYTHON = find_interpreter(None).version


def release():
    """End the use of all environments by this process, so that they can be pruned."""
    environments._IN_USE.close()


def test_an_environment_is_installed_once(fake, messages):
    first = install(resolve(REQUIRED), notify=messages.append)
    second = install(resolve(REQUIRED), notify=messages.append)
    assert second == replace(first, used=second.used)
    (line,) = messages
    assert line.startswith(f"making the environment numpy 2.3.0, ml-dtypes 1.0 on Python {PYTHON} (first time")
    assert len(fake.calls("venv")) == 1


@pytest.mark.parametrize("behaviour", ["venv fails", "install fails", "elsewhere"])
def test_a_failure_leaves_nothing_and_can_be_tried_again(fake, monkeypatch, behaviour):
    resolution = resolve(REQUIRED)
    monkeypatch.setenv("NNCONFORM_FAKE_UV", behaviour)
    with pytest.raises(EnvironmentFailed, match=r"^numpy 2\.3\.0, ml-dtypes 1\.0 on Python .* cannot be made: "):
        install(resolution)
    assert list_environments() == []
    monkeypatch.delenv("NNCONFORM_FAKE_UV")
    assert install(resolution).whole


def test_packages_that_are_installed_elsewhere_are_missed(fake, monkeypatch):
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "elsewhere")
    with pytest.raises(EnvironmentFailed, match=r"installed ml-dtypes, numpy elsewhere .* uv\.toml"):
        install(resolve(REQUIRED))


def test_the_end_of_the_output_of_uv_is_reported(fake, monkeypatch):
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "install fails")
    with pytest.raises(EnvironmentFailed) as failure:
        install(resolve(REQUIRED))
    assert failure.value.output == "no such thing, said the fake uv"


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "{}", '{"format": 2, "color": "red"}'])
def test_an_environment_with_a_damaged_marker_is_not_whole(fake, text):
    (install(resolve(REQUIRED)).folder / "nnconform.json").write_text(text)
    [environment] = list_environments()
    assert not environment.whole


@pytest.mark.parametrize("lost", ["nnconform.json", "bin/python"])
def test_an_environment_that_is_not_whole_is_installed_again(fake, lost):
    (install(resolve(REQUIRED)).folder / lost).unlink()
    release()
    assert install(resolve(REQUIRED)).whole
    assert len(fake.calls("venv")) == 2


def test_a_broken_environment_that_is_in_use_is_not_replaced(fake, monkeypatch):
    monkeypatch.setattr(environments, "ATTEMPTS", 2)
    (install(resolve(REQUIRED)).folder / "nnconform.json").unlink()
    with pytest.raises(EnvironmentFailed, match="it is broken and another process uses it; end that run"):
        install(resolve(REQUIRED))


def start_installing(fake, behaviour):
    """Start a process that installs an environment, and return it when its uv is at work."""
    code = f"""
        from nnconform.conformance.environments import environments, resolutions, subprocesses
        subprocesses.find_uv = lambda: {str(fake.path)!r}
        environments.install(resolutions.resolve({REQUIRED!r}))
    """
    words = [sys.executable, "-c", textwrap.dedent(code)]
    process = subprocess.Popen(words, env=os.environ | {"NNCONFORM_FAKE_UV": behaviour}, stderr=subprocess.DEVNULL)
    wait_until(lambda: (fake.folder / "waiting").exists() or process.poll() is not None)
    return process


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_processes_may_install_the_same_environment_at_once(fake):
    process = start_installing(fake, "waits")
    environment = install(resolve(REQUIRED))
    assert environment.whole
    (fake.folder / "go").touch()
    assert process.wait(timeout=30) == 0
    assert [each.folder for each in list_environments()] == [environment.folder]


def test_an_interrupt_ends_uv_with_its_children_and_leaves_nothing(fake):
    process = start_installing(fake, "waits with a child")
    process.send_signal(signal.SIGINT)
    process.wait()
    assert list_environments() == []
    child = int((fake.folder / "child").read_text())
    wait_until(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text())


def test_an_environment_of_a_killed_process_is_never_taken_for_whole(fake):
    process = start_installing(fake, "waits")
    assert prune(unused_days=None) == []
    process.kill()
    process.wait()
    (left,) = list_environments()
    assert not left.whole
    # Its uv lives on, in a folder that nobody uses.
    environment = install(resolve(REQUIRED))
    assert [each.key for each in prune(unused_days=30)] == [left.key]
    (fake.folder / "go").touch()
    assert [each.folder for each in list_environments()] == [environment.folder]


def test_an_environment_in_use_is_not_pruned(fake):
    environment = install(resolve(REQUIRED))
    assert prune(unused_days=None) == []
    release()
    assert [removed.key for removed in prune(unused_days=None)] == [environment.key]
    assert not environment.folder.exists()


def test_an_environment_is_not_used_while_another_process_removes_it(fake):
    environment = install(resolve(REQUIRED))
    release()
    with environments._lock(environment.folder, fcntl.LOCK_EX):
        assert environments._use(environment.folder) is None
    assert environments._use(environment.folder) is not None


def test_prune_removes_the_broken_and_the_long_unused(fake):
    installed = [install(resolve([f"numpy==2.3.{patch}"])) for patch in range(3)]
    release()
    for environment, days in zip(installed, (0, 5, 0), strict=True):
        then = time.time() - days * 86400
        os.utime(environment.folder / "nnconform.json", (then, then))
    (installed[2].folder / "nnconform.json").unlink()
    assert {removed.key for removed in prune(unused_days=3)} == {installed[1].key, installed[2].key}
    assert [environment.key for environment in list_environments()] == [installed[0].key]


def test_prune_leaves_an_empty_cache(fake, tmp_path):
    install(resolve(REQUIRED))
    release()
    prune(unused_days=None)
    assert list((tmp_path / "cache/nnconform/envs").iterdir()) == []


def test_a_cache_that_cannot_be_written_to_is_named(fake, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(EnvironmentFailed, match=r"environments cannot be kept here: .* set XDG_CACHE_HOME"):
        install(resolve(REQUIRED))


def envs(*words):
    return CliRunner().invoke(command, words, catch_exceptions=False)


def test_envs_lists_and_prunes(fake, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    installed = install(resolve(REQUIRED))
    release()
    (installed.folder.parent / ("0" * 16)).mkdir()
    head, whole, broken, *total = envs().stdout.splitlines()
    assert head.split() == ["key", "python", "packages", "size", "last", "used"]
    assert whole.startswith(f"{installed.key}  {PYTHON}  numpy 2.3.0, ml-dtypes 1.0 ")
    assert broken.startswith("0000000000000000  -       incomplete")
    assert " ".join(total).startswith("2 environments in ")
    assert "removed 1 environment," in envs("prune").stdout
    assert "removed 1 environment," in envs("prune", "--all").stdout
    assert " ".join(envs().stdout.split()).startswith("no environments in ")


def test_envs_wraps_the_packages_if_there_is_little_room(fake, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    install(resolve(REQUIRED))
    table = envs().stdout.partition("1 environment")[0].splitlines()
    assert max(map(len, table)) <= 70
    assert "  numpy 2.3.0,  " in table[1]
    assert table[2].split() == ["ml-dtypes", "1.0"]


def test_envs_prune_takes_days_or_all(fake):
    result = envs("prune", "--all", "--unused-for", "3")
    assert "--all and --unused-for exclude each other" in result.stderr
    assert result.exit_code == 2


# The following tests install real environments from the package index.


def version_in(environment, package="numpy"):
    words = [environment.python, "-I", "-c", f"import ml_dtypes, {package}; print({package}.__version__)"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def test_uv_installs_an_environment_with_the_required_version_once(messages):
    environment = install(resolve(REQUIRED))
    assert version_in(environment) == "2.3.0"
    assert install(resolve(REQUIRED), notify=messages.append).folder == environment.folder
    assert messages == []


def test_an_old_version_runs_on_an_old_python_or_the_lack_of_one_is_explained():
    required = ["numpy==1.22.4", "ml_dtypes"]
    try:
        find_interpreter("3.10")
    except EnvironmentFailed:
        with pytest.raises(EnvironmentFailed, match=r"Python 3\.10: none found .* give an interpreter's path"):
            resolve(required, python="3.10")
        return
    environment = install(resolve(required, python="3.10"))
    assert version_in(environment) == "1.22.4"
    assert environment.python_version.startswith("3.10.")
