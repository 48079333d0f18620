"""The table of dialects and of the vectors that name them, for people."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mutants.gate import DTYPES
from mutants.mutant import WrongMutant

from nnconform.conformance.vectors.reading import load

from . import CONTROLS
from .control import diagnosis


def show(names: Sequence[str]) -> int:
    """Print a line for each dialect whose name contains one of ``names``, or for all; return the exit status."""
    began, vectors = time.monotonic(), load()[0]
    controls = [control for control in CONTROLS if not names or any(name in control.dialect for name in names)]
    right = 0
    print(f"{'vectors that name the dialect, in':80}{''.join(f'{dtype:>9}' for dtype in DTYPES)}")
    for control in controls:
        try:
            diagnosed = diagnosis(control, vectors)
        except WrongMutant as wrong:
            print(f"{control.dialect}: {wrong}")
            continue
        counts = (str(diagnosed.count_named(dtype) or "-") for dtype in DTYPES)
        print(f"{control.dialect:80}{''.join(f'{count:>9}' for count in counts)}")
        print("".join(f"    {problem}\n" for problem in diagnosed.problems), end="", flush=True)
        right += not diagnosed.problems
    print(f"dialects and combinations: {right} of {len(controls)} diagnosed ({time.monotonic() - began:.0f} s)")
    return int(right < len(controls))
