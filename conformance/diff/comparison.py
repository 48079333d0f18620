"""Compare two reports, result by result."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from nnconform.conformance.files import write_whole
from nnconform.conformance.model.change import Change
from nnconform.conformance.model.diff import Diff, OneSided
from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Output, Result

from . import changes
from .crossings import Crossings
from .measurement import Measurements, Tensors
from .notes import notes as limits
from .sides import CallKey, DiffError, Side

__all__ = ["DiffError", "compare", "write"]


def compare(
    old: Report,
    new: Report,
    old_tensors: Tensors | None = None,
    new_tensors: Tensors | None = None,
    notes: Sequence[str] = (),
) -> Diff:
    """Return the diff from one report to another.

    Only results of vectors that both reports asked for, with the same digest, are compared. A result on one side only
    is gone or newly supported if both sides ran to their end and both should have it; otherwise a note counts it.

    Args:
        old: a report.
        new: another.
        old_tensors: whole outputs of the old report's results, by key. A tensor is used if its digest is that of the
            result, with zeros as they are or all alike, depending on the vector's latitude.
        new_tensors: of the new report's results.
        notes: further limits of the comparison, which come first.

    Raises:
        DiffError: a report has two frameworks of one name, or two results of one call.
    """
    sides = Side(old, "old"), Side(new, "new")
    pairing = _Pairing(*sides, Measurements(old_tensors, new_tensors))
    pairing.compare()
    # Measured first: notes count the tensors that cannot be used.
    sorted_changes = pairing.changes()
    own_notes = limits(*sides, pairing.left_out, pairing.renamed, pairing.measurements)
    return Diff(
        version("nnconform"),
        sides[0].summary(),
        sides[1].summary(),
        (*notes, *own_notes, *pairing.crossings.notes()),
        pairing.compared,
        pairing.unchanged,
        _one_sided(*sides),
        _one_sided(*reversed(sides)),
        tuple(sorted(vector for vector, digest in new.asked.items() if old.asked.get(vector, digest) != digest)),
        tuple(sorted_changes),
        tuple(pairing.measurements.drift()),
    )


def _one_sided(side: Side, other: Side) -> OneSided:
    vectors = sorted(side.report.asked.keys() - other.report.asked.keys())
    return OneSided(tuple(vectors), tuple(sorted(side.entries.keys() - other.entries.keys())))


class _Pairing:
    """Goes through the results of both sides, pair by pair.

    Attributes:
        measurements: of the outputs that changed.
        crossings: of the conforming bound by rounding.
        compared: number of pairs.
        unchanged: number of pairs with the same verdicts and bits.
        renamed: number of outputs with the same bits and another verdict.
        left_out: number of results on one side only that mean nothing, by side, framework and cause.
    """

    def __init__(self, old: Side, new: Side, measurements: Measurements) -> None:
        self.old, self.new, self.measurements = old, new, measurements
        self.crossings = Crossings(old, new)
        self.compared = self.unchanged = self.renamed = 0
        self.left_out: Counter[tuple[str, str, str]] = Counter()
        # Changes of whole results; those of outputs are in the measurements.
        self._whole: list[Change] = []

    def compare(self) -> None:
        """Compare all results of vectors that are the same on both sides."""
        old_digests, new_digests = self.old.report.asked, self.new.report.asked
        for key in sorted(self.old.results.keys() | self.new.results.keys()):
            if key[3] not in old_digests or old_digests[key[3]] != new_digests.get(key[3]):
                continue
            before, after = self.old.results.get(key), self.new.results.get(key)
            if before is not None and after is not None:
                self._pair(before, after)
            elif after is not None:
                self._one_sided(key, after, self.new, self.old)
            elif before is not None:
                self._one_sided(key, before, self.old, self.new)

    def _pair(self, old: Result, new: Result) -> None:
        self.compared += 1
        if _equal(old, new):
            self.unchanged += 1
            return
        tests = self.measurements.moved_test(new), self.crossings.test(old)
        pair_changes = list(changes.changes_between(old, new, *tests))
        renamed = sum(_renamed(old.outputs.get(name), output) for name, output in new.outputs.items())
        self.renamed += renamed
        self.unchanged += not pair_changes and not renamed
        for change in pair_changes:
            if change.output:
                self.measurements.add(change, old.outputs.get(change.output), new.outputs.get(change.output))
            else:
                self._whole.append(change)

    def _one_sided(self, key: CallKey, result: Result, side: Side, other: Side) -> None:
        if cause := _cause(key, result, side, other):
            self.left_out[side.word, key[0], cause] += 1
            return
        if change := changes.one_sided_change(result, other.absence(result), is_new=side.word == "new"):
            self._whole.append(change)

    def changes(self) -> list[Change]:
        """Return all changes, measured, in the order of a diff."""
        return sorted([*self._whole, *self.measurements.measure()], key=_order)


def _order(change: Change) -> tuple[str, ...]:
    call = (change.framework, change.operation, change.vector, change.implementation, change.mode, change.profile)
    return (*call, change.output, change.kind)


def _equal(old: Result, new: Result) -> bool:
    """Return True if two results are equal at first sight, as most pairs are."""
    return (
        old.verdict == new.verdict
        and old.dialect == new.dialect
        and bool(old.reason) == bool(new.reason)
        and old.outputs == new.outputs
    )


def _renamed(old: Output | None, new: Output) -> bool:
    """Return True if an output has the same bits and another verdict: no change of the framework."""
    if old is None or not changes.same_bits(old, new):
        return False
    return (old.verdict, old.dialect) != (new.verdict, new.dialect)


def _cause(key: CallKey, result: Result, side: Side, other: Side) -> str:
    """Return the cause if the absence of a result means nothing: unfinished, fault or selection; else ""."""
    if not (side.finished(key[0]) and other.finished(key[0])):
        return "unfinished"
    if (result.implementation, result.vector) in other.faults:
        return "fault"
    return "" if other.selects(key, side) else "selection"


def write(diff: Diff, path: Path) -> None:
    """Write a diff so that the file is whole or absent, one change per line.

    Raises:
        OSError: the folder does not exist or cannot be written to.
    """
    write_whole(path, "".join(_text(diff)).encode())


def _text(diff: Diff) -> Iterator[str]:
    document = diff.to_json()
    lists = ("changes", "drift")
    yield json.dumps({k: v for k, v in document.items() if k not in lists}, indent=1)[:-2]
    for name in lists:
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in document[name])
        yield f',\n "{name}": [\n{rows}\n ]' if rows else f',\n "{name}": []'
    yield "\n}\n"
