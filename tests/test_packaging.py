"""What is packaged is what there is, and no folder imports what it must not."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS = ("spec", "reference", "adapters", "conformance")
FRAMEWORKS = {"torch": {"torch"}, "tensorflow": {"tensorflow", "keras"}, "jax": {"jax", "flax", "optax"}}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The absolute modules that a file imports, wherever in it; relative imports stay within its folder."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def foreign(path: Path) -> set[str]:
    """The top-level names of what a file imports from outside the standard library."""
    tops = {name.partition(".")[0] for name in imported(path)}
    return tops - set(sys.stdlib_module_names) - {"__future__"}


def test_the_packages_are_the_folders_that_hold_modules():
    found = {
        f"nnconform.{'.'.join(init.relative_to(ROOT).parent.parts)}"
        for folder in FOLDERS
        for init in (ROOT / folder).rglob("__init__.py")
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_every_package_is_mapped_to_its_folder():
    mapped = PROJECT["tool"]["setuptools"]["package-dir"]
    assert mapped == {name: "/".join(name.split(".")[1:]) for name in mapped}
    assert set(mapped) == set(PROJECT["tool"]["setuptools"]["packages"])


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_of_modules_is_a_package(folder):
    assert all((path.parent / "__init__.py").is_file() for path in modules(folder))


def test_all_data_of_the_spec_are_packaged():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["nnconform.spec"]
    packaged = {path for pattern in patterns for path in (ROOT / "spec").glob(pattern)}
    there = {p for p in (ROOT / "spec").rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert {p.name for p in there - packaged} == {"__init__.py", "py.typed"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_type_checkers_see_the_folders_under_the_package_name(folder):
    assert (ROOT / ".typing" / "nnconform" / folder).resolve() == ROOT / folder


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_package_says_that_it_is_typed(folder):
    assert (ROOT / folder / "py.typed").is_file()


def test_the_spec_imports_nothing():
    assert {name for path in modules("spec") for name in imported(path)} <= {"__future__.annotations"}


@pytest.mark.parametrize("path", modules("reference"), ids=lambda path: path.name)
def test_the_reference_imports_numpy_alone(path):
    assert foreign(path) <= {"numpy"}


@pytest.mark.parametrize("path", modules("adapters"), ids=lambda path: path.name)
def test_an_adapter_imports_numpy_and_its_own_framework_alone(path):
    assert foreign(path) <= {"numpy", "ml_dtypes", "nnconform"} | FRAMEWORKS.get(path.stem.rpartition("_")[2], set())


@pytest.mark.parametrize("path", modules("adapters"), ids=lambda path: path.name)
def test_an_adapter_takes_nothing_of_this_project_but_the_adapters_package(path):
    ours = {name for name in imported(path) if name.startswith("nnconform")}
    assert all(name.startswith("nnconform.adapters.") for name in ours)


@pytest.mark.parametrize("path", modules("conformance"), ids=lambda path: path.name)
def test_the_harness_imports_no_framework(path):
    assert not foreign(path) & {name for names in FRAMEWORKS.values() for name in names}


MODULES = {"markdown-it-py": "markdown_it", "pyyaml": "yaml"}


def test_what_the_harness_imports_is_declared():
    extras = PROJECT["project"]["optional-dependencies"]
    names = [d.split(">=")[0] for d in (*PROJECT["project"]["dependencies"], *extras["envs"], *extras["plot"])]
    # pytest itself loads the module that imports it.
    declared = {MODULES.get(name, name) for name in names} | {"pytest"}
    used = {name for folder in FOLDERS[:1] + FOLDERS[3:] for path in modules(folder) for name in foreign(path)}
    assert used - {"nnconform"} <= declared
