"""A page of explanation: headings, paragraphs, fields and tables, 80 columns wide, with colour on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from nnconform.conformance.console import console, printable
from nnconform.conformance.layout import PROSE, WIDTH
from nnconform.conformance.words import GLUE, WHOLE, clean


class Page:
    """What is said of one name, from the top down.

    Attributes:
        title: the name.
        kind: what it is, beside the title.
    """

    def __init__(self, title: str, kind: str) -> None:
        self.title, self.kind = title, kind
        self._parts: list[tuple[Any, bool]] = []

    def say(self, text: str, *, indent: int = 0, style: str = "") -> None:
        """Add a paragraph, whose words are wrapped."""
        self._add(_text(text, style), indent)

    def gap(self) -> None:
        """Add an empty line."""
        self._add(Text(""))

    def section(self, title: str) -> None:
        """Add a heading, after an empty line."""
        self.gap()
        self.say(title, style="bold")

    def verbatim(self, line: str, *, indent: int = 0) -> None:
        """Add a line that is not broken, such as a link."""
        self._parts.append((Text(" " * indent + clean(line), no_wrap=True, overflow="ignore"), True))

    def command(self, words: Iterable[str]) -> None:
        """Add a command as a shell takes it, over several lines where it is long."""
        line = " "
        for word in words:
            # Two more for what says that the command goes on.
            if len(line) + len(word) + 3 > WIDTH:
                self.verbatim(f"{line} \\")
                line = "   "
            line += f" {word}"
        self.verbatim(line)

    def formula(self, text: str) -> None:
        """Add the lines of a formula as they stand, but those that are too long."""
        for line in text.splitlines():
            if len(line) + 2 > WIDTH:
                self.say(line, indent=2)
            else:
                self.verbatim(line, indent=2)

    def fields(self, pairs: Iterable[tuple[str, str]], *, indent: int = 0, style: str = "cyan") -> None:
        """Add names with what is said of each; those of which nothing is said are left out."""
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True, style=style)
        grid.add_column(overflow="fold")
        rows = [(name, text) for name, text in pairs if text]
        for name, text in rows:
            grid.add_row(_text(name), _text(text))
        if rows:
            self._add(grid, indent)

    def table(
        self, heads: Sequence[str], rows: Iterable[Sequence[str]], *, indent: int = 0, right: bool = False
    ) -> None:
        """Add a table; the first column is to the left, the others too, or to the right."""
        lines = list(rows)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="cyan")
        for number, head in enumerate(heads):
            whole = not number and all(len(line[0]) <= WHOLE for line in lines)
            side: Any = "right" if right and number else "left"
            table.add_column(Text(head), justify=side, overflow="fold", no_wrap=whole)
        for line in lines:
            table.add_row(*map(_text, line))
        self._add(table, indent)

    def side_by_side(self, labels: Sequence[str], columns: Mapping[str, Mapping[str, str]], *, indent: int) -> None:
        """Add columns of one line for each label, as many abreast as there is room for, the others below.

        Args:
            labels: what the lines are called.
            columns: by their heads, what stands in each line.
            indent: of the tables.
        """
        room = WIDTH - indent - max(map(len, labels), default=0)
        abreast: list[list[str]] = [[]]
        left = room
        for head, column in columns.items():
            width = 2 + max(map(len, (head, *column.values())))
            if width > left and abreast[-1]:
                abreast.append([])
                left = room
            abreast[-1].append(head)
            left -= width
        for heads in abreast:
            rows = [[label, *(columns[head].get(label, "") for head in heads)] for label in labels]
            self.gap()
            self.table(["", *heads], [row for row in rows if any(row[1:])], indent=indent, right=True)

    def text(self, width: int = WIDTH) -> str:
        """Return the page as plain text of so many columns at most; links and commands alone may be longer."""
        return "\n".join(line.rstrip() for line in self._drawn(Console(width=width, color_system=None)).split("\n"))

    def print(self) -> None:
        """Print the page: in colour on a terminal, plain in a pipe."""
        canvas = console()
        canvas.width = min(canvas.width, PROSE)
        text = self.text(canvas.width) if canvas.color_system is None else self._drawn(canvas)
        click.echo(printable(text), nl=False, color=True)

    def _add(self, part: Any, indent: int = 0) -> None:
        self._parts.append((Padding(part, (0, 0, 0, indent)) if indent else part, False))

    def _drawn(self, console: Console) -> str:
        with console.capture() as capture:
            apart = "  " if len(self.title) + len(self.kind) + 4 <= console.width else "\n  "
            console.print(Text.assemble((self.title, "bold"), f"{apart}({self.kind})"))
            for part, long in self._parts:
                console.print(part, soft_wrap=long, highlight=False)
        return capture.get().replace(GLUE, " ")


def _text(text: str, style: str = "") -> Text:
    """Return text, foreign text too, as it may be printed; line ends stay."""
    return Text("\n".join(map(clean, text.split("\n"))), style=style)
