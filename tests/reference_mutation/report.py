"""The list of equivalent mutants, and the tables that are printed and recorded."""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import yaml
from check import Noticed
from mutate import CONTROL, Mutant

HERE = Path(__file__).resolve().parent
LIST = HERE / "equivalent.yaml"
RESULT = HERE / "result.md"


class Result(NamedTuple):
    """What came of a mutant: what noticed it, and the seconds that it took."""

    noticed: Noticed
    seconds: float


def equivalent(path: Path = LIST) -> dict[str, str]:
    """Return the reasons of the mutants that are listed as equivalent, by id.

    Raises:
        ValueError: an entry without a reason, or a mutant that is listed twice.
    """
    found: dict[str, str] = {}
    for entry in yaml.safe_load(path.read_text()) or []:
        if not entry.get("reason", "").strip():
            raise ValueError(f"{path.name}: no reason for {entry['mutants']}")
        for name in entry["mutants"]:
            if name in found:
                raise ValueError(f"{path.name}: twice: {name}")
            found[name] = entry["reason"]
    return found


def problems(mutants: Sequence[Mutant], results: Mapping[str, Result], listed: Mapping[str, str]) -> list[str]:
    """Return what is wrong: survivors that are not listed, and entries that were noticed or name no mutant.

    Where the control was noticed, that alone: then nothing that noticed a mutant means anything.
    """
    if CONTROL.id in results and results[CONTROL.id].noticed.by:
        return [f"{CONTROL.id} was noticed: {' '.join(results[CONTROL.id].noticed)}"]
    found = []
    for mutant in mutants:
        result = results.get(mutant.id)
        if result and not result.noticed.by and mutant.id not in listed:
            found.append(f"survived: {mutant.id}")
        if result and result.noticed.by and mutant.id in listed:
            found.append(f"listed, but noticed by {result.noticed.which}: {mutant.id}")
    modules = {mutant.module for mutant in mutants}
    names = {mutant.id for mutant in mutants}
    stale = [name for name in listed if name.partition(".")[0] in modules and name not in names]
    return [*found, *(f"listed, but there is no such mutant: {name}" for name in stale)]


COLUMNS = ("module", "mutants", "noticed by vectors", "by tests", "equivalent", "survived", "seconds")


def _row(name: str, mutants: Sequence[Mutant], results: Mapping[str, Result], listed: Mapping[str, str]) -> list[str]:
    known = [results[mutant.id] for mutant in mutants if mutant.id in results]
    by = [result.noticed.by for result in known]
    alive = [mutant.id for mutant in mutants if mutant.id in results and not results[mutant.id].noticed.by]
    numbers = [len(known), by.count("vectors"), by.count("tests")]
    numbers += [sum(name in listed for name in alive), sum(name not in listed for name in alive)]
    return [name, *map(str, numbers), f"{sum(result.seconds for result in known):.0f}"]


def table(mutants: Sequence[Mutant], results: Mapping[str, Result], listed: Mapping[str, str]) -> str:
    """Return the counts of each module as a table in Markdown; the seconds are those of one process."""
    modules = list(dict.fromkeys(mutant.module for mutant in mutants))
    rows = [_row(name, [m for m in mutants if m.module == name], results, listed) for name in modules]
    rows.append(_row("all", mutants, results, listed))
    lines = [f"| {' | '.join(COLUMNS)} |", f"| --- |{' ---: |' * (len(COLUMNS) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def record(text: str, wrong: Sequence[str], seconds: float, jobs: int, kept: int, path: Path = RESULT) -> None:
    """Write the result of all modules: the table's text, what is wrong, and how many were kept from earlier runs."""
    again = f" {kept} mutants were noticed in earlier runs, some of earlier sources, and not tried again."
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("nnconform", "numpy", "ml_dtypes", "pytest"))
    problem_list = "\n".join(f"- {line}" for line in wrong) or "No other mutant survived."
    path.write_text(
        "<!-- Written by `python tests/reference_mutation/run.py --record`; do not edit. -->\n"
        "# The reference's mutants, the last result of all modules\n\n"
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, Python {platform.python_version()} on {sys.platform}, "
        f"{versions}; {seconds / 60:.0f} minutes in {jobs} processes. "
        f"The table's seconds are those of all processes.{again if kept else ''}\n\n"
        f"{text}\n\n"
        f"{problem_list}\n\n"
        "Equivalent mutants give the same results for all inputs; they are listed with their reasons in "
        "[equivalent.yaml](equivalent.yaml).\n"
    )
