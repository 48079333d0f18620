"""What a script does is what the report says: it fails with the same element and number, or holds.

Most scripts share a process, since to start a framework takes seconds; what diverges has one of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnconform.conformance.model.result import Result
from nnconform.conformance.reproduce.families import families
from nnconform.conformance.reproduce.reported_calls import ReportedCall
from nnconform.conformance.reproduce.script import Script, write
from nnconform.conformance.vectors.vector import Vector

Row = dict[str, Any]
ELEMENT = re.compile(r"(?P<name>.+?)(?:\[(?P<index>[\d, ]*)\])? = (?P<got>\S+), expected (?P<expected>\S+) \(bound .*")
# Few of each operation, such that each implementation takes one.
COMMON = [
    "relu/mixed/float32",
    "elu/near-zero/float32",
    "batch_norm_train/3-steps/float32",
    "batch_norm_train/wholly-half/float16",
    "batch_norm_eval/rank-2/float32",
    "he_*/dense*/float32",
    "he_*/conv-?d*/float32",
    "he_*/depthwise*/float32",
    "he_*/transposed*/float32",
    "he_*/pointwise*/float32",
    "he_*/embedding*/float32",
    "he_*/defaults-*/float32",
    # Layers that share an initializer.
    "he_*/two-layers-last/float32",
    "clip_*/two-variables/float32",
    "sgd_step/two-variables-rate-0.1/float32",
    "sgd_step/clip*-1-two-variables/float32",
    "sgd_step/global_clipnorm-1-two-variables/float32",
]
# Special values, errors, ranks, every number of a half format, sparse and absent gradients, long sums.
MORE = [
    "relu/upstream-infinite-at-negative-tail/bfloat16",
    "elu/few-lengths/float32",
    "elu/alpha--1/float64",
    "elu/every-number/float16",
    "batch_norm_*/rank-4-channels-*/float32",
    "batch_norm_*/rank-5-channels-last/float32",
    "batch_norm_train/defaults-rank-2/float32",
    "batch_norm_train/epsilon-0/float32",
    "batch_norm_train/not-affine/bfloat16",
    "he_*/grouped-last/float32",
    # A scale that is rounded, which the draws alone show.
    "he_uniform/dense-transposed/float64",
    "he_*/seeds-last/float32",
    "he_*/extremes*/float32",
    "clip_*/sparse/float64",
    "clip_*/with-absent/bfloat16",
    "clip_*/1000000-elements/float64",
]
# JAX compiles for each shape; what is known to diverge is its.
OF_JAX = ["batch_norm_train/epsilon-1e-05-small-deviations/float16", "he_normal/dense-transposed/bfloat16"]


@pytest.fixture(scope="module", params=["torch", "tensorflow", "jax"])
def framework(request) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def ran(found, framework) -> dict[str, Any]:
    """The report of a run of these vectors in the plain mode."""
    wanted = COMMON + (OF_JAX if framework == "jax" else MORE)
    return found(framework, vector=wanted, mode=["eager"])


def endings(framework: str, scripts: list[Script]) -> list[tuple[str, str]]:
    """Run scripts in one process of the framework; return the type and the message of the error of each, or ""."""
    command = [sys.executable, str(Path(__file__).with_name("run_scripts.py")), framework]
    texts = json.dumps([script.text for script in scripts])
    done = subprocess.run(command, input=texts, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [(kind, message) for kind, message in json.loads(done.stdout.splitlines()[-1])]


def shown(report: dict[str, Any], *verdicts: str) -> Iterator[Row]:
    """Yield the rows of which there is a script."""
    for row in report["results"]:
        if row["verdict"] in verdicts and row.get("judged", True):
            yield row


def written(published: dict[str, Vector], row: Row) -> Script:
    chosen = ReportedCall(row["framework"], row["implementation"], row["mode"], Result.from_json(row))
    return write(published[row["vector"]], chosen)


def check(vector: Vector, row: Row, script: Script, ending: tuple[str, str]) -> None:
    """Compare how a script ends with what the report says."""
    kind, message = ending
    where = f"{row['implementation']} on {row['vector']}: {kind} {message}\n{script.text}"
    if row["verdict"] == "conforms":
        assert kind == "", where
    elif not row["outputs"]:
        assert row["reason"].partition(":")[0].rpartition(".")[2] == kind, where
        assert message[:60] in row["reason"], where
    else:
        assert kind == "AssertionError", where
        lines = message.splitlines()
        assert len(lines) == len(script.outputs), where
        for name, line in zip(script.outputs, lines, strict=True):
            assert agrees(vector, name, row["outputs"][name], line), where


def agrees(vector: Vector, name: str, output: dict[str, Any], line: str) -> bool:
    """Say whether a line of an assertion's message says what the report says of an output."""
    if "problem" in output:
        return plain(line.removeprefix(f"{name}: ")) in plain(output["problem"])
    found = ELEMENT.fullmatch(line)
    if found is None or found["name"] != name:
        return False
    dtype = vector.expected[name].dtype
    number = np.dtype("float64" if dtype == "bfloat16" else dtype).type
    numbers = {key: float(number(found[key])) for key in ("got", "expected")}
    index = [int(i) for i in (found["index"] or "").split(",") if i.strip()]
    worst = output["worst"]
    same = all(np.array_equal(numbers[key], float(worst[key]), equal_nan=True) for key in numbers)
    return same and (bool(vector.lengths) or index == worst["index"])


