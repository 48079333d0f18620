"""The JSON report: the one source from which every other report is drawn (spec/schema/report.schema.json)."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnconform.conformance.numbers import number

from . import curves
from .store import FORMAT

if TYPE_CHECKING:
    from nnconform.conformance.judging.judge import OutputResult, Result
    from nnconform.conformance.running.driver import FrameworkRun
    from nnconform.conformance.running.run import Run


def _short(value: float) -> float | str:
    return number(float(f"{value:.4g}")) if math.isfinite(value) else number(value)


def _output(output: OutputResult) -> dict[str, Any]:

    row: dict[str, Any] = {"verdict": output.verdict, "digest": output.digest, "ratio": _short(output.ratio)}
    for key in ("measured", "counted"):
        if found := getattr(output, key):
            row[key] = {k: number(v) for k, v in found.items()}
    row |= curves.of_output(output.picture)
    if output.verdict == "conforms":
        return row
    row["ulp"] = _short(output.ulp)
    for key in ("dialect", "fault", "problem"):
        if getattr(output, key):
            row[key] = getattr(output, key)
    if output.also:
        row["also"] = list(output.also)
    if output.worst:
        row["worst"] = {k: number(v) if isinstance(v, float) else v for k, v in output.worst.items()}
    return row


def _result(result: Result, versions: Mapping[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "framework": result.framework,
        "version": versions[result.framework],
        "implementation": result.implementation,
        "mode": result.mode,
        "operation": result.vector.operation,
        "vector": result.vector.id,
        "profile": result.vector.profile,
        "verdict": result.verdict,
    }
    if result.vector.unjudged:
        row["judged"] = False
    if result.dialect:
        row["dialect"] = result.dialect
    for key in ("reason", "printed"):
        if getattr(result, key):
            row[key] = getattr(result, key)
    return row | {"outputs": {name: _output(o) for name, o in result.outputs.items()}}


def _framework(entry: FrameworkRun) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": entry.hello.get("framework", entry.framework.name),
        "target": entry.framework.target or entry.framework.name,
        "adapter": entry.framework.module,
        "status": entry.status,
        "versions": dict(entry.hello.get("versions", {})),
        "modes": list(entry.hello.get("modes", [])),
        "implementations": [
            {key: i[key] for key in ("operation", "name", "modes", "defaults")}
            for i in entry.hello.get("implementations", [])
        ],
        "seconds": round(entry.seconds, 3),
        "calls": entry.calls,
        "inapplicable": entry.inapplicable,
        "not_run": entry.calls - entry.answered,
    }
    if entry.framework.only:
        row["only"] = list(entry.framework.only)
    if entry.framework.pins:
        row["packages"] = dict(entry.framework.pins)
    row |= {key: entry.hello[key] for key in ("python", "threads") if key in entry.hello}
    row |= {key: getattr(entry, key) for key in ("reason", "stderr") if getattr(entry, key)}
    return row


def document(run: Run, spec: str, problems: list[str], selection: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of a run.

    Args:
        run: what happened.
        spec: the version of the spec whose vectors were run.
        problems: vector files that could not be used, a message each.
        selection: the filters that were given, by option.
    """
    from nnconform.conformance.running.worker import THREADS

    versions = {
        entry.hello["framework"]: next(iter(entry.hello["versions"].values()), "")
        for entry in run.frameworks
        if entry.hello
    }
    return {
        "format": FORMAT,
        "nnconform": version("nnconform"),
        "spec": spec,
        "complete": run.complete and all(entry.status in ("ran", "missing") for entry in run.frameworks),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 3),
        "platform": {
            "system": platform.system(),
            "machine": platform.machine(),
            "processor": _processor(),
            "cores": os.cpu_count() or 0,
            "threads": THREADS,
            "python": platform.python_version(),
        },
        "selection": {key: list(value) for key, value in selection.items() if value},
        "vectors": len(run.vectors),
        "asked": {vector.id: vector.digest for vector in run.vectors},
        "problems": problems,
        "frameworks": [_framework(entry) for entry in run.frameworks],
        "faults": [vars(fault) for fault in run.faults],
        "laws": _laws(run),
        "curves": curves.curves(run.results),
        "results": [_result(result, versions) for result in run.results],
    }


def _laws(run: Run) -> dict[str, float]:
    """Return how many random samples were judged by how many tests, and how probable a false alarm is."""
    from nnconform.conformance.judging.laws.law_tests import RATE

    tests = [int(o.measured["tests"]) for r in run.results for o in r.outputs.values() if "tests" in o.measured]
    # The smallest and the largest element of a long sample.
    tests += [2 for r in run.results if r.vector.extremes and r.outputs]
    return {"samples": len(tests), "tests": sum(tests), "false_alarm": sum(tests) * RATE}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
