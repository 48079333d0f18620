"""``nnconform upgrade`` on real environments of NumPy, and its errors."""

from __future__ import annotations

import json
import sys

import pytest

from nnconform.conformance.running.outputs import read

SMALL = ("--vector", "clip_by_value/*/float32", "--vector", "he_normal/dense/*")


@pytest.fixture(scope="module")
def numpy(cli, tmp_path_factory):
    """An upgrade of the numpy control, from an environment made for it to this one, and all that it wrote."""
    folder = tmp_path_factory.mktemp("upgrade")
    files = {name: folder / f"diff.{name}" for name in ("json", "junit", "markdown")}
    words = [word for name, path in files.items() for word in (f"--{name}", path)]
    result = cli("upgrade", "numpy==2.2.6", "numpy", *SMALL, "--reports", folder / "reports", *words)
    return result, folder, {name: path.read_text() for name, path in files.items()}


def test_an_upgrade_runs_both_versions_and_says_what_changed(numpy):
    result, _, files = numpy
    document = json.loads(files["json"])
    assert document["old"]["frameworks"][0]["versions"] == {"numpy": "2.2.6"}
    assert document["new"]["frameworks"][0]["versions"] != {"numpy": "2.2.6"}
    assert document["compared"] > 10
    assert document["compared"] == document["unchanged"]
    assert "no changes" in result.stdout
    assert result.exit_code == 0


def test_every_form_of_the_diff_is_written(numpy):
    _, _, files = numpy
    assert "<testsuite" in files["junit"]
    assert "no changes" in files["markdown"]


def test_both_reports_are_kept_with_their_outputs_and_give_the_same_diff(numpy, cli):
    _, folder, files = numpy
    reports = folder / "reports"
    assert read(reports / "old.npz").keys() == read(reports / "new.npz").keys() != set()
    cli("diff", reports / "old.json", reports / "new.json", "--json", folder / "again.json")
    assert (folder / "again.json").read_text() == files["json"]


def test_both_sides_may_be_the_same(cli):
    result = cli("upgrade", "numpy", f"numpy+python:{sys.executable}", *SMALL)
    assert "no changes" in result.stdout
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("words", "message", "status"),
    [
        (("numpy", "torhc"), "unknown framework 'torhc'", 2),
        (("numpy", "torch"), "have no framework in common", 2),
        (("numpy", "numpy", "--vector", "nothing/*"), "--vector nothing/* matches nothing", 2),
        (("numpy", "numpy", "--reports", "no/such/folder"), "does not exist", 2),
        (("numpy", "numpy==0.0.1"), "cannot be resolved", 3),
    ],
)
def test_what_cannot_be_compared_is_told(cli, words, message, status):
    result = cli("upgrade", *words)
    assert message in result.stderr
    assert result.exit_code == status


def test_a_requirements_file_that_did_not_change_leaves_nothing_to_compare(cli, tmp_path):
    for name in ("old.txt", "new.txt"):
        (tmp_path / name).write_text("jax==0.9.2\n")
    result = cli("upgrade", f"requirements:{tmp_path / 'old.txt'}", f"requirements:{tmp_path / 'new.txt'}")
    assert "both sides have the same versions of every framework" in result.stdout
    assert result.exit_code == 0


def test_a_worker_runs_on_python_3_10_and_numpy_1_22(report_of):
    result, report = report_of("numpy==1.22.4", "--python", "3.10", "--operation", "batch_norm_train")
    if report is None:  # there is no Python 3.10 on this machine
        assert "3.10" in result.stderr
        assert result.exit_code == 3
        return
    [entry] = report["frameworks"]
    assert entry["versions"] == {"numpy": "1.22.4"}
    assert entry["python"].startswith("3.10.")
    assert {row["verdict"] for row in report["results"]} == {"conforms"}
