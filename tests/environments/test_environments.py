"""Environments for other versions: installed once by uv, whole or absent, and explained if they fail."""

from __future__ import annotations

import fcntl
import json
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
from nnconform.conformance.environments import environments, interpreters, subprocesses
from nnconform.conformance.environments.environments import install, list_environments, prune
from nnconform.conformance.environments.interpreters import find_interpreter
from nnconform.conformance.environments.resolutions import resolve, resolve_as_of_release, resolve_pair
from nnconform.conformance.environments.subprocesses import EnvironmentFailed

REQUIRED = ["numpy==2.3.0", "ml_dtypes"]
FAKE_UV = '''\
#!{python} -IS
"""Act as uv would, as NNCONFORM_FAKE_UV says, without a network. Every call is noted next to this file."""
import json, os, pathlib, subprocess, sys, time
words, behaviour = sys.argv[1:], os.environ.get("NNCONFORM_FAKE_UV", "works")
here = pathlib.Path(__file__).parent
what = next(w for w in words if w in ("compile", "venv", "install", "--version", "find"))
output = pathlib.Path(words[words.index("--output-file") + 1]) if what == "compile" else None
with open(here / "calls", "a") as calls:
    variables = {{k: v for k, v in os.environ.items() if k.startswith("UV_")}}
    preferences = output.read_text() if output and output.exists() else ""
    call = {{"what": what, "words": words, "variables": variables, "preferences": preferences}}
    calls.write(json.dumps(call) + "\\n")
if behaviour == what + " fails":
    sys.exit("no such thing, said the fake uv")
if behaviour == "unreachable" or (behaviour == "offline" and "--offline" not in words):
    sys.exit("error: Failed to fetch\\n  cause: error sending request for url")
if what == "--version":
    print("uv 0.13.9")
elif what == "compile":
    lock = ""
    for line in open(words[-1]):
        name, _, version = line.strip().replace("_", "-").partition("==")
        file = "{{ upload-time = 2025-06-07T14:51:53Z }}"
        lock += f'[[packages]]\\nname = "{{name}}"\\nversion = "{{version or 1.0}}"\\nwheels = [{{file}}]\\n'
    output.write_text(lock)
elif what == "venv":
    base, folder = words[-2:]
    python = pathlib.Path(folder, "bin", "python")
    python.parent.mkdir(parents=True)
    python.symlink_to(os.path.realpath(base))
    pathlib.Path(folder, "pyvenv.cfg").write_text(
        f"home = {{os.path.dirname(os.path.realpath(base))}}\\ninclude-system-site-packages = false\\n"
    )
elif what == "install":
    python = pathlib.Path(words[words.index("--python") + 1])
    if behaviour == "waits with a child":
        subprocess.Popen(["sh", "-c", f"trap '' INT; echo $$ > {{here}}/child; sleep 300"])
    while behaviour.startswith("waits") and not (here / "go").exists():
        (here / "waiting").touch()
        time.sleep(0.02)
    pins = [word.split("==") for word in words if "==" in word]
    for name, version in pins if behaviour != "elsewhere" else ():
        site = f"lib/python{{sys.version_info[0]}}.{{sys.version_info[1]}}/site-packages"
        info = python.parent.parent / site / f"{{name.replace('-', '_')}}-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {{name}}\\nVersion: {{version}}\\n")
elif what == "find":
    sys.exit("No interpreter found")
'''


