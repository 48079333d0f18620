"""Reports in files: written whole, read and checked, and the last run's in the user's cache."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnconform.conformance.files import cache_folder, write_whole
from nnconform.conformance.model.document import DAMAGE
from nnconform.conformance.model.report import FORMAT, Report
from nnconform.conformance.numbers import Json


class ReportError(Exception):
    """A file is not a usable report. The message names the file, the problem and the next step."""


def write(report: Report, path: Path) -> None:
    """Write a report to a file, whole or not at all.

    Raises:
        OSError: the folder does not exist or cannot be written to.
    """
    write_whole(path, text(report.to_json()).encode())


def load(path: Path) -> Report:
    """Return the report in a file.

    Raises:
        ReportError: it cannot be read, or is not a report of this format.
    """
    from nnconform.conformance.schemas import schema_problem, validator

    document = _document(path)
    if problem := schema_problem(validator("report"), document):
        raise ReportError(f"{path}: breaks spec/schema/report.schema.json: {problem}; run `nnconform run --json` again")
    return _report(path, document)


def _report(path: Path, document: Json) -> Report:
    try:
        with _collector_paused():
            return Report.from_json(document)
    except DAMAGE as error:
        problem = f"{type(error).__name__}: {error}"
        raise ReportError(f"{path}: damaged, or of another version ({problem}); run `nnconform run` again") from None


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the garbage collector, which takes as long as making the 50,000 objects of a whole report."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _document(path: Path) -> Json:
    try:
        report = json.loads(path.read_bytes())
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{path}: not JSON: {error}; expected a report that `nnconform run --json` wrote") from None
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise ReportError(f"{path}: not a report of format {FORMAT}; expected one that `nnconform run --json` wrote")
    return report


def text(report: Json) -> str:
    """Return a report's document as JSON."""
    # One result or curve per line: small, and still fit for grep and diff.
    long = [key for key in ("curves", "results") if key in report]
    head = json.dumps({k: v for k, v in report.items() if k not in long}, indent=1)
    tail = ",\n".join(_lines(key, report[key]) for key in long)
    return f"{head[:-2]},\n{tail}\n}}\n"


def _lines(key: str, rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    return f' "{key}": [\n{lines}\n ]'


def remember(report: Report) -> Path | None:
    """Save a report as the last run's in the user's cache; return its path, or None if the cache is not writable."""
    path = last_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(report, path)
    except OSError:
        return None
    return path


def last() -> Report:
    """Return the last run's report without validation: nnconform wrote it, and validation takes longer than reading.

    Raises:
        ReportError: it cannot be read, or is of another format.
    """
    return _report(last_path(), _document(last_path()))


def last_path() -> Path:
    """Return the path of the last run's report."""
    return cache_folder() / "last-report.json"
