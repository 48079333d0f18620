"""What can be named to run, and where it lives."""

from __future__ import annotations

import errno
import os
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from nnconform.conformance.environments import compatible, environments, location, resolutions, targets
from nnconform.conformance.environments.environments import Environment
from nnconform.conformance.environments.interpreters import Interpreter
from nnconform.conformance.environments.location import indices_of, locate, locate_pair
from nnconform.conformance.environments.resolutions import Resolution
from nnconform.conformance.environments.subprocesses import EnvironmentFailed, ignore
from nnconform.conformance.environments.targets import parse
from nnconform.conformance.running.frameworks import Framework, UsageError, choose

HERE = Interpreter(sys.executable, "3.11.7", "here")


def packages(text: str) -> list[str]:
    return [str(requirement) for requirement in parse(text).packages]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("torch", ["torch"]),
        ("jax==0.9.2", ["jax==0.9.2"]),
        ("jax>=0.9,<0.10", ["jax<0.10,>=0.9"]),
        ("keras==3.12.0+tensorflow==2.20.0", ["keras==3.12.0", "tensorflow==2.20.0"]),
        ("keras+tensorflow==2.20.0", ["keras", "tensorflow==2.20.0"]),
        ("torch==2.13.0+cpu", ["torch==2.13.0+cpu"]),
        ("torch==2.13.0+cpu+numpy==2.0.0", ["torch==2.13.0+cpu", "numpy==2.0.0"]),
        ("jax==0.9.2+jaxlib==0.9.2+scipy==1.15.0", ["jax==0.9.2", "jaxlib==0.9.2", "scipy==1.15.0"]),
        ("python:/opt/x/bin/python", []),
        ("jax+python:/opt/a+b/bin/python", ["jax"]),
    ],
)
def test_a_word_names_packages_and_versions(text, wanted):
    assert packages(text) == wanted


def test_a_path_may_have_a_plus_sign():
    assert parse("jax+python:/opt/a+b/bin/python").interpreter == "/opt/a+b/bin/python"


@pytest.mark.parametrize(("text", "here"), [("torch", True), ("jax==0.9.2", False), ("python:/x", False)])
def test_a_name_alone_lives_here(text, here):
    assert parse(text).here is here


REQUIREMENTS = """# locked
-r other.txt
--index-url https://example.org/simple
absl-py==2.1.0
flax==0.12.8 \\
    --hash=sha256:0000
JAX[cpu]==0.10.2 ; python_version >= "3.9"  # accelerators
jaxlib==0.10.2
optax==0.2.8 ; sys_platform == "no-such-platform"
"""


def test_a_requirements_file_names_the_frameworks_that_apply(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text(REQUIREMENTS)
    assert packages(f"requirements:{path}") == ["flax==0.12.8", "jax[cpu]==0.10.2", "jaxlib==0.10.2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["torhc"], "unknown framework 'torhc'; did you mean torch"),
        (["torhc==2.13.0"], "none of torhc is a framework; did you mean torch"),
        (["jax=0.9.2"], "'jax=0.9.2' is no package with a version"),
        (["python:"], "wanted the path of a Python"),
        (["python:/no/such/python"], "no Python that runs"),
        (["requirements:no-such.txt"], "cannot be read"),
        (["torch@https://example.org/torch-2.0+cpu.whl"], "an address"),
        (["torch==2.0+"], "is no package with a version"),
        (["torch==2.0++jax==0.9.2"], "'torch==2.0+' is no package"),
        (["torchpython:/x"], "wanted packages and a plus sign before python:"),
        (["+python:/x"], "wanted packages and a plus sign before python:"),
        ([f"numpy==1.0+python:{sys.executable}"], f"it has numpy {version('numpy')}; wanted numpy==1.0"),
        ([f"numpy+no-such==1.0+python:{sys.executable}"], "it has no no-such; wanted no-such==1.0"),
        (["numpy", f"python:{sys.executable}"], "is named twice; compare two versions with `nnconform upgrade"),
    ],
)
def test_a_wrong_word_is_told_with_what_is_wanted(words, said, monkeypatch):
    if said.startswith("is named twice"):
        monkeypatch.setattr(location, "_locate_at_interpreter", lambda _: locate(["numpy"], notify=ignore))
    with pytest.raises(UsageError) as error:
        locate(words, notify=ignore)
    assert said in str(error.value)


