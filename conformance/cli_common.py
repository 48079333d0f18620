"""What the commands share: how they fail, how a stop signal reaches them, and the filters of a run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from .external import EnvironmentFailed
    from .vectors import Vector

FILTERS = {
    "operations": "--operation",
    "vectors": "--vector",
    "implementations": "--implementation",
    "profiles": "--profile",
    "dtypes": "--dtype",
    "modes": "--mode",
}
HELP = {
    "operations": "Only these operations (batch_norm_*); may be repeated, as all filters.",
    "vectors": "Only these vectors (elu/near-zero/*).",
    "implementations": "Only these implementations (torch.nn.BatchNorm*).",
    "profiles": "Only these profiles: core, half, edge, range, defaults.",
    "dtypes": "Only these dtypes: float64, float32, float16, bfloat16.",
    "modes": "Only these modes: eager, function, xla, jit, compile (slow, runs only when asked for).",
}


def fail(message: str, status: int = 2) -> NoReturn:
    """Print a message on standard error and exit."""
    click.echo(f"nnconform: {message}", err=True)
    sys.exit(status)


def fail_environment(error: EnvironmentFailed) -> NoReturn:
    """Print why there is no environment, with the end of what its installer printed, and exit."""
    printed = "".join(f"\n  | {line}" for line in error.printed.strip().splitlines()[-15:])
    fail(f"{error}{printed}", 3)


def stop_politely() -> None:
    """Make a polite end an interrupt, as Ctrl-C is, so that no worker is left behind."""
    import signal

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the filters of a run, as keyword arguments by the names of ``Selection``."""
    for name, flag in reversed(FILTERS.items()):
        function = click.option(flag, name, multiple=True, metavar="GLOB", help=HELP[name])(function)
    return function


def writable(paths: Mapping[str, Path | None]) -> None:
    """Refuse files to write, by option, whose folder does not exist: before a long run, not after it."""
    for option, path in paths.items():
        if path is not None and not path.absolute().parent.is_dir():
            fail(f"{option} {path}: the folder {path.absolute().parent} does not exist")


def load_vectors(folder: Path | None) -> tuple[list[Vector], list[str]]:
    """Return the vectors of a folder, or the published ones, and what is wrong with files that are left out."""
    from .vectors import VectorError, load

    if folder is not None and not folder.exists():
        fail(f"--vectors {folder}: no such file or folder")
    try:
        return load(folder)
    except VectorError as error:
        fail(str(error))
