"""What changed between two reports: the one document from which every picture of a diff is drawn.

The document follows spec/schema/diff.schema.json. It has no times and is sorted, so that two diffs of the same pair are
equal byte for byte.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nnconform.conformance.files import write_whole

from . import changes
from . import notes as diff_notes
from .changes import Difference, Row
from .crossings import Crossings
from .output_differences import Measures, Tensors
from .sides import DiffError, RowKey, Side

__all__ = ["FORMAT", "DiffError", "compare", "write"]

FORMAT = 1


def compare(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    old_tensors: Tensors | None = None,
    new_tensors: Tensors | None = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what changed from one report to another.

    Only results of vectors that both reports asked for, with one digest, are compared. A result on one side only is
    gone or newly supported where both sides ran to the end and both would have it; else it is counted in a note.

    Args:
        old: a report, as ``store.load`` gives it.
        new: another.
        old_tensors: whole outputs of the old report's results, by key. One is used where its digest is that of the
            result, with zeros as they are or all alike, which of the two the vector's latitude decides.
        new_tensors: of the new report's results.
        notes: what else limits the comparison, told first.

    Raises:
        DiffError: a report has two frameworks of one name, or two results of one call.
    """
    sides = Side(old, "old"), Side(new, "new")
    pairing = _Pairing(*sides, Measures(old_tensors, new_tensors))
    pairing.compare()
    # Measured first: notes tell which tensors were no good.
    found = pairing.changes()
    documents = [side.document() for side in sides]
    return {
        "format": FORMAT,
        "nnconform": version("nnconform"),
        "old": documents[0],
        "new": documents[1],
        "notes": [
            *notes,
            *diff_notes.notes(*sides, pairing.left_out, pairing.renamed, pairing.measures),
            *pairing.crossings.notes(),
        ],
        "compared": pairing.compared,
        "unchanged": pairing.unchanged,
        "only_old": _only(*sides),
        "only_new": _only(*reversed(sides)),
        "altered_vectors": sorted(v for v, digest in new["asked"].items() if old["asked"].get(v, digest) != digest),
        "changes": found,
        "drift": pairing.measures.drift(),
    }


def _only(side: Side, other: Side) -> dict[str, list[str]]:
    return {
        "vectors": sorted(side.report["asked"].keys() - other.report["asked"].keys()),
        "frameworks": sorted(side.entries.keys() - other.entries.keys()),
    }


class _Pairing:
    """Goes through the results of both sides, pair by pair.

    Attributes:
        compared: pairs.
        unchanged: pairs of the same verdicts and bits.
        renamed: outputs of the same bits and another verdict.
        left_out: results on one side only that say nothing: by the side that has them, framework and cause.
    """

    def __init__(self, old: Side, new: Side, measures: Measures) -> None:
        self.old, self.new, self.measures = old, new, measures
        self.crossings = Crossings(old, new)
        self.compared = self.unchanged = self.renamed = 0
        self.left_out: Counter[tuple[str, str, str]] = Counter()
        self._found: list[tuple[RowKey, Row, Difference]] = []

    def compare(self) -> None:
        """Compare all that can be compared."""
        asked, others = self.old.report["asked"], self.new.report["asked"]
        for key in sorted(self.old.rows.keys() | self.new.rows.keys()):
            if key[3] not in asked or asked[key[3]] != others.get(key[3]):
                continue
            before, after = self.old.rows.get(key), self.new.rows.get(key)
            if before is not None and after is not None:
                self._pair(key, before, after)
            elif after is not None:
                self._one_sided(key, after, self.new, self.old)
            elif before is not None:
                self._one_sided(key, before, self.old, self.new)

    def _pair(self, key: RowKey, before: Row, after: Row) -> None:
        self.compared += 1
        if _equal(before, after):
            self.unchanged += 1
            return
        found = list(changes.of_rows(before, after, self.measures.mover(key), self.crossings.question(before)))
        renamed = sum(_renamed(output, before["outputs"].get(name)) for name, output in after["outputs"].items())
        self.renamed += renamed
        self.unchanged += not found and not renamed
        self._found += ((key, after, difference) for difference in found)
        for difference in found:
            self.measures.want(key, after, before, difference)

    def _one_sided(self, key: RowKey, row: Row, has: Side, lacks: Side) -> None:
        if cause := _cause(key, row, has, lacks):
            self.left_out[has.word, key[0], cause] += 1
            return
        state = changes.absent(lacks.why_absent(row))
        states = (None, state) if lacks.word == "new" else (state, None)
        if difference := changes.one_sided(row, *states):
            self._found.append((key, row, difference))

    def changes(self) -> list[dict[str, Any]]:
        """Return the changes as the document has them, sorted by what they are about."""
        self.measures.measure()
        found = [_change(key, row, d, self.measures.of(key, d.output)) for key, row, d in self._found]
        return sorted(found, key=lambda c: (c["framework"], c["operation"], *_place(c)))


def _place(change: Mapping[str, Any]) -> Iterable[str]:
    return (change[key] for key in ("vector", "implementation", "mode", "profile", "output", "kind"))


def _change(key: RowKey, row: Row, difference: Difference, measured: Mapping[str, Any]) -> dict[str, Any]:
    head = {"kind": difference.kind, "fails": changes.fails(difference.kind, difference.new["verdict"])}
    about = {name: row[name] for name in ("framework", "implementation", "mode", "operation", "vector", "profile")}
    states = {"output": difference.output, "old": difference.old, "new": difference.new}
    return {**head, **about, **states, **measured}


def _equal(old: Row, new: Row) -> bool:
    """Say at once of most pairs that nothing changed."""
    return (
        old["verdict"] == new["verdict"]
        and old.get("dialect") == new.get("dialect")
        and ("reason" in old) == ("reason" in new)
        and old["outputs"] == new["outputs"]
    )


def _renamed(new: Row, old: Row | None) -> bool:
    """Say whether an output has the same bits and another verdict, which is no change of the framework."""
    if old is None or not changes.same_bits(old, new):
        return False
    return (old["verdict"], old.get("dialect")) != (new["verdict"], new.get("dialect"))


def _cause(key: RowKey, row: Row, has: Side, lacks: Side) -> str:
    """Return why the absence of a row says nothing: unfinished, fault or selection; "" where it says something."""
    if not (has.finished(key[0]) and lacks.finished(key[0])):
        return "unfinished"
    if (row["implementation"], row["vector"]) in lacks.faults:
        return "fault"
    return "" if lacks.selected(key, has) else "selection"


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write a diff so that the file is whole or not there, one change a line.

    Raises:
        OSError: the folder does not exist or cannot be written to.
    """
    write_whole(path, "".join(_text(document)).encode())


def _text(document: Mapping[str, Any]) -> Iterator[str]:
    lists = ("changes", "drift")
    yield json.dumps({k: v for k, v in document.items() if k not in lists}, indent=1)[:-2]
    for name in lists:
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in document[name])
        yield f',\n "{name}": [\n{rows}\n ]' if rows else f',\n "{name}": []'
    yield "\n}\n"
