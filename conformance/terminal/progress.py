"""Progress of a run on standard error: bars on a terminal, now and then a line in a pipe or a log."""

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
# Columns of a framework's name beside its bar.
NAME = 16


def run_with_progress(
    chosen: Sequence[Framework],
    vectors: Sequence[Vector],
    options: Options,
    journal: Journal | None = None,
    *,
    quiet: bool = False,
) -> Run:
    """Run, and tell of it on standard error while it goes on, unless it is to be quiet."""
    from nnconform.conformance.running.run import run

    if quiet:
        return run(chosen, vectors, options, journal=journal)
    watches = {id(f): Watch(clean((_ours(f) and f.target) or f.name)) for f in chosen if not f.missing}
    shown = _bars if sys.stderr and sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else _lines
    with shown(watches) as progress:
        return run(chosen, vectors, options, progress, journal)


def _ours(framework: Framework) -> bool:
    """Say whether the adapter is this project's; the path of another is long, and says less than its name."""
    return framework.module.startswith("nnconform.adapters.")


@dataclass
class Watch:
    """What is known of one framework while it runs.

    Attributes:
        label: what it is called.
        entry: its run, once its worker has said what it serves.
        began: when the run began, in seconds of a clock.
        started: when the calls began.
        before: how many calls an earlier run had made.
        flight: by the thread that drives a worker, the vector that it has now, and since when.
    """

    label: str
    entry: FrameworkRun | None = None
    began: float = field(default_factory=time.monotonic)
    started: float = 0.0
    before: int = 0
    flight: dict[int, tuple[str, float]] = field(default_factory=dict)

    def take(self, kind: str, entry: FrameworkRun, detail: Any) -> None:
        """Take in what happened: the arguments of ``run``'s progress."""
        if kind == "started":
            self.entry, self.started, self.before = entry, time.monotonic(), entry.answered
            if not _ours(entry.framework):
                self.label = clean(entry.name)
        elif kind == "flight":
            driver, vector = detail
            if not vector:
                self.flight.pop(driver, None)
            elif self.flight.get(driver, ("", 0.0))[0] != vector:
                self.flight[driver] = vector, time.monotonic()
        elif kind == "idle" and self.entry is None:
            # It never started: the report says why.
            self.entry = entry

    @property
    def over(self) -> bool:
        """Whether nothing is left to tell."""
        return self.entry is not None and (self.entry.status != "ran" or self.entry.answered >= self.entry.calls)

    @property
    def elapsed(self) -> str:
        """How long it takes already."""
        return duration(time.monotonic() - self.began)

    @property
    def left(self) -> str:
        """How long it will still take at the pace so far, or "" where none is known yet."""
        entry = self.entry
        if entry is None or self.over or (done := entry.answered - self.before) <= 0:
            return ""
        return duration((time.monotonic() - self.started) / done * (entry.calls - entry.answered))

    @property
    def vector(self) -> tuple[str, float]:
        """The vector that is in flight for the longest time, and since when; "" where none is."""
        return min(list(self.flight.values()), key=lambda item: item[1], default=("", 0.0))

    @property
    def state(self) -> str:
        """The vector in flight, or why there is none."""
        if self.entry is None:
            return "starting"
        return clean(self.vector[0]) if self.entry.status == "ran" else self.entry.status

    @property
    def line(self) -> str:
        """All of it, as a log has it."""
        if self.entry is None:
            return f"{self.label}: starting, {self.elapsed}"
        told = [f"{self.entry.answered:,} of {self.entry.calls:,} calls", self.elapsed]
        if left := self.left:
            told.append(f"about {left} left")
        name, since = self.vector
        if name:
            waiting = time.monotonic() - since
            told.append(f"on {clean(name)}{f' for {duration(waiting)}' if waiting >= INTERVAL else ''}")
        return f"{self.label}: {', '.join(told)}"


def duration(seconds: float) -> str:
    """Return a time in words: ``35 s``, ``2 min 5 s``, ``1 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


@contextlib.contextmanager
def _lines(watches: dict[int, Watch]) -> Iterator[Progress]:
    """Print a line when a framework has started, and one of each that goes on every ``INTERVAL`` seconds."""
    from nnconform.conformance.console import say

    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(INTERVAL):
            for watch in watches.values():
                if not watch.over:
                    say(watch.line)

    def progress(kind: str, entry: FrameworkRun, detail: Any) -> None:
        watch = watches[id(entry.framework)]
        watch.take(kind, entry, detail)
        if kind == "started":
            before = f", {watch.before:,} of them made before" if watch.before else ""
            say(f"{watch.label}: {entry.calls:,} calls{before}")

    # A thread of its own: a hang, of which a log must tell, has no events.
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield progress
    finally:
        ended.set()
        ticker.join()


@contextlib.contextmanager
def _bars(watches: dict[int, Watch]) -> Iterator[Progress]:
    """Show a bar for each framework, which goes away at the end."""
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
            watch.take(kind, entry, detail)
            if kind == "started":
                # The calls of an earlier run do not count as speed.
                bars.reset(tasks[key], total=entry.calls, completed=entry.answered, description=watch.label)
            bars.update(tasks[key], completed=entry.answered, state=watch.state)

        yield progress


def _column(*, max_width: int | None = None, ratio: int | None = None) -> Column:
    """Return a column of the bars, whose texts end in an ellipsis if they do not fit."""
    from rich.table import Column

    return Column(no_wrap=True, overflow="ellipsis", max_width=max_width, ratio=ratio)