def test_a_requirement_from_an_address_is_refused(tmp_path):
    (tmp_path / "r.txt").write_text("numpy==2.0\ntorch @ https://example.org/torch.whl\n")
    with pytest.raises(UsageError, match=r"torch \(line 2\) comes from an address"):
        parse(f"requirements:{tmp_path / 'r.txt'}")


@pytest.mark.parametrize(("python", "wanted"), [("3.10", ["jax==0.6.2"]), ("3.12", ["jax==0.10.2"])])
def test_markers_are_those_of_the_python_that_is_chosen(tmp_path, python, wanted):
    path = tmp_path / "r.txt"
    path.write_text(
        'jax==0.6.2 ; python_version < "3.11"\njax==0.10.2 ; python_version >= "3.11"\n', encoding="utf-8-sig"
    )
    assert [str(r) for r in parse(f"requirements:{path}", python).packages] == wanted


def test_markers_are_those_of_the_interpreter_whose_path_is_given(tmp_path, monkeypatch):
    path = tmp_path / "r.txt"
    path.write_text('jax==0.6.2 ; python_full_version < "3.10.5"\njax==0.10.2 ; python_version >= "3.11"\n')
    monkeypatch.setattr(targets, "find_interpreter", lambda wanted: Interpreter(wanted, "3.10.4", ""))
    assert [str(r) for r in parse(f"requirements:{path}", "/opt/bin/python").packages] == ["jax==0.6.2"]


def test_lines_of_a_requirements_file_that_are_not_followed_are_told_without_passwords(tmp_path):
    path, told = tmp_path / "r.txt", []
    path.write_text(
        "-r other.txt\n\nabsl-py \\\n  --hash=sha256:0\n-i https://me:secret@example.org/\njax==0.9.2 # x\n./w.whl\n"
    )
    target = parse(f"requirements:{path}", notify=told.append)
    assert [str(r) for r in target.packages] == ["jax==0.9.2"]
    assert told == [
        f"requirements:{path}: line {line} is ignored: {what}"
        for line, what in ((1, "-r other.txt"), (5, "-i https://example.org/"), (7, "./w.whl"))
    ]


def test_a_comment_does_not_go_on_in_the_next_line_and_options_of_a_requirement_are_left_out(tmp_path):
    path = tmp_path / "r.txt"
    path.write_text("# the newest \\\ntorch==2.13.0 --config-settings a=b\n")
    assert packages(f"requirements:{path}") == ["torch==2.13.0"]


def test_a_requirements_file_without_versions_takes_the_newest(made, tmp_path):
    (tmp_path / "r.txt").write_text("jax[cpu]\nabsl-py\n")
    locate([f"requirements:{tmp_path / 'r.txt'}"], notify=ignore)
    assert made == [("jax[cpu]", "flax", "optax", "numpy", "ml_dtypes")]


def test_frameworks_stand_in_the_order_in_which_they_were_first_named():
    found = locate(["torch", "keras", "tensorflow", "numpy"], notify=ignore)
    assert [framework.name for framework in found] == ["torch", "tensorflow", "numpy"]


def test_a_word_stands_for_all_frameworks_that_it_names():
    torch, tensorflow, jax = (Framework(name, name, target="python:/p") for name in ("torch", "tensorflow", "jax"))
    assert indices_of("python:/p", [torch, tensorflow, jax]) == [(0, ()), (1, ()), (2, ())]


def test_a_part_stands_for_its_own_implementations_also_where_it_was_merged_with_another():
    found = locate(["flax", "optax", "numpy"], notify=ignore)
    assert indices_of("flax", found) == [(0, ("flax.*",))]
    assert indices_of("optax", found) == [(0, ("optax.*",))]
    assert indices_of("numpy", found) == [(1, ())]


