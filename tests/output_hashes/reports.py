"""The reports that outputs are drawn from: the recorded ones, and some that are made from them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import recorded

Report = dict[str, Any]
Row = dict[str, Any]

VERSIONS = {"torch": "2.14.0+cpu", "keras": "3.16.0", "tensorflow": "2.22.0", "jax": "0.11.0", "flax": "0.13.0"}
# The first output of operations that have no y.
FIRST = {"he_normal": "sample", "he_uniform": "sample", "sgd_step": "weights[0]"} | dict.fromkeys(
    ("clip_by_value", "clip_by_norm", "clip_by_global_norm"), "gradients[0]"
)
WORST = {"got": 1.5, "expected": 0.5, "bound": 0.1}
# A prime, so that the rows that change are of all frameworks, operations and modes.
EVERY = 61
# What a terminal would obey, a table would break at, and a page would take for markup.
FOREIGN = f"<b>bad</b> & \x1b[2J\x1b]0;owned\x07\u202e|`* {'word ' * 60}{'x' * 300} 漢字\nsecond line\r"


def write(folder: Path) -> None:
    """Write the reports into a folder: NAME.json by full, later, changed, explained and troubled."""
    full, explained = recorded.read(recorded.FULL), recorded.read(recorded.EXPLAINED)
    after = later(full)
    found = {"full": full, "later": after, "changed": changed(after)}
    found |= {"explained": explained, "troubled": troubled(explained)}
    for name, report in found.items():
        (folder / f"{name}.json").write_text(json.dumps(report))


def later(report: Report) -> Report:
    """Return the report of a whole run of later versions, with every kind of change in some results."""
    new = copy.deepcopy(report)
    new |= {"created": "2027-01-15T09:30:00+00:00", "seconds": 81.25, "complete": True}
    for entry in new["frameworks"]:
        entry["versions"] = {name: VERSIONS.get(name, version) for name, version in entry["versions"].items()}
    for number, row in enumerate(new["results"]):
        row["version"] = VERSIONS.get(row["framework"], row["version"])
        if number % EVERY == 0:
            CHANGES[number // EVERY % len(CHANGES)](row)
    return new


def changed(report: Report) -> Report:
    """Return a report of other vectors: one is not asked for, and one had other numbers."""
    new = copy.deepcopy(report)
    _lose_a_vector(new)
    _alter_a_vector(new)
    return new


def _diverge(row: Row) -> None:
    wrong = {"verdict": "diverges", "ratio": 12.0, "ulp": 34.0, "digest": "0" * 16}
    if changed := _with_worst(row, wrong):
        _replace(row, "diverges", row["outputs"] | changed)


def _with_worst(row: Row, verdict: Row) -> dict[str, Row]:
    """Return the outputs that have an element at a known place, with another verdict and that element as the worst."""
    first = [0] if row["operation"] == "elu" else None
    places = {name: output["worst"]["index"] if "worst" in output else first for name, output in row["outputs"].items()}
    return {
        name: _numbers(row["outputs"][name]) | verdict | {"worst": WORST | {"index": index}}
        for name, index in places.items()
        if index is not None
    }


def _conform(row: Row) -> None:
    right = {"verdict": "conforms", "ratio": 0.25, "digest": "1" * 16}
    outputs = {name: _numbers(output) | right for name, output in _outputs(row)}
    _replace(row, "conforms", outputs)


def _follow_a_dialect(row: Row) -> None:
    other = {"verdict": "dialect", "dialect": "half-precision-arithmetic", "ratio": 3.0, "ulp": 2.0, "digest": "2" * 16}
    if changed := _with_worst(row, other):
        _replace(row, "dialect", row["outputs"] | changed)
    else:
        _replace(row, "dialect", {}, "Expected more than 1 value")
        row["dialect"] = "rejects-single-element"


def _drift(row: Row) -> None:
    row["outputs"] = {name: output | {"digest": "3" * 16} for name, output in row["outputs"].items()}


def _fail(verdict: str) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        _replace(row, verdict, {}, f"{verdict} of the changed report\nat line 2")

    return change


def _replace(row: Row, verdict: str, outputs: Mapping[str, Any], reason: str = "") -> None:
    for key in ("dialect", "reason", "printed"):
        row.pop(key, None)
    row |= {"verdict": verdict, "outputs": dict(outputs)} | ({"reason": reason} if reason else {})


def _outputs(row: Row) -> list[tuple[str, Row]]:
    """Return the outputs of a result, its first where it has none."""
    return list(row["outputs"].items()) or [(FIRST.get(row["operation"], "y"), {})]


def _numbers(output: Row) -> Row:
    """Return an output without what depends on its verdict."""
    judged = ("dialect", "ulp", "worst", "also", "fault", "problem")
    return {key: value for key, value in output.items() if key not in judged}


CHANGES: tuple[Callable[[Row], None], ...] = (
    _diverge,
    _conform,
    _follow_a_dialect,
    _drift,
    *(_fail(verdict) for verdict in ("error", "unsupported", "crash", "timeout")),
)


def _lose_a_vector(report: Report) -> None:
    """Take a vector out of what was asked, and its results."""
    lost = next(vector for vector in report["asked"] if vector.startswith("relu/"))
    del report["asked"][lost]
    report["vectors"] -= 1
    report["results"] = [row for row in report["results"] if row["vector"] != lost]


def _alter_a_vector(report: Report) -> None:
    """Let a vector have had other numbers."""
    report["asked"][next(vector for vector in report["asked"] if vector.startswith("elu/"))] = "4" * 16


def troubled(report: Report) -> Report:
    """Return a report of a run in which all goes wrong that can."""
    new = copy.deepcopy(report)
    rows = [row for row in new["results"] if row["profile"] != "defaults"]
    for number, verdict in enumerate(("crash", "timeout", "error", "unsupported")):
        _replace(rows[number], verdict, {}, f"{verdict} {FOREIGN}")
        rows[number]["printed"] = f"{FOREIGN}\n  end"
    wrong = [row for row in rows if row["vector"] == "elu/near-zero/float32" and row["framework"] != "jax"]
    for row in wrong:
        _diverge(row)
    # A text in place of an element, and an entry of the list of known divergences.
    del wrong[1]["outputs"]["y"]["worst"]
    wrong[1]["outputs"]["y"]["problem"] = FOREIGN
    wrong[2]["known"] = FOREIGN
    rows[6]["known"] = "reported upstream"
    first = new["frameworks"][0]
    new["frameworks"].append(first | {"name": "other", "status": "failed", "reason": FOREIGN, "stderr": FOREIGN})
    new["frameworks"].append(first | {"name": "absent", "status": "missing", "reason": "absent is not installed"})
    fault = {"framework": "torch", "implementation": "torch.nn.ReLU", "vector": "relu/core/float32", "message": FOREIGN}
    return new | {
        "faults": [fault, fault],
        "problems": [f"file.yaml: {FOREIGN}"],
        "known_problems": [f"known.yaml:3: {FOREIGN}"],
        "complete": False,
    }
