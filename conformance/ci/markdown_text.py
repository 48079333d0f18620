"""Markdown that is safe for GitHub and GitLab, whatever stands in it.

What adapters, frameworks, vectors and errors say is foreign text: none of it may make markup, mention a person, close
what is folded, or refer to an issue.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nnconform.conformance.words import count

# By it a workflow finds the comment that it wrote before.
MARKER = "<!-- nnconform -->"
# GitHub takes comments of 65,536 characters; some room is left for what a workflow adds.
MOST = 60_000
# Rows of the table that is not folded.
TOP = 10
# Characters of one cell.
CELL = 200

_MARKUP = str.maketrans({c: f"&#{ord(c)};" for c in "`|\\~$<>"} | {"&": "&amp;"} | {c: f"\\{c}" for c in "*[]"})
# Who or what GitHub and GitLab link: @user, #issue, !merge request, $snippet, %milestone, ~label, ^alert, &epic.
_REFERENCE = re.compile(r"([@#!$%~^&])(?=\w)")
_ADDRESS = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)")


@dataclass(frozen=True)
class Section:
    """What is folded: a title, what stands before its lines, the lines, and what stands after them."""

    title: str
    before: Sequence[str]
    lines: Sequence[str]
    after: Sequence[str] = ()


def text(foreign: str, most: int = CELL) -> str:
    """Return foreign text as it can stand in a line or a table: on one line, without markup, cut to a length."""
    plain = "".join(" " if c.isspace() else c for c in foreign if c.isspace() or unicodedata.category(c)[0] != "C")
    plain = " ".join(plain.split())
    if len(plain) > most:
        plain = f"{plain[: most - 3]}..."
    # A zero-width space parts the sign from the name, as GitHub looks for references in the text that it shows.
    plain = _REFERENCE.sub("\\1\u200b", plain).translate(_MARKUP)
    plain = _ADDRESS.sub(lambda match: f"&#{ord(match[0])};", plain)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", plain)


def code(foreign: str, most: int = CELL) -> str:
    """Return foreign text as a name."""
    return f"<code>{text(foreign, most)}</code>" if foreign.strip() else ""


def block(foreign: str) -> list[str]:
    """Return foreign lines as they are, in a fence that they cannot close."""
    lines = ["".join(c for c in line if unicodedata.category(c)[0] != "C") for line in foreign.strip().splitlines()]
    longest = max((len(run) for run in re.findall("`+", foreign)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *lines, fence]


def table(heads: Sequence[str], right: Iterable[str] = ()) -> list[str]:
    """Return the first two lines of a table; columns named in ``right`` are aligned so."""
    numbers = set(right)
    return [row(heads), row(["--:" if head in numbers else "---" for head in heads])]


def row(cells: Sequence[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def document(head: Sequence[str], sections: Sequence[Section]) -> str:
    """Return the whole, cut to what a comment may hold; what was left out is said at the end."""
    lines, cut = [MARKER, *head], []
    # What the last sentence needs.
    room = MOST - sum(len(line) + 1 for line in lines) - 4_000
    for section in sections:
        opened = ["", "<details>", f"<summary>{section.title}</summary>", "", *section.before]
        closed = [*section.after, "", "</details>"]
        left = room - sum(len(line) + 1 for line in (*opened, *closed))
        taken = []
        for line in section.lines:
            if (left := left - len(line) - 1) < 0:
                break
            taken.append(line)
        if len(taken) < len(section.lines):
            cut.append(f'{len(section.lines) - len(taken)} of {len(section.lines)} lines of "{section.title}"')
        if taken:
            lines += [*opened, *taken, *closed]
            room = left
    if cut:
        lines += ["", f"Left out for length: {'; '.join(cut[:10])}. The JSON report has all of it."]
    return "\n".join(lines) + "\n"


def more(number: int, what: str) -> list[str]:
    """Return the lines that stand after the first TOP of a number of things, if there are more."""
    return ["", f"and {count(number - TOP, f'more {what}')}, folded below"] if number > TOP else []
