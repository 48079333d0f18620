"""Recorded reports are of today's vectors and say nothing of the machine that they were recorded on."""

from __future__ import annotations

import copy
import runpy
from pathlib import Path

import pytest
import recorded

RECORDED = pytest.mark.parametrize("path", [recorded.EXPLAINED, recorded.FULL], ids=lambda path: path.name)


@RECORDED
def test_no_vector_of_a_recorded_report_has_changed_since(path):
    assert recorded.too_old(recorded.read(path), path.name) == ""


@RECORDED
def test_a_recorded_report_names_no_folder_of_a_machine(path):
    assert recorded.foreign_paths(recorded.read(path)) == set()


def test_the_report_of_the_page_is_of_a_whole_run_and_the_other_is_small_enough_to_read():
    whole, few = recorded.read(recorded.FULL), recorded.read(recorded.EXPLAINED)
    assert whole["complete"]
    ran = {entry["name"] for entry in whole["frameworks"] if entry["status"] == "ran"}
    assert ran == {"torch", "tensorflow", "jax"}
    assert len(whole["results"]) > 10_000
    assert few["vectors"] < 30


def test_a_report_that_is_too_old_says_which_vectors_have_changed_and_what_to_do():
    report = copy.deepcopy(recorded.read(recorded.EXPLAINED))
    report["asked"] |= {"elu/defaults/float32": "0" * 16, "elu/of-old/float32": "0" * 16}
    said = recorded.too_old(report, "some-report.json")
    assert said.startswith("some-report.json is too old: 2 of its 25 vectors have changed")
    assert "(elu/defaults/float32, elu/of-old/float32)" in said
    assert "`python tests/recorded`" in said


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see /home/me/x.py:3", {"/home/me/x.py"}),
        ("at '/tmp/abc/def'", {"/tmp/abc/def"}),
        ("/venv/lib/python3.11/site-packages/a.py, /__w/pytorch/pytorch/b.cpp", set()),
        ("https://example.org/a/b, he_normal/dense/float32, 1/2/3", set()),
    ],
)
def test_paths_of_a_machine_are_found_and_addresses_and_vectors_are_none(text, found):
    assert recorded.foreign_paths({"frameworks": [{"stderr": text}]}) == found
    assert recorded.foreign_paths({"faults": {text: 1}}) == found


def test_recording_takes_the_folder_of_the_environment_out_and_refuses_what_is_left():
    anonymous = runpy.run_path(str(Path(recorded.__file__).with_name("__main__.py")))["anonymous"]
    text = '{"complete": true, "results": ["/home/me/env/lib/python3.11/site-packages/a.py:1: Warning"]}'
    assert anonymous(text) == text.replace("/home/me/env", "/venv")
    with pytest.raises(SystemExit, match="/home/me/other"):
        anonymous(text.replace("env/lib", "other/lib64"))
