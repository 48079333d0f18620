"""The gate's table, for people."""

from __future__ import annotations

import time
from collections.abc import Sequence

from nnconform.conformance.vectors.reading import load

from . import MUTANTS
from .gate import find
from .mutant import WrongMutant


def show(names: Sequence[str]) -> int:
    """Print a line for each mutant whose name contains one of ``names``, or for all; return the exit status."""
    began, vectors = time.monotonic(), load()[0]
    mutants = [mutant for mutant in MUTANTS if not names or any(name in mutant.name for name in names)]
    caught = 0
    print(f"{'mutant':44}{'kind':36}{'caught in':37}vectors")
    for mutant in mutants:
        try:
            finding = find(mutant, vectors)
        except WrongMutant as wrong:
            print(f"{mutant.name}: {wrong}")
            continue
        print(f"{mutant.name:44}{mutant.kind:36}{', '.join(finding.dtypes):37}{finding.catches:7}")
        print("".join(f"    {problem}\n" for problem in finding.problems), end="", flush=True)
        caught += not finding.problems
    print(f"mutants: {caught} of {len(mutants)} caught ({time.monotonic() - began:.0f} s)")
    return int(caught < len(mutants))