def plain(problem: str) -> str:
    """Return what is wrong without the digits of an element, of which each dtype has others, and without frills."""
    return re.sub(r"\S+ (?=as element)|torch\.|<dtype: '|'>", "", problem)


def test_every_implementation_has_a_script(ran, framework):
    entry = ran["frameworks"][0]
    registered = {(i["operation"], i["name"]): tuple(i["modes"]) for i in entry["implementations"]}
    assert {key: family.modes for key, family in families(framework).items()} == registered


def test_a_script_does_what_the_report_says_of_each_implementation(ran, published, framework):
    rows: dict[tuple[str, ...], Row] = {}
    for row in shown(ran, "dialect", "conforms"):
        output = next((o for o in row["outputs"].values() if o["verdict"] == "dialect"), row)
        kind = output.get("dialect", "conforms") if row["verdict"] == "dialect" else "conforms"
        # A layer is written the same way for each of its kernels.
        about = "layers" if "two-layers" in row["vector"] else row["profile"]
        about = about if row["operation"].startswith("he_") else row["vector"].split("/")[1][:9]
        rows.setdefault((row["operation"], row["implementation"], kind, about), row)
    told = {(row["operation"], row["implementation"]) for row in rows.values()}
    assert told == {*families(framework)}
    scripts = [written(published, row) for row in rows.values()]
    for row, script, ending in zip(rows.values(), scripts, endings(framework, scripts), strict=True):
        check(published[row["vector"]], row, script, ending)


def test_what_diverges_fails_alike_in_a_process_of_its_own(ran, published, tmp_path):
    # Or else something that differs, where nothing diverges.
    for row in list(shown(ran, "diverges", "error")) or [next(shown(ran, "dialect"))]:
        script = written(published, row)
        path = tmp_path / "script.py"
        path.write_text(script.text)
        done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 1, done.stderr
        kind, message = re.findall(r"^(?:\w+\.)*(\w+Error): (.*)", done.stderr, re.MULTILINE | re.DOTALL)[-1]
        check(published[row["vector"]], row, script, (kind, message.rstrip()))


@pytest.mark.parametrize(
    ("name", "modes"),
    [("tensorflow", ["xla", "function"]), ("jax", ["jit"])],
)
def test_a_script_of_a_compiled_mode_does_what_the_report_says(found, published, name, modes):
    vectors = ["elu/near-zero/float32", "batch_norm_train/rank-4-channels-last/float32"]
    vectors += ["clip_by_global_norm/two-variables/float32", "sgd_step/clipnorm-1-two-variables/float32"]
    rows = list(shown(found(name, vector=vectors, mode=modes), "dialect", "conforms"))
    assert {row["vector"] for row in rows} >= {*vectors}
    scripts = [written(published, row) for row in rows]
    for row, script, ending in zip(rows, scripts, endings(name, scripts), strict=True):
        check(published[row["vector"]], row, script, ending)
