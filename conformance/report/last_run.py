"""What a run found, as explanations need it: its results, and its findings by what they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .findings_of_rows import Group

Row = Mapping[str, Any]


@dataclass(frozen=True)
class LastRun:
    """The report of a run; the user's last one, or the one of ``--report``.

    Attributes:
        report: as in spec/schema/report.schema.json.
        where: the name of its file, "" for the last run.
    """

    report: Mapping[str, Any]
    where: str = ""

    @property
    def rows(self) -> Sequence[Row]:
        """The results."""
        rows: Sequence[Row] = self.report["results"]
        return rows

    def on(self, vectors: Iterable[str]) -> list[Row]:
        """Return the results of these vectors."""
        wanted = set(vectors)
        return [row for row in self.rows if row["vector"] in wanted]

    @property
    def title(self) -> str:
        """What run it is, for a heading."""
        day, _, time = self.report["created"].partition("T")
        name = f"the run in {self.where}" if self.where else "the last run"
        return f"What {name} found ({day} {time[:5]})"

    @property
    def versions(self) -> str:
        """The frameworks that ran, with their versions."""
        ran = [entry["versions"] for entry in self.report["frameworks"] if entry["versions"]]
        return ", ".join(f"{name} {version}" for versions in ran for name, version in versions.items())

    @property
    def caveat(self) -> str:
        """Why numbers of it may say less than they seem to, or ""."""
        if not self.report["complete"]:
            return "That run is incomplete: it says nothing of what it did not come to."
        if chosen := self.report["selection"]:
            filters = "; ".join(
                f"{name} {', '.join(globs[:3])}{f' and {len(globs) - 3} more' if globs[3:] else ''}"
                for name, globs in chosen.items()
            )
            return f"That run was of a selection ({filters})."
        return ""


def load(path: Path | None) -> LastRun | None:
    """Return the run of a report's file, or the last run; None where there was none.

    Raises:
        ReportError: the file cannot be read, or is no report.
    """
    from . import store

    if path is not None:
        return LastRun(store.load(path).to_json(), path.name)
    return LastRun(store.last().to_json()) if store.last_path().exists() else None


def dialects_of(row: Row) -> Iterator[tuple[str, str]]:
    """Yield the dialects that a result has: the output, "" for the whole result, and the dialect."""
    if "dialect" in row:
        yield "", row["dialect"]
    for name, output in row["outputs"].items():
        if "dialect" in output:
            yield name, output["dialect"]


def has_part(dialect: str, part: str) -> bool:
    """Say whether a dialect is ``part``, or a combination with it; of a combination, one of the same dialects."""
    if "+" in part:
        return set(dialect.split("+")) == set(part.split("+"))
    return part in dialect.split("+")


def by_dialect(rows: Iterable[Row], part: str = "") -> dict[tuple[str, str, str], Group]:
    """Return findings by framework, operation and dialect; only those that have ``part`` where one is given."""
    found: dict[tuple[str, str, str], Group] = defaultdict(Group)
    for row in rows:
        for name, dialect in dialects_of(row):
            if not part or has_part(dialect, part):
                found[row["framework"], row["operation"], dialect].add(row, name)
    return dict(found)


def diverging(rows: Iterable[Row]) -> dict[tuple[str, str, str], Group]:
    """Return what no dialect explains, by framework, operation and what is wrong: divergences, errors and worse."""
    found: dict[tuple[str, str, str], Group] = defaultdict(Group)
    for row in rows:
        if row["verdict"] in ("error", "crash", "timeout"):
            found[row["framework"], row["operation"], f"{row['verdict']}: {first_line(row)}"].add(row, "")
        for name, output in row["outputs"].items():
            if output["verdict"] == "diverges":
                found[row["framework"], row["operation"], "diverges"].add(row, name)
    return dict(found)


def first_line(row: Row) -> str:
    """Return the first line of why a result has no value, cut where it is long."""
    line: str = row.get("reason", "no reason given").strip().partition("\n")[0]
    return line if len(line) <= 110 else f"{line[:107]}..."
