"""Text for people: paragraphs that are wrapped at words, commands to type, and tables that fit.

A block is plain data, and is rendered for a number of columns; `console` prints it.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .words import GLUE, clean

# Columns of a pipe or a file.
WIDTH = 80
# The smallest width of a column whose words are longer.
NARROW = 12
# Prose of longer lines is hard to read; tables may be as wide as the terminal.
PROSE = 100

# One printed line: texts with their styles.
Styled = list[tuple[str, str]]


def wrap(text: str, width: int, *, indent: str = "", hang: str = "", fold: bool = False) -> list[str]:
    """Return text in lines that are broken only at blanks, so that names stay whole.

    ``textwrap`` counts characters; a terminal has columns, and some characters take two.

    Args:
        text: in which ``GLUE`` is a blank that is not broken.
        width: columns of a line. A longer word has a line for itself, which exceeds them.
        indent: the beginning of the first line.
        hang: the beginning of the others.
        fold: whether to break longer words too, if nobody has to type them.
    """
    from rich.cells import cell_len

    lines: list[str] = []
    line, start = indent, indent
    for word in text.split():
        joint = "" if line == start else " "
        if joint and cell_len(line) + 1 + cell_len(word) > width:
            lines.append(line)
            line = start = hang
            joint = ""
        while fold and len(word) > 1 and cell_len(line) + len(joint) + cell_len(word) > width:
            piece = _beginning(word, max(1, width - cell_len(line)))
            lines.append(line + piece)
            line, start, word = hang, hang, word[len(piece) :]
        line += joint + word
    return [part.replace(GLUE, " ") for part in [*lines, line]]


def _beginning(word: str, room: int) -> str:
    """Return the longest beginning of a word that fits a number of columns, at least one character."""
    from rich.cells import cell_len

    size = 1
    while size < len(word) and cell_len(word[: size + 1]) <= room:
        size += 1
    return word[:size]


@dataclass(frozen=True)
class Line:
    """A paragraph, wrapped at words; an empty line if it has no text.

    Attributes:
        text: may contain foreign text.
        indent: columns before the first line.
        hang: additional columns before the other lines.
        style: of the text, as rich names it.
        lead: the beginning of ``text``, with its own style.
        lead_style: the style of ``lead``.
        fold: whether to break words that are longer than a line, if nobody has to type them.
        mark: the beginning of each line, such as a bar for printed text.
    """

    text: str = ""
    indent: int = 0
    hang: int = 2
    style: str = ""
    lead: str = ""
    lead_style: str = ""
    fold: bool = False
    mark: str = ""

    def render(self, width: int) -> Iterator[Styled]:
        """Yield the lines, at most ``PROSE`` columns wide."""
        start = " " * self.indent + self.mark
        lines = wrap(clean(self.text), min(width, PROSE), indent=start, hang=start + " " * self.hang, fold=self.fold)
        for number, line in enumerate(lines):
            head = f"{start}{clean(self.lead)}"
            if number == 0 and self.lead and line.startswith(head):
                yield [(head, self.lead_style), (line[len(head) :], self.style)]
            else:
                yield [(line, self.style)]


@dataclass(frozen=True)
class Command:
    """A command to type, in one line or in several that a shell accepts.

    Attributes:
        words: as the program receives them.
        indent: columns before it.
    """

    words: Sequence[str]
    indent: int = 0

    def render(self, width: int) -> Iterator[Styled]:
        """Yield the lines."""
        # With room for the backslash that continues a line.
        room = min(width, PROSE) - 2
        line = " " * self.indent
        has_words = False
        for word in self._units(room - self.indent - 2):
            if has_words and len(line) + len(word) + 1 > room:
                yield [(f"{line} \\", "cyan")]
                line, has_words = " " * (self.indent + 2), False
            line += f" {word}" if has_words else word
            has_words = True
        yield [(line, "cyan")]

    def _units(self, room: int) -> list[str]:
        """Return the words quoted for a shell, an option and its value as one if both fit a line."""
        units: list[str] = []
        for word in map(_quoted, map(clean, self.words)):
            option = units[-1] if units and units[-1].startswith("--") and " " not in units[-1] else ""
            if option and not word.startswith("--") and len(option) + len(word) < room:
                units[-1] += f" {word}"
            else:
                units.append(word)
        return units


def _quoted(word: str) -> str:
    """Return a word quoted for a shell; in double quotes if it has single ones, which is easier to read."""
    plain = "'" in word and not set(word) & set('"$`\\!')
    return f'"{word}"' if plain else shlex.quote(word)


@dataclass(frozen=True)
class Table:
    """A table with two blanks between its columns.

    If it is too wide, its elastic columns are wrapped, the widest most. Without elastic columns, a cell that is too
    long for the first column has a line for itself.

    Attributes:
        heads: of the columns.
        rows: of cells; a ``Line`` spans all columns.
        left_aligned: columns of text, by number; the others are aligned right.
        elastic: columns whose cells are wrapped, by number.
        styles: of columns, by their heads.
        bold: rows in bold, by number.
        indent: columns before it.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str] | Line]
    left_aligned: Collection[int] = (0,)
    elastic: Collection[int] = ()
    styles: Mapping[str, str] = field(default_factory=dict)
    bold: Collection[int] = ()
    indent: int = 0

    def widths(self) -> list[int]:
        """Return the width of each column, without wrapping."""
        from rich.cells import cell_len

        cells = [self.heads, *(row for row in self.rows if not isinstance(row, Line))]
        return [max(cell_len(clean(row[i])) for row in cells) for i in range(len(self.heads))]

    def fits(self, width: int) -> bool:
        """Return True if the table is at most ``width`` columns wide."""
        return self.indent + sum(self.widths()) + 2 * (len(self.heads) - 1) <= width

    def render(self, width: int) -> Iterator[Styled]:
        """Yield the lines."""
        widths = self._fitted(width)
        if any(self.heads):
            yield from self._row(self.heads, widths, "bold")
        for number, row in enumerate(self.rows):
            if isinstance(row, Line):
                yield from row.render(width)
            else:
                yield from self._row(row, widths, "bold" if number in self.bold else "")

    def _fitted(self, width: int) -> list[int]:
        """Return the width of each column if the table is wrapped to ``width`` columns."""
        from rich.cells import cell_len

        widths = self.widths()
        cells = [self.heads, *(row for row in self.rows if not isinstance(row, Line))]
        words = {i: [word for row in cells for word in clean(row[i]).split()] for i in self.elastic or (0,)}
        smallest = {i: min(NARROW, max(map(cell_len, of_it), default=0)) for i, of_it in words.items()}
        for _ in range(self.indent + sum(widths) + 2 * (len(widths) - 1) - width):
            widest = max(smallest, key=lambda i: widths[i] - smallest[i])
            if widths[widest] <= smallest[widest]:
                break
            widths[widest] -= 1
        return widths

    def _row(self, row: Sequence[str], widths: Sequence[int], style: str) -> Iterator[Styled]:
        from rich.cells import cell_len

        cells = [[clean(cell)] for cell in row]
        for i in self.elastic:
            if cell_len(cells[i][0]) > widths[i]:
                cells[i] = wrap(cells[i][0], widths[i], fold=True)
        if not self.elastic and cell_len(cells[0][0]) > widths[0]:
            yield [(" " * self.indent + cells[0][0], style)]
            cells[0] = [""]
        for number in range(max(map(len, cells))):
            line: Styled = [(" " * self.indent, "")]
            for i, (texts, room) in enumerate(zip(cells, widths, strict=True)):
                text = texts[number] if number < len(texts) else ""
                cell_style = "dim" if text == "-" else style or self.styles.get(self.heads[i], "")
                line += [("  " if i else "", ""), (_pad(text, room, align_left=i in self.left_aligned), cell_style)]
            yield line


def _pad(text: str, room: int, *, align_left: bool) -> str:
    from rich.cells import cell_len

    blanks = " " * max(0, room - cell_len(text))
    return text + blanks if align_left else blanks + text


@dataclass(frozen=True)
class Fields:
    """Labels with texts, which are wrapped next to them.

    Attributes:
        pairs: of labels and texts.
        indent: columns before the labels.
        style: of the labels.
    """

    pairs: Sequence[tuple[str, str]]
    indent: int = 0
    style: str = "cyan"

    def render(self, width: int) -> Iterator[Styled]:
        """Yield the lines."""
        from rich.cells import cell_len

        margin = " " * self.indent
        room = max((cell_len(clean(label)) for label, _ in self.pairs), default=0) + 2
        for label, text in self.pairs:
            lead = _pad(clean(label), room, align_left=True)
            for line in wrap(clean(text), min(width, PROSE) - self.indent - room, fold=True):
                yield [(margin, ""), (lead, self.style), (line, "")]
                lead = " " * room


Block = Line | Command | Table | Fields


def plain_text(blocks: Iterable[Block], width: int = WIDTH) -> str:
    """Return blocks as plain text of ``width`` columns, with a line end after each line."""
    lines = (line for block in blocks for line in block.render(width))
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)
