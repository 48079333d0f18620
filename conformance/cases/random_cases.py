"""Random cases, for tests of the bounds and the count of false alarms; they are not among the vectors.

Shapes, axes, attributes and the ratio of mean to deviation are drawn over all that the clauses allow but overflow, so
that a correct implementation conforms on every case.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnconform.conformance.tensors import DTYPES as FORMATS
from nnconform.conformance.tensors import Array
from nnconform.reference.rounding import round_floats

from . import HALF, PARAMETERS, VectorCase

Stream = np.random.Generator
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


def relu(stream: Stream, dtype: str, shape: tuple[int, ...] | None = None) -> tuple[Any, Any]:
    """Return inputs and attributes: numbers of all sizes, and zeros."""
    shape = shape or (int(stream.integers(1, 60)),)
    x = _numbers(stream, shape, dtype, _ten_to(stream, -REACH[dtype] / 2, REACH[dtype] / 2))
    x = np.where(stream.random(shape) < 0.05, FORMATS[dtype].type(0), x)
    return {"x": x, "dy": _numbers(stream, shape, dtype)}, {}


def elu(stream: Stream, dtype: str, shape: tuple[int, ...] | None = None) -> tuple[Any, Any]:
    """Return inputs and attributes: mostly negative x of all sizes to which exp answers."""
    shape = shape or (int(stream.integers(1, 60)),)
    least = -4.0 if dtype == "float16" else -9.0
    x = np.where(stream.random(shape) < 0.8, -1, 1) * 10 ** stream.uniform(least, 1.3, shape)
    alpha = _one_of(stream, lambda: 1.0, lambda: stream.uniform(0.1, 3), lambda: -_ten_to(stream, -2, 2))
    dy = _numbers(stream, shape, dtype, _ten_to(stream, -2, 2))
    return {"x": _stored(x, dtype), "dy": dy}, {"alpha": float(alpha)}


def _batch(stream: Stream, dtype: str, shape: tuple[int, ...] | None) -> tuple[Array, Array, int]:
    """Return x, dy and the channel axis; mean over deviation is 0, or log-uniform up to a million."""
    rank = int(stream.integers(2, 6))
    shape = shape or tuple(int(stream.integers(1, 9 if rank == 2 else 5)) for _ in range(rank))
    axis = int(stream.integers(-len(shape), len(shape)))
    wide = [n if i == axis % len(shape) else 1 for i, n in enumerate(shape)]
    deviation = _ten_to(stream, -REACH[dtype] / 2, REACH[dtype] / 2)
    ratio = np.where(stream.random(wide) < 0.25, 0.0, 10 ** stream.uniform(-2, 6, wide))
    ratio = np.minimum(ratio, 2e4 / deviation) if dtype == "float16" else ratio
    x = _stored(deviation * (stream.standard_normal(shape) + ratio * stream.choice([-1, 1], wide)), dtype)
    return x, _numbers(stream, shape, dtype, _ten_to(stream, -2, 1), float(stream.choice([0, 1, 10]))), axis


def _parameters(stream: Stream, dtype: str, channels: int, size: float) -> dict[str, Array]:
    kept = PARAMETERS[dtype]
    result = {
        "running_mean": _numbers(stream, (channels,), kept, size),
        "running_variance": _stored((size * stream.standard_normal(channels)) ** 2, kept),
    }
    if stream.random() < 0.85:
        result["gamma"] = _numbers(stream, (channels,), kept, 0.5, 1)
        result["beta"] = _numbers(stream, (channels,), kept)
    return result


def _epsilon(stream: Stream) -> float:
    return float(_one_of(stream, lambda: 1e-3, lambda: 1e-5, lambda: _ten_to(stream, -8, 0), lambda: 0.0))


def batch_norm_train(stream: Stream, dtype: str, shape: tuple[int, ...] | None = None) -> tuple[Any, Any]:
    """Return inputs and attributes; a case whose bounds are infinite (epsilon 0, a variance that is lost) may come."""
    x, dy, axis = _batch(stream, dtype, shape)
    momentum = _one_of(stream, lambda: 0.99, lambda: 0.0, lambda: 1.0, lambda: float(stream.random()))
    given = _parameters(stream, dtype, x.shape[axis], float(np.abs(x).max()) or 1.0)
    attributes = {"epsilon": _epsilon(stream), "momentum": momentum, "channel_axis": axis}
    return {"x": x, "dy": dy, **given}, attributes


def batch_norm_eval(stream: Stream, dtype: str, shape: tuple[int, ...] | None = None) -> tuple[Any, Any]:
    """Return inputs and attributes."""
    x, dy, axis = _batch(stream, dtype, shape)
    size = (float(np.abs(x).max()) or 1.0) * _ten_to(stream, -2, 1)
    given = _parameters(stream, dtype, x.shape[axis], size)
    return {"x": x, "dy": dy, **given}, {"epsilon": _epsilon(stream), "channel_axis": axis}


def _gradients(stream: Stream, dtype: str, shape: tuple[int, ...] | None) -> list[Any]:
    """Return one to four gradients, some absent, not all."""
    shapes = [shape] if shape else [tuple(stream.integers(1, 7, stream.integers(0, 4))) for _ in range(4)]
    size = _ten_to(stream, -REACH[dtype] / 2, REACH[dtype] / 2)
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


def clip_by_value(stream: Stream, dtype: str, shape: tuple[int, ...] | None = None) -> tuple[Any, Any]:
    """Return inputs and attributes."""
    gradients = _gradients(stream, dtype, shape)
    sizes = np.abs(gradients[0].astype(np.float64)).ravel()
    return {"gradients": gradients}, {"clipvalue": float(stream.choice(sizes)) * float(stream.choice([1, 0.5, 1.01]))}


def clip_by_norm(stream: Stream, dtype: str, shape: tuple[int, ...] | None = None) -> tuple[Any, Any]:
    """Return inputs and attributes."""
    gradients = _gradients(stream, dtype, shape)
    return {"gradients": gradients}, {"clipnorm": _threshold(stream, _size(gradients[:1]) or 1.0)}


def clip_by_global_norm(stream: Stream, dtype: str, shape: tuple[int, ...] | None = None) -> tuple[Any, Any]:
    """Return inputs and attributes."""
    gradients = _gradients(stream, dtype, shape)
    return {"gradients": gradients}, {"clipnorm": _threshold(stream, _size(gradients) or 1.0)}


def sgd_step(stream: Stream, dtype: str, shape: tuple[int, ...] | None = None) -> tuple[Any, Any]:
    """Return inputs and attributes: a step that is not clipped, or is in one of three ways."""
    gradients = _gradients(stream, dtype, shape)
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


def random_case(operation: str, dtype: str, number: int, shape: tuple[int, ...] | None = None) -> VectorCase:
    """Return one case; the same number gives the same case everywhere.

    Args:
        operation: one of ``MAKERS``.
        dtype: of x or of the gradients.
        number: which one.
        shape: of x or of each gradient; random when None.
    """
    places = list(MAKERS).index(operation), ("float64", "float32", *HALF).index(dtype), number
    inputs, attributes = MAKERS[operation](np.random.default_rng(places), dtype, shape)
    return _case(operation, dtype, inputs, attributes, f"random-{number}")


def random_cases(operation: str, dtype: str, numbers: range) -> Iterator[VectorCase]:
    """Yield the cases of these numbers."""
    for number in numbers:
        yield random_case(operation, dtype, number)
