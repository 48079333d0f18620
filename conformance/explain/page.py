"""A page of explanation: blocks of text in a fixed order, for a terminal or as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nnconform.conformance.console import show
from nnconform.conformance.layout import WIDTH, Block, Command, Fields, Line, Table, plain_text
from nnconform.conformance.words import GLUE, glued


class Page:
    """An explanation of one name, extended from the top down.

    Attributes:
        title: the name.
        kind: of the thing that it names, after the title.
        blocks: of the whole page.
    """

    def __init__(self, title: str, kind: str) -> None:
        self.title, self.kind = title, kind
        self.blocks: list[Block] = [Line(f"{glued(title)} ({kind})", lead=title, lead_style="bold")]

    def say(self, text: str, *, indent: int = 0, style: str = "") -> None:
        """Add a paragraph."""
        self.blocks.append(Line(text, indent=indent, hang=0, style=style, fold=True))

    def gap(self) -> None:
        """Add an empty line."""
        self.blocks.append(Line())

    def section(self, title: str) -> None:
        """Add a heading, after an empty line."""
        self.gap()
        self.say(title, style="bold")

    def verbatim(self, line: str, *, indent: int = 0) -> None:
        """Add a line that is never broken, such as a link."""
        self.blocks.append(Line(line.replace(" ", GLUE), indent=indent))

    def command(self, words: Sequence[str]) -> None:
        """Add a command to type."""
        self.blocks.append(Command(words, indent=2))

    def formula(self, text: str) -> None:
        """Add the lines of a formula; only lines that are too long are broken."""
        for line in text.splitlines():
            if len(line) + 2 > WIDTH:
                self.say(line, indent=2)
            else:
                self.verbatim(line, indent=2)

    def fields(self, pairs: Iterable[tuple[str, str]], *, indent: int = 0, style: str = "cyan") -> None:
        """Add labels with their texts, without those that have none."""
        self.blocks.append(Fields([(label, text) for label, text in pairs if text], indent, style))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str] | Line], *, indent: int = 0) -> None:
        """Add a table of text, whose columns are wrapped."""
        columns = range(len(heads))
        self.blocks.append(Table(heads, rows, left_aligned=columns, elastic=columns, indent=indent))

    def numbers(self, heads: Sequence[str], rows: Sequence[Sequence[str]], *, indent: int = 0) -> None:
        """Add a table of numbers; the first column has their labels."""
        self.blocks.append(Table(heads, rows, indent=indent))

    def side_by_side(self, labels: Sequence[str], columns: Mapping[str, Mapping[str, str]], *, indent: int) -> None:
        """Add tables with one line per label, each with as many columns as there is room for.

        Args:
            labels: of the lines.
            columns: by their heads, the cell of each label.
            indent: of the tables.
        """
        room = WIDTH - indent - max(map(len, labels), default=0)
        tables: list[list[str]] = [[]]
        free = room
        for head, column in columns.items():
            width = 2 + max(map(len, (head, *column.values())))
            if width > free and tables[-1]:
                tables.append([])
                free = room
            tables[-1].append(head)
            free -= width
        for heads in tables:
            rows = [[label, *(columns[head].get(label, "") for head in heads)] for label in labels]
            self.gap()
            self.numbers(["", *heads], [row for row in rows if any(row[1:])], indent=indent)

    def text(self, width: int = WIDTH) -> str:
        """Return the page as plain text of ``width`` columns; only links and words to type may be longer."""
        return plain_text(self.blocks, width)

    def print(self) -> None:
        """Print the page."""
        show(self.blocks)
