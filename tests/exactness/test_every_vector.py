"""Every expected value of every vector is the correctly rounded value of its clause, worked out again from the text.

The parametrization is by file; a failure names the vector, the output, the index, what the file has and what is right.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from . import activations, batch_norm, clipping, initialization
from .document import EXPECTED_KEYS, Sparse, Tensor, bounds, check_keys, flat, given, numbers, vectors
from .numbers import FORMATS, nearest, power
from .patterns import digest
from .result import FREE, NoMeaning, Result

VECTORS = Path(str(resources.files("nnconform.spec"))) / "vectors"
FILES = sorted(path.relative_to(VECTORS).as_posix() for path in VECTORS.rglob("*.yaml"))

OPERATIONS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "relu": activations.relu,
    "elu": activations.elu,
    "batch_norm_train": batch_norm.batch_norm_train,
    "batch_norm_eval": batch_norm.batch_norm_eval,
    "clip_by_value": functools.partial(clipping.clip, kind="clipvalue", name="clipvalue"),
    "clip_by_norm": functools.partial(clipping.clip, kind="clipnorm", name="clipnorm"),
    "clip_by_global_norm": clipping.clip_by_global_norm,
    "sgd_step": clipping.sgd_step,
}
LAWS = ("he_normal", "he_uniform")
# Of these the first n elements of an output follow from the first n elements of the inputs (FORMAT-18).
ELEMENTWISE = ("relu", "elu", "clip_by_value")


@pytest.mark.parametrize("file", FILES)
def test_every_expected_value_is_the_exact_value_rounded_once(file):
    operation, found = vectors(VECTORS / file)
    problems = [problem for vector in found for problem in problems_of(operation, vector)]
    assert not problems, f"{len(problems)} of {file}:\n" + "\n".join(problems[:20])


def test_no_file_of_vectors_is_left_out():
    on_disk = {path.parent.name for path in VECTORS.rglob("*") if path.is_file()}
    assert on_disk == {*OPERATIONS, *LAWS}
    assert all(path.suffix == ".yaml" for path in VECTORS.rglob("*") if path.is_file())


@pytest.mark.parametrize("file", [file for file in FILES if file.split("/")[0] not in LAWS])
def test_one_number_moved_to_a_neighbour_is_found(file):
    operation, found = vectors(VECTORS / file)
    vector, node, place = next(moved for vector in found for moved in movable(vector))
    words = node["data"].split(" ")
    exact = Fraction(float(words[place]))
    words[place] = repr(nearest(exact * (1 + power(1 - FORMATS[node["dtype"]].bits)), node["dtype"]))
    node["data"] = " ".join(words)
    [problem] = problems_of(operation, vector)
    assert problem.startswith(vector["id"])
    assert f"[{place}]: got {words[place]}" in problem


def movable(vector: Any) -> Iterator[tuple[Any, Any, int]]:
    """The normal numbers among a vector's expected values: the vector, the output, and the place."""
    for node in flat(vector.get("expected", {})).values():
        for place, word in enumerate(node.get("data", "").split() if node else []):
            if 1e-30 < abs(float(word)) < 1e30:
                yield vector, node, place


def problems_of(operation: str, vector: Mapping[str, Any]) -> Iterator[str]:
    name, expected = vector["id"], flat(vector.get("expected", {}))
    try:
        if operation in LAWS:
            yield from law_problems(operation, vector)
            return
        inputs = {k: given(v, f"{name}: {k}") for k, v in vector.get("inputs", {}).items()}
        yield from length_problems(operation, vector, inputs)
        made = run(operation, vector, inputs)
    except NoMeaning:
        if vector.get("latitude") != "any" or expected:
            yield f"{name}: has no meaning, and yet is judged"
        return
    if vector.get("latitude") == "any":
        yield f"{name}: has a meaning, and yet is not judged"
        return
    made = present(vector, made)
    if set(made) != {k for k, v in expected.items() if v is not None}:
        yield f"{name}: the outputs are {sorted(expected)}, wanted {sorted(made)}"
        return
    flushed = made
    if any("flushed" in expected[output] for output in made):
        flushed = present(vector, run(operation, vector, {k: flushed_input(v) for k, v in inputs.items()}))
    for output, result in made.items():
        yield from output_problems(f"{name}, {output}", expected[output], result, flushed[output])


