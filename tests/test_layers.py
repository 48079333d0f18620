"""Imports go one way: a folder imports only from those before it, and no files import each other in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From left to right; the files of `conformance` itself (words, numbers, files, layout, console, schemas) are one layer.
LAYERS = (
    *("nnconform.spec", "nnconform.reference", "nnconform.adapters.contract", "nnconform.adapters.initialization"),
    *("nnconform.adapters", "nnconform.conformance"),
    *(
        f"nnconform.conformance.{folder}"
        for folder in (
            *("model", "vectors", "cases", "generating", "judging", "running", "environments", "report"),
            *("diff", "known", "explain", "reproduce", "guide", "plots", "terminal", "ci", "web", "commands"),
        )
    ),
)

FOLDERS = LAYERS[LAYERS.index("nnconform.conformance") + 1 :]


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("nnconform", *parts)).removesuffix(".__init__")


MODULES = {
    name_of(path): path for top in ("reference", "adapters", "conformance") for path in (ROOT / top).rglob("*.py")
}


def imports(module: str) -> Iterator[str]:
    """Yield the modules of this project that a module imports, wherever in it, for type checkers too."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            name = ".".join(filter(None, (base, node.module)))
            for alias in node.names:
                # A module of a package, or a name in a module.
                yield next((n for n in (f"{name}.{alias.name}", name) if n in MODULES), module)


def layer(module: str) -> int:
    return max((len(name), LAYERS.index(name)) for name in LAYERS if f"{module}.".startswith(f"{name}."))[1]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_its_own_folder_and_those_before_it(module):
    assert [name for name in imports(module) if layer(name) > layer(module)] == []


def test_no_files_import_each_other_in_a_circle():
    graph = {module: {name for name in imports(module) if name != module} for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_folder_has_its_layer():
    folders = {path.parent for path in (ROOT / "conformance").rglob("__init__.py")} - {ROOT / "conformance"}
    assert {name_of(folder) for folder in folders if folder.parent == ROOT / "conformance"} == {*FOLDERS}


def test_the_contributors_guide_has_the_same_order():
    order = " < ".join(name.rpartition(".")[2] for name in FOLDERS)
    guide = " ".join((ROOT / "CONTRIBUTING.md").read_text().replace("`", "").split())
    assert order in guide
