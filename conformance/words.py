"""Words: counts, lists of names, and foreign text without control characters."""

from __future__ import annotations

from collections.abc import Iterable

# Stands for a blank that no line breaks at, until all lines are broken.
GLUE = "\ue000"
# A name that is longer than this may be broken, so that no line is left nearly empty.
WHOLE = 48


def glued(name: str) -> str:
    """Return a name whose words stay in one line where that is short."""
    return name.replace(" ", GLUE) if len(name) <= WHOLE else name


def joined(names: Iterable[str]) -> str:
    """Return names with commas between them, each kept in one line."""
    return ", ".join(map(glued, names))


def clean(text: str) -> str:
    """Return foreign text without what a terminal would obey: control characters, those that turn text around."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == GLUE else " " if c in "\t\n" else "" for c in text)


def count(number: int, what: str, plural: str = "") -> str:
    """Return a number of things: ``1 vector``, ``1,265 vectors``.

    Args:
        number: how many.
        what: one of them.
        plural: several of them, where an s does not make it.
    """
    return f"{number:,} {what if number == 1 else plural or f'{what}s'}"


def first_line(text: str) -> str:
    """Return the first line of a text, cut if it is long."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 110 else f"{line[:107]}..."
