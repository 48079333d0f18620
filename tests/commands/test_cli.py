"""The command line: a usage error is one line with exit status 2, and the numpy control conforms."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from nnconform.conformance.running import frameworks
from nnconform.conformance.schemas import validator

LIARS = Path(__file__).parents[1] / "liars"


@pytest.fixture(scope="module")
def numpy(report_of):
    """The result and the report of a whole run of the numpy control."""
    return report_of("numpy")


def test_the_numpy_control_conforms_in_every_vector(numpy, published):
    result, report = numpy
    assert {row["verdict"] for row in report["results"]} == {"conforms"}
    assert {row["vector"] for row in report["results"]} == set(published)
    assert report["complete"]
    assert result.exit_code == 0


def test_results_come_in_the_order_of_the_vectors(numpy, published):
    order = list(published)
    places = [order.index(row["vector"]) for row in numpy[1]["results"]]
    assert places == sorted(places)


def test_a_report_keeps_its_schema(numpy):
    validator("report")(numpy[1])
    schema = json.loads(resources.files("nnconform.spec").joinpath("schema/report.schema.json").read_text())
    jsonschema.Draft7Validator(schema).validate(numpy[1])


def test_a_report_of_a_failed_adapter_keeps_its_schema(report_of, tmp_path):
    (tmp_path / "broken.py").write_text("import a_module_that_nobody_has\n")
    validator("report")(report_of("--adapter", tmp_path / "broken.py", *RUN[2:])[1])


def test_a_run_counts_by_framework_and_operation(numpy):
    table = [line.split() for line in numpy[0].stdout.splitlines()]
    rows = [row for row in numpy[1]["results"] if row["profile"] != "defaults"]
    of_relu = sum(row["operation"] == "relu" for row in rows)
    assert ["numpy", f"{len(rows):,}", "-", "-", "-", "-"] in table
    assert ["relu", f"{of_relu:,}", "-", "-", "-", "-"] in table


def test_a_run_says_on_standard_error_how_much_it_runs(numpy):
    assert numpy[0].stderr.startswith(f"numpy: {numpy[1]['frameworks'][0]['calls']:,} calls\n")


VECTORS = resources.files("nnconform.spec").joinpath("vectors")
RUN = ["run", "numpy", "--vectors", str(VECTORS.joinpath("relu"))]
WRONG = {
    "an unknown framework": (["run", "torhc"], "unknown framework 'torhc'; did you mean torch"),
    "nothing near it": (["run", "xyzzy"], "unknown framework 'xyzzy'; choose from"),
    "an operation": ([*RUN, "--operation", "relo"], "--operation relo matches nothing; did you mean relu"),
    "a vector": ([*RUN, "--vector", "nothing/*"], "--vector nothing/* matches nothing"),
    "a profile": ([*RUN, "--profile", "cores"], "--profile cores matches nothing; did you mean core"),
    "a dtype": ([*RUN, "--dtype", "float8"], "--dtype float8 matches nothing; did you mean float"),
    "filters together": (
        [*RUN, "--profile", "core", "--dtype", "float16"],
        "no vector matches all of these filters together",
    ),
    "an implementation": (
        [*RUN, "--implementation", "torch.*"],
        "--implementation torch.* matches nothing in these frameworks",
    ),
    "a mode": ([*RUN, "--mode", "jot"], "--mode jot matches nothing"),
    "a folder for JSON": ([*RUN, "--json", "no-such/r.json"], "no-such does not exist"),
    "an adapter's file": (["run", "--adapter", "no-such.py"], "--adapter no-such.py: no such file"),
    "an adapter's folder": (["run", "--adapter", "a/torch"], "expected a dotted module name or the path"),
    "a folder of vectors": (["run", "--vectors", "no-such"], "--vectors no-such: no such file or folder"),
    "a timeout": ([*RUN, "--timeout", "0"], "--timeout"),
    "an operation to generate": (["generate", "--operation", "clip"], "unknown operation 'clip'; did you"),
    "a thing to list": (["list", "things"], "'things'"),
    "a framework to list": (["list", "implementations", "nump"], "unknown framework 'nump'; did you mean"),
    "a command": (["rnu"], "rnu"),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_ends_with_status_2_and_says_what_is_wrong(cli, words, message):
    result = cli(*words)
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.exit_code == 2


def test_a_vector_file_that_cannot_be_used_is_named_and_the_run_has_status_2(cli, tmp_path):
    (tmp_path / "bad.yaml").write_text("format: 1\n")
    (tmp_path / "good.yaml").write_text(VECTORS.joinpath("clip_by_value/core.yaml").read_text())
    result = cli("run", "numpy", "--vectors", tmp_path)
    assert "bad.yaml: breaks" in result.stdout
    assert "clip_by_value" in result.stdout
    assert result.exit_code == 2


def test_a_folder_without_vectors_is_wrong_usage(cli, tmp_path):
    assert cli("run", "numpy", "--vectors", tmp_path).exit_code == 2


def test_generate_check_fails_with_status_1_where_a_file_differs(cli, tmp_path):
    result = cli("generate", "--check", "--operation", "clip_by_value", "--output", tmp_path)
    assert "clip_by_value/core.yaml: missing" in result.stderr
    assert "run `nnconform generate`" in result.stderr
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("frameworks", "numpy: installed"),
        ("operations", "relu: y, dx"),
        ("vectors", "relu/zero-alone/float32"),
        ("dialects", "global-norm (semantic): One norm over all variables"),
        ("clauses", "RELU-1: value ("),
    ],
)
def test_list_prints_one_thing_a_line(cli, kind, line):
    result = cli("list", kind)
    assert any(printed.startswith(line) for printed in result.stdout.splitlines())
    assert result.exit_code == 0


def test_list_implementations_asks_the_adapter(cli):
    assert "elu: numpy.expm1 (eager)" in cli("list", "implementations", "numpy").stdout.splitlines()


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["generate", "--help"], ["--version"]])
def test_help_loads_neither_numpy_nor_yaml(words):
    code = (
        "import sys; from nnconform.conformance.commands.cli import cli\n"
        f"cli({words!r}, standalone_mode=False)\n"
        "sys.exit(sorted({'numpy', 'yaml', 'rich', 'fastjsonschema'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_named_framework_that_is_not_installed_is_wrong_usage(cli, monkeypatch):
    monkeypatch.setattr(frameworks, "installed", lambda name: name != "torch")
    result = cli("run", "torch")
    assert 'torch not installed; install with: pip install -c constraints.txt ".[torch]"' in result.stderr
    assert result.exit_code == 2


def test_a_filter_that_leaves_no_call_is_wrong_usage(cli):
    result = cli("run", "numpy", "--mode", "jit")
    assert "--mode jit matches nothing" in result.stderr
    assert result.exit_code == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_status_130_also_while_a_framework_is_imported(number, tmp_path):
    marker = tmp_path / "importing"
    process = subprocess.Popen(
        [sys.executable, "-m", "nnconform.conformance.commands.cli", "run", "--adapter", LIARS / "sleeps_on_import.py"],
        env=os.environ | {"NNCONFORM_TEST_MARKER": str(marker), "XDG_CACHE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not marker.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    out, _ = process.communicate()
    assert b"This run is incomplete" in out
    assert process.returncode == 130
