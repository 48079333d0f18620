"""Build the report of a run."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from nnconform.conformance.judging.law_tests import RATE
from nnconform.conformance.model.report import FrameworkEntry, Implementation, Laws, Platform, Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.running.driver import FrameworkRun
from nnconform.conformance.running.run import Run
from nnconform.conformance.running.worker import THREADS

from .curves import curves


def build(run: Run, spec: str, problems: Iterable[str], selection: Mapping[str, Sequence[str]]) -> Report:
    """Return the report of a run.

    Args:
        run: the run.
        spec: the version of the spec whose vectors were run.
        problems: vector files that could not be used, one message each.
        selection: the filters, by option.
    """
    # As the document has them, so that a text drawn from this report is that drawn from its file.
    results = tuple(Result.from_json(result.to_json()) for result in run.results)
    return Report(
        nnconform=version("nnconform"),
        spec=spec,
        complete=run.complete and all(entry.status in ("ran", "missing") for entry in run.frameworks),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(run.seconds, 3),
        platform=_platform(),
        selection={key: tuple(value) for key, value in selection.items() if value},
        vectors=len(run.vectors),
        asked={vector.id: vector.digest for vector in run.vectors},
        problems=tuple(problems),
        frameworks=tuple(_framework(entry) for entry in run.frameworks),
        faults=tuple(run.faults),
        laws=_laws(run),
        results=results,
        curves=tuple(curves(run.results)),
    )


def _framework(entry: FrameworkRun) -> FrameworkEntry:
    framework, hello = entry.framework, entry.hello
    implementations = () if hello is None else hello.implementations
    return FrameworkEntry(
        name=entry.name,
        target=framework.target or framework.name,
        adapter=framework.module,
        status=entry.status,
        versions={} if hello is None else hello.versions,
        modes=() if hello is None else hello.modes,
        implementations=tuple(Implementation(i.operation, i.name, i.modes, i.defaults) for i in implementations),
        seconds=round(entry.seconds, 3),
        calls=entry.calls,
        inapplicable=entry.inapplicable,
        not_run=entry.calls - entry.answered,
        only=tuple(framework.only),
        packages=dict(framework.pins),
        python="" if hello is None else hello.python,
        threads=None if hello is None else hello.threads,
        reason=entry.reason,
        stderr=entry.stderr,
    )


def _laws(run: Run) -> Laws:
    """Count the random samples and their tests, with the probability of a false alarm."""
    extremes = {vector.id for vector in run.vectors if vector.extremes}
    measured = [o.measured for result in run.results for o in result.outputs.values() if o.measured is not None]
    tests = [m.tests for m in measured if m.tests is not None]
    # The smallest and the largest element of a long sample.
    tests += [2 for result in run.results if result.vector in extremes and result.outputs]
    return Laws(len(tests), sum(tests), sum(tests) * RATE)


def _platform() -> Platform:
    return Platform(
        platform.system(),
        platform.machine(),
        _processor(),
        os.cpu_count() or 0,
        THREADS,
        platform.python_version(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
