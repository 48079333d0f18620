"""Edit the text of a list of known divergences in place: every byte that no edit concerns stays as it is.

A round trip through ruamel.yaml's own documents would hang the comment above an entry on the entry before it, so that
removing one takes its neighbour's comment along. Its nodes know where they stand, so the edits are made there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from .file import Entry

# What a new file begins with.
HEAD = """\
# Known divergences: where frameworks differ from the spec, and why that is so (the format: spec/known.md).
# `nnconform known FILE --update` keeps counts and entries up to date; reasons, links and comments are yours.
format: 1
known: []
"""


class LayoutError(Exception):
    """A list is written so that it cannot be edited in place; the message says how it should be."""


@dataclass
class Edits:
    """What to change; entries go by their number, from 0.

    Attributes:
        counts: new values of ``covers``.
        removed: entries that go, with their comments.
        replaced: entries that others come instead of; the comments above stay.
        added: entries at the end.
    """

    counts: Mapping[int, int]
    removed: Sequence[int]
    replaced: Mapping[int, Sequence[Entry]]
    added: Sequence[Entry]


class Span(NamedTuple):
    """Where an entry stands: from the comment lines above it, from its own first line, to its end."""

    above: int
    start: int
    end: int


def edit(text: str, edits: Edits) -> tuple[str, dict[int, str]]:
    """Return the new text, and the text of each entry that was removed or replaced.

    Raises:
        LayoutError: the list is written in one line.
    """
    layout = _Layout(text)
    gone = {number: text[slice(*_removal(layout, number))] for number in edits.removed}
    gone |= {number: text[layout.spans[number].start : layout.spans[number].end] for number in edits.replaced}
    changes = sorted(_changes(layout, edits), key=lambda change: change[:2])
    pieces, at = [], 0
    for start, end, new in changes:
        pieces += [text[at : max(start, at)], new]
        at = max(end, at)
    return "".join([*pieces, text[at:]]), gone


def _changes(layout: _Layout, edits: Edits) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and new text of each place to change."""
    for number, count in edits.counts.items():
        yield *layout.value(number, "covers"), str(count)
    for number in edits.removed:
        yield *_removal(layout, number), ""
    for number, entries in edits.replaced.items():
        yield layout.spans[number].start, layout.spans[number].end, layout.items(entries)
    stay = len(layout.spans) - len(edits.removed) + len(edits.added)
    if not layout.spans and edits.added:
        yield *layout.empty, ""
    elif layout.spans and not stay:
        yield layout.empty[0], layout.empty[0], " []"
    if edits.added:
        end = layout.spans[-1].end if layout.spans else layout.line_end(layout.empty[1])
        before = "" if layout.text[:end].endswith("\n") else layout.newline
        gap = layout.newline if layout.spaced and stay > len(edits.added) else ""
        yield end, end, before + gap + layout.items(edits.added)


def _removal(layout: _Layout, number: int) -> tuple[int, int]:
    """Return what to cut for an entry: its comments too, and the blank lines that set it apart."""
    start, end = layout.spans[number].above, layout.spans[number].end
    if number:
        while layout.is_blank(layout.line_before(start)):
            start = layout.line_before(start)
    else:
        while end < len(layout.text) and layout.is_blank(end):
            end = layout.line_end(end)
    return start, end


