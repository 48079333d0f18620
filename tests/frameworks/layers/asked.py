"""What a script of this folder is asked, and how it answers: in a process of its own, with one framework in it."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

given = dict(np.load(sys.argv[1]))
told = json.loads(Path(sys.argv[2]).read_text())


def answer(**arrays: Any) -> None:
    """Write arrays, and the defaults of the parameters that were asked for."""
    defaults = {f"{api} {name}": _default(api, name) for api, name in told["defaults"]}
    Path(sys.argv[4]).write_text(json.dumps(defaults))
    np.savez(sys.argv[3], **arrays)


def _default(api: str, name: str) -> float | None:
    found = _found(api)
    parameter = inspect.signature(found.__init__ if isinstance(found, type) else found).parameters[name]
    return None if parameter.default in (parameter.empty, None) else float(parameter.default)


def _found(api: str) -> Any:
    """Return what a dotted name of a package stands for; its submodules are imported by the script."""
    top, *rest = api.split(".")
    top = {"tf": "tensorflow"}.get(top, top)
    return functools.reduce(getattr, rest, importlib.import_module(top))


def recipe(name: str) -> Any:
    """Return a recipe, made from the text of the guide alone."""
    namespace: dict[str, Any] = {}
    exec(told["recipes"][name], namespace)
    return namespace[name]


def call(use: str, place: int, **names: Any) -> Any:
    """Return what a call gives that the guide writes for a use, with the other framework's numbers for its names."""
    return eval(told["calls"][use][place], told["values"] | {r: recipe(r) for r in told["recipes"]} | names)


def every_call(**names: Any) -> None:
    """Make all calls that the guide writes; they must be valid, whatever they give."""
    for use, calls in told["calls"].items():
        for place in range(len(calls)):
            call(use, place, **names)
