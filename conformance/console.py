"""Where people read: a terminal, a pipe or a log. How wide it is, whether it has colour, and what is printed there.

The same words stand everywhere. A terminal adds its width, and colour, which is never the only carrier.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Any

from .layout import PROSE, WIDTH, Block, plain, wrapped
from .words import clean

if TYPE_CHECKING:
    from rich.console import Console

# The least that lines are wrapped to.
NARROW = 20


def columns_of(stream: IO[str]) -> int:
    """Return how wide a stream is: ``COLUMNS`` where it is set, a terminal's width, 80 for what is none."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdigit() and int(asked):
        return max(NARROW, int(asked))
    try:
        return max(NARROW, os.get_terminal_size(stream.fileno()).columns or WIDTH)
    except (OSError, ValueError):
        return WIDTH


def width() -> int:
    """Return how wide standard output is, in columns."""
    return columns_of(sys.stdout)


def console(*, stderr: bool = False) -> Console:
    """Return a console of rich as wide as the stream, in colour on a terminal or with ``FORCE_COLOR``.

    ``NO_COLOR`` with anything in it means plain text (https://no-color.org).
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    plain: dict[str, Any] = {"color_system": None} if os.environ.get("NO_COLOR") else {}
    return Console(stderr=stderr, width=columns_of(stream), highlight=False, markup=False, emoji=False, **plain)


def show(parts: Iterable[Block]) -> None:
    """Print parts on standard output, as wide as it is."""
    import click

    canvas = console()
    if canvas.color_system is None:
        click.echo(printable(plain(parts, canvas.width)), nl=False)
        return
    from rich.text import Text

    with canvas.capture() as capture:
        for part in parts:
            for line in part.drawn(canvas.width):
                text = Text.assemble(*line)
                text.rstrip()
                canvas.print(text, soft_wrap=True)
    # Colours are decided: click would take them out of a pipe with FORCE_COLOR.
    click.echo(printable(capture.get()), nl=False, color=True)


def printable(text: str) -> str:
    """Return text with escapes for what the encoding of standard output does not have."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def teller(*, quiet: bool = False) -> Callable[[str], None]:
    """Return what says on standard error what takes long, or nothing."""
    return (lambda _: None) if quiet else tell


def tell(message: str) -> None:
    """Print a message on standard error: wrapped on a terminal, and a line as it is in a log, where it is searched."""
    for line in message.splitlines():
        shown = [clean(line)]
        if sys.stderr and sys.stderr.isatty() and not line.startswith(" "):
            shown = wrapped(clean(line), min(columns_of(sys.stderr), PROSE), hang="  ")
        for text in shown:
            say(text)


def say(line: str) -> None:
    """Print a line on standard error, whose reader may have gone away: that ends no run."""
    import click

    try:
        click.echo(line, err=True)
    except OSError:
        # Python, too, writes there at its end what is left, and would end with a status of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
