"""Functions in forked processes: what they return, or how they ended.

A fork costs milliseconds and shares what is imported. A mutant may hang, use all memory or end its process.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

Item = TypeVar("Item")
MEMORY = 6 * 2**30


class End(NamedTuple):
    """How a process ended: what the function returned, or in ``problem`` an exception's text or a signal's name."""

    result: Any = None
    problem: str = ""


def _child(function: Callable[[Item], Any], item: Item, path: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    try:
        end = End(function(item))
    except BaseException:
        end = End(problem=traceback.format_exc())
    path.write_bytes(pickle.dumps(tuple(end)))


def each(function: Callable[[Item], Any], items: Iterable[Item], jobs: int) -> Iterator[tuple[Item, End]]:
    """Yield every item with the end of ``function`` on it, in the order in which they end.

    Args:
        function: is called in a forked process of its own; its result can be pickled.
        items: they are taken when a process is free.
        jobs: how many processes run at a time.
    """
    running: dict[int, Item] = {}
    rest = iter(items)
    with tempfile.TemporaryDirectory(prefix="nnconform-") as folder:
        while True:
            while len(running) < jobs and (item := next(rest, None)) is not None:
                if not (process := os.fork()):
                    _child(function, item, Path(folder) / str(os.getpid()))
                    os._exit(0)
                running[process] = item
            if not running:
                return
            process, status = os.wait()
            yield running.pop(process), _end(Path(folder) / str(process), status)


def _end(path: Path, status: int) -> End:
    if os.WIFSIGNALED(status):
        return End(problem=signal.Signals(os.WTERMSIG(status)).name)
    if not path.exists():
        return End(problem=f"ended with status {os.WEXITSTATUS(status)}")
    end = End(*pickle.loads(path.read_bytes()))
    path.unlink()
    return end
