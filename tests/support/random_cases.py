"""Random cases, for tests of the bounds and the count of false alarms; they are not among the vectors.

Shapes, axes, attributes and the ratio of mean to deviation are drawn over all that the clauses allow but overflow, so
that a correct implementation conforms on every case.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnconform.conformance.cases.vector_case import HALF, PARAMETERS, VectorCase
from nnconform.conformance.vectors.tensors import DTYPES as FORMATS
from nnconform.conformance.vectors.tensors import Array
from nnconform.reference.rounding import round_floats

Stream = np.random.Generator
Shape = tuple[int, ...]
FREE = ("sign-of-zero",)
# How far sizes spread, in powers of ten, so that squares stay in range.
REACH = {"float64": 60.0, "float32": 8.0, "float16": 1.0, "bfloat16": 8.0}


def _stored(values: Array, dtype: str) -> Array:
    """Return float64 numbers as an array of ``dtype``; in float16 they are brought into its range."""
    kept = np.clip(values, -3e4, 3e4) if dtype == "float16" else values
    return round_floats(np.asarray(kept, np.float64), dtype).astype(FORMATS[dtype])


def _ten_to(stream: Stream, low: float, high: float) -> float:
    return float(10 ** stream.uniform(low, high))


def _one_of(stream: Stream, *makers: Callable[[], Any]) -> Any:
    return makers[stream.integers(len(makers))]()


def _numbers(stream: Stream, shape: tuple[int, ...], dtype: str, deviation: float = 1.0, mean: float = 0.0) -> Array:
    return _stored(mean + deviation * stream.standard_normal(shape), dtype)


def _case(operation: str, dtype: str, inputs: dict[str, Any], attributes: dict[str, Any], name: str) -> VectorCase:
    outputs = ("y", "dx", "dgamma", "dbeta", "global_norm", *(f"gradients[{i}]" for i in range(4)))
    outputs += ("batch_mean", "batch_variance", "running_mean", "running_variance")
    outputs += tuple(f"weights[{i}]" for i in range(4))
    latitude = dict.fromkeys(outputs, FREE) if operation != "clip_by_value" else {}
    return VectorCase(
        operation, name, dtype, "core", ("NUM-2",), ("wrong-branch",), attributes, inputs, latitude=latitude
    )


def relu(stream: Stream, dtype: str, given: Shape = ()) -> tuple[Any, Any]:
    """Return inputs and attributes: numbers of all sizes, and zeros."""
    shape = given or (int(stream.integers(1, 60)),)
    x = _numbers(stream, shape, dtype, _ten_to(stream, -REACH[dtype] / 2, REACH[dtype] / 2))
    x = np.where(stream.random(shape) < 0.05, FORMATS[dtype].type(0), x)
    return {"x": x, "dy": _numbers(stream, shape, dtype)}, {}


def elu(stream: Stream, dtype: str, given: Shape = ()) -> tuple[Any, Any]:
    """Return inputs and attributes: mostly negative x of all sizes to which exp answers."""
    shape = given or (int(stream.integers(1, 60)),)
    least = -4.0 if dtype == "float16" else -9.0
    x = np.where(stream.random(shape) < 0.8, -1, 1) * 10 ** stream.uniform(least, 1.3, shape)
    alpha = _one_of(stream, lambda: 1.0, lambda: stream.uniform(0.1, 3), lambda: _ten_to(stream, -2, 2))
    # Frameworks, to which shapes are given, refuse some negative alphas.
    alpha = alpha if given else alpha * float(stream.choice([-1, 1]))
    dy = _numbers(stream, shape, dtype, _ten_to(stream, -2, 2))
    return {"x": _stored(x, dtype), "dy": dy}, {"alpha": float(alpha)}


def _batch(stream: Stream, dtype: str, given: Shape) -> tuple[Array, Array, int]:
    """Return x, dy and the channel axis; mean over deviation is 0, or log-uniform up to a million."""
    rank = int(stream.integers(2, 6))
    shape = given or tuple(int(stream.integers(1, 9 if rank == 2 else 5)) for _ in range(rank))
    # Given shapes have few axes: JAX compiles for each.
    axis = 1 if given else int(stream.integers(-rank, rank))
    wide = [n if i == axis % len(shape) else 1 for i, n in enumerate(shape)]
    # Frameworks that compute in half precision lose all of a variance that is far from 1, or from the mean.
    tame = bool(given) and dtype in HALF
    deviation = 1.0 if tame else _ten_to(stream, -REACH[dtype] / 2, REACH[dtype] / 2)
    ratio = np.where(stream.random(wide) < 0.25, 0.0, 10 ** stream.uniform(-2, -1 if tame else 6, wide))
    ratio = np.minimum(ratio, 2e4 / deviation) if dtype == "float16" else ratio
    x = _stored(deviation * (stream.standard_normal(shape) + ratio * stream.choice([-1, 1], wide)), dtype)
    return x, _numbers(stream, shape, dtype, _ten_to(stream, -2, 1), float(stream.choice([0, 1, 10]))), axis


def _parameters(stream: Stream, dtype: str, channels: int, size: float, *, always: bool) -> dict[str, Array]:
    kept = PARAMETERS[dtype]
    result = {
        "running_mean": _numbers(stream, (channels,), kept, size),
        "running_variance": _stored((size * stream.standard_normal(channels)) ** 2, kept),
    }
    if stream.random() < 0.85 or always:
        result["gamma"] = _numbers(stream, (channels,), kept, 0.5, 1)
        result["beta"] = _numbers(stream, (channels,), kept)
    return result


def _epsilon(stream: Stream, given: Shape) -> float:
    least = _one_of(stream, lambda: 1e-3, lambda: 1e-5, lambda: _ten_to(stream, -8, 0), lambda: 0.0)
    # torch refuses an epsilon of 0.
    return max(float(least), 1e-5) if given else float(least)


def batch_norm_train(stream: Stream, dtype: str, given: Shape = ()) -> tuple[Any, Any]:
    """Return inputs and attributes; a case whose bounds are infinite (epsilon 0, a variance that is lost) may come."""
    x, dy, axis = _batch(stream, dtype, given)
    momentum = _one_of(stream, lambda: 0.99, lambda: 0.0, lambda: 1.0, lambda: float(stream.random()))
    size = float(np.abs(x).max()) or 1.0
    parameters = _parameters(stream, dtype, x.shape[axis], size, always=bool(given))
    attributes = {"epsilon": _epsilon(stream, given), "momentum": momentum, "channel_axis": axis}
    return {"x": x, "dy": dy, **parameters}, attributes


def batch_norm_eval(stream: Stream, dtype: str, given: Shape = ()) -> tuple[Any, Any]:
    """Return inputs and attributes."""
    x, dy, axis = _batch(stream, dtype, given)
    size = (float(np.abs(x).max()) or 1.0) * _ten_to(stream, -1, 0 if given and dtype in HALF else 1)
    parameters = _parameters(stream, dtype, x.shape[axis], size, always=bool(given))
    return {"x": x, "dy": dy, **parameters}, {"epsilon": _epsilon(stream, given), "channel_axis": axis}


def _gradients(stream: Stream, dtype: str, given: Shape) -> list[Any]:
    """Return one to four gradients, some absent, not all."""
    shapes = [given] if given else [tuple(stream.integers(1, 7, stream.integers(0, 4))) for _ in range(4)]
    # A product of gradient and threshold in float16 soon overflows.
    size = 1.0 if given and dtype == "float16" else _ten_to(stream, -REACH[dtype] / 2, REACH[dtype] / 2)
    kept = shapes[: stream.integers(1, 5)]
    made = [_numbers(stream, tuple(map(int, s)), dtype, size * _ten_to(stream, -1, 1)) for s in kept]
    absent = [i > 0 and stream.random() < 0.2 for i in range(len(made))]
    return [None if away else g for g, away in zip(made, absent, strict=True)]


def _size(gradients: list[Any]) -> float:
    return math.sqrt(sum(float(np.sum(np.square(g.astype(np.float64)))) for g in gradients if g is not None))


def _threshold(stream: Stream, norm: float) -> float:
    """Return a threshold near the norm: a little off it, a few float32 roundings off it, or anywhere."""
    factor = _one_of(
        stream,
        lambda: float(stream.uniform(0.5, 1.5)),
        lambda: 1 + int(stream.integers(-20, 21)) * 2.0**-24,
        lambda: _ten_to(stream, -3, 2),
    )
    return norm * float(factor)


def clip_by_value(stream: Stream, dtype: str, given: Shape = ()) -> tuple[Any, Any]:
    """Return inputs and attributes."""
    gradients = _gradients(stream, dtype, given)
    sizes = np.abs(gradients[0].astype(np.float64)).ravel()
    return {"gradients": gradients}, {"clipvalue": float(stream.choice(sizes)) * float(stream.choice([1, 0.5, 1.01]))}


def clip_by_norm(stream: Stream, dtype: str, given: Shape = ()) -> tuple[Any, Any]:
    """Return inputs and attributes."""
    gradients = _gradients(stream, dtype, given)
    return {"gradients": gradients}, {"clipnorm": _threshold(stream, _size(gradients[:1]) or 1.0)}


def clip_by_global_norm(stream: Stream, dtype: str, given: Shape = ()) -> tuple[Any, Any]:
    """Return inputs and attributes."""
    gradients = _gradients(stream, dtype, given)
    return {"gradients": gradients}, {"clipnorm": _threshold(stream, _size(gradients) or 1.0)}


def sgd_step(stream: Stream, dtype: str, given: Shape = ()) -> tuple[Any, Any]:
    """Return inputs and attributes: a step that is not clipped, or is in one of three ways."""
    gradients = _gradients(stream, dtype, given)
    size = _size(gradients) or 1.0
    weights = [_numbers(stream, () if g is None else g.shape, dtype, size * _ten_to(stream, -2, 1)) for g in gradients]
    attributes = {"learning_rate": _ten_to(stream, -4, 0)}
    kind = stream.choice(["", "clipvalue", "clipnorm", "global_clipnorm"])
    if kind:
        attributes[str(kind)] = _threshold(stream, size)
    return {"weights": weights, "gradients": gradients}, attributes


MAKERS: dict[str, Callable[..., tuple[Any, Any]]] = {
    "relu": relu,
    "elu": elu,
    "batch_norm_train": batch_norm_train,
    "batch_norm_eval": batch_norm_eval,
    "clip_by_value": clip_by_value,
    "clip_by_norm": clip_by_norm,
    "clip_by_global_norm": clip_by_global_norm,
    "sgd_step": sgd_step,
}


def random_case(operation: str, dtype: str, number: int, shape: Shape = ()) -> VectorCase:
    """Return one case; the same number gives the same case everywhere.

    With a given shape the case is one for frameworks: what some of them refuse, and what no computation in half
    precision can hold, does not come.

    Args:
        operation: one of ``MAKERS``.
        dtype: of x or of the gradients.
        number: which one.
        shape: of x or of the one gradient; random when empty.
    """
    places = list(MAKERS).index(operation), ("float64", "float32", *HALF).index(dtype), number
    inputs, attributes = MAKERS[operation](np.random.default_rng(places), dtype, shape)
    return _case(operation, dtype, inputs, attributes, f"random-{number}")


def random_cases(operation: str, dtype: str, numbers: range) -> Iterator[VectorCase]:
    """Yield the cases of these numbers."""
    for number in numbers:
        yield random_case(operation, dtype, number)