@pytest.mark.parametrize(
    "named",
    ["{JAX}>=0.1", "jax+jaxlib=={jaxlib}", "jax+ml-dtypes=={ml-dtypes}+packaging=={packaging}"],
)
def test_versions_beside_an_interpreter_may_be_of_any_package_that_it_has(named):
    has = {name: version(name) for name in ("jaxlib", "ml-dtypes", "packaging")} | {"JAX": "JAX"}
    [jax] = locate([f"{named.format(**has)}+python:{sys.executable}"], notify=ignore)
    assert (jax.name, jax.interpreter) == ("jax", sys.executable)


def test_a_name_given_twice_is_one_framework():
    [numpy] = locate(["numpy", "numpy"], notify=ignore)
    assert numpy.target == "numpy"


def test_a_long_word_of_a_workers_command_is_no_file():
    code = "pass;" * 200
    [framework] = choose([], workers=[f"python3 -c '{code}'"])
    assert framework.command[-1] == code


def test_files_of_a_workers_command_are_found_from_everywhere_and_folders_are_names(tmp_path, monkeypatch):
    (tmp_path / "package").mkdir()
    (tmp_path / "worker.mjs").touch()
    monkeypatch.chdir(tmp_path)
    [framework] = choose([], workers=["python3 -m package worker.mjs"])
    assert framework.command[1:] == ("-m", "package", str(tmp_path / "worker.mjs"))


def test_a_workers_program_is_not_followed_out_of_its_environment(tmp_path):
    (tmp_path / "python").symlink_to(sys.executable)
    [framework] = choose([], workers=[f"{tmp_path / 'python'} -m conformance"])
    assert framework.command == (str(tmp_path / "python"), "-m", "conformance")


def test_an_interpreter_is_asked_which_frameworks_it_has():
    found = {framework.name: framework for framework in locate([f"python:{sys.executable}"], notify=ignore)}
    assert set(found) >= {"torch", "tensorflow", "jax"}
    assert {f.interpreter for f in found.values()} == {sys.executable}


def test_a_part_of_what_an_interpreter_has_can_be_named():
    [flax] = locate([f"flax+python:{sys.executable}"], notify=ignore)
    assert (flax.name, flax.only) == ("jax", ("flax.*",))


def test_an_interpreter_that_lacks_what_a_worker_needs_is_told_how_to_get_it(tmp_path):
    import venv

    venv.create(tmp_path / "bare", symlinks=True)
    with pytest.raises(
        UsageError, match=r"it has no numpy, ml_dtypes; install with: .* -m pip install numpy ml_dtypes"
    ):
        locate([f"python:{tmp_path / 'bare/bin/python'}"], notify=ignore)


def test_sides_without_a_common_framework_are_not_compared():
    with pytest.raises(UsageError, match="have no framework in common"):
        locate_pair("torch", "jax", notify=ignore)


@pytest.fixture
def made(monkeypatch):
    """Make no environments; return the requirements that each would have been made for."""
    asked: list[tuple[str, ...]] = []

    def resolve(requirements, **_):
        asked.append(tuple(requirements))
        return Resolution(tuple(requirements), {"all": " ".join(requirements)}, HERE)

    monkeypatch.setattr(resolutions, "resolve", resolve)
    monkeypatch.setattr(resolutions, "resolve_pair", lambda old, new, **_: (resolve(old), resolve(new)))
    monkeypatch.setattr(compatible, "install_compatible", lambda *_: Environment("key", Path("nowhere")))
    return asked


def test_an_environment_has_the_framework_in_the_version_named_and_what_a_worker_needs(made):
    [jax] = locate(["jax==0.9.2"], notify=ignore)
    assert made == [("jax==0.9.2", "flax", "optax", "numpy", "ml_dtypes")]
    assert (jax.name, jax.target, jax.only) == ("jax", "jax==0.9.2", ())


def test_a_part_of_a_framework_brings_the_rest_and_runs_its_own_implementations(made):
    [flax] = locate(["flax==0.10.7"], notify=ignore)
    assert made == [("jax", "flax==0.10.7", "optax", "numpy", "ml_dtypes")]
    assert flax.only == ("flax.*",)


def test_another_distribution_of_a_framework_stands_for_it(made):
    [tensorflow] = locate(["tensorflow-cpu==2.20.0"], notify=ignore)
    assert made == [("tensorflow-cpu==2.20.0", "keras", "numpy", "ml_dtypes")]
    assert tensorflow.name == "tensorflow"


