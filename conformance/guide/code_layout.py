"""Markdown that reads well as plain text too: lines and code within 80 columns where names allow it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

WIDTH = 79


def wrapped(text: str, indent: str = "") -> Iterator[str]:
    """Yield a paragraph in lines; ``indent`` stands before all but the first."""
    yield from textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def code(text: str, lead: str = "") -> Iterator[str]:
    """Yield one call in lines, with ``lead`` before it; it is broken between its arguments alone."""
    line, indent = lead, " " * (len(lead) + 4)
    for argument in text.replace(", ", ",\0").split("\0"):
        if len(line) + len(argument) > WIDTH and line.strip():
            yield line.rstrip()
            line = indent
        line += f"{argument} " if argument.endswith(",") else argument
    yield line.rstrip()


def fenced(language: str, lines: str) -> Iterator[str]:
    """Yield source in a fence."""
    yield from (f"```{language}", lines, "```")
