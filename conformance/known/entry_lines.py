"""Edit a list of known divergences entry by entry; every line that no change concerns stays as it is.

The round trip of a YAML library would change the indentation of a user's file. It also keeps the comment above an entry
with the entry before it, and would remove it with the wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from .file import Entry
from .plan import Plan

# The text of a new file.
HEAD = """\
# Known divergences: where frameworks differ from the spec, and why that is so (the format: spec/known.md).
# `nnconform known FILE --update` keeps counts and entries up to date; reasons, links and comments are yours.
format: 1
known: []
"""
KEY = re.compile(r"^known\s*:", re.MULTILINE)
BRACKETS = re.compile(r"\s*\[\s*\]")
DASH = re.compile(r" *-(\s|$)")


class LayoutError(Exception):
    """A list is written so that it cannot be edited entry by entry."""

    def __init__(self) -> None:
        super().__init__("its entries do not begin on lines of their own; write each as `- framework: ...`")


@dataclass
class _Block:
    """An entry in the text.

    Attributes:
        above: the lines of comments directly above it.
        lines: its own.
        below: all other lines up to the next block.
    """

    above: list[str]
    lines: list[str]
    below: list[str]


def edit(text: str, plan: Plan) -> tuple[str, dict[int, str]]:
    """Return the new text, and the text of each entry that is removed or replaced, by number.

    Raises:
        LayoutError: an entry does not begin on a line of its own.
    """
    head, blocks = _split(text, [m.entry.line for m in plan.matches])
    form = _Form.of(text, blocks)
    gone: dict[int, str] = {}
    for number, covers in plan.counts.items():
        blocks[number].lines = _with_count(blocks[number].lines, plan.matches[number].entry.covers, covers)
    for number in plan.removed:
        entries = plan.replacements.get(number, [])
        gone[number] = "".join(blocks[number].lines if entries else _remove(blocks, number))
        blocks[number].lines = form.lines(entries)
    empty = not any(block.lines for block in blocks)
    if plan.added:
        last = blocks[-1].lines if blocks else head
        if last and not last[-1].endswith("\n"):
            last[-1] += form.newline
        last += form.lines(plan.added) if empty else [*form.gap, *form.lines(plan.added)]
    elif empty:
        head = [KEY.sub(r"\g<0> []", "".join(head))]
    return "".join([*head, *(line for block in blocks for line in (*block.above, *block.lines, *block.below))]), gone


def _split(text: str, entries: Sequence[int]) -> tuple[list[str], list[_Block]]:
    """Return the lines before the first entry, and the entries; an empty list has its lines below in a block.

    Args:
        text: the whole text.
        entries: the line of the first key of each entry, from 1.
    """
    if not entries:
        return _split_empty(text)
    lines = text.splitlines(keepends=True)
    starts = [_start(lines, line - 1) for line in entries]
    ends = [_end(lines, start) for start in starts]
    above = [_above(lines, start) for start in starts]
    limits = [*above[1:], len(lines)]
    blocks = [
        _Block(lines[comment:start], lines[start:end], lines[end:limit])
        for comment, start, end, limit in zip(above, starts, ends, limits, strict=True)
    ]
    return lines[: above[0]], blocks


def _split_empty(text: str) -> tuple[list[str], list[_Block]]:
    key = KEY.search(text)
    brackets = key and BRACKETS.match(text, key.end())
    if key is None or brackets is None:
        raise LayoutError
    rest, newline, below = text[brackets.end() :].partition("\n")
    return [text[: key.end()] + rest + newline], [_Block([], [], below.splitlines(keepends=True))]


def _start(lines: Sequence[str], first: int) -> int:
    """Return the number of the line with an entry's dash, which may be above the line of its first key."""
    for number in range(first, -1, -1):
        if DASH.match(lines[number]):
            return number
        if number < first and not _is_blank(lines[number]) and not _is_comment(lines[number]):
            break
    raise LayoutError


def _end(lines: Sequence[str], start: int) -> int:
    """Return the number of the line after an entry: all lines that are indented further than its dash belong to it."""
    column, end = _indentation(lines[start]), start + 1
    for number in range(start + 1, len(lines)):
        if _is_blank(lines[number]):
            continue
        if _indentation(lines[number]) > column:
            end = number + 1
        elif not _is_comment(lines[number]):
            break
    return end


def _above(lines: Sequence[str], start: int) -> int:
    """Return the number of the first of the comment lines directly above an entry, none of which is in another."""
    column = _indentation(lines[start])
    while start > 0 and _is_comment(lines[start - 1]) and _indentation(lines[start - 1]) <= column:
        start -= 1
    return start


def _is_blank(line: str) -> bool:
    return not line.strip()


def _is_comment(line: str) -> bool:
    return line.lstrip(" ").startswith("#")


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _with_count(lines: Sequence[str], old: int, new: int) -> list[str]:
    """Return an entry's lines with another value of ``covers``."""
    text = re.sub(rf"(\bcovers\s*:\s*){old}\b", rf"\g<1>{new}", "".join(lines), count=1)
    return text.splitlines(keepends=True)


def _remove(blocks: Sequence[_Block], number: int) -> list[str]:
    """Remove an entry with its comments and the blank lines before it, after it for the first; return its lines."""
    block = blocks[number]
    lines, block.above = [*block.above, *block.lines], []
    if number == 0:
        while block.below and _is_blank(block.below[0]):
            del block.below[0]
    else:
        before = blocks[number - 1].below
        while before and _is_blank(before[-1]):
            del before[-1]
    return lines


@dataclass(frozen=True)
class _Form:
    """The form of the entries of a text.

    Attributes:
        column: the number of blanks before a dash.
        newline: the end of a line.
        gap: the blank line between two entries, if there is one.
    """

    column: int
    newline: str
    gap: list[str]

    @classmethod
    def of(cls, text: str, blocks: Sequence[_Block]) -> _Form:
        newline = "\r\n" if "\r\n" in text else "\n"
        column = _indentation(blocks[0].lines[0]) if blocks and blocks[0].lines else 2
        spaced = any(_is_blank(line) for block in blocks[:-1] for line in block.below)
        return cls(column, newline, [newline] if spaced else [])

    def lines(self, entries: Iterable[Entry]) -> list[str]:
        """Return entries in this form."""
        lines: list[str] = []
        for entry in entries:
            lines += self.gap if lines else []
            lines += (f"{' ' * self.column}{line}{self.newline}" for line in _dump(entry).splitlines())
        return lines


class _Quoted(str):
    """A text in double quotes."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Quoted, lambda self, text: self.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
_Dumper.add_representer(
    tuple, lambda self, names: self.represent_sequence("tag:yaml.org,2002:seq", names, flow_style=True)
)


def _dump(entry: Entry) -> str:
    """Return an entry as an item of a YAML list, its first line at the margin."""
    item: dict[str, Any] = {"framework": entry.framework}
    if entry.versions:
        item["versions"] = _Quoted(entry.versions)
    for key in ("implementation", "mode"):
        if getattr(entry, key) != "*":
            item[key] = _Quoted(getattr(entry, key))
    item |= {key: _Quoted(getattr(entry, key)) for key in ("vector", "clause") if getattr(entry, key)}
    item["verdict"] = entry.verdict
    if entry.dialects:
        item["dialect"] = entry.dialects[0] if len(entry.dialects) == 1 else entry.dialects
    item |= {"covers": entry.covers, "reason": _Quoted(entry.reason), "link": entry.link or None}
    return yaml.dump([item], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)
