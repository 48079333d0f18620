"""Environments for other versions: made once, whole or not there, by uv or pip, and explained where they fail."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from nnconform.conformance.commands.envs import command
from nnconform.conformance.environments import environments, installers, interpreters, subprocesses
from nnconform.conformance.environments.environments import EnvironmentFailed, make, prune, resolve, resolve_pair

ASKED = ["numpy==2.3.0", "ml_dtypes"]
FAKE_UV = '''\
#!{python} -IS
"""Does what uv would, as NNCONFORM_FAKE_UV says, without a network; notes every call beside itself."""
import json, os, pathlib, subprocess, sys, time
words, how = sys.argv[1:], os.environ.get("NNCONFORM_FAKE_UV", "works")
here = pathlib.Path(__file__).parent
def noted():
    variables = {{k: v for k, v in os.environ.items() if k.startswith("UV_")}}
    what = next(w for w in words if w in ("compile", "venv", "install", "--version", "find"))
    before = pathlib.Path(words[words.index("-o") + 1]).read_text().split() if "-o" in words else []
    with open(here / "calls", "a") as calls:
        calls.write(json.dumps({{"what": what, "words": words, "variables": variables, "preferences": before}}) + "\\n")
    return what
what = noted()
if how == what + " fails":
    sys.exit("no such thing, said the fake uv")
if what == "compile":
    if how == "offline":
        sys.exit("error: Failed to fetch\\n  cause: error sending request for url")
    wanted = [line.strip() for line in open(words[-1])]
    pins = [w if "=" in w or "@" in w else w + "==1.0" for w in wanted]
    pathlib.Path(words[words.index("-o") + 1]).write_text("\\n".join(["--index-url x", *pins, "# the end"]))
elif what == "venv":
    (pathlib.Path(words[-1]) / "bin").mkdir(parents=True)
    (pathlib.Path(words[-1]) / "bin" / "python").symlink_to(words[-2])
elif what == "install":
    folder = pathlib.Path(words[-1]).parent.parent
    if how == "waits with a child":
        # The child keeps the lock that it inherits, and an interrupt does not impress it.
        subprocess.Popen(["sh", "-c", "trap '' INT; sleep 300"], close_fds=False)
    while how.startswith("waits") and not (here / "go").exists():
        (here / "waiting").touch()
        time.sleep(0.02)
    for line in open(words[words.index("-r") + 1]) if how != "elsewhere" else ():
        name, _, version = line.strip().replace(" @ ", "==").partition("==")
        info = folder / f"lib/python3/site-packages/{{name.replace('-', '_')}}-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {{name}}\\nVersion: {{version}}\\n")
elif what == "find":
    sys.exit("No interpreter found")
'''


class FakeUv:
    """The script in place of uv, and what it was called for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "uv"
        self.path.write_text(FAKE_UV.format(python=sys.executable))
        self.path.chmod(0o755)

    def calls(self, what: str) -> list[dict]:
        calls = self.folder / "calls"
        noted = map(json.loads, calls.read_text().splitlines()) if calls.exists() else ()
        return [call for call in noted if call["what"] == what]


@pytest.fixture
def fake(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "fake").mkdir()
    uv = FakeUv(tmp_path / "fake")
    monkeypatch.setattr(subprocesses, "find_uv", lambda: str(uv.path))
    return uv


@pytest.fixture
def told():
    return []


def memories(tmp_path):
    return list((tmp_path / "cache/nnconform/envs/resolutions").iterdir())


def grow_old(tmp_path, days):
    for path in memories(tmp_path):
        content = json.loads(path.read_text())
        path.write_text(json.dumps(content | {"when": content["when"] - days * 86400}))


def test_a_resolution_is_remembered(fake):
    first = resolve(ASKED)
    assert first.packages == {"numpy": "2.3.0", "ml-dtypes": "1.0"}
    assert resolve(ASKED) == first
    assert len(fake.calls("compile")) == 1


