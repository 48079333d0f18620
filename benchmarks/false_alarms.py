"""How often a correct implementation is called wrong: the numpy control on random cases of every operation and dtype.

    python benchmarks/false_alarms.py                    10,000 cases an operation and dtype
    python benchmarks/false_alarms.py --cases 200 --operation batch_norm_train

Prints a table in Markdown: cases, outputs judged, outputs of which no finite bound exists, false alarms, and the worst
error over its bound. Exits with 1 when there is a false alarm. Laws are judged on fewer cases: each draws 65,536
numbers, of which each statistic fails with a probability of 1e-11.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import itertools
import platform
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
from support.conforming import region
from support.random_cases import MAKERS, random_case

from nnconform.adapters import numpy as control
from nnconform.conformance.cases.vector_case import DTYPES
from nnconform.conformance.judging import law_tests
from nnconform.conformance.judging.compare import compare
from nnconform.conformance.judging.sample import Sample
from nnconform.conformance.vectors.tensors import DTYPES as FORMATS
from nnconform.conformance.vectors.vector import LawTensor, flat
from nnconform.reference import laws

FUNCTIONS = {i.operation: i.function for i in control.adapter.implementations if not i.defaults}
LAWS = ("he_normal", "he_uniform")
# How many cases a process takes at a time.
PIECE = 250


class Count(NamedTuple):
    """What was found on some cases of an operation and dtype."""

    cases: int = 0
    judged: int = 0
    unbounded: int = 0
    alarms: int = 0
    worst: float = 0.0
    where: str = "-"

    def plus(self, other: Count) -> Count:
        """Return what was found on both."""
        sums = (a + b for a, b in zip(self[:4], other[:4], strict=True))
        return Count(*sums, *max(self[4:], other[4:], key=lambda pair: pair[0]))


def judged(operation: str, dtype: str, number: int) -> Count:
    """Return what is found on one case."""
    case = random_case(operation, dtype, number)
    with np.errstate(all="ignore"):
        got = dict(flat(FUNCTIONS[operation](**case.inputs, **case.attributes)))
    expected = region(case)
    found = {name: compare(np.asarray(got[name]), tensor) for name, tensor in expected.items()}
    worst = max(((c.ratio, f"{name} of case {number}") for name, c in found.items()), default=(0.0, "-"))
    alarms = sum(not c.fits for c in found.values())
    return Count(1, len(found), len(got) - len(found), alarms, *worst)


def judged_law(operation: str, dtype: str, number: int) -> Count:
    """Return what is found on one random sample; the ratio is that of the worst statistic to its critical value."""
    attributes = {
        "shape": [256, 256], "kind": "dense", "layout": "spatial_in_out", "groups": 1, "mode": "fan_in",
        "dtype": dtype, "seed": number,
    }  # fmt: skip
    sample = FUNCTIONS[operation](**{**attributes, "dtype": FORMATS[dtype]})["sample"]
    law = laws.expected_law(operation, attributes)
    found = law_tests.compare(Sample(sample), LawTensor(dtype, (256, 256), *law))
    return Count(1, 1, 0, int(not found.fits), found.ratio, f"case {number}")


def piece(operation: str, dtype: str, numbers: range) -> Count:
    """Return what is found on the cases of these numbers."""
    total = Count()
    for number in numbers:
        total = total.plus((judged_law if operation in LAWS else judged)(operation, dtype, number))
    return total


def pieces(operations: list[str], cases: int, samples: int) -> Iterator[tuple[str, str, range]]:
    """Yield the work, in pieces."""
    for operation, dtype in itertools.product(operations, DTYPES):
        count = samples if operation in LAWS else cases
        for start in range(0, count, PIECE):
            yield operation, dtype, range(start, min(start + PIECE, count))


HEAD = """\
| operation | dtype | cases | outputs judged | without a bound | false alarms | worst error / bound | at |
|---|---|---:|---:|---:|---:|---:|---|"""


def line(operation: str, dtype: str, c: Count) -> str:
    """Return a line of the table."""
    numbers = f"{c.cases} | {c.judged} | {c.unbounded} | {c.alarms} | {c.worst:.3f} | {c.where}"
    return f"| {operation} | {dtype} | {numbers} |"


def main() -> int:
    """Judge, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=10_000, help="of each operation and dtype")
    parser.add_argument("--samples", type=int, default=200, help="of each law and dtype")
    parser.add_argument("--operation", action="append", choices=[*MAKERS, *LAWS])
    parser.add_argument("--jobs", type=int, help="processes; one a core when not given")
    options = parser.parse_args()
    work = list(pieces(options.operation or [*MAKERS, *LAWS], options.cases, options.samples))
    versions = f"NumPy {np.__version__}, Python {platform.python_version()}, {platform.machine()}"
    print(f"The numpy control on random cases, {datetime.date.today()}; {versions}.\n\n{HEAD}", flush=True)
    whole = Count()
    with ProcessPoolExecutor(options.jobs) as pool:
        found = zip(work, pool.map(piece, *zip(*work, strict=True)), strict=True)
        # Each line as soon as it is known: the whole takes long.
        for (operation, dtype), group in itertools.groupby(found, key=lambda item: item[0][:2]):
            count = functools.reduce(Count.plus, (each for _, each in group))
            print(line(operation, dtype, count), flush=True)
            whole = whole.plus(count)
    print(f"\n{whole.judged} outputs judged, {whole.alarms} false alarms.")
    return int(whole.alarms > 0)


if __name__ == "__main__":
    sys.exit(main())
