"""Tensors that are described and not stored (FORMAT-17 to FORMAT-19) are read and summed as what they stand for."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from .batch_norm import batch_norm_train
from .clipping import clip_by_global_norm
from .document import Tensor, tensor
from .numbers import FORMATS, nearest
from .patterns import digest, every, number, pattern
from .test_every_vector import FILES, VECTORS, problems_of, vectors

HALVES = ("float16", "bfloat16")
NANS = {"float16": 2046, "bfloat16": 254}


def rounded(made):
    """The outputs' stored numbers, all of them."""
    return {name: [nearest(v, result.dtype) for v in result.cut(0).values] for name, result in made.items()}


def drawn(count, times=1, shape=None):
    stream = random.Random(count)
    values = [stream.randint(-999, 999) / 256 for _ in range(count)]
    return Tensor("float32", shape or (count * times,), values, times)


def written_out(x):
    return Tensor(x.dtype, x.shape, x.values * x.times)


@pytest.mark.parametrize("dtype", HALVES)
def test_a_pattern_and_its_number_are_one_thing(dtype):
    numbers = every(dtype)
    own = [i for i, v in enumerate(numbers) if not math.isnan(v)]
    assert len(own) == 65536 - NANS[dtype]
    assert [pattern(numbers[i], dtype) for i in own] == own


@pytest.mark.parametrize("dtype", HALVES)
def test_the_numbers_rise_with_their_patterns_and_end_in_the_largest_and_infinity(dtype):
    positive = [v for v in every(dtype)[: 1 << 15] if not math.isnan(v)]
    assert all(a < b for a, b in itertools.pairwise(positive))
    assert positive[0] == 0
    largest = math.ldexp(2 - math.ldexp(1, 1 - FORMATS[dtype].bits), FORMATS[dtype].greatest)
    assert positive[-2:] == [largest, math.inf]


def test_known_patterns():
    assert [hex(pattern(v, "float16")) for v in (1.0, -2.0, -0.0, 2.0**-24)] == ["0x3c00", "0xc000", "0x8000", "0x1"]
    assert [hex(pattern(math.nan, dtype)) for dtype in HALVES] == ["0x7e00", "0x7fc0"]
    assert number(0x3F81, "bfloat16") == 1 + 2.0**-7


def test_a_digest_tells_zeros_apart_only_where_their_sign_is_judged():
    assert digest([0.0], "float16", signed=True) != digest([-0.0], "float16", signed=True)
    assert digest([0.0], "float16", signed=False) == digest([-0.0], "float16", signed=False)
    assert digest([1.0], "float16", signed=False) != digest([1 + 2.0**-10], "float16", signed=False)


@pytest.mark.parametrize("times", [2, 7])
def test_a_norm_of_a_repeated_block_is_that_of_the_tensor_written_out(times):
    gradients, attributes = [drawn(5, times), drawn(3)], {"clipnorm": 1.25}
    short = clip_by_global_norm({"gradients": gradients}, attributes)
    assert rounded(short) == rounded(clip_by_global_norm({"gradients": [*map(written_out, gradients)]}, attributes))
    assert short["gradients[0]"].times == times


@pytest.mark.parametrize(("shape", "axis"), [((15, 2), -1), ((9, 2, 1), 1)])
def test_statistics_of_a_repeated_block_are_those_of_the_tensor_written_out(shape, axis):
    x, dy = (drawn(size, 3, shape) for size in [math.prod(shape) // 3] * 2)
    kept = {n: drawn(2) for n in ("running_mean", "running_variance", "gamma", "beta")}
    kept["running_variance"] = Tensor("float32", (2,), [1.0, 2.0])
    attributes = {"epsilon": 0.001, "momentum": 0.9, "channel_axis": axis}
    short = batch_norm_train({"x": x, "dy": dy, **kept}, attributes)
    assert rounded(short) == rounded(batch_norm_train({"x": written_out(x), "dy": written_out(dy), **kept}, attributes))


def test_an_output_is_cut_to_its_first_elements_where_it_has_more():
    made = clip_by_global_norm({"gradients": [drawn(5, 4)]}, {"clipnorm": math.inf})
    cut = made["gradients[0]"].cut(7)
    assert cut.shape == (7,)
    assert cut.values == (drawn(5).values * 2)[:7]
    assert made["global_norm"].cut(7).shape == ()


@pytest.mark.parametrize(
    "node",
    [
        {"dtype": "float32", "shape": [6], "recipe": "repeat", "data": "1 2 3 4"},
        {"dtype": "float32", "shape": [2], "recipe": "repeat", "data": "1 2 3 4"},
        {"dtype": "float16", "shape": [65536], "recipe": "every-but-nan"},
        {"dtype": "float32", "shape": [65536], "recipe": "every"},
    ],
)
def test_a_recipe_that_does_not_fill_its_shape_is_not_read(node):
    with pytest.raises(AssertionError):
        tensor(node, "here")


def test_an_unknown_recipe_is_not_read():
    with pytest.raises(pytest.fail.Exception, match="teach it to read it"):
        tensor({"dtype": "float16", "shape": [2], "recipe": "reverse", "data": "1 2"}, "here")


def changed(file, wanted):
    """The first vector of a file that has a part, and its operation."""
    operation, found = vectors(VECTORS / file)
    return operation, next(v for v in found if wanted(v))


def test_a_digest_of_other_values_is_found():
    operation, vector = changed("clip_by_value/edge.yaml", lambda v: "every-number" in v["id"])
    [node] = vector["expected"]["gradients"]
    node["digest"] = node["digest"].replace("a", "b")
    [problem] = problems_of(operation, vector)
    assert "the digest is" in problem


def test_inputs_that_are_longer_than_the_longest_call_are_found():
    operation, vector = changed("relu/edge.yaml", lambda v: "lengths" in v)
    vector["lengths"] = [1, 2]
    [problem] = problems_of(operation, vector)
    assert "not those of its longest call" in problem


def test_every_form_is_among_the_vectors():
    text = "".join((VECTORS / file).read_text() for file in FILES)
    forms = ("recipe: every}", "recipe: every-but-nan}", "recipe: repeat}", "recipe: computed", "lengths:", "first:")
    assert [form for form in forms if form not in text] == []
