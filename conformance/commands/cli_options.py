"""Shared parts of the commands: error exits, stop signals, common options and output files."""

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
    "operations": "Only these operations (batch_norm_*). Every filter can be repeated.",
    "vectors": "Only these vectors, which are the test cases (elu/near-zero/*).",
    "implementations": "Only these implementations (torch.nn.BatchNorm*).",
    "profiles": "Only these profiles, which are groups of vectors: core, half, edge, range, defaults.",
    "dtypes": "Only these dtypes: float64, float32, float16, bfloat16.",
    "modes": "Only these modes: eager, function, xla, jit, compile (slow; runs only if you name it).",
}
QUIET_OR_VERBOSE = "--quiet and --verbose exclude each other; use one of them"


def fail(message: str, status: int = 2) -> NoReturn:
    """Print a message on standard error and exit."""
    notify(f"nnconform: {message}")
    sys.exit(status)


def fail_environment(error: EnvironmentFailed) -> NoReturn:
    """Print the reason for a missing environment and the last lines of its installer, and exit with 3."""
    printed = "".join(f"\n  | {line}" for line in error.output.strip().splitlines()[-15:])
    fail(f"{error}{printed}", 3)


def interrupt_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into an interrupt, like Ctrl-C, so that workers end and results are saved.

    The first signal interrupts. Later ones are ignored, because the command is about to end.
    """
    import signal
    from types import FrameType

    # nohup ignores SIGHUP, so that a run outlives its terminal.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]
    signals: list[int] = []

    def handler(number: int, _: FrameType | None) -> None:
        signals.append(number)
        if len(signals) == 1:
            # SIG_IGN stays until the process ends; a Python handler is removed earlier, during shutdown.
            for other in numbers:
                signal.signal(other, signal.SIG_IGN)
            raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, handler)


@contextlib.contextmanager
def ignore_closed_pipe() -> Iterator[None]:
    """Continue if the reader of standard output closes the pipe, as ``head`` does."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def check_finite(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Refuse NaN and infinity, because the ranges of click accept them."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is not finite; expected a number", context, parameter)
    return value


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the filters of a run to a command, as keyword arguments with the names of ``Selection``."""
    for name, flag in reversed(FILTERS.items()):
        function = click.option(flag, name, multiple=True, metavar="GLOB", help=HELP[name])(function)
    return function


def limit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the limits of a call to a command: ``timeout`` in seconds, ``memory`` in GB or None."""
    seconds = click.option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        callback=check_finite,
        default=120.0,
        show_default=True,
        help="Time limit of one call, in seconds.",
    )
    memory = click.option(
        "--memory",
        type=click.FloatRange(min=0.01),
        callback=check_finite,
        metavar="GB",
        help="Memory limit of a worker.",
    )
    return seconds(memory(function))


def check_writable(paths: Mapping[str, Path | None]) -> None:
    """Exit if an output file, by option, cannot be written. Called before a long run, not after it."""
    for option, path in paths.items():
        if path is None:
            continue
        if not path.absolute().parent.is_dir():
            fail(f"{option} {path}: the folder {path.absolute().parent} does not exist")
        if path.exists() and not (path.is_file() or path.is_dir()):
            fail(f"{option} {path}: not a regular file; expected the name of a file to write")
        try:
            tempfile.TemporaryFile(dir=path.absolute().parent).close()
        except OSError as error:
            fail(f"{option} {path}: its folder is not writable: {error.strerror}")


def load_vectors(folder: Path | None) -> tuple[list[Vector], list[str]]:
    """Return the vectors of a folder, or the published ones, and the problems of files that are skipped."""
    from nnconform.conformance.vectors.reading import load
    from nnconform.conformance.vectors.vector import VectorError

    if folder is not None and not folder.exists():
        fail(f"--vectors {folder}: no such file or folder")
    try:
        return load(folder)
    except VectorError as error:
        fail(str(error))


def write_files(files: Mapping[str, tuple[Path | None, Callable[[Path], object]]]) -> dict[str, str]:
    """Write files and return the error messages of those that failed.

    Args:
        files: by option, a path, or None for no file, and the function that writes it.

    Returns:
        A message by option.
    """
    errors = {}
    for option, (path, write) in files.items():
        try:
            if path is not None:
                write(path)
        except OSError as error:
            errors[option] = f"{option} {path}: cannot be written: {error.strerror}"
    return errors


def renderer(module: str, function: str, document: object, **options: bool) -> Callable[[Path], None]:
    """Return a function that renders a document with ``module.function`` and writes the text to a file."""

    def write(path: Path) -> None:
        from importlib import import_module

        from nnconform.conformance.files import write_whole

        text: str = getattr(import_module(f"nnconform.conformance.{module}"), function)(document, **options)
        write_whole(path, text.encode())

    return write
