"""The clauses of the spec's pages: id, title, and what stands under the heading."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

HEADING = re.compile(r"^### (?P<id>[A-Z]+(?:-[A-Z]+)*-\d+): (?P<title>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Clause:
    """One normative sentence of the spec.

    Attributes:
        id: ``BN-TRAIN-4``.
        title: what it is about.
        page: the file that it stands in, below ``spec``.
        body: what stands under its heading, as Markdown.
    """

    id: str
    title: str
    page: str
    body: str

    @property
    def text(self) -> str:
        """What it says, as Markdown, without notes and source."""
        return "\n\n".join(b for b in self.body.split("\n\n") if not b.startswith(("Source:", "Note:")))

    @property
    def source(self) -> str:
        """Where it comes from, or nothing."""
        found = (b.removeprefix("Source: ") for b in self.body.split("\n\n") if b.startswith("Source:"))
        return next(found, "")


@functools.cache
def clauses() -> dict[str, Clause]:
    """Return every clause by its id, in the order of the pages."""
    pages = sorted(Path(str(resources.files("nnconform.spec"))).glob("*.md"))
    return {clause.id: clause for page in pages for clause in _of(page)}


def _of(page: Path) -> Iterator[Clause]:
    text = page.read_text()
    for head in HEADING.finditer(text):
        body = re.split(r"^##", text[head.end() :], maxsplit=1, flags=re.MULTILINE)[0]
        yield Clause(head["id"], head["title"], page.name, body.strip())
