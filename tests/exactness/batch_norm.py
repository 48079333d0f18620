"""batch_norm_train and batch_norm_eval, from spec/batch-normalization.md.

All is rational but r = 1 / sqrt(v + epsilon), so that every output of a channel is start + slope r.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from .document import Tensor
from .numbers import Real, line, plus, real, times, total
from .result import FREE, Result


def mean(numbers: Sequence[Real]) -> Real:
    return times(total(numbers), Fraction(1, len(numbers)))


def minus(a: Real, b: Real) -> Real:
    return plus(a, times(b, Fraction(-1)))


class Reciprocal(NamedTuple):
    """r = 1 / sqrt(square), with the special values of IEEE; None where square is 0."""

    square: Real

    def along(self, slope: Real, start: Real = Fraction(0)) -> Any:
        """start + slope r."""
        if isinstance(self.square, Fraction) and self.square > 0:
            return line(start, slope, self.square)
        if self.square == 0:
            return FREE  # BN-TRAIN-12, BN-EVAL-8
        return plus(start, times(slope, Fraction(0) if self.square == math.inf else math.nan))


class Channel(NamedTuple):
    """One channel's elements, or a block of them that stands in the channel ``times`` times.

    Means are then those of the block, and a sum counts it so often.
    """

    x: list[Real]
    dy: list[Real]
    gamma: Real
    beta: Real
    epsilon: Fraction
    times: int = 1

    def values(self, mu: Real, r: Reciprocal) -> list[Any]:
        # BN-TRAIN-3, BN-EVAL-1: y = gamma (x - mu) r + beta
        return [r.along(times(self.gamma, minus(x, mu)), self.beta) for x in self.x]

    def sums(self, mu: Real, r: Reciprocal) -> dict[str, Any]:
        # BN-TRAIN-7, BN-TRAIN-8: dgamma = sum(dy xh), dbeta = sum(dy), xh = (x - mu) r; sums of nothing are 0
        often = Fraction(self.times)
        slope = times(often, total([times(d, minus(x, mu)) for x, d in zip(self.x, self.dy, strict=True)]))
        return {"dgamma": r.along(slope) if self.x else Fraction(0), "dbeta": times(often, total(self.dy))}


def evaluated(channel: Channel, mu: Real, v: Real) -> dict[str, Any]:
    r = Reciprocal(plus(v, channel.epsilon))
    # BN-EVAL-3: dx = dy gamma r
    dx = [r.along(times(channel.gamma, d)) for d in channel.dy]
    made = {"y": channel.values(mu, r), "dx": dx} | channel.sums(mu, r)
    # BN-EVAL-9: an infinity in dy leaves dgamma free.
    return made | {"dgamma": FREE} if _infinite(channel.dy) else made


def moments(x: Sequence[Real]) -> tuple[Real, Real]:
    # BN-TRAIN-1, BN-TRAIN-2
    mu = mean(x)
    if not all(isinstance(a, Fraction) for a in x):
        return mu, math.nan  # BN-TRAIN-15
    return mu, mean([times(minus(a, mu), minus(a, mu)) for a in x])


def trained(channel: Channel) -> dict[str, Any]:
    """One step in one channel, without the running statistics."""
    if not channel.x:
        # BN-TRAIN-14
        nothing = {"y": [], "dx": [], "dgamma": Fraction(0), "dbeta": Fraction(0)}
        return nothing | {"batch_mean": FREE, "batch_variance": FREE}
    mu, v = moments(channel.x)
    r = Reciprocal(plus(v, channel.epsilon))
    made = {"y": channel.values(mu, r), "dx": input_gradient(channel, mu, r)} | channel.sums(mu, r)
    if _infinite(channel.dy) and not _nan([v]):
        # BN-TRAIN-15: an infinity in dy leaves dx and dgamma free.
        made |= {"dx": [FREE] * len(channel.x), "dgamma": FREE}
    return made | {"batch_mean": mu, "batch_variance": v}


def _infinite(numbers: Sequence[Real]) -> bool:
    """An infinity is among the numbers, and no NaN, which would decide."""
    return any(isinstance(a, float) and math.isinf(a) for a in numbers) and not _nan(numbers)


def _nan(numbers: Sequence[Real]) -> bool:
    return any(math.isnan(a) for a in numbers if isinstance(a, float))


def input_gradient(channel: Channel, mu: Real, r: Reciprocal) -> list[Any]:
    if r.square == 0:
        return [FREE] * len(channel.x)
    # BN-TRAIN-6: dx = gamma r (dy - mean(dy) - xh mean(dy xh)), where xh mean(dy xh) = (x - mu) mean(dy (x - mu)) r^2
    offsets = [minus(x, mu) for x in channel.x]
    pull = mean([times(d, o) for d, o in zip(channel.dy, offsets, strict=True)])
    squared = 1 / r.square if isinstance(r.square, Fraction) else math.nan
    center = mean(channel.dy)
    inner = [minus(minus(d, center), times(o, times(pull, squared))) for d, o in zip(channel.dy, offsets, strict=True)]
    return [r.along(times(channel.gamma, i)) for i in inner]


def places(shape: Sequence[int], axis: int) -> list[list[int]]:
    """For each channel the places of its elements in row-major order."""
    index = np.arange(math.prod(shape)).reshape(shape)
    moved = np.moveaxis(index, axis, 0)
    return [part.ravel().tolist() for part in moved]


def block_shape(x: Tensor, axis: int) -> tuple[int, ...]:
    """The shape of what repeats in x: whole slices along the first axis, which is not that of the channels."""
    if x.times == 1:
        return x.shape
    count, rest = divmod(len(x.values), math.prod(x.shape[1:]))
    assert not rest, "a block of x ends within a slice along its first axis"
    assert axis % len(x.shape), "x repeats along the axis of its channels"
    return (count, *x.shape[1:])


def channels(x: Tensor, dy: Tensor, inputs: Mapping[str, Any], attributes: Mapping[str, Any]) -> list[Channel]:
    assert x.times == dy.times
    found = places(block_shape(x, attributes["channel_axis"]), attributes["channel_axis"])
    ones, zeros = [1.0] * len(found), [0.0] * len(found)
    gamma, beta = (inputs[n].values if n in inputs else v for n, v in (("gamma", ones), ("beta", zeros)))
    epsilon = Fraction(attributes.get("epsilon", 0.001))  # BN-TRAIN-17, BN-EVAL-12
    return [
        Channel([real(x.values[i]) for i in at], [real(dy.values[i]) for i in at], real(g), real(b), epsilon, x.times)
        for at, g, b in zip(found, gamma, beta, strict=True)
    ]


def spread(made: Sequence[Mapping[str, Any]], name: str, shape: Sequence[int], axis: int) -> list[Any]:
    """The channels' elements of y or dx, each at its place."""
    result: list[Any] = [None] * math.prod(shape)
    for part, at in zip(made, places(shape, axis), strict=True):
        for i, value in zip(at, part[name], strict=True):
            result[i] = value
    return result


