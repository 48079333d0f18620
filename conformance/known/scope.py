"""What an entry of a list of known divergences takes of a report, and whether the report has all of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from nnconform.conformance.running.selection import matches
from nnconform.conformance.vectors.vector import Vector

from .file import Entry

Row = Mapping[str, Any]
WORDS = {
    "conforms": "conforms",
    "unsupported": "is unsupported",
    "diverges": "diverges",
    "error": "raises an error",
    "timeout": "times out",
    "crash": "crashes",
}


class Seen(NamedTuple):
    """What is said of a result: its verdict, and with verdict dialect the dialects of its outputs, sorted."""

    verdict: str
    dialects: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"is by {' and '.join(self.dialects)}" if self.dialects else WORDS[self.verdict]


def seen(row: Row) -> Seen:
    """Return what a row of a report says."""
    if row["verdict"] != "dialect":
        return Seen(row["verdict"])
    outputs = {output["dialect"] for output in row["outputs"].values() if "dialect" in output}
    return Seen("dialect", tuple(sorted(outputs or {row["dialect"]})))


def where(row: Row) -> str:
    """Return which result a row is, in words."""
    return f"{row['vector']} ({place(row)})"


def place(row: Row) -> str:
    """Return the implementation and mode of a result."""
    return f"{row['implementation']}, {row['mode']}"


def title(entry: Entry) -> str:
    """Return what an entry is about, in one line."""
    places = [entry.framework, *(place for place in (entry.implementation, entry.mode) if place != "*")]
    which = entry.vector or f"clause {entry.clause}"
    return f"{', '.join(places)}, {which} {Seen(entry.verdict, entry.dialects)} ({entry.covers})"


class Ground:
    """A report as entries are judged by it: the rows by framework, and what was asked of all that there is.

    Attributes:
        report: the document.
        clauses: of every vector there is, by id; none of a vector of the report that is not among them.
        changed: ids of vectors that the report does not have, or has with another content.
    """

    def __init__(self, report: Mapping[str, Any], vectors: Iterable[Vector]) -> None:
        published = {vector.id: vector for vector in vectors}
        asked = report["asked"]
        self.report = report
        self.clauses = dict.fromkeys(asked, ()) | {name: v.clauses for name, v in published.items()}
        self.changed = {name for name, v in published.items() if asked.get(name) != v.digest}
        if any(key in report["selection"] for key in ("operations", "vectors", "profiles", "dtypes")):
            # Of vectors that are not among those given, nobody knows which were left out.
            self.changed |= set(asked) - set(published)
        self.rows: dict[str, list[Row]] = defaultdict(list)
        for row in report["results"]:
            self.rows[row["framework"]].append(row)

    def taken(self, entry: Entry) -> set[str]:
        """Return the ids of the vectors that an entry takes."""
        if entry.vector:
            return {name for name in self.clauses if fnmatchcase(name, entry.vector)}
        return {name for name, clauses in self.clauses.items() if any(fnmatchcase(c, entry.clause) for c in clauses)}

    def frameworks(self, name: str) -> list[Mapping[str, Any]]:
        """Return what the report says of the frameworks of a name."""
        return [entry for entry in self.report["frameworks"] if entry["name"] == name]

    def not_whole(self, framework: Mapping[str, Any], entry: Entry, taken: set[str]) -> str:
        """Return why the report does not have the whole scope of an entry, or ""."""
        name = framework["name"]
        if framework["status"] != "ran" or framework["not_run"]:
            return f"{name} did not run to the end"
        if not self.report["complete"] or self.report["faults"] or self.report["problems"]:
            return "the run is incomplete, or has faults"
        if left_out := taken & self.changed:
            return f"{len(left_out)} of its {len(taken)} vectors were not asked for, or were others"
        selection = self.report["selection"]
        served = [i for i in framework["implementations"] if fnmatchcase(i["name"], entry.implementation)]
        for globs in (selection.get("implementations", ()), framework.get("only", ())):
            if not all(matches(i["name"], globs) for i in served):
                return "some of its implementations were not asked for"
        return self._modes_left_out(name, {m for i in served for m in i["modes"] if fnmatchcase(m, entry.mode)})

    def _modes_left_out(self, framework: str, modes: set[str]) -> str:
        asked = self.report["selection"].get("modes", ())
        if asked and not all(matches(mode, asked) for mode in modes):
            return "some of its modes were not asked for"
        # Modes that run only when they are asked for are served, and have no results.
        if modes and not modes & {row["mode"] for row in self.rows[framework]}:
            return f"mode {', '.join(sorted(modes))} was not asked for"
        return ""


def version_of(text: str) -> Version | None:
    """Return a version, or None where the text is none of PEP 440."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def in_range(entry: Entry, version: str) -> bool:
    """Say whether an entry holds for a version; prereleases and local versions count as any other."""
    if not entry.versions:
        return True
    parsed = version_of(version)
    return parsed is not None and SpecifierSet(entry.versions).contains(parsed, prereleases=True)


def scope(entry: Entry, rows: Sequence[Row], taken: set[str]) -> list[Row]:
    """Return the rows of its framework that an entry takes, whatever their verdict."""
    versions = {version: in_range(entry, version) for version in {row["version"] for row in rows}}
    return [
        row
        for row in rows
        if row["vector"] in taken
        and fnmatchcase(row["implementation"], entry.implementation)
        and fnmatchcase(row["mode"], entry.mode)
        and versions[row["version"]]
    ]
