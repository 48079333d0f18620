"""Read a vector file's text, by spec/vector-format.md and by nothing of the suite's own reader.

What is not known here fails: a vector that is passed over in silence would count as proved.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from .numbers import FORMATS, number_of
from .patterns import every

VECTOR_KEYS = {"id", "clauses", "hunts", "profile", "attributes"}
OPTIONAL_KEYS = {
    "compiled",
    "latitude",
    "steps",
    "lengths",
    "first",
    "seeds",
    "extremes",
    "inputs",
    "expected",
    "dialects",
}
EXPECTED_KEYS = {"dtype", "shape", "data", "bound", "latitude", "flushed"}


class Tensor(NamedTuple):
    """Numbers in row-major order, as floats that hold them exactly; integers for int64.

    ``values`` are all of them, or a block that stands in the tensor ``times`` times, one after the other (FORMAT-17).
    """

    dtype: str
    shape: tuple[int, ...]
    values: list[Any]
    times: int = 1


class Sparse(NamedTuple):
    rows: list[int]
    values: Tensor
    shape: tuple[int, ...]


def check_keys(node: Mapping[str, Any], wanted: set[str], allowed: set[str], where: str) -> None:
    if wanted - set(node) or set(node) - wanted - allowed:
        pytest.fail(f"{where}: a form that this proof does not know, with the keys {sorted(node)}; teach it to read it")


def tensor(node: Mapping[str, Any], where: str) -> Tensor:
    """The one place that reads a tensor."""
    dtype, shape, recipe = node["dtype"], tuple(node["shape"]), node.get("recipe")
    if recipe in ("every", "every-but-nan"):  # FORMAT-19
        check_keys(node, {"dtype", "shape", "recipe"}, set(), where)
        found = [v for v in every(dtype) if recipe == "every" or not math.isnan(v)]
        assert shape == (len(found),), f"{where}: {len(found)} numbers for the shape {shape}"
        return Tensor(dtype, shape, found)
    if recipe == "repeat":
        check_keys(node, {"dtype", "shape", "data", "recipe"}, set(), where)
        size = len(node["data"].split(" "))
        times, rest = divmod(math.prod(shape), size)
        assert times, f"{where}: the block has {size} numbers, the shape is {shape}"
        assert not rest, f"{where}: the block has {size} numbers, the shape is {shape}"
        return Tensor(dtype, shape, numbers(node["data"], dtype, (size,), where), times)
    check_keys(node, {"dtype", "shape", "data"}, set(), where)
    return Tensor(dtype, shape, numbers(node["data"], dtype, shape, where))


def numbers(text: str, dtype: str, shape: Sequence[int], where: str) -> list[Any]:
    words = text.split(" ") if text else []
    assert len(words) == math.prod(shape), f"{where}: {len(words)} words for the shape {shape}"
    if dtype == "int64":
        return [int(word) for word in words]
    assert dtype in FORMATS, f"{where}: the dtype {dtype}"
    return [number_of(word, dtype) for word in words]


def given(node: Any, where: str) -> Any:
    """An input: a tensor, a sparse gradient, None, or a list of these."""
    if node is None:
        return None
    if isinstance(node, list):
        return [given(part, f"{where}[{i}]") for i, part in enumerate(node)]
    if "dense_shape" in node:
        check_keys(node, {"indices", "values", "dense_shape"}, set(), where)
        rows, values = tensor(node["indices"], where), tensor(node["values"], where)
        return Sparse(rows.values, values, tuple(node["dense_shape"]))
    return tensor(node, where)


def bounds(text: str, count: int, where: str) -> list[float]:
    words = text.split(" ") if text else []
    assert len(words) in ({count} if count == 0 else {1, count}), f"{where}: {len(words)} bounds for {count} elements"
    found = [float(word) for word in words]
    assert all(math.isfinite(b) and b >= 0 for b in found), f"{where}: a bound is negative or not finite"
    return found


def flat(node: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs by name, the entries of a list as ``gradients[0]``."""
    named = (
        [(f"{name}[{i}]", part) for i, part in enumerate(value)] if isinstance(value, list) else [(name, value)]
        for name, value in node.items()
    )
    return dict(itertools.chain.from_iterable(named))


def vectors(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """The operation and the vectors of a file; all that its text has."""
    text = path.read_text(encoding="utf-8")
    document = yaml.load(text, yaml.CSafeLoader)
    found = document["vectors"]
    assert [v["id"] for v in found] == re.findall(r"^- id: (\S+)$", text, re.MULTILINE)
    for vector in found:
        check_keys(vector, VECTOR_KEYS, OPTIONAL_KEYS, vector["id"])
    return document["operation"], found
