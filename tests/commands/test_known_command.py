"""``nnconform known`` shows whether each entry of a list holds, with an exit status for scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nnconform.conformance.model.report import Report
from nnconform.conformance.report import store

LIAR = Path(__file__).parents[1] / "liars" / "known_differs.py"

DATA = Path(__file__).parents[1] / "data"
# Two entries for the liar known_differs.
ELU, RELU = ((DATA / f"known_{name}.yaml").read_text() for name in ("elu", "relu"))


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "known.yaml"


@pytest.fixture
def files(differs, tmp_path) -> Callable[[str], tuple[Path, str, Path]]:
    """Write a list and the report of the whole run; return the words for the command line."""

    def write(entries: str) -> tuple[Path, str, Path]:
        store.write(Report.from_json(differs), tmp_path / "report.json")
        (tmp_path / "known.yaml").write_text(f"format: 1\nknown:\n{entries}")
        return tmp_path / "known.yaml", "--report", tmp_path / "report.json"

    return write


def words_of(result):
    """Return the printed text in one line."""
    return " ".join(result.stdout.split())


def test_the_command_shows_the_state_of_each_entry(cli, files, tmp_path):
    entries = (
        ELU + ELU.replace("elu/*/bf", "relu/*/f").replace("51", "2") + '  versions: "<1"\n' + RELU.replace("liar", "x")
    )
    result = cli("known", *files(entries))
    path = tmp_path / "known.yaml"
    lines = result.stdout.replace("\n  ", " ").splitlines()
    assert lines[0] == f"{path}:3: holds: liar, elu/*/bfloat16 diverges (51)"
    assert lines[1].startswith(f"{path}:9: other versions: liar, relu/*/float16 diverges (2): it is for <1, and")
    assert lines[2].startswith(
        f"{path}:16: not judged: x, x.relu, eager, relu/* has the dialect gradient-one-at-zero (31) (no link yet)"
    )
    assert lines[3] == "3 entries: 1 hold, 0 do not hold, 2 are not judged by this run; 118 findings are not listed"
    assert result.exit_code == 0


def test_the_command_ends_with_status_1_if_an_entry_does_not_hold(cli, files):
    result = cli("known", *files(ELU.replace("51", "60")))
    assert ":3: does not hold: liar, elu/*/bfloat16 diverges (60)" in words_of(result)
    assert "\n    covers 51 vectors, expected 60" in result.stdout
    assert result.exit_code == 1


def test_the_command_goes_by_the_last_run(cli, files, differs):
    store.remember(Report.from_json(differs))
    assert ":3: holds" in words_of(cli("known", files(ELU)[0]))


def test_wrong_input_of_the_command_ends_with_status_2(cli, files, tmp_path):
    words = files(ELU.replace("51", "0"))
    for arguments, expected in (
        (words, "entry 1: covers: 0"),
        ((tmp_path / "none.yaml", *words[1:]), "none.yaml: cannot be read"),
        ((words[0], "--report", tmp_path / "none.json"), "none.json: no such report; run `nnconform run`"),
        ((words[0], "--report", words[0]), "known.yaml: not JSON"),
        ((*words, "--dialects"), "--dialects needs --update"),
    ):
        result = cli("known", *arguments)
        assert expected in result.stderr
        assert result.exit_code == 2


def test_a_run_takes_the_list_by_an_option(cli, file, tmp_path):
    file.write_text(f"format: 1\nknown:\n{ELU}{RELU}")
    words = ("run", "--adapter", LIAR, "--json", tmp_path / "r.json", "--known", file)
    assert cli(*words).exit_code == 1
    results = store.load(tmp_path / "r.json").results
    assert {result.operation for result in results if result.fails(strict=True)} == {"relu", "clip_by_value"}
    assert cli(*words, "--operation", "elu", "--strict").exit_code == 0


def test_the_command_updates_checks_and_finds_nothing_left_to_do(cli, differs, file, tmp_path):
    store.write(Report.from_json(differs), tmp_path / "report.json")
    words = ("known", file, "--report", tmp_path / "report.json")
    first = cli(*words, "--update")
    assert f"{file}: added: liar, liar.elu, elu/*/bfloat16 diverges (51)" in words_of(first)
    assert cli(*words).exit_code == 0
    assert words_of(cli(*words, "--update")) == f"{file} is up to date"


def test_the_command_refuses_a_partial_run_with_status_2(cli, differs, file, tmp_path):
    store.write(Report.from_json(differs | {"complete": False}), tmp_path / "report.json")
    result = cli("known", file, "--update", "--report", tmp_path / "report.json")
    assert "not updated: the run is incomplete" in result.stderr
    assert result.exit_code == 2
    assert not file.exists()
