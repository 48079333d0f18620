"""Progress of a run on standard error: bars on a terminal, lines at intervals in a pipe or a log."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nnconform.conformance.words import clean

if TYPE_CHECKING:
    from rich.table import Column

    from nnconform.conformance.running.driver import FrameworkRun
    from nnconform.conformance.running.frameworks import Framework
    from nnconform.conformance.running.journal import Journal
    from nnconform.conformance.running.options import Options
    from nnconform.conformance.running.run import Progress, Run
    from nnconform.conformance.vectors.vector import Vector

# Seconds between the lines of a log.
INTERVAL = 10.0
# Columns of a framework's name next to its bar.
NAME = 16


def run_with_progress(
    frameworks: Sequence[Framework],
    vectors: Sequence[Vector],
    options: Options,
    journal: Journal | None = None,
    *,
    quiet: bool = False,
) -> Run:
    """Run vectors, with progress on standard error unless it is to be quiet."""
    from nnconform.conformance.running.run import run

    if quiet:
        return run(frameworks, vectors, options, journal=journal)
    watches = {id(f): Watch(clean((_is_built_in(f) and f.target) or f.name)) for f in frameworks if not f.missing}
    display = _bars if sys.stderr and sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else _lines
    with display(watches) as progress:
        return run(frameworks, vectors, options, progress, journal)


def _is_built_in(framework: Framework) -> bool:
    """Return True for an adapter of this project; the target of another is a long path."""
    return framework.module.startswith("nnconform.adapters.")


@dataclass
class Watch:
    """The progress of one framework.

    Attributes:
        label: its name.
        entry: its run, once its worker has started.
        began: start of the run, in seconds of a clock.
        first_call: start of the calls, in seconds of the same clock.
        earlier: number of calls that an earlier run has made.
        in_flight: the current vector and its start, by the thread that drives a worker.
    """

    label: str
    entry: FrameworkRun | None = None
    began: float = field(default_factory=time.monotonic)
    first_call: float = 0.0
    earlier: int = 0
    in_flight: dict[int, tuple[str, float]] = field(default_factory=dict)

    def update(self, kind: str, entry: FrameworkRun, detail: Any) -> None:
        """Record an event, with the arguments of ``run``'s progress."""
        if kind == "started":
            self.entry, self.first_call, self.earlier = entry, time.monotonic(), entry.answered
            if not _is_built_in(entry.framework):
                self.label = clean(entry.name)
        elif kind == "flight":
            driver, vector = detail
            if not vector:
                self.in_flight.pop(driver, None)
            elif self.in_flight.get(driver, ("", 0.0))[0] != vector:
                self.in_flight[driver] = vector, time.monotonic()
        elif kind == "idle" and self.entry is None:
            # It did not start; the report has the reason.
            self.entry = entry

    @property
    def is_over(self) -> bool:
        """Whether the framework has ended."""
        return self.entry is not None and (self.entry.status != "ran" or self.entry.answered >= self.entry.calls)

    @property
    def elapsed(self) -> str:
        """The time since the start."""
        return duration(time.monotonic() - self.began)

    @property
    def remaining(self) -> str:
        """The time to the end at the pace of this run, "" before the first answer."""
        entry = self.entry
        if entry is None or self.is_over or (answered := entry.answered - self.earlier) <= 0:
            return ""
        return duration((time.monotonic() - self.first_call) / answered * (entry.calls - entry.answered))

    @property
    def vector(self) -> tuple[str, float]:
        """The vector that has been in flight for the longest time, and its start; "" without any."""
        return min(list(self.in_flight.values()), key=lambda item: item[1], default=("", 0.0))

    @property
    def state(self) -> str:
        """The vector in flight, or the status without one."""
        if self.entry is None:
            return "starting"
        return clean(self.vector[0]) if self.entry.status == "ran" else self.entry.status

    @property
    def line(self) -> str:
        """The progress as a line of a log."""
        if self.entry is None:
            return f"{self.label}: starting, {self.elapsed}"
        texts = [f"{self.entry.answered:,} of {self.entry.calls:,} calls", self.elapsed]
        if remaining := self.remaining:
            texts.append(f"about {remaining} left")
        name, since = self.vector
        if name:
            waiting = time.monotonic() - since
            texts.append(f"on {clean(name)}{f' for {duration(waiting)}' if waiting >= INTERVAL else ''}")
        return f"{self.label}: {', '.join(texts)}"


def duration(seconds: float) -> str:
    """Return a time in words: ``35 s``, ``2 min 5 s``, ``1 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


@contextlib.contextmanager
def _lines(watches: dict[int, Watch]) -> Iterator[Progress]:
    """Print a line when a framework has started, and one per running framework every ``INTERVAL`` seconds."""
    from nnconform.conformance.console import print_error

    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(INTERVAL):
            for watch in watches.values():
                if not watch.is_over:
                    print_error(watch.line)

    def progress(kind: str, entry: FrameworkRun, detail: Any) -> None:
        watch = watches[id(entry.framework)]
        watch.update(kind, entry, detail)
        if kind == "started":
            earlier = f", {watch.earlier:,} of them from an earlier run" if watch.earlier else ""
            print_error(f"{watch.label}: {entry.calls:,} calls{earlier}")

    # In a thread, because a framework that hangs causes no events.
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield progress
    finally:
        ended.set()
        ticker.join()


@contextlib.contextmanager
def _bars(watches: dict[int, Watch]) -> Iterator[Progress]:
    """Show a bar per framework, and remove them at the end."""
    from rich import progress as rich

    from nnconform.conformance.console import console

    columns = (
        rich.TextColumn("{task.description}", markup=False, table_column=_column(max_width=NAME)),
        rich.BarColumn(bar_width=12),
        rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
        rich.TextColumn("left"),
        rich.TextColumn("{task.fields[state]}", markup=False, table_column=_column(ratio=1)),
    )
    with rich.Progress(*columns, console=console(stderr=True), transient=True, expand=True) as bars:
        tasks = {key: bars.add_task(watch.label, total=None, state=watch.state) for key, watch in watches.items()}

        def progress(kind: str, entry: FrameworkRun, detail: Any) -> None:
            key = id(entry.framework)
            watch = watches[key]
            watch.update(kind, entry, detail)
            if kind == "started":
                # The calls of an earlier run do not count as speed.
                bars.reset(tasks[key], total=entry.calls, completed=entry.answered, description=watch.label)
            bars.update(tasks[key], completed=entry.answered, state=watch.state)

        yield progress


def _column(*, max_width: int | None = None, ratio: int | None = None) -> Column:
    """Return a column of the bars, whose texts end in an ellipsis if they do not fit."""
    from rich.table import Column

    return Column(no_wrap=True, overflow="ellipsis", max_width=max_width, ratio=ratio)
