"""What the commands share: how they fail, how a stop signal reaches them, and the filters of a run."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from nnconform.conformance.console import notify
from nnconform.conformance.running.selection import FILTERS

if TYPE_CHECKING:
    from nnconform.conformance.environments.subprocesses import EnvironmentFailed
    from nnconform.conformance.vectors.vector import Vector


HELP = {
    "operations": "Only these operations (batch_norm_*); may be repeated, as all filters.",
    "vectors": "Only these vectors (elu/near-zero/*).",
    "implementations": "Only these implementations (torch.nn.BatchNorm*).",
    "profiles": "Only these profiles: core, half, edge, range, defaults.",
    "dtypes": "Only these dtypes: float64, float32, float16, bfloat16.",
    "modes": "Only these modes: eager, function, xla, jit, compile (slow, runs only when asked for).",
}
QUIET_OR_VERBOSE = "--quiet and --verbose exclude each other; give one of them"


def fail(message: str, status: int = 2) -> NoReturn:
    """Print a message on standard error and exit."""
    notify(f"nnconform: {message}")
    sys.exit(status)


def fail_environment(error: EnvironmentFailed) -> NoReturn:
    """Print why there is no environment, with the end of what its installer printed, and exit."""
    printed = "".join(f"\n  | {line}" for line in error.output.strip().splitlines()[-15:])
    fail(f"{error}{printed}", 3)


def stop_politely() -> None:
    """Make a polite end an interrupt, as Ctrl-C is, so that no worker is left behind, and nothing that was found lost.

    The first signal interrupts; what follows then is short, and further ones do not disturb it.
    """
    import signal
    from types import FrameType

    # nohup ignores SIGHUP, so that a run outlives its terminal.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]
    seen: list[int] = []

    def handler(number: int, _: FrameType | None) -> None:
        seen.append(number)
        if len(seen) == 1:
            # For good: a handler in Python is gone before the process is.
            for other in numbers:
                signal.signal(other, signal.SIG_IGN)
            raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, handler)


@contextlib.contextmanager
def outliving_the_reader() -> Iterator[None]:
    """Go on where the reader of standard output has gone away, as ``head`` does."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def finite(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Refuse numbers that are not finite, which click's ranges take."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is not finite; wanted a number", context, parameter)
    return value


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the filters of a run, as keyword arguments by the names of ``Selection``."""
    for name, flag in reversed(FILTERS.items()):
        function = click.option(flag, name, multiple=True, metavar="GLOB", help=HELP[name])(function)
    return function


def limit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the limits of a call: ``timeout`` in seconds, ``memory`` in GB or None."""
    seconds = click.option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        callback=finite,
        default=120.0,
        show_default=True,
        help="Seconds a call may take.",
    )
    memory = click.option(
        "--memory",
        type=click.FloatRange(min=0.01),
        callback=finite,
        metavar="GB",
        help="Memory that a worker may use.",
    )
    return seconds(memory(function))


def writable(paths: Mapping[str, Path | None]) -> None:
    """Refuse files to write, by option, that cannot be: before a long run, not after it."""
    for option, path in paths.items():
        if path is None:
            continue
        if not path.absolute().parent.is_dir():
            fail(f"{option} {path}: the folder {path.absolute().parent} does not exist")
        if path.exists() and not (path.is_file() or path.is_dir()):
            fail(f"{option} {path}: it is no file that can be replaced; wanted the name of one")
        try:
            tempfile.TemporaryFile(dir=path.absolute().parent).close()
        except OSError as error:
            fail(f"{option} {path}: nothing can be written in its folder: {error.strerror}")


def load_vectors(folder: Path | None) -> tuple[list[Vector], list[str]]:
    """Return the vectors of a folder, or the published ones, and what is wrong with files that are left out."""
    from nnconform.conformance.vectors.reading import load
    from nnconform.conformance.vectors.vector import VectorError

    if folder is not None and not folder.exists():
        fail(f"--vectors {folder}: no such file or folder")
    try:
        return load(folder)
    except VectorError as error:
        fail(str(error))


def write_files(wanted: Mapping[str, tuple[Path | None, Callable[[Path], object]]]) -> dict[str, str]:
    """Write files by option, those that are wanted; return by option what could not be written, and why."""
    unwritten = {}
    for option, (path, write) in wanted.items():
        try:
            if path is not None:
                write(path)
        except OSError as error:
            unwritten[option] = f"{option} {path}: cannot be written: {error.strerror}"
    return unwritten


def drawn(module: str, function: str, document: object, **options: bool) -> Callable[[Path], None]:
    """Return what writes the text that a function of a module of reports draws from a document."""

    def write(path: Path) -> None:
        from importlib import import_module

        from nnconform.conformance.files import write_whole

        text: str = getattr(import_module(f"nnconform.conformance.{module}"), function)(document, **options)
        write_whole(path, text.encode())

    return write
