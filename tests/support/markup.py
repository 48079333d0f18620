"""A page, read without a browser."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Read(HTMLParser):
    """What a page is made of; that it is not well-formed, or has an anchor twice, is an error.

    Attributes:
        links: the addresses in it.
        ids: its anchors.
        tags: how often each element stands in it.
        text: its text.
        below: the text below each element that has an anchor.
        cells: of each cell of a table the links and the pieces of text.
    """

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: Counter[str] = Counter()
        self.below: dict[str, str] = {}
        self.cells: list[tuple[list[str], list[str]]] = []
        self._text: list[str] = []
        self._open: list[tuple[str, str | None]] = []
        self.feed(markup)
        assert self._open == []
        assert len(set(self.ids)) == len(self.ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in the start of an element."""
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("id")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in an element that has no content, or what its start tells."""
        said = {key: value for key, value in attrs if value}
        found = [said[key] for key in ("href", "src") if key in said]
        self.tags[tag] += 1
        self.links += found
        if "id" in said:
            self.ids.append(said["id"])
            self.below[said["id"]] = ""
        if tag == "td":
            self.cells.append(([], []))
        elif self._in_a_cell:
            self.cells[-1][0].extend(found)

    def handle_endtag(self, tag: str) -> None:
        """Take in the end of an element."""
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        """Take in text."""
        self._text.append(data)
        if self._in_a_cell:
            self.cells[-1][1].append(data)
        for _, name in self._open:
            if name:
                self.below[name] += data

    @property
    def _in_a_cell(self) -> bool:
        return any(tag == "td" for tag, _ in self._open)

    @property
    def text(self) -> str:
        """All text, with single blanks."""
        return " ".join(" ".join(self._text).split())

    def words(self, name: str) -> str:
        """Return the text below an anchor, with single blanks."""
        return " ".join(self.below[name].split())
