"""The packages of an environment, as uv resolves them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nnconform.conformance.environments.interpreters import find_interpreter
from nnconform.conformance.environments.resolutions import resolve, resolve_as_of_release, resolve_pair
from nnconform.conformance.environments.subprocesses import EnvironmentFailed

REQUIRED = ["numpy==2.3.0", "ml_dtypes"]


def test_a_resolution_has_the_version_of_every_package(fake, messages):
    resolution = resolve(REQUIRED, notify=messages.append)
    assert resolution.packages == {"ml-dtypes": "1.0", "numpy": "2.3.0"}
    assert messages == [f"resolving numpy==2.3.0, ml_dtypes for Python {find_interpreter(None).version}"]


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
    assert failure.value.output == "no such thing, said the fake uv"


def test_a_package_without_a_version_is_refused(fake, monkeypatch):
    monkeypatch.setenv("NNCONFORM_FAKE_UV", "no versions")
    with pytest.raises(EnvironmentFailed, match=r"^jax: jax comes from no index; .* python:PATH"):
        resolve(["jax"])


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


# The following tests ask the package index.


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
    assert "numpy==99" in failure.value.output
