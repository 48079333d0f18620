"""One side of a comparison: its results by call, and the reasons for absent ones."""

from __future__ import annotations

from nnconform.conformance.model import diff as model
from nnconform.conformance.model.change import ABSENT, Change, State
from nnconform.conformance.model.report import FrameworkEntry, Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.running.selection import matches

from .changes import stable_text

# framework, implementation, mode, vector, whether of profile defaults
CallKey = tuple[str, str, str, str, bool]


class DiffError(Exception):
    """Two reports cannot be compared; the message has the reason."""


def call_key(item: Result | Change) -> CallKey:
    """Return the key of a result's or a change's call."""
    return item.framework, item.implementation, item.mode, item.vector, item.profile == "defaults"


class Side:
    """A report whose results are found by call.

    Attributes:
        report: the report.
        word: ``old`` or ``new``.
        entries: the frameworks by name.
        results: the results by call.
        faults: implementation and vector of each fault.
    """

    def __init__(self, report: Report, word: str) -> None:
        """Index a report.

        Args:
            report: the report.
            word: ``old`` or ``new``.

        Raises:
            DiffError: it has two frameworks of one name, or two results of one call.
        """
        self.report, self.word = report, word
        self.entries: dict[str, FrameworkEntry] = {}
        for entry in report.frameworks:
            if entry.name in self.entries:
                raise DiffError(f"the {word} report has two frameworks named {entry.name}; compare one at a time")
            self.entries[entry.name] = entry
        self.results = {call_key(result): result for result in report.results}
        if len(self.results) != len(report.results):
            raise DiffError(f"the {word} report has two results of the same call; run `nnconform run --json` again")
        self.faults = {(fault.implementation, fault.vector) for fault in report.faults}
        self._modes = {
            (name, i.operation, i.name, i.defaults): i.modes
            for name, entry in self.entries.items()
            for i in entry.implementations
        }

    def finished(self, framework: str) -> bool:
        """Return True if a framework ran to its end, so that an absent result means something."""
        entry = self.entries.get(framework)
        if entry is None or not entry.ran_to_the_end:
            return False
        # A run that was interrupted before the worker was ready planned nothing, and left nothing out.
        return self.report.complete or entry.calls > 0

    def selects(self, key: CallKey, other: Side) -> bool:
        """Return True if the filters let a call of the other side through; False if the reports cannot show it."""
        framework, implementation, mode, _, _ = key
        filters, others = self.report.selection, other.report.selection
        if not matches(implementation, filters.get("implementations", ())):
            return False
        if not matches(implementation, self.entries[framework].only):
            return False
        modes = filters.get("modes", ())
        # Without a filter the slow modes do not run, and reports do not show which these are.
        return matches(mode, modes) if modes else not others.get("modes", ())

    def absence(self, result: Result) -> State:
        """Return the state of a result of the other side that is not here, though the framework ran to its end."""
        key = (result.framework, result.operation, result.implementation, result.is_default)
        is_new = self.word == "new"
        if (modes := self._modes.get(key)) is None:
            reason = f"the implementation {'no longer exists' if is_new else 'did not exist'}"
        elif result.mode not in modes:
            reason = f"the mode {result.mode} {'is no longer supported' if is_new else 'was not supported'}"
        else:
            reason = "it no longer applies to this vector" if is_new else "it did not apply to this vector"
        return State(ABSENT, reason=reason)

    def summary(self) -> model.Side:
        """Return the side as a diff has it."""
        entries = tuple(
            FrameworkEntry(
                entry.name,
                entry.target,
                entry.adapter,
                entry.status,
                versions=entry.versions,
                packages=entry.packages,
                python=entry.python,
                reason=stable_text(entry.reason),
            )
            for entry in self.report.frameworks
        )
        return model.Side(self.report.spec, self.report.complete, len(self.report.faults), entries)
