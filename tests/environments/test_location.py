"""The frameworks of targets: in this environment, in another, or at an interpreter."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from nnconform.conformance.environments import compatible, location, resolutions
from nnconform.conformance.environments.environments import Environment
from nnconform.conformance.environments.interpreters import Interpreter
from nnconform.conformance.environments.location import indices_of, locate, locate_pair
from nnconform.conformance.environments.resolutions import Resolution
from nnconform.conformance.environments.subprocesses import ignore
from nnconform.conformance.running.frameworks import Framework, UsageError

HERE = Interpreter(sys.executable, "3.11.7", "here")


@pytest.mark.parametrize(
    ("words", "message"),
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
def test_a_wrong_word_is_explained(words, message, monkeypatch):
    if message.startswith("is named twice"):
        monkeypatch.setattr(location, "_locate_at_interpreter", lambda _: locate(["numpy"], notify=ignore))
    with pytest.raises(UsageError) as error:
        locate(words, notify=ignore)
    assert message in str(error.value)


def test_a_requirements_file_without_versions_takes_the_newest(requirements, tmp_path):
    (tmp_path / "r.txt").write_text("jax[cpu]\nabsl-py\n")
    locate([f"requirements:{tmp_path / 'r.txt'}"], notify=ignore)
    assert requirements == [("jax[cpu]", "flax", "optax", "numpy", "ml_dtypes")]


def test_frameworks_have_the_order_in_which_they_were_first_named():
    frameworks = locate(["torch", "keras", "tensorflow", "numpy"], notify=ignore)
    assert [framework.name for framework in frameworks] == ["torch", "tensorflow", "numpy"]


def test_a_word_has_the_indices_of_all_frameworks_that_it_names():
    torch, tensorflow, jax = (Framework(name, name, target="python:/p") for name in ("torch", "tensorflow", "jax"))
    assert indices_of("python:/p", [torch, tensorflow, jax]) == [(0, ()), (1, ()), (2, ())]


def test_a_part_has_only_its_own_implementations_even_if_it_was_merged_with_another():
    frameworks = locate(["flax", "optax", "numpy"], notify=ignore)
    assert indices_of("flax", frameworks) == [(0, ("flax.*",))]
    assert indices_of("optax", frameworks) == [(0, ("optax.*",))]
    assert indices_of("numpy", frameworks) == [(1, ())]


@pytest.mark.parametrize(
    "packages",
    ["{JAX}>=0.1", "jax+jaxlib=={jaxlib}", "jax+ml-dtypes=={ml-dtypes}+packaging=={packaging}"],
)
def test_any_package_of_an_interpreter_may_have_a_version(packages):
    versions = {name: version(name) for name in ("jaxlib", "ml-dtypes", "packaging")} | {"JAX": "JAX"}
    [jax] = locate([f"{packages.format(**versions)}+python:{sys.executable}"], notify=ignore)
    assert (jax.name, jax.interpreter) == ("jax", sys.executable)


def test_a_name_given_twice_is_one_framework():
    [numpy] = locate(["numpy", "numpy"], notify=ignore)
    assert numpy.target == "numpy"


def test_an_interpreter_brings_all_its_frameworks():
    frameworks = {framework.name: framework for framework in locate([f"python:{sys.executable}"], notify=ignore)}
    assert set(frameworks) >= {"torch", "tensorflow", "jax"}
    assert {f.interpreter for f in frameworks.values()} == {sys.executable}


def test_one_framework_of_an_interpreter_can_be_named():
    [flax] = locate([f"flax+python:{sys.executable}"], notify=ignore)
    assert (flax.name, flax.only) == ("jax", ("flax.*",))


def test_an_interpreter_without_the_packages_of_a_worker_is_refused_with_the_command_that_installs_them(tmp_path):
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
def requirements(monkeypatch):
    """The requirements of the environments, none of which is installed."""
    requirements: list[tuple[str, ...]] = []

    def resolve(texts, **_):
        requirements.append(tuple(texts))
        return Resolution(tuple(texts), {"all": " ".join(texts)}, HERE)

    monkeypatch.setattr(resolutions, "resolve", resolve)
    monkeypatch.setattr(resolutions, "resolve_pair", lambda old, new, **_: (resolve(old), resolve(new)))
    monkeypatch.setattr(compatible, "install_compatible", lambda *_: Environment(Path("nowhere")))
    return requirements


def test_an_environment_has_the_named_version_and_the_packages_of_a_worker(requirements):
    [jax] = locate(["jax==0.9.2"], notify=ignore)
    assert requirements == [("jax==0.9.2", "flax", "optax", "numpy", "ml_dtypes")]
    assert (jax.name, jax.target, jax.only) == ("jax", "jax==0.9.2", ())


def test_a_part_of_a_framework_brings_the_rest_and_runs_its_own_implementations(requirements):
    [flax] = locate(["flax==0.10.7"], notify=ignore)
    assert requirements == [("jax", "flax==0.10.7", "optax", "numpy", "ml_dtypes")]
    assert flax.only == ("flax.*",)


def test_another_distribution_of_a_framework_replaces_it(requirements):
    [tensorflow] = locate(["tensorflow-cpu==2.20.0"], notify=ignore)
    assert requirements == [("tensorflow-cpu==2.20.0", "keras", "numpy", "ml_dtypes")]
    assert tensorflow.name == "tensorflow"


def test_a_package_that_is_no_framework_is_required_too(requirements):
    locate(["jax==0.9.2+jaxlib==0.9.1+numpy==2.0.0+scipy==1.15.0"], notify=ignore)
    assert requirements == [
        ("jax==0.9.2", "flax", "optax", "numpy==2.0.0", "ml_dtypes", "jaxlib==0.9.1", "scipy==1.15.0")
    ]


def test_the_same_versions_on_both_sides_are_not_compared(requirements, monkeypatch):
    same = Resolution(("optax",), {"optax": "0.2.8"}, HERE)
    monkeypatch.setattr(resolutions, "resolve_pair", lambda *_, **__: (same, same))
    with pytest.raises(UsageError, match=r"are the same, .*; name versions exactly"):
        locate_pair("optax>=0.2.4", "optax==0.2.8", notify=ignore)


def test_of_two_requirements_files_the_changed_frameworks_are_compared(requirements, tmp_path):
    for name, jax in (("old", "0.9.2"), ("new", "0.10.2")):
        (tmp_path / name).write_text(f"jax=={jax}\ntorch==2.13.0\nkeras==3.15.1\n")
    old, new = locate_pair(f"requirements:{tmp_path / 'old'}", f"requirements:{tmp_path / 'new'}", notify=ignore)
    assert [f.name for f in old] == [f.name for f in new] == ["jax"]
    assert ({f.side for f in old}, {f.side for f in new}) == ({"old"}, {"new"})
