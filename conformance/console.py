"""Standard output and standard error: their width and colours, and printing to them.

A terminal, a pipe and a log get the same words. A terminal adds its width, and colours, which are never the only
carrier.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Any

from .layout import PROSE, WIDTH, Block, plain_text, wrap
from .words import clean

if TYPE_CHECKING:
    from rich.console import Console

# The smallest width that lines are wrapped to.
NARROW = 20


def columns_of(stream: IO[str]) -> int:
    """Return the width of a stream: ``COLUMNS`` if it is set, else the terminal's, 80 without a terminal."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns):
        return max(NARROW, int(columns))
    try:
        return max(NARROW, os.get_terminal_size(stream.fileno()).columns or WIDTH)
    except (OSError, ValueError):
        return WIDTH


def width() -> int:
    """Return the width of standard output, in columns."""
    return columns_of(sys.stdout)


def console(*, stderr: bool = False) -> Console:
    """Return a console of rich with the width of the stream, in colour on a terminal or with ``FORCE_COLOR``.

    ``NO_COLOR`` with any value turns colours off (https://no-color.org).
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    plain: dict[str, Any] = {"color_system": None} if os.environ.get("NO_COLOR") else {}
    return Console(stderr=stderr, width=columns_of(stream), highlight=False, markup=False, emoji=False, **plain)


def show(blocks: Iterable[Block]) -> None:
    """Print blocks on standard output, with its width."""
    import click

    canvas = console()
    if canvas.color_system is None:
        click.echo(printable(plain_text(blocks, canvas.width)), nl=False)
        return
    from rich.text import Text

    with canvas.capture() as capture:
        for block in blocks:
            for line in block.render(canvas.width):
                text = Text.assemble(*line)
                text.rstrip()
                canvas.print(text, soft_wrap=True)
    # rich has decided on colours: click would remove them from a pipe with FORCE_COLOR.
    click.echo(printable(capture.get()), nl=False, color=True)


def printable(text: str) -> str:
    """Return text with escapes for characters that the encoding of standard output does not have."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def notifier(*, quiet: bool = False) -> Callable[[str], None]:
    """Return ``notify``, or a function that does nothing if it is to be quiet."""
    return (lambda _: None) if quiet else notify


def notify(message: str) -> None:
    """Print a message on standard error: wrapped on a terminal, in whole lines for searching in a log."""
    for line in message.splitlines():
        lines = [clean(line)]
        if sys.stderr and sys.stderr.isatty() and not line.startswith(" "):
            lines = wrap(clean(line), min(columns_of(sys.stderr), PROSE), hang="  ")
        for text in lines:
            print_error(text)


def print_error(line: str) -> None:
    """Print a line on standard error; a reader that stopped does not end the run."""
    import click

    try:
        click.echo(line, err=True)
    except OSError:
        # At its end, Python too writes the rest there, and would exit with its own status.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
