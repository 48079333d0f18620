"""The spec's texts on the vectors, clauses, dialects and faults that a report names, as plain data for a page."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from nnconform.conformance.explain.vector import description
from nnconform.conformance.numbers import Json
from nnconform.conformance.vectors import clauses as spec_clauses
from nnconform.conformance.vectors import dialects as catalogue
from nnconform.conformance.vectors import index
from nnconform.conformance.vectors.spec_markdown import Block, Code, Items, Paragraph, Table, blocks
from nnconform.conformance.vectors.stored_vector import StoredVector

# Labels that a page does not show as one text.
APART = ("clauses", "hunts", " ", "dialects")


def published_vectors(digests: Mapping[str, str]) -> dict[str, StoredVector]:
    """Return the vectors of a report as their files have them, by id.

    A vector is left out if it is not published, or has changed since the run.

    Args:
        digests: by id, from the report.
    """
    published = ((name, index.find(name)) for name in digests)
    return {name: vector for name, vector in published if vector and vector.digest == digests[name]}


def about(vector: StoredVector) -> Json:
    """Return the labels and texts of a vector, its clauses, and the faults and dialects that it hunts."""
    texts = [(label, text) for label, text in description(vector) if text and label not in APART]
    return {"asks": texts, "clauses": vector.clauses, "hunts": vector.hunts, "file": vector.file}


def dialects(names: Iterable[str]) -> dict[str, Json]:
    """Return the entries of dialects.yaml by name; for a combination, those of its parts."""
    entries = catalogue.dialects()
    parts = dict.fromkeys(part for name in names for part in name.split("+"))
    return {part: dataclasses.asdict(entries[part]) for part in parts if part in entries}


def hunted(names: Iterable[str]) -> dict[str, str]:
    """Return a sentence for each fault or dialect that vectors hunt."""
    entries = {**{name: d.summary for name, d in catalogue.dialects().items()}, **catalogue.faults()}
    return {name: entries[name] for name in dict.fromkeys(names) if name in entries}


def clauses(names: Iterable[str]) -> dict[str, Json]:
    """Return the clauses of these ids: title, page, and the blocks of the text."""
    entries = spec_clauses.clauses()
    cited = (entries[name] for name in dict.fromkeys(names) if name in entries)
    return {c.id: {"title": c.title, "page": c.page, "blocks": [*map(_block, blocks(c.body))]} for c in cited}


def _block(block: Block) -> tuple[str, Any]:
    """Return a block with the name of its element."""
    match block:
        case Paragraph(text):
            return "p", text
        case Code(text):
            return "pre", text
        case Items(texts, ordered):
            return "ol" if ordered else "ul", texts
        case Table(rows):
            return "table", rows
