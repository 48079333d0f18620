"""How text is laid out for people: lines that are broken at words, commands to type, and tables that fit.

All of it is plain data until it is drawn, in as many columns as there are; `terminal` prints it.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .words import GLUE, clean

# Of what is no terminal.
WIDTH = 80
# Prose of longer lines is hard to read; tables may be as wide as the terminal.
PROSE = 100

# A line that is printed: texts with their styles.
Styled = list[tuple[str, str]]


def wrapped(text: str, width: int, *, indent: str = "", hang: str = "", fold: bool = False) -> list[str]:
    """Return text in lines that are broken at blanks alone, so that names stay whole.

    ``textwrap`` counts characters; a terminal has columns, of which some characters take two.

    Args:
        text: what to break; ``GLUE`` stands for blanks that stay.
        width: columns of a line. A word that is longer stands alone in one, beyond it.
        indent: what the first line begins with.
        hang: what the others begin with.
        fold: break what is longer than a line too, where nobody has to type it.
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
            piece = _fitting(word, max(1, width - cell_len(line)))
            lines.append(line + piece)
            line, start, word = hang, hang, word[len(piece) :]
        line += joint + word
    return [part.replace(GLUE, " ") for part in [*lines, line]]


def _fitting(word: str, room: int) -> str:
    """Return as much of the beginning of a word as there is room for, one character at least."""
    from rich.cells import cell_len

    size = 1
    while size < len(word) and cell_len(word[: size + 1]) <= room:
        size += 1
    return word[:size]


@dataclass(frozen=True)
class Line:
    """A paragraph, wrapped at words; nothing but an empty line where there is no text.

    Attributes:
        text: foreign parts of it too.
        indent: columns before the first line.
        hang: columns that the other lines have more.
        style: of all of it, as rich has it.
        lead: what ``text`` begins with, which has a style of its own.
        lead_style: that style.
        fold: whether words that are longer than a line are broken: those that nobody types.
        mark: what stands before each line of it, such as a bar beside what others printed.
    """

    text: str = ""
    indent: int = 0
    hang: int = 2
    style: str = ""
    lead: str = ""
    lead_style: str = ""
    fold: bool = False
    mark: str = ""

    def drawn(self, width: int) -> Iterator[Styled]:
        """Yield the lines; text is not wider than ``PROSE``."""
        start = " " * self.indent + self.mark
        lines = wrapped(clean(self.text), min(width, PROSE), indent=start, hang=start + " " * self.hang, fold=self.fold)
        for number, line in enumerate(lines):
            head = f"{start}{clean(self.lead)}"
            if number == 0 and self.lead and line.startswith(head):
                yield [(head, self.lead_style), (line[len(head) :], self.style)]
            else:
                yield [(line, self.style)]


@dataclass(frozen=True)
class Command:
    """A command to type, in one line where it fits, else in several as a shell takes them.

    Attributes:
        words: as the program gets them.
        indent: columns before it.
    """

    words: Sequence[str]
    indent: int = 0

    def drawn(self, width: int) -> Iterator[Styled]:
        """Yield the lines."""
        line = " " * self.indent
        used = False
        for word in map(shlex.quote, map(clean, self.words)):
            # Two more for what says that the command goes on.
            if used and len(line) + len(word) + 3 > min(width, PROSE):
                yield [(f"{line} \\", "cyan")]
                line, used = " " * (self.indent + 2), False
            line += f" {word}" if used else word
            used = True
        yield [(line, "cyan")]


@dataclass(frozen=True)
class Table:
    """A table whose columns are apart by two blanks.

    Where it would be too wide, the cells of its elastic column are wrapped. Without one, what is too long for the first
    column stands in a line of its own.

    Attributes:
        heads: of the columns.
        rows: of cells; a line alone goes over all columns.
        left: the columns that are to the left; numbers are to the right.
        elastic: the column whose text is wrapped, or None.
        styles: of the columns, by their heads.
        strong: the rows that stand out, by number.
        indent: columns before it.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str] | Line]
    left: Collection[int] = (0,)
    elastic: int | None = None
    styles: Mapping[str, str] = field(default_factory=dict)
    strong: Collection[int] = ()
    indent: int = 0

    def widths(self) -> list[int]:
        """Return how wide each column is where nothing is wrapped."""
        from rich.cells import cell_len

        cells = [self.heads, *(row for row in self.rows if not isinstance(row, Line))]
        return [max(cell_len(clean(row[i])) for row in cells) for i in range(len(self.heads))]

    def fits(self, width: int) -> bool:
        """Say whether it is no wider than that many columns."""
        return self.indent + sum(self.widths()) + 2 * (len(self.heads) - 1) <= width

    def drawn(self, width: int) -> Iterator[Styled]:
        """Yield the lines."""
        widths = self.widths()
        if not self.fits(width):
            flexible = self.elastic or 0
            others = self.indent + sum(widths) - widths[flexible] + 2 * (len(widths) - 1)
            widths[flexible] = max(12, width - others)
        if any(self.heads):
            yield from self._row(self.heads, widths, "bold")
        for number, row in enumerate(self.rows):
            if isinstance(row, Line):
                yield from row.drawn(width)
            else:
                yield from self._row(row, widths, "bold" if number in self.strong else "")

    def _row(self, row: Sequence[str], widths: Sequence[int], style: str) -> Iterator[Styled]:
        from rich.cells import cell_len

        cells = [[clean(cell)] for cell in row]
        if self.elastic is not None:
            cells[self.elastic] = wrapped(cells[self.elastic][0], widths[self.elastic], fold=True)
        elif cell_len(cells[0][0]) > widths[0]:
            yield [(" " * self.indent + cells[0][0], style)]
            cells[0] = [""]
        for number in range(max(map(len, cells))):
            line: Styled = [(" " * self.indent, "")]
            for i, (texts, room) in enumerate(zip(cells, widths, strict=True)):
                text = texts[number] if number < len(texts) else ""
                own = "dim" if text == "-" else style or self.styles.get(self.heads[i], "")
                line += [("  " if i else "", ""), (_padded(text, room, left=i in self.left), own)]
            yield line


def _padded(text: str, room: int, *, left: bool) -> str:
    from rich.cells import cell_len

    blanks = " " * max(0, room - cell_len(text))
    return text + blanks if left else blanks + text


Block = Line | Command | Table


def plain(parts: Iterable[Block], width: int = WIDTH) -> str:
    """Return parts as plain text of that many columns, a line end after each line."""
    return "".join(f"{_text(line)}\n" for part in parts for line in part.drawn(width))


def _text(line: Styled) -> str:
    return "".join(text for text, _ in line).rstrip()
