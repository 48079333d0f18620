"""What the frameworks do, as CI has just measured it or as a run of these tests' own finds it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import recorded

from nnconform.conformance.running.selection import matches

Found = Callable[..., Any]


@pytest.fixture(scope="session")
def found(report_of: Callable[..., Any]) -> Found:
    """Return ``found(*frameworks, vector=GLOBS, mode=GLOBS, ...)``: a report with the results that these filters take.

    It is a part of the whole run that CI has made of this machine, or a run with these filters.
    """
    whole = recorded.read(Path(os.environ[recorded.CURRENT])) if os.environ.get(recorded.CURRENT) else None

    def run(*frameworks: str, **globs: Sequence[str]) -> Any:
        words = itertools.chain.from_iterable((f"--{name}", glob) for name in globs for glob in globs[name])
        report = report_of(*frameworks, *words)[1] if whole is None else part(whole, frameworks, globs)
        assert report["complete"], report["frameworks"]
        assert report["faults"] == []
        assert report["results"]
        return report

    return run


def part(report: Any, frameworks: Sequence[str], globs: Mapping[str, Sequence[str]]) -> Any:
    """Return a report with the results of some frameworks that filters take."""
    rows = [row for row in report["results"] if row["framework"] in frameworks and taken(row, globs)]
    entries = [entry for entry in report["frameworks"] if entry["name"] in frameworks]
    return report | {"frameworks": entries, "results": rows}


def taken(row: Mapping[str, Any], globs: Mapping[str, Sequence[str]]) -> bool:
    """Say whether filters take a result."""
    about = {**row, "dtype": row["vector"].rpartition("/")[2]}
    return all(matches(about[name], wanted) for name, wanted in globs.items())