def gathered(
    made: Sequence[Mapping[str, Any]], x: Tensor, inputs: Mapping[str, Any], axis: int, extra: Sequence[str] = ()
) -> dict[str, Result]:
    kept, count = inputs["running_mean"].dtype, len(made)
    shape = block_shape(x, axis)
    results = {n: Result(x.dtype, x.shape, spread(made, n, shape, axis), x.times) for n in ("y", "dx")}
    names = dict.fromkeys(extra, kept)
    names |= {f"d{n}": inputs[n].dtype for n in ("gamma", "beta") if n in inputs}
    return results | {n: Result(dtype, (count,), [part[n] for part in made]) for n, dtype in names.items()}


def batch_norm_eval(inputs: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    x, stats = inputs["x"], [inputs["running_mean"], inputs["running_variance"]]
    all_channels = channels(x, inputs["dy"], inputs, attributes)
    made = [
        evaluated(c, real(mu), real(v)) for c, mu, v in zip(all_channels, stats[0].values, stats[1].values, strict=True)
    ]
    # BN-EVAL-2: the running statistics stay as they are.
    unchanged = {n: Result(*inputs[n]) for n in ("running_mean", "running_variance")}
    return gathered(made, x, inputs, attributes["channel_axis"]) | unchanged


def stepped(x: Tensor, steps: int) -> list[Tensor]:
    """The slices of a stacked tensor, or the tensor itself (FORMAT-9)."""
    if not steps:
        return [x]
    size = math.prod(x.shape[1:])
    assert (x.shape[0], x.times) == (steps, 1)
    return [Tensor(x.dtype, x.shape[1:], x.values[i * size : (i + 1) * size]) for i in range(steps)]


def batch_norm_train(inputs: Mapping[str, Any], attributes: Mapping[str, Any], steps: int = 0) -> dict[str, Any]:
    statistics: dict[str, list[Any]] = {
        n: [real(v) for v in inputs[n].values] for n in ("running_mean", "running_variance")
    }
    all_steps = []
    for x, dy in zip(stepped(inputs["x"], steps), stepped(inputs["dy"], steps), strict=True):
        made = [trained(c) for c in channels(x, dy, inputs, attributes)]
        statistics = moved(statistics, made, Fraction(attributes.get("momentum", 0.99)))  # BN-TRAIN-17
        all_steps.append(gathered(made, x, inputs, attributes["channel_axis"], extra=("batch_mean", "batch_variance")))
    results = _stacked(all_steps) if steps else all_steps[0]
    return results | {n: Result(inputs[n].dtype, inputs[n].shape, v) for n, v in statistics.items()}


def moved(old: Mapping[str, list[Any]], made: Sequence[Mapping[str, Any]], momentum: Fraction) -> dict[str, list[Any]]:
    # BN-TRAIN-4, BN-TRAIN-5: new = momentum old + (1 - momentum) (batch statistic)
    pairs = {"running_mean": "batch_mean", "running_variance": "batch_variance"}

    def one(before: Any, new: Any) -> Any:
        if new is FREE:
            return FREE
        return plus(times(momentum, before), times(1 - momentum, new))

    return {n: [one(o, part[new]) for o, part in zip(old[n], made, strict=True)] for n, new in pairs.items()}


def _stacked(steps: Sequence[Mapping[str, Result]]) -> dict[str, Result]:
    return {
        n: Result(first.dtype, (len(steps), *first.shape), [v for step in steps for v in step[n].values])
        for n, first in steps[0].items()
    }