@pytest.mark.parametrize("changed", ["constraints", "preferences", "an index", "a day later"])
def test_a_resolution_is_made_anew_when_something_has_changed(fake, tmp_path, monkeypatch, changed):
    resolve(ASKED)
    if changed == "an index":
        monkeypatch.setenv("UV_INDEX_URL", "https://index.example/simple")
    if changed == "a day later":
        grow_old(tmp_path, 1)
    resolve(ASKED, **({changed: ["ml-dtypes==1.0"]} if changed in ("constraints", "preferences") else {}))
    assert len(fake.calls("compile")) == 2


def test_what_a_branch_holds_is_not_remembered(fake):
    for _ in range(2):
        assert resolve(["jax @ git+https://example.org/jax@main"]).packages["jax"].startswith("git+https")
    assert len(fake.calls("compile")) == 2


def test_without_a_network_an_old_resolution_serves_and_says_so(fake, tmp_path, monkeypatch, told):
    first = resolve(ASKED)
    grow_old(tmp_path, 400)
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "offline")
    again = resolve(ASKED, tell=told.append)
    assert again.key == first.key
    assert "cannot be reached: numpy==2.3.0, ml_dtypes as resolved on 20" in again.note
    assert told[-1] == again.note


def test_without_a_network_or_a_memory_the_network_is_named(fake, monkeypatch):
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "offline")
    with pytest.raises(EnvironmentFailed, match="cannot be reached: check the network, the proxy") as failure:
        resolve(ASKED)
    assert failure.value.unreachable


def test_what_cannot_be_resolved_is_no_matter_for_memory(fake, tmp_path, monkeypatch):
    resolve(ASKED)
    grow_old(tmp_path, 2)
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "compile fails")
    with pytest.raises(EnvironmentFailed, match=r"numpy==2\.3\.0, ml_dtypes: cannot be .*--python") as failure:
        resolve(ASKED)
    assert failure.value.printed == "no such thing, said the fake uv"


def test_indexes_that_only_pip_knows_are_named_without_their_addresses(fake, monkeypatch):
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://user:secret@index.example/simple")
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "compile fails")
    with pytest.raises(EnvironmentFailed, match=r"extra-index-url.*, which uv does not read: set UV_") as failure:
        resolve(ASKED)
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [("jax=0.9", "'jax=0.9' is no requirement .* such as jax==0.9.2"), ("jax @ file:///x.whl", "may change under its")],
)
def test_a_requirement_that_cannot_be_used_is_explained(fake, text, said):
    with pytest.raises(EnvironmentFailed, match=said):
        resolve([text])


def test_a_key_tells_content_and_python_and_nothing_else(fake):
    one = resolve(ASKED)
    assert resolve([*reversed(ASKED)]).key == one.key
    others = {"pins": one.pins[:1], "python_version": "3.12.1", "platform": "macosx-11.0-arm64 cpython-311-darwin"}
    assert one.key not in {replace(one, **{name: value}).key for name, value in others.items()}


def test_users_settings_pass_and_no_python_is_downloaded(fake, monkeypatch):
    monkeypatch.delenv("UV_PYTHON_DOWNLOADS", raising=False)
    monkeypatch.setenv("UV_FIND_LINKS", "wheels")
    resolve(ASKED)
    variables = fake.calls("compile")[0]["variables"]
    assert (variables["UV_FIND_LINKS"], variables["UV_PYTHON_DOWNLOADS"]) == ("wheels", "never")


def test_users_settings_may_allow_a_python_to_be_downloaded(fake, monkeypatch):
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "manual")
    resolve(ASKED)
    assert fake.calls("compile")[0]["variables"]["UV_PYTHON_DOWNLOADS"] == "manual"


def test_the_sides_of_a_pair_keep_what_is_not_compared(fake):
    old, new = resolve_pair(["jax==0.9.2", "flax"], ["jax==0.10.2", "flax"])
    assert [call["preferences"] for call in fake.calls("compile")] == [[], ["flax==1.0"], ["flax==1.0"]]
    assert (old.packages["jax"], new.packages["jax"]) == ("0.9.2", "0.10.2")


