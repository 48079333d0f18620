"""A report as a page embeds it: what is said more than once stands once, and numbers point to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nnconform.conformance.explain.vector import numbers
from nnconform.conformance.report.findings_of_rows import COLUMNS
from nnconform.conformance.report.last_run import dialects_of
from nnconform.conformance.vectors.operations import OUTPUTS

from . import reproducers, spec_texts

Document = Mapping[str, Any]
# Of an output, what a page shows as it stands in the report.
SHOWN = ("verdict", "ratio", "ulp", "dialect", "problem", "also", "measured", "counted")
# Of a result, what few have.
EXTRAS = ("reason", "printed", "known", "dialect", "judged")


class Once:
    """Values, each of them once, in the order in which they came."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, value: Any) -> int:
        """Return where a value stands, after taking it in."""
        place = self._places.setdefault(json.dumps(value), len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place


def of_report(report: Document, vectors: Mapping[str, Document]) -> dict[str, Any]:
    """Return the data of a page.

    ``rows`` has a list for each result of the report, in its order: the places of its call and its vector, its
    verdict's place in ``verdicts``, the places of its outputs, and what few have (``EXTRAS``) where it has any. A call
    is framework, implementation, mode and operation, and whether scripts can be written of it. An output is a name,
    what the report says of it, and, where it has a worst element, its numbers as ``nnconform explain`` tells them.

    Args:
        report: the JSON report.
        vectors: those whose numbers are known, by id (``background.vectors``).
    """
    calls, outputs = Once(), Once()
    places = {name: place for place, name in enumerate(report["asked"])}
    profiles = {row["vector"]: row["profile"] for row in report["results"]}
    rows = [list(_row(row, places, calls, outputs, vectors)) for row in report["results"]]
    return {
        "verdicts": COLUMNS,
        "operations": list(OUTPUTS),
        "frameworks": [_framework(entry) for entry in report["frameworks"]],
        "complete": report["complete"],
        "calls": calls.values,
        "outputs": outputs.values,
        "vectors": [_vector(name, profiles.get(name, ""), vectors.get(name)) for name in places],
        "rows": rows,
        **_told(report, vectors),
    }


def _row(
    row: Document, places: Mapping[str, int], calls: Once, outputs: Once, vectors: Mapping[str, Document]
) -> Iterator[Any]:
    yield calls.place(
        [row["framework"], row["implementation"], row["mode"], row["operation"], reproducers.can_be_written(row)]
    )
    yield places[row["vector"]]
    yield COLUMNS.index(row["verdict"])
    vector = vectors.get(row["vector"])
    yield [outputs.place(_output(name, output, vector)) for name, output in row["outputs"].items()]
    if extras := {key: row[key] for key in EXTRAS if key in row}:
        yield extras


def _output(name: str, output: Document, vector: Document | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": name, **{key: output[key] for key in SHOWN if key in output}}
    if "worst" in output:
        index = output["worst"]["index"]
        shown["at"] = f"{name}[{', '.join(map(str, index))}]" if index else name
        shown["numbers"] = [(label, text) for label, text in numbers(vector, name, output) if text]
    return shown


def _framework(entry: Document) -> dict[str, Any]:
    return {key: entry[key] for key in ("name", "status", "not_run", "reason") if key in entry}


def _vector(name: str, profile: str, vector: Document | None) -> dict[str, Any]:
    return {"id": name, "profile": profile, **(spec_texts.about(vector) if vector else {})}


def _told(report: Document, vectors: Mapping[str, Document]) -> dict[str, Any]:
    """Return what the spec says of the dialects, clauses and faults that the report or its vectors name."""
    named = (dialect for row in report["results"] for _, dialect in dialects_of(row))
    dialects = spec_texts.dialects(named)
    tested = [clause for vector in vectors.values() for clause in vector["clauses"]]
    departed = [clause for dialect in dialects.values() for clause in dialect["departs_from"]]
    return {
        "dialects": dialects,
        "clauses": spec_texts.texts([*tested, *departed]),
        "hunted": spec_texts.hunted(name for vector in vectors.values() for name in vector["hunts"]),
    }
