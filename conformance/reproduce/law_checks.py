"""Assertions on random samples: the statistic that shows that a sample does not follow its law (distribution)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from nnconform.conformance.judging.distribution import CUT, Distribution
from nnconform.conformance.judging.law_tests import (
    CRITICAL_Z,
    LONG,
    RATE,
    accuracy,
    critical_distance,
    critical_sum,
    expected_distinct,
    expected_scale,
    fewest,
    largest_change,
    limit,
)
from nnconform.conformance.judging.sample import LEAST_ELEMENTS, MOST_CHANNELS
from nnconform.conformance.vectors.vector import LawTensor
from nnconform.reference.bounds import HALF
from nnconform.reference.initialization import TRUNCATED_DEVIATION
from nnconform.reference.rounding import FORMATS

SCALE = "scale"
# The statistics with the shortest code come first.
ORDER = (
    *("support", "reach", "mean", "variance", "fourth moment", "distinct values"),
    *("neighbours", "elements", "channels", "Kolmogorov-Smirnov"),
    SCALE,
)
FAILED = re.compile(rf"({'|'.join(ORDER)})( [^,:;]*)? [\d.e+inf]+ times")


def statistics(problem: str, law: LawTensor) -> tuple[str, ...]:
    """Return the simplest statistic in the problem of a report, or all statistics of the law if there is none."""
    if not math.prod(law.shape):
        return ()
    if named := [name for name, _ in FAILED.findall(problem)]:
        return (min(named, key=ORDER.index),)
    return tuple(name for name in ORDER if _applies(law, name))


def _applies(law: LawTensor, name: str) -> bool:
    """Return True if a law has a statistic. "elements" has the same lines as "neighbours", so it is left out."""
    return name not in ("elements", SCALE) and (name != "distinct values" or law.dtype in HALF or _long(law))


def _long(law: LawTensor) -> bool:
    return math.prod(law.shape) >= LONG


def lines(law: LawTensor, got: str, names: Iterable[str], draws: str = "") -> Iterator[str]:
    """Yield the lines that compute statistics of a sample and fail if one is above its critical value.

    Args:
        law: the expected law.
        got: the expression of the sample as float64.
        names: the statistics, in the order of ``ORDER``.
        draws: the expression of the standard draws as float64, for the statistic ``SCALE``.
    """
    if SCALE in names:
        yield "# The standard draws of the same seed."
        yield f"draws = {draws}.ravel()"
    yield f"z = {got}.ravel() / {law.stddev!r}  # sqrt(2 / {round(2 / law.stddev**2, 3):g})"
    for name in names:
        yield from _statistic(law, name)


def _statistic(law: LawTensor, name: str) -> Iterator[str]:
    yield from {
        "support": _support,
        "reach": _reach,
        "mean": _moment,
        "variance": _moment,
        "fourth moment": _moment,
        "distinct values": _distinct,
        "neighbours": _lags,
        "elements": _lags,
        "channels": _channels,
        "Kolmogorov-Smirnov": _distance,
        SCALE: _scale,
    }[name](law, name)
    yield f'assert statistic <= critical, f"{name} {{statistic / critical:.3g}} times its critical value"'


def _support(law: LawTensor, name: str) -> Iterator[str]:
    size = math.prod(law.shape)
    yield "statistic = np.abs(z).max()"
    comment = "  # the law ends here" if math.isfinite(law.bound) else CHANCE
    yield f"critical = {float(limit(law, size)) / law.stddev!r}{comment}"


def _scale(law: LawTensor, name: str) -> Iterator[str]:
    # Least squares: rounding errors cancel, in half precision except for 7 standard deviations.
    rounded = 7 * 2.0 ** -FORMATS[law.dtype].bits / math.sqrt(math.prod(law.shape)) if law.dtype in HALF else 0.0
    expected = expected_scale(law) / law.stddev
    yield f"statistic = abs(np.dot(z, draws) / np.dot(draws, draws) / {expected!r} - 1)"
    yield f"critical = {accuracy(law) + rounded:.3g}  # the draws times the scale of the law, rounded"


def _reach(law: LawTensor, name: str) -> Iterator[str]:
    reached = Distribution.of(law.law, law.levels).exceeded(math.log(1 / RATE) / math.prod(law.shape))
    least = reached * (1 - accuracy(law)) * (1 - 2.0 ** -FORMATS[law.dtype].bits)
    yield "statistic = 1 / np.abs(z).max()"
    yield f"critical = {1 / least!r}  # a right sample has an element beyond {least:.6g} deviations, but once in 1e11"


CHANCE = "  # a right sample exceeds it once in 1e11"


def _moment(law: LawTensor, name: str) -> Iterator[str]:
    expected = Distribution.of(law.law, law.levels).moments
    k, power = {"mean": (1, "z"), "variance": (2, "(z**2)"), "fourth moment": (4, "(z**4)")}[name]
    spread = math.sqrt(expected[2 * k] - expected[k] ** 2)
    shift = largest_change(k, expected[k], law)
    yield f"statistic = abs({power}.mean(){f' - {expected[k]!r}' if expected[k] else ''})"
    yield f"critical = {CRITICAL_Z * spread:.17g} / np.sqrt(z.size) + {shift:.3g}{CHANCE}"


def _distinct(law: LawTensor, name: str) -> Iterator[str]:
    size = math.prod(law.shape)
    least = float(fewest(size))
    if law.dtype in HALF:
        mean, missing = expected_distinct(law.law, law.stddev, law.dtype, size)
        least = mean - missing
    yield "statistic = 1 / np.unique(z).size"
    yield f"critical = 1 / {least:.0f}  # so many different values has a rounded sample, but once in 1e11"


# A larger standard deviation does not make a sample more dependent.
SPREAD = "statistic /= max(1.0, (z**2).mean())"


def _lags(law: LawTensor, name: str) -> Iterator[str]:
    yield "statistic = 0.0"
    yield f"grid = z.reshape({law.shape})"
    yield "for axis in range(grid.ndim):"
    yield "    along = np.moveaxis(grid, axis, 0)"
    yield "    for lag in range(1, 5):"
    yield "        products = along[lag:] * along[:-lag]"
    yield "        if products.size:"
    yield "            statistic = max(statistic, abs(products.sum()) / np.sqrt(products.size))"
    yield SPREAD
    yield f"critical = {CRITICAL_Z!r}{CHANCE}"


def _channels(law: LawTensor, name: str) -> Iterator[str]:
    yield "statistic = 0.0"
    yield f"grid = z.reshape({law.shape})"
    for axis, count in enumerate(law.shape):
        length = math.prod(law.shape) // count
        if 2 <= count <= MOST_CHANNELS and length >= LEAST_ELEMENTS:
            yield f"rows = np.moveaxis(grid, {axis}, 0).reshape({count}, {length})"
            yield "between = np.abs(np.triu(rows @ rows.T, 1))"
            allowed = critical_sum(length, count * (count - 1) // 2)
            yield f"statistic = max(statistic, between.max() / {allowed!r}){CHANCE}"
    yield SPREAD
    yield "critical = 1.0"


def _distance(law: LawTensor, name: str) -> Iterator[str]:
    yield "z.sort()"
    if law.law == "uniform":
        yield "law = np.clip(0.5 + z / (2 * np.sqrt(3)), 0, 1)"
    else:
        scale, cut = (TRUNCATED_DEVIATION, CUT) if law.law == "truncated_normal" else (1.0, math.inf)
        unit = f"np.clip(z * {scale!r}, -{cut!r}, {cut!r})" if cut < math.inf else "z"
        whole = f" / math.erf({cut!r} / math.sqrt(2))" if cut < math.inf else ""
        yield f"unit = {unit}"
        yield f"law = np.array([(1 + math.erf(v / math.sqrt(2)){whole}) / 2 for v in unit])"
    yield "steps = np.arange(z.size + 1) / z.size"
    yield "statistic = max((steps[1:] - law).max(), (law - steps[:-1]).max())"
    yield f"critical = {critical_distance(math.prod(law.shape))!r}{CHANCE}"
