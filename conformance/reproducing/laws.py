"""The assertion on a random sample: the statistic that tells that it does not follow its law."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from nnconform.conformance.judging.lawtest import CRITICAL_Z, CUT, even_moments
from nnconform.conformance.suite.vectors import LawTensor
from nnconform.reference.bounds import working
from nnconform.reference.initialization import TRUNCATED_DEVIATION
from nnconform.reference.rounding import FORMATS, round_number

FAILED = re.compile(r"(support|mean|variance|fourth moment|Kolmogorov-Smirnov|neighbours) [\d.e+inf]+ times")
# Those that are said in a line come first.
ORDER = ("support", "mean", "variance", "fourth moment", "neighbours", "Kolmogorov-Smirnov")


def statistics(problem: str, law: LawTensor) -> tuple[str, ...]:
    """Return the statistic to show of those that a report's problem names; all of the law's where it names none."""
    if named := FAILED.findall(problem):
        return (min(named, key=ORDER.index),)
    return tuple(name for name in ORDER if name != "support" or math.isfinite(law.bound))


def lines(law: LawTensor, got: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the lines that compute statistics of a sample and fail where one is beyond its critical value.

    Args:
        law: that the sample should follow.
        got: the expression of the sample as float64.
        names: of the statistics, in the order of ``ORDER``.
    """
    yield f"z = {got}.ravel() / {law.stddev!r}  # sqrt(2 / {round(2 / law.stddev**2, 3):g})"
    for name in names:
        yield from _statistic(law, name)


def _statistic(law: LawTensor, name: str) -> Iterator[str]:
    yield from {
        "support": _support,
        "mean": _moment,
        "variance": _moment,
        "fourth moment": _moment,
        "neighbours": _neighbours,
        "Kolmogorov-Smirnov": _distance,
    }[name](law, name)
    yield f'assert statistic <= critical, f"{name} {{statistic / critical:.3g}} times its critical value"'


def _support(law: LawTensor, name: str) -> Iterator[str]:
    limit = round_number(Decimal(law.bound) * (1 + 4 * working(law.dtype).u), FORMATS[law.dtype])
    yield "statistic = np.abs(z).max()"
    yield f"critical = {float(limit) / law.stddev!r}  # the law ends here"


CHANCE = "  # a right sample exceeds it once in 1e9"


def _moment(law: LawTensor, name: str) -> Iterator[str]:
    fourth, eighth = even_moments(law.law)[1:]
    power, mean, deviation = {
        "mean": ("z", 0.0, 1.0),
        "variance": ("(z**2)", 1.0, math.sqrt(fourth - 1)),
        "fourth moment": ("(z**4)", fourth, math.sqrt(eighth - fourth**2)),
    }[name]
    yield f"statistic = abs({power}.mean(){f' - {mean!r}' if mean else ''})"
    yield f"critical = {CRITICAL_Z * deviation:.17g} / np.sqrt(z.size){CHANCE}"


def _neighbours(law: LawTensor, name: str) -> Iterator[str]:
    yield "statistic = 0.0"
    yield f"grid = z.reshape({law.shape})"
    yield "for axis in range(grid.ndim):"
    yield "    along = np.moveaxis(grid, axis, 0)"
    yield "    products = along[1:] * along[:-1]"
    yield "    if products.size:"
    yield "        statistic = max(statistic, abs(products.sum()) / np.sqrt(products.size))"
    yield f"critical = {CRITICAL_Z!r}{CHANCE}"


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
    yield f"critical = np.sqrt(np.log(2e9) / (2 * z.size)){CHANCE}"
