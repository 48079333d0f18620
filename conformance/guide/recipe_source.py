"""The source code of a recipe for users to paste, read without importing a framework."""

from __future__ import annotations

import ast
import functools
from importlib import resources


@functools.cache
def _module(package: str, name: str) -> tuple[str, ast.Module]:
    text = resources.files(package).joinpath(f"{name}.py").read_text()
    return text, ast.parse(text)


def recipe(adapter: str, name: str) -> str:
    """Return the source of a recipe of a framework's module, after the imports that it needs.

    Raises:
        KeyError: there is no such function or class.
    """
    return definition("nnconform.adapters.recipes", adapter, name)


def definition(package: str, module: str, name: str) -> str:
    """Return the source of a function or class of a module, after the imports that it needs.

    Raises:
        KeyError: there is no such function or class.
    """
    text, tree = _module(package, module)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
            imports = [_import(line) for line in tree.body if isinstance(line, ast.Import) and _bound(line) & names]
            source = ast.get_source_segment(text, node)
            return "\n".join([*imports, *(["", ""] if imports else []), str(source)])
    raise KeyError(name)


def _bound(statement: ast.Import) -> set[str]:
    return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}


def _import(statement: ast.Import) -> str:
    return ast.unparse(statement)
