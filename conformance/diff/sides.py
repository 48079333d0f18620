"""The two sides of a diff: what was asked of each, whether it ran to the end, and why a result is on one side only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packaging.utils import canonicalize_name

from nnconform.conformance.environments.naming import REQUIREMENTS, parse
from nnconform.conformance.running.frameworks import OTHER_NAMES, UsageError
from nnconform.conformance.running.selection import matches

from .changes import steady

Row = Mapping[str, Any]
# framework, implementation, mode, vector, whether of profile defaults
RowKey = tuple[str, str, str, str, bool]


class DiffError(Exception):
    """Two reports cannot be compared; the message says why."""


def named(entry: Row) -> tuple[str, ...]:
    """Return the packages that the user named, canonical; none where an interpreter or a worker was named alone."""
    target = entry["target"]
    if target.startswith(REQUIREMENTS):  # the file may be gone, or be another by now
        return ()
    try:
        return tuple(canonicalize_name(requirement.name) for requirement in parse(target).packages)
    except UsageError:  # a command line that starts a worker, the name of an adapter's file
        return ()


def versions(entry: Row) -> dict[str, str]:
    """Return the versions of all packages that are known, by canonical name, the framework's own first."""
    everything = {**entry["versions"], **entry.get("packages", {})}
    return {canonicalize_name(name): version for name, version in everything.items()}


def examined(old: Row, new: Row) -> list[str]:
    """Return the packages whose change is what the user asked about, those of the new side first.

    They are those that were named. Where none was named that is known, they are those that the adapter needs, or the
    framework's own where its name alone says nothing of the others.
    """
    known = [*dict.fromkeys([*versions(new), *versions(old)])]
    wanted = [name for name in dict.fromkeys([*named(new), *named(old)]) if name in known]
    if wanted:
        return wanted
    needed: list[str] = [canonicalize_name(name) for name in dict.fromkeys([*new["versions"], *old["versions"]])]
    return needed if not (named(new) or named(old)) else needed[:1]


def aliases(packages: list[str]) -> set[str]:
    """Return packages with the other names under which their distributions come: tensorflow-cpu is tensorflow."""
    result = set(packages)
    for name, others in OTHER_NAMES.items():
        family = {name, *others}
        if family & result:
            result |= family
    return result


class Side:
    """One report, looked up by call.

    Attributes:
        report: the report.
        word: ``old`` or ``new``.
        entries: its frameworks, by name.
        rows: its results.
        faults: implementation and vector of each fault.
    """

    def __init__(self, report: Mapping[str, Any], word: str) -> None:
        """Index a report.

        Args:
            report: as ``store.load`` gives it.
            word: ``old`` or ``new``.

        Raises:
            DiffError: it has two frameworks of one name, or two results of one call.
        """
        self.report, self.word = report, word
        self.entries: dict[str, Row] = {}
        for entry in report["frameworks"]:
            if entry["name"] in self.entries:
                raise DiffError(f"the {word} report has two frameworks named {entry['name']}; compare one at a time")
            self.entries[entry["name"]] = entry
        self.rows = {_key(row): row for row in report["results"]}
        if len(self.rows) != len(report["results"]):
            raise DiffError(f"the {word} report has two results of the same call; run `nnconform run --json` again")
        self.faults = {(fault["implementation"], fault["vector"]) for fault in report["faults"]}
        self._served = {
            (name, i["operation"], i["name"], i["defaults"]): i["modes"]
            for name, entry in self.entries.items()
            for i in entry["implementations"]
        }

    def finished(self, framework: str) -> bool:
        """Say whether a framework ran to the end, so that a result that is not there means something."""
        entry = self.entries.get(framework)
        if entry is None or entry["status"] != "ran" or entry["not_run"]:
            return False
        # A run that was interrupted before the worker was ready planned nothing, and left nothing out.
        return bool(self.report["complete"]) or entry["calls"] > 0

    def selected(self, key: RowKey, other: Side) -> bool:
        """Say whether the filters let a call through that the other side made; False where that cannot be told."""
        framework, implementation, mode, _, _ = key
        filters, others = self.report["selection"], other.report["selection"]
        if not matches(implementation, filters.get("implementations", ())):
            return False
        if not matches(implementation, self.entries[framework].get("only", ())):
            return False
        modes = filters.get("modes", ())
        # Without a filter the slow modes do not run, and which these are no report says.
        return matches(mode, modes) if modes else not others.get("modes", ())

    def why_absent(self, row: Row) -> str:
        """Return why a row of the other side is not there, though it was asked for and ran to the end."""
        served = (row["framework"], row["operation"], row["implementation"], row["profile"] == "defaults")
        now = self.word == "new"
        if served not in self._served:
            return "the implementation is not there any more" if now else "the implementation was not there"
        if row["mode"] not in self._served[served]:
            return f"the mode {row['mode']} is not served any more" if now else f"the mode {row['mode']} was not served"
        return "it no longer applies to this vector" if now else "it did not apply to this vector"

    def document(self) -> dict[str, Any]:
        """Return what a diff says of this side."""
        keys = ("name", "target", "status", "reason", "versions", "python", "packages")
        entries = [{key: entry[key] for key in keys if key in entry} for entry in self.report["frameworks"]]
        for entry in entries:
            if "reason" in entry:
                entry["reason"] = steady(entry["reason"])
        return {
            "spec": self.report["spec"],
            "complete": self.report["complete"],
            "faults": len(self.report["faults"]),
            "frameworks": entries,
        }


def _key(row: Row) -> RowKey:
    return row["framework"], row["implementation"], row["mode"], row["vector"], row["profile"] == "defaults"