def test_pip_tries_preferences_for_what_is_open_and_does_without(fake, monkeypatch, tmp_path):
    tried = []

    def solve(self, request, scratch):
        tried.append(request.constraints)
        if request.constraints:
            raise EnvironmentFailed("unsolvable")
        return ["jax==0.9.2"]

    monkeypatch.setattr(installers.Pip, "_resolve", solve)
    preferences = ("flax==0.12.8", "jax==0.10.2", "jaxlib==0.10.2")
    request = installers.Request(("jax==0.9.2", "Flax"), (), preferences, interpreters.find(None))
    assert installers.Pip().resolve(request, tmp_path) == ["jax==0.9.2"]
    assert tried == [("flax==0.12.8",), ()]


def test_an_environment_is_made_once(fake, told):
    made = make(resolve(ASKED), tell=told.append)
    again = make(resolve(ASKED), tell=told.append)
    assert again == replace(made, used=again.used)
    (line,) = told
    assert line.startswith(f"making the environment numpy 2.3.0, ml-dtypes 1.0 on Python {PYTHON} (first time")
    assert len(fake.calls("venv")) == 1


def test_two_that_want_the_same_environment_make_it_once(fake, told):
    resolution = resolve(ASKED)
    # Held in use until both have seen that it is missing, and want to make it.
    held = environments._take(environments.cache_folder() / resolution.key, fcntl.LOCK_SH)
    threads = [threading.Thread(target=make, args=[resolution], daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    assert all(thread.is_alive() for thread in threads)
    held.close()
    # The one that comes first goes on using it: the other must not wait for the end of that.
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()
    assert len(fake.calls("venv")) == 1


@pytest.mark.parametrize("how", ["venv fails", "install fails", "elsewhere"])
def test_what_fails_leaves_nothing_behind_and_can_be_tried_again(fake, monkeypatch, how):
    resolution = resolve(ASKED)
    monkeypatch.setenv("NNCONFORM_FAKE_UV", how)
    with pytest.raises(EnvironmentFailed, match=r"^numpy 2\.3\.0, ml-dtypes 1\.0 on Python .* cannot be made: "):
        make(resolution)
    assert environments.listing() == []
    monkeypatch.delenv("NNCONFORM_FAKE_UV")
    assert make(resolution).whole


def test_packages_that_went_elsewhere_are_missed(fake, monkeypatch):
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "elsewhere")
    with pytest.raises(EnvironmentFailed, match=r"lacks ml-dtypes, numpy, .* PIP_TARGET"):
        make(resolve(ASKED))


def test_the_end_of_what_an_installer_printed_is_kept(fake, monkeypatch):
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "install fails")
    with pytest.raises(EnvironmentFailed) as failure:
        make(resolve(ASKED))
    assert failure.value.printed == "no such thing, said the fake uv"


@pytest.mark.parametrize("lost", ["nnconform.json", "bin/python"])
def test_what_is_not_whole_is_made_anew(fake, lost):
    (make(resolve(ASKED)).folder / lost).unlink()
    assert make(resolve(ASKED)).whole
    assert len(fake.calls("venv")) == 2


def maker(fake, how):
    """Start a process that makes an environment, and return it when its installer is at work."""
    code = f"""
        from nnconform.conformance.environments import environments, subprocesses
        subprocesses.find_uv = lambda: {str(fake.path)!r}
        environments.make(environments.resolve({ASKED!r}))
    """
    words = [sys.executable, "-c", textwrap.dedent(code)]
    process = subprocess.Popen(words, env=os.environ | {"NNCONFORM_FAKE_UV": how}, stderr=subprocess.DEVNULL)
    until(lambda: (fake.folder / "waiting").exists() or process.poll() is not None)
    return process


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_interrupt_ends_the_installer_with_its_children_and_leaves_nothing(fake):
    process = maker(fake, "waits with a child")
    process.send_signal(signal.SIGINT)
    process.wait()
    assert environments.listing() == []
    folder = environments.cache_folder() / resolve(ASKED).key
    until(lambda: environments._take(folder, fcntl.LOCK_EX | fcntl.LOCK_NB) is not None)


