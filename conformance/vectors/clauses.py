"""The clauses of the spec's pages: id, title, and what stands under the heading."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .spec_markdown import page_names, sections

ID = re.compile(r"[A-Z]+(?:-[A-Z]+)*-\d+")


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
def clauses() -> Mapping[str, Clause]:
    """Return every clause by its id, in the order of the pages."""
    named = ((page, section) for page in page_names() for section in sections(page))
    found = [Clause(s.name, s.title, f"{page}.md", s.body) for page, s in named if ID.fullmatch(s.name)]
    return {clause.id: clause for clause in found}
