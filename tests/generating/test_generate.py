"""Generated files agree with the reference, have the same bytes each time, and mean the same to all readers."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import yaml

from nnconform.conformance.generating import writer

SMALL = "clip_by_value"
PUBLISHED = Path(str(resources.files("nnconform.spec"))) / "vectors"

# A float in the core schema of YAML 1.2, and in YAML 1.1.
FLOAT_1_2 = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf")
FLOAT_1_1 = re.compile(r"[-+]?[0-9][0-9_]*\.[0-9.]*([eE][-+][0-9]+)?|[-+]?\.inf")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(PUBLISHED / SMALL, tmp_path / SMALL)
    return tmp_path


def test_the_published_files_agree_with_the_reference(folder):
    assert writer.check(folder, operation=SMALL) == []


def test_one_changed_digit_is_noticed_with_its_line(folder):
    path = folder / SMALL / "core.yaml"
    text = path.read_text()
    path.write_text(text.replace("-0.584", "-0.585", 1))
    line = text[: text.index("-0.584")].count("\n") + 1
    [problem] = writer.check(folder, operation=SMALL)
    assert problem.startswith(f"{SMALL}/core.yaml: line {line} is ")
    assert "-0.585" in problem
    assert "-0.584" in problem


def test_a_changed_digest_is_noticed(folder):
    path = folder / SMALL / "core.yaml"
    path.write_text(re.sub("sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", path.read_text()))
    assert len(writer.check(folder, operation=SMALL)) == 1


def test_a_vector_that_is_cut_off_is_noticed(folder):
    path = folder / SMALL / "core.yaml"
    path.write_text(path.read_text().rpartition("- id: ")[0])
    assert len(writer.check(folder, operation=SMALL)) == 1


def test_a_stale_file_is_noticed(folder):
    (folder / SMALL / "older.yaml").write_text("")
    assert writer.check(folder, operation=SMALL) == [f"{SMALL}/older.yaml: no case makes this file; remove it"]


def test_a_missing_file_is_noticed(folder):
    (folder / SMALL / "half.yaml").unlink()
    assert writer.check(folder, operation=SMALL) == [f"{SMALL}/half.yaml: missing"]


def test_writing_repairs_differing_files_and_no_others(folder):
    (folder / SMALL / "half.yaml").unlink()
    (folder / SMALL / "older.yaml").write_text("")
    paths = writer.write(folder, operation=SMALL)
    assert {path.name for path in paths} == {"half.yaml", "older.yaml"}
    assert writer.check(folder, operation=SMALL) == []
    assert writer.write(folder, operation=SMALL) == []


@pytest.mark.parametrize("seed", ["1", "2"])
def test_every_process_generates_the_same_bytes(folder, seed):
    words = ["generate", "--check", "--operation", SMALL, "--output", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "nnconform.conformance.commands.cli", *words],
        env=os.environ | {"PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Asia/Kathmandu"},
        check=True,
    )


@pytest.mark.parametrize(("value", "text"), [(1e-5, "1.0e-05"), (1e16, "1.0e+16"), (math.inf, ".inf"), (0.0, "0.0")])
def test_floats_are_written_as_both_yaml_versions_read_them(value, text):
    assert writer.flow(value) == text


@pytest.mark.parametrize("value", [0.1, -0.0, 1e-300, -1.5e300, 123456789.0, 5e-324, math.inf, -math.inf, 1e22])
def test_floats_are_floats_to_both_yaml_versions(value):
    text = writer.flow(value)
    assert FLOAT_1_1.fullmatch(text)
    assert FLOAT_1_2.fullmatch(text)
    assert yaml.safe_load(text) == value
    assert math.copysign(1, yaml.safe_load(text)) == math.copysign(1, value)


@pytest.mark.parametrize("value", [None, True, False, 7, -1, [1, 2.5, "x"], {"y": 1.0, "x": []}])
def test_other_values_come_back_as_they_are(value):
    assert yaml.safe_load(writer.flow(value)) == value


@pytest.mark.parametrize("word", ["nan", "inf", "null", "yes", "no", "on", "off", "y", "n", "1e5", "-0", "0x10", "NO"])
def test_words_that_some_reader_takes_for_something_else_are_quoted(word):
    assert writer.flow(word) == f'"{word}"'


def test_no_published_key_is_a_bare_y():
    assert not [path for path in PUBLISHED.rglob("*.yaml") if re.search(r"(?<![\w\"])y:", path.read_text())]
