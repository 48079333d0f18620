"""The harness against workers that lie in its protocol, signals, and places where nothing can be written."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from nnconform.conformance.model.calls import Call, Hello
from nnconform.conformance.running import driver, journal, outputs

LIARS = Path(__file__).parents[1] / "liars"
CORE = Path(str(resources.files("nnconform.spec"))) / "vectors/clip_by_value/core.yaml"
SELECTION = ("--vectors", CORE, "--dtype", "float32")
LIED = {f"clip_by_value/{name}-narrow/float32" for name in ("one-variable", "two-variables", "with-absent")}


def results(report, but=frozenset()):
    return {row["vector"]: (row["verdict"], row["outputs"]) for row in report["results"] if row["vector"] not in but}


@pytest.fixture(scope="module")
def honest(report_of):
    return report_of("numpy", *SELECTION)[1]


@pytest.fixture
def scripted(report_of):
    def run(lie, *words):
        command = shlex.join([sys.executable, str(LIARS / "worker.py"), lie])
        return report_of("--worker", command, *SELECTION, *words)

    return run


@pytest.mark.parametrize("name", ["twice", "late"])
def test_what_follows_an_answer_is_not_blamed_on_the_next_vector(report_of, honest, name):
    _, report = report_of("--adapter", LIARS / f"{name}.py", *SELECTION)
    assert results(report, LIED) == results(honest, LIED)


def test_a_worker_in_another_language_is_judged_like_any(scripted, honest):
    result, report = scripted("not")
    assert results(report) == results(honest)
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("lie", "said"), [("serves-twice", "serves clip twice"), ("changes", "reported different versions than the first")]
)
def test_a_worker_that_contradicts_itself_fails(scripted, lie, said, monkeypatch, tmp_path):
    monkeypatch.setenv("NNCONFORM_TEST_MARKER", str(tmp_path / "state"))
    result, report = scripted(lie)
    assert said in report["frameworks"][0]["reason"]
    assert result.exit_code == 3


@pytest.mark.parametrize("lie", ["texts", "times"])
def test_an_output_that_is_no_numbers_is_the_vectors_verdict_also_where_outputs_are_kept(
    scripted, honest, lie, tmp_path
):
    _, report = scripted(lie, "--outputs", tmp_path / "kept.npz")
    assert {row["verdict"] for row in report["results"] if row["vector"] in LIED} == {"crash"}
    assert results(report, LIED) == results(honest, LIED)
    assert (tmp_path / "kept.npz").exists()


def test_strange_text_is_made_legible(scripted):
    result, report = scripted("writes-strange-text")
    assert {row["reason"] for row in report["results"] if row["vector"] in LIED} == {"ab  [31mred"}
    assert "ab [31mred" in result.stdout


def test_a_position_that_is_a_float_is_a_number(scripted, honest):
    _, report = scripted("counts-in-floats")
    assert results(report) == results(honest)


def test_of_two_adapters_of_one_name_the_first_has_it(report_of, honest):
    result, report = report_of("numpy", "--adapter", LIARS / "numpy_too.py", *SELECTION)
    assert [entry["status"] for entry in report["frameworks"]] == ["ran", "failed"]
    assert "two adapters have the name numpy" in report["frameworks"][1]["reason"]
    assert results(report) == results(honest)
    assert result.exit_code == 3


def test_a_second_worker_helps_the_slow_framework_also_when_the_other_ends_before_its_first_answer(
    report_of, honest, monkeypatch, tmp_path
):
    monkeypatch.setattr(driver, "WORTH_HELPING", 0.5)
    monkeypatch.setenv("NNCONFORM_TEST_MARKER", str(tmp_path / "calls"))
    _, report = report_of("numpy", "--adapter", LIARS / "slow.py", *SELECTION)
    slow = [row for row in report["results"] if row["framework"] == "liar"]
    assert results({"results": slow}) == results(honest)
    calls = Counter((tmp_path / "calls").read_text().split())
    assert len(calls) == 2
    assert calls.total() == len(slow)


def test_what_a_framework_has_started_ends_with_it(report_of, honest, monkeypatch, tmp_path):
    monkeypatch.setenv("NNCONFORM_TEST_MARKER", str(tmp_path / "child"))
    result, report = report_of("--adapter", LIARS / "orphans.py", *SELECTION)
    assert results(report) == results(honest)
    assert result.exit_code == 0
    for _ in range(200):
        try:
            state = Path(f"/proc/{(tmp_path / 'child').read_text()}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state in "ZX":
            return
        time.sleep(0.02)
    pytest.fail("the child lives on")


# Where nothing can be written


def test_outputs_that_cannot_be_written_cost_no_report(monkeypatch, cli, tmp_path, honest):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outputs, "write", full)
    path = tmp_path / "report.json"
    result = cli("run", "numpy", *SELECTION, "--json", path, "--outputs", tmp_path / "kept.npz")
    assert results(json.loads(path.read_text())) == results(honest)
    assert "--outputs" in result.stderr
    assert "No space left on device" in result.stderr
    assert " conform; " in result.stdout
    assert result.exit_code == 2


def test_a_journal_that_cannot_be_written_costs_nothing(monkeypatch, report_of, honest):
    written = journal.Journal._write
    left = [5]

    def filling(self, entry):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        written(self, entry)

    monkeypatch.setattr(journal.Journal, "_write", filling)
    result, report = report_of("numpy", *SELECTION)
    assert results(report) == results(honest)
    assert result.exit_code == 0


def test_a_folder_in_which_nothing_can_be_written_is_told_before_the_run(cli):
    result = cli("run", "numpy", *SELECTION, "--json", "/proc/report.json")
    assert "--json /proc/report.json: its folder is not writable" in result.stderr
    assert result.exit_code == 2


def test_a_second_run_at_the_same_time_goes_on_without_a_journal(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "nnconform").mkdir()
    held = journal.Journal(tmp_path / "nnconform/last-report.json.partial", {"format": 1}, resume=False)
    result = cli("run", "numpy", *SELECTION)
    held.close()
    assert "another run without --json is in progress" in result.stderr
    assert result.exit_code == 0


# The command line as a process


def command(*words, folder, before=None, **variables):
    return subprocess.Popen(
        [sys.executable, "-m", "nnconform.conformance.commands.cli", *map(str, words)],
        env=os.environ | {"XDG_CACHE_HOME": str(folder), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        preexec_fn=before,
    )


@pytest.fixture
def waiting(tmp_path):
    """Start a run that waits in a call, and return it when it does."""

    def start(before=None):
        words = "run", "--adapter", LIARS / "waits.py", *SELECTION, "--json", tmp_path / "report.json"
        process = command(*words, folder=tmp_path, before=before, NNCONFORM_TEST_MARKER=str(tmp_path / "marker"))
        while not (tmp_path / "marker").exists():
            time.sleep(0.02)
        return process

    return start


@pytest.mark.parametrize("gap", [0, 0.01, 0.1])
def test_a_second_interrupt_does_not_disturb_the_first(waiting, tmp_path, gap):
    process = waiting()
    process.send_signal(signal.SIGINT)
    time.sleep(gap)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert not json.loads((tmp_path / "report.json").read_text())["complete"]
    assert process.returncode == 130


def test_a_run_under_nohup_outlives_its_terminal(waiting):
    process = waiting(lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate()


def test_a_reader_that_goes_away_costs_neither_the_report_nor_the_status(tmp_path):
    process = command("run", "numpy", *SELECTION, "--json", "report.json", folder=tmp_path)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait() == 0
    assert json.loads((tmp_path / "report.json").read_text())["complete"]


def test_a_path_of_python_that_is_relative_is_the_users(tmp_path):
    (tmp_path / "mine.py").write_text((LIARS / "scales.py").read_text())
    process = command("run", "--adapter", "mine", *SELECTION, folder=tmp_path, PYTHONPATH=".")
    out, _ = process.communicate()
    assert b"Diverges" in out
    assert process.returncode == 1


@pytest.mark.parametrize("option", ["--timeout", "--memory"])
def test_a_limit_that_is_no_number_is_refused(cli, option):
    result = cli("run", "numpy", *SELECTION, option, "nan")
    assert "is not finite" in result.stderr
    assert result.exit_code == 2


# Resuming a run


@pytest.fixture
def interrupted(tmp_path):
    """Interrupt a run of a worker that can be edited; return the words that go on with it."""
    worker = tmp_path / "worker.py"
    worker.write_text((LIARS / "worker.py").read_text())
    path = tmp_path / "report.json"
    words = ["run", "--worker", shlex.join([sys.executable, str(worker), "changes"]), *SELECTION, "--json", path]
    return worker, words


@pytest.mark.parametrize(
    ("edit", "more", "said"),
    [
        (True, (), "the adapters have changed"),
        (False, ("--timeout", "7"), "different --timeout or --memory"),
        (False, ("--memory", "7"), "different --timeout or --memory"),
    ],
)
def test_a_run_under_other_conditions_is_not_gone_on_with(cli, interrupted, monkeypatch, tmp_path, edit, more, said):
    worker, words = interrupted
    monkeypatch.setenv("NNCONFORM_TEST_MARKER", str(tmp_path / "state"))
    assert cli(*words).exit_code == 3
    if edit:
        worker.write_text(worker.read_text().replace("np.clip(", "-np.clip("))
    result = cli(*words, *more, "--resume")
    assert said in result.stderr
    assert result.exit_code == 2


def test_a_last_line_that_was_cut_off_is_run_again(tmp_path, published):
    path = tmp_path / "journal"
    first = journal.Journal(path, dict.fromkeys(journal.DIFFERENCES, 1), resume=False)
    first.begin("liar", Hello("liar", document={"framework": "liar"}))
    first.add("liar", journal.Entry("a", Call("api", "eager")))
    first.close()
    path.write_bytes(path.read_bytes()[:-1])
    again = journal.Journal(path, dict.fromkeys(journal.DIFFERENCES, 1), resume=True)
    assert again.earlier["liar"].entries == []
    again.add("liar", journal.Entry("b", Call("api", "eager")))
    again.close()
    third = journal.Journal(path, dict.fromkeys(journal.DIFFERENCES, 1), resume=True)
    assert [entry.vector for entry in third.earlier["liar"].entries] == ["b"]
    third.close()


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "7",
        "[" * 100_000,
        "{}",
        '{"target": []}',
        '{"target": "liar"}',
        '{"target": "liar", "vector": "a", "implementation": "api"}',
        '{"target": "liar", "vector": "a", "implementation": "api", "mode": "eager", "result": {}, "points": {}}',
        '{"target": "liar", "vector": "a", "implementation": "api", "mode": "eager", "result": null, "points": {}}',
    ],
)
@pytest.mark.parametrize("place", ["head", "later"])
def test_a_damaged_journal_is_refused(tmp_path, line, place):
    path = tmp_path / "journal"
    beginning = dict.fromkeys(journal.DIFFERENCES, 1)
    journal.Journal(path, beginning, resume=False).close()
    path.write_text(f"{line}\n" if place == "head" else f"{path.read_text()}{line}\n")
    with pytest.raises(journal.JournalError, match="run without --resume"):
        journal.Journal(path, beginning, resume=True)