class FakeUv:
    """A script in place of uv, and the calls of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "uv"
        self.path.write_text(FAKE_UV.format(python=sys.executable))
        self.path.chmod(0o755)

    def calls(self, what: str) -> list[dict]:
        calls = self.folder / "calls"
        lines = calls.read_text().splitlines() if calls.exists() else ()
        return [call for call in map(json.loads, lines) if call["what"] == what]


@pytest.fixture
def fake(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "fake").mkdir()
    uv = FakeUv(tmp_path / "fake")
    for module in (subprocesses, interpreters):
        monkeypatch.setattr(module, "find_uv", lambda: str(uv.path))
    yield uv
    release()


def release():
    """End the use of all environments by this process, so that they can be pruned."""
    environments._IN_USE.close()


@pytest.fixture
def messages():
    return []


# Resolving.


def test_a_resolution_has_the_version_of_every_package(fake, messages):
    resolution = resolve(REQUIRED, notify=messages.append)
    assert resolution.packages == {"ml-dtypes": "1.0", "numpy": "2.3.0"}
    assert messages == [f"resolving numpy==2.3.0, ml_dtypes for Python {PYTHON}"]


def test_without_a_network_the_cache_of_uv_is_used_with_a_message(fake, monkeypatch, messages):
    online = resolve(REQUIRED)
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "offline")
    assert resolve(REQUIRED, notify=messages.append) == online
    assert "cannot be reached, so uv uses its cache" in messages[-1]


def test_without_a_network_or_a_cache_the_network_is_named(fake, monkeypatch):
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "unreachable")
    with pytest.raises(EnvironmentFailed, match="cannot be reached: check the network, the proxy"):
        resolve(REQUIRED)


def test_versions_that_cannot_be_resolved_are_explained_with_the_output_of_uv(fake, monkeypatch):
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "compile fails")
    with pytest.raises(
        EnvironmentFailed, match=r"numpy==2\.3\.0, ml_dtypes: cannot be .*--python.*UV_INDEX"
    ) as failure:
        resolve(REQUIRED)
    assert failure.value.printed == "no such thing, said the fake uv"


def test_a_key_depends_on_packages_python_and_platform_alone(fake):
    one = resolve(REQUIRED)
    assert resolve([*reversed(REQUIRED)]).key == one.key
    here = one.interpreter
    others = [
        replace(one, packages={"numpy": "2.3.0"}),
        replace(one, interpreter=replace(here, version="3.12.1")),
        replace(one, interpreter=replace(here, platform="macosx-11.0-arm64 cpython-311-darwin")),
    ]
    assert one.key not in {other.key for other in others}


def test_settings_of_the_user_reach_uv_and_no_python_is_downloaded(fake, monkeypatch):
    monkeypatch.delenv("UV_PYTHON_DOWNLOADS", raising=False)
    monkeypatch.setenv("UV_FIND_LINKS", "wheels")
    resolve(REQUIRED)
    variables = fake.calls("compile")[0]["variables"]
    assert (variables["UV_FIND_LINKS"], variables["UV_PYTHON_DOWNLOADS"]) == ("wheels", "never")


def test_settings_of_the_user_may_allow_that_a_python_is_downloaded(fake, monkeypatch):
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "manual")
    resolve(REQUIRED)
    assert fake.calls("compile")[0]["variables"]["UV_PYTHON_DOWNLOADS"] == "manual"


def test_the_sides_of_a_pair_share_what_is_not_compared(fake):
    old, new = resolve_pair(["jax==0.9.2", "flax"], ["jax==0.10.2", "flax"])
    first, second, third = fake.calls("compile")
    assert first["preferences"] == ""
    assert [call["preferences"] for call in (second, third)] == [new.lock, old.lock]
    for call in (second, third):
        assert call["words"][call["words"].index("--upgrade-package") + 1] == "jax"
    assert (old.packages["jax"], new.packages["jax"]) == ("0.9.2", "0.10.2")


def test_the_packages_of_a_release_date_are_those_uploaded_until_a_day_later(fake):
    assert resolve_as_of_release(resolve(REQUIRED)).packages == resolve(REQUIRED).packages
    words = fake.calls("compile")[1]["words"]
    assert words[words.index("--exclude-newer") + 1] == "2025-06-08T14:51:53Z"


@pytest.mark.parametrize("required", [["numpy"], ["numpy==2.3.0", "ml_dtypes==0.5.1"]])
def test_there_is_no_release_date_if_no_version_is_required_or_every_one(fake, required):
    assert resolve_as_of_release(resolve(required)) is None


def test_there_is_no_release_date_if_the_index_has_none(fake):
    resolution = replace(resolve(REQUIRED), lock='[[packages]]\nname = "numpy"\nversion = "2.3.0"\n')
    assert resolve_as_of_release(resolution) is None


# Installing.


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
    assert failure.value.printed == "no such thing, said the fake uv"


@pytest.mark.parametrize("lost", ["nnconform.json", "bin/python"])
def test_an_environment_that_is_not_whole_is_installed_again(fake, lost):
    (install(resolve(REQUIRED)).folder / lost).unlink()
    release()
    assert install(resolve(REQUIRED)).whole
    assert len(fake.calls("venv")) == 2


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
    assert [found.folder for found in list_environments()] == [environment.folder]


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
    assert [found.key for found in prune(unused_days=30)] == [left.key]
    (fake.folder / "go").touch()
    assert [found.folder for found in list_environments()] == [environment.folder]


# Pruning.


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
    made = [install(resolve([f"numpy==2.3.{patch}"])) for patch in range(3)]
    release()
    for environment, days in zip(made, (0, 5, 0), strict=True):
        then = time.time() - days * 86400
        os.utime(environment.folder / "nnconform.json", (then, then))
    (made[2].folder / "nnconform.json").unlink()
    assert {removed.key for removed in prune(unused_days=3)} == {made[1].key, made[2].key}
    assert [environment.key for environment in list_environments()] == [made[0].key]


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
    made = install(resolve(REQUIRED))
    release()
    (made.folder.parent / ("0" * 16)).mkdir()
    head, whole, broken, *total = envs().stdout.splitlines()
    assert head.split() == ["key", "python", "packages", "size", "last", "used"]
    assert whole.startswith(f"{made.key}  {PYTHON}  numpy 2.3.0, ml-dtypes 1.0 ")
    assert broken.startswith("0000000000000000  -       broken")
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


# Finding Python and uv.

PYTHON = find_interpreter(None).version


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
    assert failure.value.printed == "No interpreter found"


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
        resolve(REQUIRED)


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


def test_a_project_in_the_current_folder_changes_nothing(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[tool.uv]\noverride-dependencies = ["numpy==2.2.0"]\n')
    monkeypatch.chdir(tmp_path)
    assert resolve(["numpy==2.3.1", "ml_dtypes"]).packages["numpy"] == "2.3.1"


def test_the_sides_of_a_real_pair_differ_in_the_named_package_alone():
    old, new = resolve_pair(["numpy==2.2.0", "ml_dtypes"], ["numpy==2.3.0", "ml_dtypes"])
    assert {n for n in new.packages if old.packages.get(n) != new.packages[n]} == {"numpy"}


def test_the_release_date_of_a_real_version_is_known():
    assert str(resolve(["numpy==2.2.0", "ml_dtypes"]).released).startswith("2024-12-08")


def test_a_version_that_does_not_exist_is_explained():
    with pytest.raises(EnvironmentFailed, match=r"numpy==99\.0: cannot be resolved for Python") as failure:
        resolve(["numpy==99.0"])
    assert "numpy==99" in failure.value.printed
