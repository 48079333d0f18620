"""The run that explanations and plots use: the user's last one, or the one in a named report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nnconform.conformance.model.report import Report


@dataclass(frozen=True)
class LastRun:
    """The report of a run, with the texts that introduce its numbers.

    Attributes:
        report: of the run.
        file: the name of its file; "" for the last run.
    """

    report: Report
    file: str = ""

    @property
    def title(self) -> str:
        """A heading with the run and its date."""
        day, _, time = self.report.created.partition("T")
        name = f"the run in {self.file}" if self.file else "the last run"
        return f"Results of {name} ({day} {time[:5]})"

    @property
    def versions(self) -> str:
        """The packages that ran, with their versions."""
        packages = (package for entry in self.report.frameworks for package in entry.versions.items())
        return ", ".join(f"{name} {version}" for name, version in packages)

    @property
    def caveat(self) -> str:
        """Why the run has not the results of all vectors; "" if it has."""
        if not self.report.complete:
            return "That run is incomplete; the vectors it did not reach are missing."
        if not self.report.selection:
            return ""
        filters = "; ".join(
            f"{name} {', '.join(globs[:3])}{f' and {len(globs) - 3} more' if globs[3:] else ''}"
            for name, globs in self.report.selection.items()
        )
        return f"That run was limited to a selection ({filters})."


def load(path: Path | None) -> LastRun | None:
    """Return the run of a report's file, or the last run; None if there was none.

    Raises:
        ReportError: the file cannot be read, or is not a report.
    """
    from . import store

    if path is not None:
        return LastRun(store.load(path), path.name)
    return LastRun(store.last()) if store.last_path().exists() else None
