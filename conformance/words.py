"""Words: counts, lists of names, and foreign text without control characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# Stands for a blank that no line breaks at, until all lines are broken.
GLUE = "\ue000"
# A name that is longer than this may be broken, so that no line is left nearly empty.
WHOLE = 48


def glued(name: str) -> str:
    """Return a name that no line breaks, if it is short."""
    return name.replace(" ", GLUE) if len(name) <= WHOLE else name


def joined(names: Iterable[str]) -> str:
    """Return names with commas between them, each on one line."""
    return ", ".join(map(glued, names))


def clean(text: str) -> str:
    """Return foreign text without control characters, escape sequences and changes of direction."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == GLUE else " " if c in "\t\n" else "" for c in text)


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number of things: ``1 vector``, ``1,265 vectors``.

    Args:
        number: of things.
        noun: for one of them.
        plural: for several, if it is not the noun with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def indexed(name: str, index: Sequence[int]) -> str:
    """Return the name of an element of an array: ``dx[0, 3]``; of an array without axes, its own."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def first_line(text: str) -> str:
    """Return the first line of a text, cut if it is long."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 110 else f"{line[:107]}..."


def install_command(extra: str) -> str:
    """Return the command that installs an extra of nnconform, which no package index has."""
    return f'pip install -c constraints.txt ".[{extra}]" (in a clone of nnconform)'
