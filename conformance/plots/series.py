"""What of a report is drawn: filters by framework, implementation, vector and the like."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from nnconform.conformance.running.selection import FILTERS, matches

Row = Mapping[str, Any]
# What a curve is not drawn by: it joins vectors of several profiles.
JOINED = ("vectors", "profiles")
# Letters of a name in a legend.
LONGEST = 48


class NothingToDraw(Exception):
    """A report has nothing of what is asked for; the message says why and what to do."""


@dataclass(frozen=True)
class Choice:
    """Globs, any of which may match; none means everything."""

    frameworks: Sequence[str] = ()
    operations: Sequence[str] = ()
    vectors: Sequence[str] = ()
    implementations: Sequence[str] = ()
    profiles: Sequence[str] = ()
    dtypes: Sequence[str] = ()
    modes: Sequence[str] = ()

    @property
    def words(self) -> str:
        """The filters as they are given on the command line, or ""."""
        given = [(f.name, glob) for f in fields(self) for glob in getattr(self, f.name)]
        return " ".join(f"{FILTERS.get(name, '')} {glob}".strip() for name, glob in given)

    def takes(self, row: Row) -> bool:
        """Say whether a result is drawn."""
        return (
            matches(row["framework"], self.frameworks)
            and matches(row["operation"], self.operations)
            and matches(row["vector"], self.vectors)
            and matches(row["implementation"], self.implementations)
            and matches(row["profile"], self.profiles)
            and matches(row["vector"].rpartition("/")[2], self.dtypes)
            and matches(row["mode"], self.modes)
        )


@dataclass(frozen=True)
class Series:
    """The curves of implementations that have the same ones in all panels.

    Attributes:
        framework: which.
        names: implementation and mode of each.
        curves: points (x, y) by panel.
    """

    framework: str
    names: tuple[tuple[str, str], ...]
    curves: Mapping[Any, Sequence[tuple[float, float]]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Who they are, in a short line: the first by name."""
        modes = list(dict.fromkeys(mode for _, mode in self.names))
        names = list(dict.fromkeys(name for name, _ in self.names))
        first = names[0] if len(names[0]) <= LONGEST else f"{names[0][: LONGEST - 3]}..."
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{self.framework}: {first}{more} ({', '.join(modes)})"

    @property
    def everyone(self) -> str:
        """Who they are, all by name."""
        return f"{self.framework}: {', '.join(f'{name} ({mode})' for name, mode in self.names)}"


def rows(report: Mapping[str, Any], choice: Choice) -> list[Row]:
    """Return the results that are chosen."""
    return [row for row in report["results"] if choice.takes(row)]


def series(report: Mapping[str, Any], operations: Sequence[str], choice: Choice) -> list[Series]:
    """Return the curves of operations by who has them; a panel is operation, dtype and part.

    Raises:
        NothingToDraw: there is none, or there is a filter that curves do not have.
    """
    if given := [FILTERS[name] for name in JOINED if getattr(choice, name)]:
        raise NothingToDraw(f"a curve joins all vectors of the run: {' and '.join(given)} cannot choose among them")
    if "curves" not in report:
        raise NothingToDraw(
            "an older nnconform made the report, which has no curves; make it again with `nnconform run`"
        )
    found: dict[tuple[str, str, str], dict[Any, tuple[tuple[float, float], ...]]] = {}
    for curve, name, mode in _single(report, operations, choice):
        points = tuple((float(x), float(y)) for x, y in curve["points"])
        panel = curve["operation"], curve["dtype"], curve["part"]
        found.setdefault((curve["framework"], name, mode), {})[panel] = points
    if not found:
        which = " or ".join(operations)
        raise NothingToDraw(f"the report has no curve of {which}{_with(choice)}; `nnconform run` makes them")
    return _joined(found)


def _with(choice: Choice) -> str:
    return f" for {choice.words}" if choice.words else ""


def nothing(what: str, choice: Choice) -> NothingToDraw:
    """Return that a report has nothing of a kind for a choice."""
    return NothingToDraw(f"the report has no {what}{_with(choice)}")


def _single(report: Mapping[str, Any], operations: Sequence[str], choice: Choice) -> Iterator[tuple[Row, str, str]]:
    """Yield each chosen curve once for each implementation and mode that has it."""
    for curve in report["curves"]:
        if curve["operation"] not in operations or not matches(curve["operation"], choice.operations):
            continue
        if not matches(curve["framework"], choice.frameworks) or not matches(curve["dtype"], choice.dtypes):
            continue
        for entry in curve["implementations"]:
            if matches(entry["name"], choice.implementations):
                yield from ((curve, entry["name"], mode) for mode in entry["modes"] if matches(mode, choice.modes))


def _joined(found: Mapping[tuple[str, str, str], Mapping[Any, Any]]) -> list[Series]:
    alike: dict[Any, list[tuple[str, str]]] = {}
    curves: dict[Any, Mapping[Any, Any]] = {}
    for (framework, name, mode), mine in found.items():
        key = framework, tuple(sorted(mine.items()))
        alike.setdefault(key, []).append((name, mode))
        curves[key] = mine
    return [Series(key[0], tuple(names), curves[key]) for key, names in alike.items()]


def finite(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Return x and y of the points whose y is finite."""
    kept = [(x, y) for x, y in points if math.isfinite(y)]
    return [x for x, _ in kept], [y for _, y in kept]
