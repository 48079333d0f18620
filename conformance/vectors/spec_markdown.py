"""The spec's Markdown: each page by headings, and a section's text as blocks of plain data."""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .index import SPEC

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

# The heading of a clause, a bound or another named part.
NAMED = re.compile(r"(?P<name>[A-Z]+(?:-[A-Z]+)*-(?:[A-Z]+|\d+)): (?P<title>.+)")


@dataclass(frozen=True)
class Section:
    """A heading and the text under it, up to the next heading.

    Attributes:
        level: of the heading, 1 to 6.
        name: the id of the clause or bound; "" if the heading has none.
        title: the heading without the name, as Markdown.
        body: as Markdown.
    """

    level: int
    name: str
    title: str
    body: str

    @property
    def anchor(self) -> str:
        """The id of the heading in a page: the name, or the words of the title."""
        return self.name or slug(self.title)

    @property
    def github_anchor(self) -> str:
        """The id that GitHub gives the heading."""
        return slug(f"{self.name}: {self.title}" if self.name else self.title)


class Paragraph(NamedTuple):
    """Text in one line, with the Markdown of its words."""

    text: str


class Code(NamedTuple):
    """A formula or an example, in its own lines."""

    text: str


class Items(NamedTuple):
    """A list, one text per item; ``ordered`` if its items have numbers, from 1."""

    texts: Sequence[str]
    ordered: bool

    @property
    def marks(self) -> Sequence[str]:
        """The mark in front of each item: ``-``, or its number."""
        return [f"{number}." if self.ordered else "-" for number, _ in enumerate(self.texts, 1)]


class Table(NamedTuple):
    """The cells of each row, the head first."""

    rows: Sequence[Sequence[str]]


Block = Paragraph | Code | Items | Table


def new_parser() -> MarkdownIt:
    """Return a parser of the spec's Markdown, without HTML in it."""
    # Most commands draw no Markdown.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


@functools.cache
def page_names() -> Sequence[str]:
    """Return the names of the pages of the spec, without ``.md``, in alphabetical order."""
    return sorted(path.stem for path in SPEC.glob("*.md"))


@functools.cache
def sections(page: str) -> Sequence[Section]:
    """Return a page of the spec by its headings.

    Args:
        page: its name, ``numerics``.
    """
    source = SPEC.joinpath(f"{page}.md").read_text("utf-8")
    lines = source.splitlines()
    heads = [node for node in _tree(source) if node.type == "heading"]
    ends = [_lines(head)[0] for head in heads[1:]] + [len(lines)]
    return [_section(head, lines[_lines(head)[1] : end]) for head, end in zip(heads, ends, strict=True)]


def _section(head: SyntaxTreeNode, lines: Sequence[str]) -> Section:
    heading = head.children[0].content
    named = NAMED.fullmatch(heading)
    name, title = (named["name"], named["title"]) if named else ("", heading)
    return Section(int(head.tag[1:]), name, title, "\n".join(lines).strip())


def slug(heading: str) -> str:
    """Return the id of a heading as GitHub makes it, so that links work there and here."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def blocks(markdown: str) -> Iterator[Block]:
    """Yield the blocks of a section's text."""
    yield from _blocks(_tree(markdown))


def _blocks(nodes: Sequence[SyntaxTreeNode]) -> Iterator[Block]:
    for node in nodes:
        match node.type:
            case "paragraph":
                yield Paragraph(_text(node))
            case "fence":
                yield Code(textwrap.dedent(node.content).rstrip())
            case "bullet_list" | "ordered_list":
                yield from _items(node)
            case "table":
                rows = (row for part in node.children for row in part.children)
                yield Table([[_text(cell) for cell in row.children] for row in rows])
            case other:
                raise ValueError(f"a clause of the spec has Markdown that is not read here: {other}")


def _items(items: SyntaxTreeNode) -> Iterator[Block]:
    """Yield a list; an item's further blocks, which are not indented, end one list and begin another."""
    texts: list[str] = []
    for item in items.children:
        first, *others = item.children
        texts.append(_text(first))
        if others:
            yield Items(texts, items.type == "ordered_list")
            yield from _blocks(others)
            texts = []
    if texts:
        yield Items(texts, items.type == "ordered_list")


def plain_text(markdown: str, width: int) -> Iterator[str]:
    """Yield the blocks of a section as text of at most ``width`` columns; formulas are indented and not broken."""
    for block in blocks(markdown):
        match block:
            case Paragraph(text):
                yield _filled(text, width)
            case Code(text):
                yield textwrap.indent(text, "    ")
            case Items(texts):
                items = zip(block.marks, texts, strict=True)
                yield "\n".join(_filled(f"{mark} {text}", width, " " * (len(mark) + 1)) for mark, text in items)
            case Table(rows):
                yield "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _filled(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


@functools.cache
def _block_parser() -> MarkdownIt:
    # Words stay Markdown, and two thirds of the time go to them.
    return new_parser().disable("inline")


def _tree(markdown: str) -> Sequence[SyntaxTreeNode]:
    from markdown_it.tree import SyntaxTreeNode

    return SyntaxTreeNode(_block_parser().parse(markdown)).children


def _lines(node: SyntaxTreeNode) -> tuple[int, int]:
    """Return the first line of a block of a page, and the line after its last."""
    assert node.map is not None
    return node.map


def _text(node: SyntaxTreeNode) -> str:
    """Return the words of a block, in one line."""
    return " ".join(" ".join(inline.content.split()) for inline in node.walk() if inline.type == "inline")
