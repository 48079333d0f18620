"""``nnconform diff``: the changes between two versions of a framework in words, and the exit status."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import pytest

from nnconform.conformance.report import store

SPEC = resources.files("nnconform.spec")
SCHEMA = json.loads(SPEC.joinpath("schema/diff.schema.json").read_text())
VECTORS = SPEC.joinpath("vectors/batch_norm_train/core.yaml")
LIAR = """
import numpy as np
from nnconform.adapters import Adapter
from nnconform.adapters.numpy import batch_norm_train as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("batch_norm_train", "mine.BatchNorm")
def batch_norm_train(x, running_variance, *, momentum, channel_axis, **others):
    result = honest(x=x, running_variance=running_variance, momentum=momentum, channel_axis=channel_axis, **others)
    count = x.size // max(1, x.shape[channel_axis])
    if {unbiased} and count > 1:
        variance = result["batch_variance"].astype(np.float64) * count / (count - 1)
        moved = momentum * running_variance.astype(np.float64) + (1 - momentum) * variance
        result["running_variance"] = moved.astype(running_variance.dtype)
    return result
"""


@pytest.fixture(scope="module")
def versions(cli, tmp_path_factory):
    """Reports with outputs of two versions of a framework; the second changed its running variance."""
    folder = tmp_path_factory.mktemp("versions")
    for name, unbiased in (("old", False), ("new", True)):
        (folder / name).mkdir()
        (folder / name / "mine.py").write_text(LIAR.replace("{unbiased}", str(unbiased)))
        words = ["run", "--adapter", folder / name / "mine.py", "--vectors", str(VECTORS), "--dtype", "float32"]
        cli(*words, "--json", folder / f"{name}.json", "--outputs", folder / f"{name}.npz")
    return folder


def test_the_command_describes_changes_that_need_action_and_exits_with_1(cli, versions):
    result = cli("diff", versions / "old.json", versions / "new.json")
    text = " ".join(result.stdout.split())
    assert "1 change needs action" in text
    assert "batch_norm_train: running_variance now has the dialect unbiased-running-variance: " in text
    assert "The running variance takes the unbiased variance of the batch." in text
    assert result.exit_code == 1


def test_the_way_back_is_an_improvement_and_exits_with_0(cli, versions):
    result = cli("diff", versions / "new.json", versions / "old.json")
    assert "1 improvement" in result.stdout
    assert result.exit_code == 0


def test_the_command_measures_with_the_outputs_files_of_the_reports(cli, versions, tmp_path):
    cli("diff", versions / "old.json", versions / "new.json", "--json", tmp_path / "diff.json")
    document = json.loads((tmp_path / "diff.json").read_text())
    jsonschema.Draft7Validator(SCHEMA).validate(document)
    for change in document["changes"]:
        assert change["element"]["new"] > change["element"]["old"]
        assert change["ulp"]["changed"] > 0
    assert document["notes"] == ["liar: both sides have the same versions"]


def test_outputs_that_are_gone_are_noted(cli, versions, tmp_path):
    for name in ("old", "new"):
        store.write(store.load(versions / f"{name}.json"), tmp_path / f"{name}.json")
    result = cli("diff", tmp_path / "old.json", tmp_path / "new.json")
    assert "old.npz, the outputs file of old.json, is missing" in result.stdout
    assert result.exit_code == 1


def test_two_diffs_of_one_pair_are_equal_byte_for_byte(cli, versions, tmp_path):
    for name in ("a.json", "b.json"):
        cli("diff", versions / "old.json", versions / "new.json", "--json", tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, "cannot be read"), ("no JSON", "not JSON"), ("{}", "not a report"), ('{"format": 1}', "breaks")],
)
def test_a_file_that_is_no_report_is_wrong_usage(cli, versions, tmp_path, text, expected):
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text)
    result = cli("diff", versions / "old.json", path)
    assert expected in result.stderr
    assert "report.json" in result.stderr
    assert result.exit_code == 2


def test_outputs_that_are_damaged_are_wrong_usage(cli, versions, tmp_path):
    for name in ("old.json", "new.json", "old.npz"):
        (tmp_path / name).write_bytes((versions / name).read_bytes())
    (tmp_path / "new.npz").write_text("no tensors")
    result = cli("diff", tmp_path / "old.json", tmp_path / "new.json")
    assert "new.npz: not a file that nnconform wrote" in result.stderr
    assert result.exit_code == 2


def test_a_folder_that_is_not_there_is_wrong_usage(cli, versions, tmp_path):
    result = cli("diff", versions / "old.json", versions / "new.json", "--json", tmp_path / "none" / "diff.json")
    assert "does not exist" in result.stderr
    assert result.exit_code == 2
