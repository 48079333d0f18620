"""Progress on standard error: the number of calls, the time, and the vector in flight."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import terminals

from nnconform.conformance.terminal import progress
from nnconform.conformance.terminal.progress import Watch, duration

LIARS = Path(__file__).parents[1] / "liars"
SELECTION = ("--vector", "clip_by_value/t*float64")


def framework(name="liar", target=""):
    return SimpleNamespace(name=name, target=target, module=f"path/{name}.py")


def run(calls=10, answered=0, status="ran"):
    return SimpleNamespace(framework=framework(), name="liar", calls=calls, answered=answered, status=status)


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets, in seconds."""
    now = SimpleNamespace(time=100.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now.time))
    return now


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (3900, "1 h 5 min")]
)
def test_times_are_in_words(seconds, words):
    assert duration(seconds) == words


def test_the_remaining_time_is_by_the_pace_of_this_run(clock):
    watch, entry = Watch("x", began=90.0), run(calls=100, answered=40)
    assert watch.line == "x: starting, 10 s"
    watch.update("started", entry, None)
    assert watch.remaining == ""
    clock.time, entry.answered = 110.0, 60
    assert watch.line == "liar: 60 of 100 calls, 20 s, about 20 s left"
    entry.answered = 100
    assert (watch.remaining, watch.is_over) == ("", True)


def test_the_vector_in_flight_for_the_longest_time_is_shown(clock):
    watch, entry = Watch("x"), run()
    watch.update("started", entry, None)
    watch.update("flight", entry, (1, "elu/a/float32"))
    clock.time = 105.0
    watch.update("flight", entry, (2, "elu/b/float32"))
    clock.time = 111.0
    # A worker that was started again has the same vector.
    watch.update("flight", entry, (1, "elu/a/float32"))
    assert watch.line.endswith(", on elu/a/float32 for 11 s")
    watch.update("flight", entry, (1, "elu/c/float32"))
    assert watch.line.endswith(", on elu/b/float32")
    watch.update("flight", entry, (1, ""))
    watch.update("flight", entry, (2, ""))
    assert watch.state == ""


def test_a_framework_that_did_not_start_is_over(clock):
    watch = Watch("x")
    assert (watch.state, watch.is_over) == ("starting", False)
    watch.update("idle", run(calls=0, status="failed"), None)
    assert (watch.state, watch.is_over) == ("failed", True)


def test_a_log_has_a_line_at_the_start_and_at_intervals_with_the_vector_of_a_hang(report_of, monkeypatch):
    monkeypatch.setattr(progress, "INTERVAL", 0.4)
    result, report = report_of("--adapter", LIARS / "hangs.py", *SELECTION, "--timeout", "1.5")
    # An import may take longer than the interval of this test.
    first, *others = [line for line in result.stderr.splitlines() if ": starting, " not in line]
    assert first == f"liar: {report['frameworks'][0]['calls']} calls"
    hung = {row["vector"] for row in report["results"] if row["verdict"] == "timeout"}
    named = {match[1] for line in others if (match := re.search(r", on (\S+) for \d+ s$", line))}
    assert named == hung != set()
    assert "calls, " not in result.stdout


def test_a_log_has_the_remaining_time(report_of, monkeypatch, tmp_path):
    monkeypatch.setattr(progress, "INTERVAL", 0.5)
    monkeypatch.setenv("NNCONFORM_TEST_MARKER", str(tmp_path / "calls"))
    result, report = report_of("--adapter", LIARS / "slow.py", *SELECTION)
    lines = result.stderr.splitlines()
    calls = report["frameworks"][0]["calls"]
    pattern = rf"liar: \d+ of {calls} calls, \d+ s, about \d+ s left, on clip_by_value/\S+/float\d\d"
    assert any(re.fullmatch(pattern, line) for line in lines), lines


def test_a_short_run_has_one_line(report_of, monkeypatch, tmp_path):
    monkeypatch.setenv("NNCONFORM_TEST_MARKER", str(tmp_path / "calls"))
    result, _ = report_of("--adapter", LIARS / "slow.py", "--vector", "clip_by_value/two-variables*/float64")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("target", ["/dev/full", "pipe"])
def test_a_run_continues_without_a_reader_of_its_progress(tmp_path, target):
    report = tmp_path / "report.json"
    if target == "pipe":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open(target, os.O_WRONLY)
    command = ["run", "numpy", "--operation", "relu", "--json", report]
    done = subprocess.run(
        [sys.executable, "-m", "nnconform.conformance.commands.cli", *command],
        stdout=subprocess.PIPE,
        stderr=writer,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, report.exists()) == (0, True)
    assert b"No action needed." in done.stdout


def test_quiet_prints_nothing_on_standard_error(report_of, monkeypatch):
    monkeypatch.setattr(progress, "INTERVAL", 0.1)
    result, _ = report_of("--adapter", LIARS / "dawdles.py", *SELECTION, "--quiet")
    assert result.stderr == ""


def test_a_terminal_has_bars_with_the_vector_in_flight_and_the_remaining_time(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "CI")}
    stderr, out, _ = terminals.run(
        [sys.executable, "-m", "nnconform.conformance.commands.cli", "run", "--adapter", LIARS / "slow.py", *SELECTION],
        environment | {"TERM": "xterm", "NO_COLOR": "1", "NNCONFORM_TEST_MARKER": str(tmp_path / "calls")},
        stream="stderr",
    )
    frames = [frame.rstrip() for frame in re.split(r"\x1b\[\d*K|[\r\n]", stderr) if "/" in frame]
    frames = [re.sub(r"\x1b\[[?\d;]*\w", "", frame) for frame in frames]
    assert any(
        re.fullmatch(r"liar .* \d+/\d+ +0:00:\d\d +0:00:\d\d left clip_by_value/t\S+", frame) for frame in frames
    ), frames
    assert max(map(len, frames)) <= 80
    assert "\x1b" not in out
    assert "No action needed." in out


def test_a_long_name_next_to_a_bar_ends_in_an_ellipsis():
    from rich.console import Console
    from rich.table import Table

    table = Table.grid(progress._column(ratio=1))
    table.add_row(f"batch_norm_train/{'x' * 80}/float32")
    console = Console(width=30, color_system=None)
    with console.capture() as capture:
        console.print(table)
    assert capture.get() == f"batch_norm_train/{'x' * 12}…\n"
