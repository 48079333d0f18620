"""The JSON report: the one source from which every other report is drawn (spec/schema/report.schema.json)."""

from __future__ import annotations

import json
import math
import os
import platform
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnconform.conformance.judging.judge import OutputResult, Result
    from nnconform.conformance.running.drive import FrameworkRun
    from nnconform.conformance.running.run import Run

FORMAT = 1


class ReportError(Exception):
    """A file is no report that can be used; the message names it, what is wrong, and what to do."""


def number(value: float) -> float | str:
    """Return a number as the report holds it: those that are not finite as strings."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def _short(value: float) -> float | str:
    return number(float(f"{value:.4g}")) if math.isfinite(value) else number(value)


def _output(output: OutputResult) -> dict[str, Any]:
    from . import pictures

    row: dict[str, Any] = {"verdict": output.verdict, "digest": output.digest, "ratio": _short(output.ratio)}
    for key in ("measured", "counted"):
        if found := getattr(output, key):
            row[key] = {k: number(v) for k, v in found.items()}
    row |= pictures.of_output(output.picture)
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

    from .pictures import curves

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
        "curves": curves(run.results),
        "results": [_result(result, versions) for result in run.results],
    }


def _laws(run: Run) -> dict[str, float]:
    """Return how many random samples were judged by how many tests, and how probable a false alarm is."""
    from nnconform.conformance.judging.lawtest import RATE

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


def write(report: Mapping[str, Any], path: Path) -> None:
    """Write a report so that the file is whole or not there.

    Raises:
        OSError: the folder does not exist or cannot be written to.
    """
    write_whole(path, _text(report).encode())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is whole or not there: first beside it, then in its place.

    Raises:
        OSError: the folder does not exist or cannot be written to.
    """
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=path.name, delete=False) as file:
        temporary = Path(file.name)
    try:
        temporary.write_bytes(data)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(path: Path) -> dict[str, Any]:
    """Return the report in a file.

    Raises:
        ReportError: it cannot be read, or is no report of this format.
    """
    from nnconform.conformance.suite.vectors import schema_problem, validator

    report = _read(path)
    if problem := schema_problem(validator("report"), report):
        raise ReportError(f"{path}: breaks spec/schema/report.schema.json: {problem}; run `nnconform run --json` again")
    return report


def _read(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_bytes())
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ReportError(f"{path}: not JSON: {error}; wanted a report that `nnconform run --json` wrote") from None
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise ReportError(f"{path}: no report of format {FORMAT}; wanted what `nnconform run --json` wrote")
    return report


def _text(report: Mapping[str, Any]) -> str:
    # One result or curve a line: small, and still fit for grep and diff.
    long = [key for key in ("curves", "results") if key in report]
    head = json.dumps({k: v for k, v in report.items() if k not in long}, indent=1)
    tail = ",\n".join(_lines(key, report[key]) for key in long)
    return f"{head[:-2]},\n{tail}\n}}\n"


def _lines(key: str, rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    return f' "{key}": [\n{lines}\n ]'


def remember(report: Mapping[str, Any]) -> Path | None:
    """Keep a report as the last run's in the user's cache; return where, or None where that cannot be written."""
    path = last_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(report, path)
    except OSError:
        return None
    return path


def last() -> dict[str, Any]:
    """Return the last run's report, unchecked: this program has written it, and checking takes longer than reading.

    Raises:
        ReportError: it cannot be read, or is of another format.
    """
    return _read(last_path())


def cache_folder() -> Path:
    """Return the user's cache folder of nnconform."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("nnconform", appauthor=False))


def last_path() -> Path:
    """Return where the last run's report is kept."""
    return cache_folder() / "last-report.json"


BAD = frozenset({"diverges", "error", "crash", "timeout"})


def is_finding(row: Mapping[str, Any], *, strict: bool) -> bool:
    """Say whether a result fails a run: it is bad, judged by what the user set, and not known."""
    bad = row["verdict"] in BAD or (strict and row["verdict"] == "dialect")
    return bad and row["profile"] != "defaults" and "known" not in row


def exit_status(report: Mapping[str, Any], *, strict: bool) -> int:
    """Return the exit status of a run: 3 the suite failed, 130 interrupted, 1 findings, 0 none.

    Vectors of profile defaults inform and do not fail a run.
    """
    failed = any(entry["status"] in ("failed", "stopped") for entry in report["frameworks"])
    if report["faults"] or failed:
        return 3
    if report["problems"]:
        return 2
    if not report["complete"]:
        return 130
    return int(bool(report.get("known_problems")) or any(is_finding(r, strict=strict) for r in report["results"]))
