"""What can go wrong with a worker and with the harness: no result is lost, and none is another than it would be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import pytest

LIARS = Path(__file__).parents[1] / "liars"
CORE = Path(str(resources.files("nnconform.spec"))) / "vectors/clip_by_value/core.yaml"
SELECTION = ("--vectors", CORE, "--dtype", "float32")
LIED = {f"clip_by_value/{name}-narrow/float32" for name in ("one-variable", "two-variables", "with-absent")}


def results(report):
    return {row["vector"]: (row["verdict"], row["outputs"]) for row in report["results"]}


@pytest.fixture(scope="module")
def honest(report_of):
    return results(report_of("numpy", *SELECTION)[1])


@pytest.mark.parametrize(
    ("name", "words", "verdict", "reason"),
    [
        ("killed", (), "crash", "killed by SIGKILL"),
        ("misspeaks", (), "crash", "a tensor that cannot be read"),
        ("prints_endlessly", (), "crash", "printed more than 256 MB"),
        ("allocates", ("--memory", "1"), "crash", "GB of memory; the limit is 1"),
        ("stops", ("--timeout", "1"), "timeout", "no answer within 1 s"),
        ("dawdles", ("--timeout", "1"), "timeout", "no answer within 1 s"),
    ],
)
def test_a_fault_is_the_verdict_of_its_vectors_alone(report_of, honest, name, words, verdict, reason):
    result, report = report_of("--adapter", LIARS / f"{name}.py", *SELECTION, *words)
    found = {row["vector"]: row for row in report["results"]}
    assert {found[v]["verdict"] for v in LIED} == {verdict}
    assert all(reason in found[v]["reason"] for v in LIED)
    assert {v: r for v, r in results(report).items() if v not in LIED} == {
        v: r for v, r in honest.items() if v not in LIED
    }
    assert result.exit_code == 1


def test_a_slow_call_within_its_time_conforms(report_of, honest):
    result, report = report_of("--adapter", LIARS / "dawdles.py", *SELECTION, "--timeout", "30")
    assert results(report) == honest
    assert result.exit_code == 0


def test_what_a_framework_prints_stands_with_the_call_that_printed_it(report_of):
    _, report = report_of("--adapter", LIARS / "floods.py", *SELECTION)
    printed = {row["vector"]: row.get("printed", "") for row in report["results"]}
    assert {vector for vector, text in printed.items() if "noise" in text} == LIED
    assert max(len(text) for text in printed.values()) <= 1000


def test_the_rest_of_a_framework_whose_workers_end_again_and_again_is_counted_as_not_run(report_of):
    _, report = report_of("--adapter", LIARS / "always_exits.py", "--vectors", CORE)
    [entry] = report["frameworks"]
    assert entry["status"] == "stopped"
    assert entry["not_run"] == entry["calls"] - len(report["results"]) > 0


def command(*words, folder, **variables):
    return subprocess.Popen(
        [sys.executable, "-m", "nnconform.conformance.commands.cli", *map(str, words)],
        env=os.environ | {"XDG_CACHE_HOME": str(folder), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for(path):
    while not path.exists():
        time.sleep(0.02)
    return path.read_text()


def alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and waits for its parent to ask does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def assert_ends(pid: int) -> None:
    for _ in range(500):
        if not alive(pid):
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} lives on")


@pytest.fixture(params=[signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda s: s.name)
def interrupted(request, tmp_path):
    """A run that a signal ended half way; return what was printed, its report's path, and the worker's process id."""
    path = tmp_path / "report.json"
    words = "run", "--adapter", LIARS / "waits.py", *SELECTION, "--json", path
    process = command(*words, folder=tmp_path, NNCONFORM_TEST_MARKER=str(tmp_path / "marker"))
    worker = int(wait_for(tmp_path / "marker"))
    process.send_signal(request.param)
    out, _ = process.communicate()
    return request.param, out.decode(), path, worker


def test_a_run_that_is_ended_half_way_leaves_no_worker_and_can_be_gone_on_with(interrupted, tmp_path, honest):
    how, out, path, worker = interrupted
    assert_ends(worker)
    if how != signal.SIGKILL:
        assert "This run is incomplete" in out
        assert not json.loads(path.read_text())["complete"]
    before = len((tmp_path / "report.json.partial").read_text().splitlines())
    assert before > 2
    words = "run", "--adapter", LIARS / "waits.py", *SELECTION, "--json", path, "--resume"
    process = command(*words, folder=tmp_path)
    process.communicate()
    report = json.loads(path.read_text())
    assert report["complete"]
    assert results(report) == honest
    assert process.returncode == 0
    assert not (tmp_path / "report.json.partial").exists()


def test_what_an_interrupted_run_has_done_is_not_run_again(cli, tmp_path):
    path = tmp_path / "report.json"
    cli("run", "numpy", *SELECTION, "--json", path)
    whole = json.loads(path.read_text())
    process = command(
        *("run", "--adapter", LIARS / "waits.py", *SELECTION, "--json", path),
        folder=tmp_path,
        NNCONFORM_TEST_MARKER=str(tmp_path / "marker"),
    )
    wait_for(tmp_path / "marker")
    journal = tmp_path / "report.json.partial"
    # The answers before the one that waits may be on their way still.
    while len(journal.read_text().splitlines()) < 3:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.communicate()
    # What stands in the journal is believed: a verdict that only it can have comes through.
    lines = journal.read_text().splitlines()
    entry = json.loads(lines[2])
    entry["result"]["reason"] = "as it was found before"
    unplanned = entry | {"vector": "clip_by_value/unheard-of/float32"}
    rows = [*lines[:2], json.dumps(entry), json.dumps(unplanned), *lines[3:], '{"target": "cut off']
    journal.write_text("\n".join(rows))
    cli("run", "--adapter", LIARS / "waits.py", *SELECTION, "--json", path, "--resume")
    report = json.loads(path.read_text())
    assert [r["vector"] for r in report["results"] if r.get("reason")] == [entry["vector"]]
    assert results(report) == results(whole)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--dtype", "float64"), "it had different filters"),
        (("--dtype", "float32", "--adapter", LIARS / "dawdles.py"), "it ran different frameworks"),
    ],
)
def test_another_run_is_not_gone_on_with(cli, tmp_path, words, said):
    path = tmp_path / "report.json"
    stopped = cli(
        "run", "--adapter", LIARS / "always_exits.py", "--vectors", CORE, "--dtype", "float32", "--json", path
    )
    assert "continue with --resume" not in stopped.stderr
    cli("run", "--adapter", LIARS / "always_exits.py", "--vectors", CORE, "--json", path)
    assert (tmp_path / "report.json.partial").exists()
    result = cli("run", "--adapter", LIARS / "always_exits.py", "--vectors", CORE, *words, "--json", path, "--resume")
    assert said in result.stderr
    assert result.exit_code == 2


def test_there_must_be_a_run_to_go_on_with(cli, tmp_path):
    result = cli("run", "numpy", *SELECTION, "--json", tmp_path / "r.json", "--resume")
    assert "there is no interrupted run to resume" in result.stderr
    assert result.exit_code == 2
