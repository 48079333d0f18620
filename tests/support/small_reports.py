"""Reports of a few results, for tests of what is drawn from a report."""

from __future__ import annotations

from typing import Any

from nnconform.conformance.model.report import FrameworkEntry, Platform, Report
from nnconform.conformance.model.result import Output, Result


def result(**changes: Any) -> Result:
    """Return a result of ``api`` of the framework ``f`` that conforms, with some changes."""
    usual = {
        "framework": "f",
        "version": "1",
        "implementation": "api",
        "mode": "eager",
        "operation": "elu",
        "vector": "elu/a/float32",
        "profile": "core",
        "verdict": "conforms",
        "outputs": {},
    }
    return Result(**usual | changes)


def conforming(ratio: float) -> Output:
    """Return an output that conforms, with its largest error over its bound."""
    return Output("conforms", ratio=ratio)


def report(*results: Result, **changes: Any) -> Report:
    """Return the complete report of some results, with some changes."""
    names = dict.fromkeys(result.framework for result in results)
    usual = {
        "nnconform": "1",
        "spec": "1",
        "complete": True,
        "created": "2026-01-01T00:00:00+00:00",
        "seconds": 1.0,
        "platform": Platform("Linux", "x86_64", "", 1, 1, "3.12"),
        "selection": {},
        "vectors": len({result.vector for result in results}),
        "asked": {},
        "problems": (),
        "frameworks": tuple(FrameworkEntry(name, name, f"adapters.{name}", "ran", {name: "1"}) for name in names),
        "faults": (),
        "laws": None,
        "results": results,
    }
    return Report(**usual | changes)
