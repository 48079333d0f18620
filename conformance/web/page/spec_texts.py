"""What the spec says of what a report names: its vectors, clauses, dialects and faults, as plain data for a page."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from nnconform.conformance.explain.vector import asks, digest
from nnconform.conformance.vectors import dialects as catalogue
from nnconform.conformance.vectors import index
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.spec_markdown import Block, Code, Items, Paragraph, Table, blocks

Document = Mapping[str, Any]
# What a page tells in another way than as a text beside a label.
APART = ("clauses", "hunts", " ", "dialects")


def vectors(asked: Mapping[str, str]) -> dict[str, Document]:
    """Return the published vectors that a report asked, as they stand in their files, by id.

    A vector that is not published, or that had other numbers than today's, is left out.

    Args:
        asked: digests by id.
    """
    found = {name: _published(name) for name in asked}
    return {name: vector for name, (vector, own) in found.items() if vector and own == asked[name]}


@functools.cache
def _published(name: str) -> tuple[Document | None, str]:
    """Return a vector with its digest."""
    vector = index.vector(name)
    return vector, digest(vector) if vector else ""


def about(vector: Document) -> dict[str, Any]:
    """Return what a page tells of a vector: labels and texts, clauses, and what it hunts."""
    told = [(label, text) for label, text in asks(vector) if text and label not in APART]
    return {"asks": told, "clauses": vector["clauses"], "hunts": vector["hunts"], "file": vector["file"]}


def dialects(names: Iterable[str]) -> dict[str, Document]:
    """Return what dialects.yaml says of dialects, by name; of combinations, what it says of their parts."""
    known = catalogue.dialects()
    parts = dict.fromkeys(part for name in names for part in name.split("+"))
    return {part: known[part] for part in parts if part in known}


def hunted(names: Iterable[str]) -> dict[str, str]:
    """Return in a sentence what each name is that vectors hunt: a fault or a dialect."""
    said = {**{name: d["summary"] for name, d in catalogue.dialects().items()}, **catalogue.faults()}
    return {name: said[name] for name in dict.fromkeys(names) if name in said}


def texts(names: Iterable[str]) -> dict[str, Document]:
    """Return the clauses of these ids: title, page, and the blocks of the text."""
    known = clauses()
    cited = (known[name] for name in dict.fromkeys(names) if name in known)
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
