"""Markdown that is also readable as plain text, within 80 columns if names are short enough."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

WIDTH = 79


def wrapped(text: str, indent: str = "") -> Iterator[str]:
    """Yield the lines of a paragraph; all but the first begin with ``indent``."""
    yield from textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def code(text: str, lead: str = "") -> Iterator[str]:
    """Yield the lines of one call after ``lead``; it is broken only between its arguments."""
    line, indent = lead, " " * (len(lead) + 4)
    for argument in text.replace(", ", ",\0").split("\0"):
        if len(line) + len(argument) > WIDTH and line.strip():
            yield line.rstrip()
            line = indent
        line += f"{argument} " if argument.endswith(",") else argument
    yield line.rstrip()


def fenced(language: str, lines: str) -> Iterator[str]:
    """Yield the lines of a fenced block."""
    yield from (f"```{language}", lines, "```")
