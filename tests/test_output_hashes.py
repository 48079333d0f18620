"""`python tests/output_hashes`: the same outputs have the same hashes, and one that changed is named."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from output_hashes import hashes, tasks

PACKAGE = Path(__file__).with_name("output_hashes")
# A picture, what a run prints, a page with packed data, an error, and help: a second or two.
SOME = ("help/*", "plot/clip*", "summary/troubled-80.txt", "errors/plot_nosuch.txt")


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, PACKAGE, *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """A folder with the hashes of some outputs, and the outputs."""
    folder = tmp_path_factory.mktemp("drawn")
    result = run(
        *(word for glob in SOME for word in ("--only", glob)), "--write", folder / "hashes", "--folder", folder
    )
    assert result.returncode == 0, result.stderr
    return folder


def test_a_hash_is_of_the_output_that_is_kept(drawn):
    found = hashes.read((drawn / "hashes").read_text())
    assert list(found) == sorted(found)
    assert {"help/run.txt", "plot/clip.txt", "plot/clip/clip.svg", "summary/troubled-80.txt"} < found.keys()
    assert all(hashes.digest((drawn / name).read_bytes()) == digest for name, digest in found.items())
    assert "need action" in (drawn / "summary/troubled-80.txt").read_text()
    assert (drawn / "errors/plot_nosuch.txt").read_text().endswith("[exit status 2]\n")


def test_the_same_outputs_are_drawn_again_and_a_changed_one_is_named(drawn):
    before = (drawn / "hashes").read_text()
    changed = drawn / "changed"
    changed.write_text(re.sub(r"(?m)^\w+(?=  plot/clip/clip.svg$)", "0" * 64, before) + f"{'1' * 64}  help/lost.txt\n")
    result = run(*(word for glob in SOME for word in ("--only", glob)), "--against", changed)
    assert result.stdout.splitlines() == ["gone: help/lost.txt", "differs: plot/clip/clip.svg"]
    assert result.returncode == 1


def test_differences_are_told_by_name():
    before, after = {"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "4", "d": "5"}
    assert hashes.differences(before, after) == ["differs: b", "gone: c", "new: d"]
    assert hashes.differences(before, dict(before)) == []
    assert hashes.read(hashes.text(before)) == before


@pytest.mark.parametrize(
    ("glob", "drawn"),
    [("site/*", True), ("site/site/index.html", True), ("*.html", True), ("site.txt", True), ("help/*", False)],
)
def test_only_what_can_match_is_drawn(glob, drawn):
    assert tasks.Task("site", ("site",), writes=True).may_match([glob]) is drawn


def test_no_two_tasks_have_a_name():
    names = [task.name for task in tasks.every()]
    assert len(set(names)) == len(names) > 100