def test_a_killed_process_leaves_nothing_that_is_taken_for_whole(fake):
    process = maker(fake, "waits")
    process.kill()
    process.wait()
    (left,) = environments.listing()
    assert not left.whole
    # The installer lives on, and nobody may make the same environment beside it, nor remove it.
    assert environments._take(left.folder, fcntl.LOCK_SH | fcntl.LOCK_NB) is None
    assert prune(unused_days=None) == []
    (fake.folder / "go").touch()
    assert make(resolve(ASKED)).whole
    assert len(fake.calls("venv")) == 2


def test_an_environment_in_use_is_not_pruned(fake):
    made = make(resolve(ASKED))
    assert prune(unused_days=None) == []
    made.release()
    assert [removed.key for removed in prune(unused_days=None)] == [made.key]
    assert not made.folder.exists()


def test_prune_takes_what_is_broken_or_was_not_used_for_long(fake):
    made = [make(resolve([f"numpy==2.3.{patch}"])) for patch in range(3)]
    for environment, days in zip(made, (0, 5, 0), strict=True):
        environment.release()
        then = time.time() - days * 86400
        os.utime(environment.folder / "nnconform.json", (then, then))
    (made[2].folder / "nnconform.json").unlink()
    assert {removed.key for removed in prune(unused_days=3)} == {made[1].key, made[2].key}
    assert [environment.key for environment in environments.listing()] == [made[0].key]


def test_prune_leaves_an_empty_cache(fake, tmp_path):
    make(resolve(ASKED)).release()
    prune(unused_days=None)
    assert [path.name for path in (tmp_path / "cache/nnconform/envs").rglob("*")] == ["resolutions"]