class _Layout:
    """Where in a text the entries of a list stand.

    Attributes:
        text: the whole text.
        newline: how its lines end.
        spans: of the entries.
        empty: where ``[]`` stands, or would stand, with the blank before it.
        spaced: whether blank lines stand between entries.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        root = YAML().compose(text)
        self._key, self._list = next((key, value) for key, value in root.value if key.value == "known")
        if root.flow_style or (self._list.flow_style and self._list.value):
            raise LayoutError("known is written in brackets; write a line for each entry, `- framework: ...`")
        colon = text.index(":", self._key.end_mark.index) + 1
        self.empty = colon, colon if self._list.value else self._list.end_mark.index
        self.column = self._list.start_mark.column if self._list.value else 2
        self.spans: list[Span] = []
        for item in self._list.value:
            self.spans.append(self._span(item, self.spans[-1].end if self.spans else self.line_end(colon)))
        pairs = zip(self.spans, self.spans[1:], strict=False)
        self.spaced = any(self.is_blank(self.line_before(after.above)) for _, after in pairs)

    def _span(self, item: Node, after: int) -> Span:
        start = self.line_start(item.start_mark.index)
        # The dash may stand on a line of its own, with nothing but comments below it.
        while not self.text.startswith(" " * self.column + "-", start):
            if start == 0:
                raise LayoutError("its entries do not begin on lines of their own; write them as `- framework: ...`")
            start = self.line_before(start)
        end = self.line_end(len(self.text[: _end(item)].rstrip()))
        while self._depth(end) > self.column:
            end = self.line_end(end)
        above = start
        while above > after and self._depth(self.line_before(above)) >= 0:
            above = self.line_before(above)
        return Span(above, start, end)

    def _depth(self, start: int) -> int:
        """Return how far the comment that begins on a line is indented; -1 where the line is no comment."""
        line = self.text[start : self.line_end(start)]
        return len(line) - len(line.lstrip(" ")) if line.lstrip(" ").startswith("#") else -1

    def value(self, number: int, key: str) -> tuple[int, int]:
        """Return where the value of an entry's key stands."""
        value = next(value for name, value in self._list.value[number].value if name.value == key)
        return value.start_mark.index, value.end_mark.index

    def items(self, entries: Sequence[Entry]) -> str:
        """Return entries as they stand in this text."""
        lines = [f"{line}\n" if line.strip() else "\n" for entry in entries for line in self._item(entry)]
        return "".join(lines).removeprefix("\n").replace("\n", self.newline)

    def _item(self, entry: Entry) -> Iterator[str]:
        if self.spaced:
            yield ""
        for line in dump(entry).splitlines():
            yield " " * self.column + line

    def line_start(self, at: int) -> int:
        """Return where the line of a place begins."""
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Return where the line after that of a place begins."""
        end = self.text.find("\n", at) + 1
        return end or len(self.text)

    def line_before(self, start: int) -> int:
        """Return where the line before the one that begins at a place begins."""
        return self.line_start(max(start - 1, 0))

    def is_blank(self, start: int) -> bool:
        """Say whether the line that begins at a place is blank."""
        return not self.text[start : self.line_end(start)].strip()


def _end(node: Any) -> int:
    """Return where the last thing of a node ends: what ruamel calls the end of a block is where the next begins."""
    if isinstance(node, ScalarNode) or node.flow_style:
        return int(node.end_mark.index)
    parts = node.value if isinstance(node, SequenceNode) else [part for pair in node.value for part in pair]
    return max(map(_end, parts))


class _Representer(RoundTripRepresenter):
    pass


_Representer.add_representer(type(None), lambda self, _: self.represent_scalar("tag:yaml.org,2002:null", "null"))


def dump(entry: Entry) -> str:
    """Return an entry as an item of a list in YAML, its first line at the margin."""
    quoted = DoubleQuotedScalarString
    item: dict[str, Any] = {"framework": entry.framework}
    if entry.versions:
        item["versions"] = quoted(entry.versions)
    for key in ("implementation", "mode"):
        if getattr(entry, key) != "*":
            item[key] = quoted(getattr(entry, key))
    item |= {key: quoted(getattr(entry, key)) for key in ("vector", "clause") if getattr(entry, key)}
    item["verdict"] = entry.verdict
    if entry.dialects:
        item["dialect"] = entry.dialects[0] if len(entry.dialects) == 1 else list(entry.dialects)
    item |= {"covers": entry.covers, "reason": quoted(entry.reason), "link": entry.link or None}
    yaml = YAML()
    yaml.width = 2**20
    yaml.Representer = _Representer
    stream = io.StringIO()
    yaml.dump([item], stream)
    return stream.getvalue()