def length_problems(operation: str, vector: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[str]:
    """What is stored of a vector of many lengths are the inputs and outputs of the longest (FORMAT-18)."""
    if "lengths" not in vector:
        return
    arrays = [v for value in inputs.values() for v in (value if isinstance(value, list) else [value])]
    longest = (max(vector["lengths"]),)
    if operation not in ELEMENTWISE or not all(isinstance(a, Tensor) and a.shape == longest for a in arrays):
        yield f"{vector['id']}: its inputs are not those of its longest call, {longest}, or {operation} is a sum"


def run(operation: str, vector: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    steps = {"steps": vector["steps"]} if "steps" in vector else {}
    return OPERATIONS[operation](inputs, vector["attributes"], **steps)


def present(vector: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Result]:
    """Cut to what is expected, without absent gradients; where all are, the norm's dtype is the id's (FORMAT-4)."""
    dtype, first = vector["id"].rpartition("/")[2], vector.get("first", 0)
    return {k: v.cut(first)._replace(dtype=v.dtype or dtype) for k, v in made.items() if v is not None}


# An output that has a meaning and is left to another vector: relu/every-number asks for it.
NOT_ASKED = {("relu/every-number-but-nan", "y")}


def output_problems(where: str, node: Mapping[str, Any], result: Result, flushed: Result) -> Iterator[str]:
    free = node.get("latitude", [])
    if (node["dtype"], tuple(node["shape"])) != (result.dtype, result.shape):
        yield f"{where}: {node['dtype']} {node['shape']}, wanted {result.dtype} {list(result.shape)}"
        return
    vector, _, output = where.partition(", ")
    if free == ["any"] and (vector.rpartition("/")[0], output) in NOT_ASKED:
        return
    if ("any" in free) != any(v is FREE for v in result.values):
        yield f"{where}: the latitude is {free}, and {sum(v is FREE for v in result.values)} elements have no meaning"
        return
    if "any" in free:
        check_keys(node, {"dtype", "shape", "latitude"}, set(), where)
        return
    if "recipe" in node:
        yield from digest_problems(where, node, result)
        return
    check_keys(node, {"dtype", "shape", "data", "bound"}, EXPECTED_KEYS, where)
    bounds(node["bound"], len(result.values), where)
    yield from element_problems(where, node["data"], result, signed="sign-of-zero" not in free)
    if ("flushed" in node) != ("subnormal-flush" in free):
        yield f"{where}: flushed values and the latitude subnormal-flush do not come together"
    if "flushed" in node:
        yield from element_problems(f"{where}, flushed", node["flushed"], flushed, signed="sign-of-zero" not in free)


def digest_problems(where: str, node: Mapping[str, Any], result: Result) -> Iterator[str]:
    """Of values that are not stored the digest is (FORMAT-19)."""
    check_keys(node, {"dtype", "shape", "recipe", "digest"}, {"latitude"}, where)
    assert node["recipe"] == "computed", f"{where}: the recipe {node['recipe']}"
    values = (nearest(v, result.dtype) for v in result.values)
    wanted = digest(values, result.dtype, signed="sign-of-zero" not in node.get("latitude", []))
    if node["digest"] != wanted:
        yield f"{where}: the digest is {node['digest']}, wanted {wanted}"


def element_problems(where: str, text: str, result: Result, *, signed: bool) -> Iterator[str]:
    got = numbers(text, result.dtype, result.shape, where)
    for index, (have, value) in enumerate(zip(got, result.values, strict=True)):
        wanted = nearest(value, result.dtype)
        if not same(have, wanted, signed=signed):
            yield f"{where}[{index}]: got {have!r}, wanted {wanted!r}"


def same(a: float, b: float, *, signed: bool) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b and (a != 0 or not signed or math.copysign(1, a) == math.copysign(1, b))


def flushed_input(value: Any) -> Any:
    """An input with its subnormal numbers replaced by 0 (NUM-5)."""
    if isinstance(value, Tensor):
        smallest = power(FORMATS[value.dtype].least) if value.dtype in FORMATS else 0
        return value._replace(values=[0.0 if 0 < abs(v) < smallest else v for v in value.values])
    if isinstance(value, Sparse):
        return value._replace(values=flushed_input(value.values))
    return value if value is None else [flushed_input(v) for v in value]


def law_problems(operation: str, vector: Mapping[str, Any]) -> Iterator[str]:
    attributes = vector["attributes"]
    wanted = initialization.law(operation, attributes)
    if "extremes" in vector:
        yield from extremes_problems(vector, wanted)
        return
    pattern = initialization.pattern(vector)
    wanted |= {"dtype": attributes["dtype"], "shape": [*([len(pattern)] if pattern else []), *attributes["shape"]]}
    wanted |= {"pattern": pattern} if pattern else {}
    if vector["expected"] != {"sample": wanted}:
        yield f"{vector['id']}: got {vector['expected']}, wanted {wanted}"


def extremes_problems(vector: Mapping[str, Any], law: Mapping[str, Any]) -> Iterator[str]:
    """The region of the largest ends where the support ends, and begins two steps or less before its interval."""
    where, node = f"{vector['id']}: extremes", vector["expected"]["sample"]
    check_keys(node, {"dtype", "shape", "data", "bound"}, set(), where)
    least, most = numbers(node["data"], "float32", (2,), where)
    [bound] = map(Fraction, bounds(node["bound"], 1, where))
    low, high = initialization.largest(law, math.prod(vector["attributes"]["shape"]))
    step = power(2 - FORMATS["float32"].bits) * Fraction(high)
    if (node["dtype"], node["shape"], least) != ("float32", [2], -most) or Fraction(most) + bound != Fraction(high):
        yield f"{where}: got {node}, wanted {high} as the end"
    if not low - step <= Fraction(most) - bound <= low:
        yield f"{where}: it begins at {float(Fraction(most) - bound)}, wanted {float(low)}"
