"""What the spec says of what a report names: its vectors, clauses, dialects and faults, as plain data for a page."""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nnconform.conformance.explain.vector import asks, digest
from nnconform.conformance.vectors import dialects as catalogue
from nnconform.conformance.vectors import index
from nnconform.conformance.vectors.clauses import clauses

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
    return {c.id: {"title": c.title, "page": c.page, "blocks": list(blocks(c.body))} for c in cited}


def blocks(markdown: str) -> Iterator[tuple[str, Any]]:
    """Yield the blocks of a clause's Markdown.

    ``pre`` and ``p`` have their text, ``ul`` a text for each item, and ``table`` the cells of each row, the head first.
    """
    for number, part in enumerate(re.split(r"^```\w*\n(.*?)^```$", markdown, flags=re.MULTILINE | re.DOTALL)):
        if number % 2:
            yield "pre", textwrap.dedent(part).rstrip()
            continue
        for block in filter(None, map(str.strip, re.split(r"\n\s*\n", part))):
            yield from _block(block)


def _block(block: str) -> Iterator[tuple[str, Any]]:
    if block.startswith("|"):
        rows = [[cell.strip() for cell in line.strip("| ").split(" |")] for line in block.splitlines()]
        yield "table", [rows[0], *rows[2:]]
        return
    # A list may follow its sentence without an empty line.
    head, *items = (" ".join(item.split()) for item in re.split(r"^(?=- )", block, flags=re.MULTILINE))
    if head.startswith("- "):
        head, items = "", [head, *items]
    if head:
        yield "p", head
    if items:
        yield "ul", [item.removeprefix("- ") for item in items]
