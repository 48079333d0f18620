"""Markdown that is safe for GitHub and GitLab, whatever text it contains.

Text from adapters, frameworks, vectors and errors is foreign: it may not make markup, mention a person, close a folded
section, or refer to an issue.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nnconform.conformance.words import count

# A workflow finds its earlier comment by this line.
MARKER = "<!-- nnconform -->"
# GitHub accepts comments of 65,536 characters; the rest is for a workflow's additions.
MOST = 60_000
# Rows of a table that is not folded.
TOP = 10
# Characters of one cell.
CELL = 200

_MARKUP = str.maketrans({c: f"&#{ord(c)};" for c in "`|\\~$<>"} | {"&": "&amp;"} | {c: f"\\{c}" for c in "*[]"})
# References that GitHub and GitLab link: @user, #issue, !merge request, $snippet, %milestone, ~label, ^alert, &epic.
_REFERENCE = re.compile(r"([@#!$%~^&])(?=\w)")
_ADDRESS = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)")


@dataclass(frozen=True)
class Section:
    """A folded section.

    Attributes:
        title: its summary.
        before: lines above ``lines``, such as a table's head.
        lines: of which some may be left out for length.
        after: lines below ``lines``, such as the end of a fence.
    """

    title: str
    before: Sequence[str]
    lines: Sequence[str]
    after: Sequence[str] = ()


def text(foreign: str, most: int = CELL) -> str:
    """Return foreign text on one line, without markup, cut to a length."""
    plain = "".join(" " if c.isspace() else c for c in foreign if c.isspace() or unicodedata.category(c)[0] != "C")
    plain = " ".join(plain.split())
    if len(plain) > most:
        plain = f"{plain[: most - 3]}..."
    # A zero-width space separates the sign from the name: GitHub searches its rendered text for references.
    plain = _REFERENCE.sub("\\1\u200b", plain).translate(_MARKUP)
    plain = _ADDRESS.sub(lambda match: f"&#{ord(match[0])};", plain)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", plain)


def code(foreign: str, most: int = CELL) -> str:
    """Return foreign text as code, "" for a blank text."""
    return f"<code>{text(foreign, most)}</code>" if foreign.strip() else ""


def block(foreign: str) -> list[str]:
    """Return foreign lines unchanged, in a fence that they cannot close."""
    lines = ["".join(c for c in line if unicodedata.category(c)[0] != "C") for line in foreign.strip().splitlines()]
    longest = max((len(run) for run in re.findall("`+", foreign)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *lines, fence]


def table(heads: Sequence[str], right: Iterable[str] = ()) -> list[str]:
    """Return the first two lines of a table; columns with a head in ``right`` are aligned right."""
    numbers = set(right)
    return [row(heads), row(["--:" if head in numbers else "---" for head in heads])]


def row(cells: Sequence[str]) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"


def document(head: Sequence[str], sections: Sequence[Section]) -> str:
    """Return the whole text, cut to the length of a comment; its end names the lines that were left out."""
    lines, omitted = [MARKER, *head], []
    # With room for the last sentence.
    room = MOST - sum(len(line) + 1 for line in lines) - 4_000
    for section in sections:
        opening = ["", "<details>", f"<summary>{section.title}</summary>", "", *section.before]
        closing = [*section.after, "", "</details>"]
        rest = room - sum(len(line) + 1 for line in (*opening, *closing))
        fitting = []
        for line in section.lines:
            if (rest := rest - len(line) - 1) < 0:
                break
            fitting.append(line)
        if len(fitting) < len(section.lines):
            number = len(section.lines) - len(fitting)
            omitted.append(f'{number} of {len(section.lines)} lines of "{section.title}"')
        if fitting:
            lines += [*opening, *fitting, *closing]
            room = rest
    if omitted:
        lines += ["", f"Left out for length: {'; '.join(omitted[:10])}. The JSON report has all of it."]
    return "\n".join(lines) + "\n"


def more(number: int, noun: str) -> list[str]:
    """Return the lines below the first ``TOP`` of a number of rows, if there are more."""
    return ["", f"and {count(number - TOP, f'more {noun}')}, folded below"] if number > TOP else []
