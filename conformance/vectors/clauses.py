"""The clauses of the spec's pages: id, title, and the text under the heading."""

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
        title: its subject.
        page: the name of its file, below ``spec``.
        body: the text under its heading, as Markdown.
    """

    id: str
    title: str
    page: str
    body: str

    @property
    def text(self) -> str:
        """The rule itself, as Markdown, without notes and source."""
        return "\n\n".join(b for b in self.body.split("\n\n") if not b.startswith(("Source:", "Note:")))

    @property
    def source(self) -> str:
        """The source of the rule; "" if the page names none."""
        sources = (b.removeprefix("Source: ") for b in self.body.split("\n\n") if b.startswith("Source:"))
        return next(sources, "")


@functools.cache
def clauses() -> Mapping[str, Clause]:
    """Return every clause by its id, in the order of the pages."""
    named = ((page, section) for page in page_names() for section in sections(page))
    in_order = [Clause(s.name, s.title, f"{page}.md", s.body) for page, s in named if ID.fullmatch(s.name)]
    return {clause.id: clause for clause in in_order}