def test_a_package_that_is_no_framework_is_a_wish_beside(made):
    locate(["jax==0.9.2+jaxlib==0.9.1+numpy==2.0.0+scipy==1.15.0"], notify=ignore)
    assert made == [("jax==0.9.2", "flax", "optax", "numpy==2.0.0", "ml_dtypes", "jaxlib==0.9.1", "scipy==1.15.0")]


def test_the_same_versions_on_both_sides_are_not_compared(made, monkeypatch):
    monkeypatch.setattr(resolutions, "resolve_pair", lambda *_, **__: (NOW, NOW))
    with pytest.raises(UsageError, match=r"are the same, .*; name versions exactly"):
        locate_pair("optax>=0.2.4", "optax==0.2.8", notify=ignore)


def test_of_two_requirements_files_what_changed_is_compared(made, tmp_path):
    for name, jax in (("old", "0.9.2"), ("new", "0.10.2")):
        (tmp_path / name).write_text(f"jax=={jax}\ntorch==2.13.0\nkeras==3.15.1\n")
    old, new = locate_pair(f"requirements:{tmp_path / 'old'}", f"requirements:{tmp_path / 'new'}", notify=ignore)
    assert [f.name for f in old] == [f.name for f in new] == ["jax"]
    assert ({f.side for f in old}, {f.side for f in new}) == ({"old"}, {"new"})


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Environments that are this one; return what makes them start or not."""
    starts: list[bool] = []

    def install(resolution, *, notify):
        return Environment(resolution.key, tmp_path, resolution.requirements, {"jax": "1", "flax": "2"})

    failure = compatible.WorkerFailed("cannot import name 'x' from 'jax'")
    monkeypatch.setattr(environments, "install", install)
    monkeypatch.setattr(compatible, "worker_failure", lambda *_: None if starts.pop(0) else failure)
    return starts


NOW = Resolution(("jax", "flax==2"), {"jax": "1"}, HERE)


def test_where_a_worker_does_not_start_the_rest_is_taken_as_it_was_then(environment, monkeypatch):
    environment += [False, True]
    then = Resolution(("jax", "flax==2"), {"jax": "0"}, HERE)
    monkeypatch.setattr(resolutions, "resolve_as_of_release", lambda *_, **__: then)
    assert compatible.install_compatible(NOW, "nnconform.adapters.jax", None, ignore).key == then.key


def test_where_nothing_fits_the_user_is_told_what_to_name(environment, monkeypatch):
    environment += [False, False]
    monkeypatch.setattr(resolutions, "resolve_as_of_release", lambda *_, **__: NOW)
    with pytest.raises(
        EnvironmentFailed, match=r"cannot import name 'x' from 'jax'; name versions that belong together"
    ):
        compatible.install_compatible(NOW, "nnconform.adapters.jax", None, ignore)


def test_an_environment_whose_worker_started_once_is_not_tried_again(tmp_path, monkeypatch):
    here = Environment("key", tmp_path / "env")
    (here.folder / "bin").mkdir(parents=True)
    here.python.symlink_to(sys.executable)
    monkeypatch.setenv("PYTHONPATH", "")
    assert compatible.worker_failure(here, "nnconform.adapters.no_such_adapter") is not None
    (here.folder / "started.nnconform.adapters.no_such_adapter").touch()
    assert compatible.worker_failure(here, "nnconform.adapters.no_such_adapter") is None


def test_a_worker_whose_program_cannot_be_started_does_not_start(tmp_path):
    made = Environment("key", tmp_path)
    failure = compatible.worker_failure(made, "nnconform.adapters.numpy")
    assert "cannot be started" in str(failure)


def test_an_environment_that_cannot_be_written_to_is_told_with_the_next_step(tmp_path, monkeypatch):
    here = Environment("key", tmp_path / "env")
    (here.folder / "bin").mkdir(parents=True)
    here.python.symlink_to(sys.executable)
    monkeypatch.setattr(compatible.Worker, "start", lambda _: None)

    def fail(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "touch", fail)
    with pytest.raises(EnvironmentFailed, match=r"started\.nnconform\.adapters.*: .* No space left .* XDG_CACHE_HOME"):
        compatible.worker_failure(here, "nnconform.adapters.numpy")
