"""The scope of an entry of a list of known divergences in a report, and the parts that the report lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from nnconform.conformance.model.report import FrameworkEntry, Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.model.verdicts import VERDICTS
from nnconform.conformance.running.selection import matches
from nnconform.conformance.vectors.vector import Vector

from .file import Entry


class Outcome(NamedTuple):
    """The verdict of a result and, for verdict dialect, the sorted dialects of its outputs."""

    verdict: str
    dialects: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.dialects:
            return VERDICTS[self.verdict].predicate
        return f"has the dialect{'s' if len(self.dialects) > 1 else ''} {' and '.join(self.dialects)}"


def outcome(result: Result) -> Outcome:
    """Return the outcome of a result."""
    if result.verdict != "dialect":
        return Outcome(result.verdict)
    return Outcome("dialect", tuple(sorted({dialect for _, dialect in result.dialects()})))


def describe_result(result: Result) -> str:
    """Return the vector, implementation and mode of a result."""
    return f"{result.vector} ({describe_call(result)})"


def describe_call(result: Result) -> str:
    """Return the implementation and mode of a result."""
    return f"{result.implementation}, {result.mode}"


def describe_entry(entry: Entry) -> str:
    """Return an entry in one line."""
    places = [entry.framework, *(place for place in (entry.implementation, entry.mode) if place != "*")]
    vectors = entry.vector or f"clause {entry.clause}"
    return f"{', '.join(places)}, {vectors} {Outcome(entry.verdict, entry.dialects)} ({entry.covers})"


class ReportIndex:
    """A report as entries are judged by it.

    Attributes:
        report: the report.
        clauses: of every vector by id; none of a vector of the report that is not published.
        changed: ids of vectors that the report lacks, or has with another content.
        results: by framework.
    """

    def __init__(self, report: Report, vectors: Iterable[Vector]) -> None:
        published = {vector.id: vector for vector in vectors}
        self.report = report
        self.clauses = dict.fromkeys(report.asked, ()) | {name: v.clauses for name, v in published.items()}
        self.changed = {name for name, v in published.items() if report.asked.get(name) != v.digest}
        if any(key in report.selection for key in ("operations", "vectors", "profiles", "dtypes")):
            # The filters may have left out any number of vectors that are not among the published.
            self.changed |= set(report.asked) - set(published)
        self.results: dict[str, list[Result]] = defaultdict(list)
        for result in report.results:
            self.results[result.framework].append(result)

    def vectors(self, entry: Entry) -> set[str]:
        """Return the ids of the vectors that an entry selects."""
        if entry.vector:
            return {name for name in self.clauses if fnmatchcase(name, entry.vector)}
        return {name for name, clauses in self.clauses.items() if any(fnmatchcase(c, entry.clause) for c in clauses)}

    def frameworks(self, name: str) -> list[FrameworkEntry]:
        """Return the frameworks of a name that started."""
        # One that never listed its implementations did not start, and has no version.
        return [entry for entry in self.report.frameworks if entry.name == name and entry.implementations]

    def limitation(self, framework: FrameworkEntry, entry: Entry, vectors: set[str]) -> str:
        """Return the reason if the report does not have the whole scope of an entry, or ""."""
        if not framework.ran_to_the_end:
            return f"{framework.name} did not run to its end"
        if not self.report.complete or self.report.faults or self.report.problems:
            return "the run is incomplete or has faults"
        if left_out := vectors & self.changed:
            return f"{len(left_out)} of its {len(vectors)} vectors were not run, or have changed"
        offered = [i for i in framework.implementations if fnmatchcase(i.name, entry.implementation)]
        for globs in (self.report.selection.get("implementations", ()), framework.only):
            if not all(matches(i.name, globs) for i in offered):
                return "some of its implementations were not selected"
        modes = {mode for i in offered for mode in i.modes if fnmatchcase(mode, entry.mode)}
        return self._missing_modes(framework.name, modes)

    def _missing_modes(self, framework: str, modes: set[str]) -> str:
        globs = self.report.selection.get("modes", ())
        if globs and not all(matches(mode, globs) for mode in modes):
            return "some of its modes were not selected"
        # Modes that run only when they are asked for are served, and have no results.
        if modes and not modes & {result.mode for result in self.results[framework]}:
            return f"mode {', '.join(sorted(modes))} was not selected"
        return ""

    def scope(self, entry: Entry, vectors: set[str]) -> list[Result]:
        """Return the results that an entry selects, whatever their verdict.

        Args:
            entry: the entry.
            vectors: the ids that it selects.
        """
        results = self.results[entry.framework]
        versions = {version: in_range(entry, version) for version in {result.version for result in results}}
        return [
            result
            for result in results
            if result.vector in vectors
            and fnmatchcase(result.implementation, entry.implementation)
            and fnmatchcase(result.mode, entry.mode)
            and versions[result.version]
        ]


def version_of(text: str) -> Version | None:
    """Return a version, or None if the text is none of PEP 440."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def in_range(entry: Entry, version: str) -> bool:
    """Return True if an entry holds for a version; prereleases and local versions count too."""
    if not entry.versions:
        return True
    parsed = version_of(version)
    return parsed is not None and SpecifierSet(entry.versions).contains(parsed, prereleases=True)