def test_a_cache_that_cannot_be_written_to_is_named(fake, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(EnvironmentFailed, match=r"environments cannot be kept here: .* set XDG_CACHE_HOME"):
        resolve(ASKED)


def envs(*words):
    return CliRunner().invoke(command, words, catch_exceptions=False)


def test_envs_lists_and_prunes(fake, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    made = make(resolve(ASKED))
    made.release()
    (made.folder.parent / ("0" * 16)).mkdir()
    head, whole, broken, *total = envs().stdout.splitlines()
    assert head.split() == ["key", "python", "packages", "size", "last", "used"]
    assert whole.startswith(f"{made.key}  {PYTHON}  numpy 2.3.0, ml-dtypes 1.0 ")
    assert broken.startswith("0000000000000000  -       broken")
    assert " ".join(total).startswith("2 environments in ")
    assert "removed 1 environment," in envs("prune").stdout
    assert "removed 1 environment," in envs("prune", "--all").stdout
    assert " ".join(envs().stdout.split()).startswith("no environments in ")


def test_envs_wraps_the_packages_where_there_is_little_room(fake, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    make(resolve(ASKED)).release()
    table = envs().stdout.partition("1 environment")[0].splitlines()
    assert max(map(len, table)) <= 70
    assert "  numpy 2.3.0,  " in table[1]
    assert table[2].split() == ["ml-dtypes", "1.0"]


def test_envs_prune_wants_days_or_all(fake):
    result = envs("prune", "--all", "--unused-for", "3")
    assert "--all and --unused-for exclude each other" in result.stderr
    assert result.exit_code == 2


PYTHON = interpreters.find(None).version


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def a_python(path, version):
    return script(path, f"""echo '["{version}", "linux-x86_64", "cpython"]'""")


def test_a_python_that_fails_is_passed_over_for_one_that_runs(fake, tmp_path, monkeypatch):
    script(tmp_path / "shims/python3.77", "echo command not found >&2; exit 127")
    there = a_python(tmp_path / "pyenv/versions/3.77.1/bin/python", "3.77.1")
    monkeypatch.setenv("PATH", str(tmp_path / "shims"), prepend=os.pathsep)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert interpreters.find("3.77").path == str(there)


def test_a_python_that_is_not_found_is_explained_with_what_was_tried(fake, tmp_path, monkeypatch):
    script(tmp_path / "python3.7", "echo command not found >&2; exit 127")
    a_python(tmp_path / "pyenv/versions/3.77.1/bin/python", "3.77.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    with pytest.raises(EnvironmentFailed, match=r"Python 3\.7: found none that runs; .* or give the path") as failure:
        interpreters.find("3.7")
    assert failure.value.printed == f"{tmp_path}/python3.7: command not found"


def test_a_python_may_be_a_path_and_is_tried(tmp_path):
    assert interpreters.find(str(a_python(tmp_path / "python", "3.12.1"))).version == "3.12.1"
    with pytest.raises(EnvironmentFailed, match="found none that runs"):
        interpreters.find(str(tmp_path / "nowhere"))


def test_a_python_that_is_too_old_for_the_worker_is_refused(tmp_path):
    with pytest.raises(EnvironmentFailed, match=r"is Python 3\.9\.18: wanted 3\.10 or later"):
        interpreters.find(str(a_python(tmp_path / "python", "3.9.18")))


def test_a_uv_that_does_not_run_is_no_uv(tmp_path, monkeypatch):
    broken = script(tmp_path / "uv", "exit 127")
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert subprocesses.find_uv() is None
    script(broken, "exit 0")
    assert subprocesses.find_uv() == str(broken)


def test_a_program_that_cannot_be_started_is_explained(tmp_path):
    with pytest.raises(EnvironmentFailed, match=r"nothing done: .*/none cannot be started: No such file .*; do more"):
        subprocesses.must([tmp_path / "none"], "nothing done", "do more")


# What follows makes environments for real, with what the package index has.


def version_in(environment, package="numpy"):
    words = [environment.python, "-I", "-c", f"import ml_dtypes, {package}; print({package}.__version__)"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def test_uv_makes_an_environment_with_the_asked_version_once(told):
    assert subprocesses.find_uv() is not None
    made = make(resolve(["numpy==2.3.0", "ml_dtypes"]))
    assert version_in(made) == "2.3.0"
    assert make(resolve(["numpy==2.3.0", "ml_dtypes"], tell=told.append), tell=told.append).folder == made.folder
    assert told == []


def test_pip_makes_the_same_environment_where_uv_is_missing(monkeypatch, tmp_path, told):
    asked = ["numpy==2.3.0", "ml_dtypes==0.5.1"]
    key = resolve(asked).key
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(subprocesses, "find_uv", lambda: None)
    made = make(resolve(asked))
    assert made.key == key
    assert version_in(made) == "2.3.0"
    assert not list(made.folder.rglob("pip"))
    assert make(resolve(asked, tell=told.append), tell=told.append).folder == made.folder
    assert told == []


def test_an_old_version_runs_on_an_old_python_or_the_lack_of_one_is_explained():
    asked = ["numpy==1.22.4", "ml_dtypes"]
    try:
        interpreters.find("3.10")
    except EnvironmentFailed:
        with pytest.raises(EnvironmentFailed, match=r"Python 3\.10: found none that runs; .* or give the path"):
            resolve(asked, python="3.10")
        return
    made = make(resolve(asked, python="3.10"))
    assert version_in(made) == "1.22.4"
    assert made.python_version.startswith("3.10.")


def test_a_project_where_it_is_run_changes_nothing(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[tool.uv]\noverride-dependencies = ["numpy==2.2.0"]\n')
    monkeypatch.chdir(tmp_path)
    assert resolve(["numpy==2.3.1", "ml_dtypes"]).packages["numpy"] == "2.3.1"


def test_a_real_pair_differs_in_what_was_named_alone():
    old, new = resolve_pair(["numpy==2.2.0", "ml_dtypes"], ["numpy==2.3.0", "ml_dtypes"])
    assert {n for n in new.packages if old.packages.get(n) != new.packages[n]} == {"numpy"}


def test_a_version_that_does_not_exist_is_explained():
    with pytest.raises(EnvironmentFailed, match=r"numpy==99\.0: cannot be resolved for Python") as failure:
        resolve(["numpy==99.0"])
    assert "numpy==99" in failure.value.printed
