"""The data of a page: a report in which each repeated value is written once and referred to by its position."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nnconform.conformance.explain.vector import numbers
from nnconform.conformance.model.report import FrameworkEntry, Report
from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.model.verdicts import DISPLAY
from nnconform.conformance.numbers import Json
from nnconform.conformance.vectors.operations import OUTPUTS
from nnconform.conformance.vectors.stored_vector import StoredVector

from . import reproducers, spec_texts

# The keys of an output's JSON that the page shows as they are.
OUTPUT_KEYS = ("verdict", "ratio", "ulp", "dialect", "problem", "also", "measured", "counted")
# The texts that few results have.
RARE = ("reason", "printed", "known", "dialect")


class Pool:
    """Different values in the order in which they came."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._positions: dict[str, int] = {}

    def position(self, value: Any) -> int:
        """Return the position of a value, and add it if it is new."""
        position = self._positions.setdefault(json.dumps(value), len(self.values))
        if position == len(self.values):
            self.values.append(value)
        return position


def of_report(report: Report, vectors: Mapping[str, StoredVector]) -> Json:
    """Return the data of a page.

    ``rows`` has a list for each result of the report, in its order: the positions of its call, its vector, its verdict
    and its outputs, and an object of its rare texts if it has any. A call is framework, implementation, mode and
    operation, and whether scripts can be written for it. An output is its name, some keys of its JSON and, if it has a
    worst element, the numbers that ``nnconform explain`` shows.

    Args:
        report: of a run.
        vectors: the published ones, by id (``spec_texts.published_vectors``).
    """
    calls, outputs = Pool(), Pool()
    positions = {name: position for position, name in enumerate(report.asked)}
    profiles = {result.vector: result.profile for result in report.results}
    rows = [list(_row(result, positions, calls, outputs, vectors)) for result in report.results]
    return {
        "verdicts": DISPLAY,
        "operations": list(OUTPUTS),
        "frameworks": [_framework(entry) for entry in report.frameworks],
        "complete": report.complete,
        "calls": calls.values,
        "outputs": outputs.values,
        "vectors": [_vector(name, profiles.get(name, ""), vectors.get(name)) for name in positions],
        "rows": rows,
        **_spec_texts(report, vectors),
    }


def _row(
    result: Result, positions: Mapping[str, int], calls: Pool, outputs: Pool, vectors: Mapping[str, StoredVector]
) -> Iterator[Any]:
    call = [result.framework, result.implementation, result.mode, result.operation]
    yield calls.position([*call, reproducers.can_be_written(result)])
    yield positions[result.vector]
    yield DISPLAY.index(result.verdict)
    vector = vectors.get(result.vector)
    yield [outputs.position(_output(name, output, vector)) for name, output in result.outputs.items()]
    rare: Json = {key: text for key in RARE if (text := getattr(result, key))}
    if not result.judged:
        rare["judged"] = False
    if rare:
        yield rare


def _output(name: str, output: Output, vector: StoredVector | None) -> Json:
    row = output.to_json()
    data: Json = {"name": name, **{key: row[key] for key in OUTPUT_KEYS if key in row}}
    if output.worst is not None:
        data["at"] = output.worst.place(name)
        data["numbers"] = [(label, text) for label, text in numbers(vector, name, output) if text]
    return data


def _framework(entry: FrameworkEntry) -> Json:
    data: Json = {"name": entry.name, "status": entry.status, "not_run": entry.not_run}
    return data | ({"reason": entry.reason} if entry.reason else {})


def _vector(name: str, profile: str, vector: StoredVector | None) -> Json:
    return {"id": name, "profile": profile, **(spec_texts.about(vector) if vector else {})}


def _spec_texts(report: Report, vectors: Mapping[str, StoredVector]) -> Json:
    """Return the spec's texts of the dialects, clauses and faults that the report or its vectors name."""
    named = (dialect for result in report.results for _, dialect in result.dialects())
    dialects = spec_texts.dialects(named)
    tested = [clause for vector in vectors.values() for clause in vector.clauses]
    departed = [clause for dialect in dialects.values() for clause in dialect["departs_from"]]
    return {
        "dialects": dialects,
        "clauses": spec_texts.clauses([*tested, *departed]),
        "hunted": spec_texts.hunted(name for vector in vectors.values() for name in vector.hunts),
    }
