"""Frameworks on the command line: commands of further workers."""

from __future__ import annotations

import sys

from nnconform.conformance.running.frameworks import choose


def test_a_long_word_of_a_workers_command_is_no_file():
    code = "pass;" * 200
    [framework] = choose([], workers=[f"python3 -c '{code}'"])
    assert framework.command[-1] == code


def test_files_of_a_workers_command_become_absolute_and_folders_stay_names(tmp_path, monkeypatch):
    (tmp_path / "package").mkdir()
    (tmp_path / "worker.mjs").touch()
    monkeypatch.chdir(tmp_path)
    [framework] = choose([], workers=["python3 -m package worker.mjs"])
    assert framework.command[1:] == ("-m", "package", str(tmp_path / "worker.mjs"))


def test_a_workers_program_is_not_followed_out_of_its_environment(tmp_path):
    (tmp_path / "python").symlink_to(sys.executable)
    [framework] = choose([], workers=[f"{tmp_path / 'python'} -m conformance"])
    assert framework.command == (str(tmp_path / "python"), "-m", "conformance")
