"""Reports in files that are damaged, or of another program or version: one message, never a traceback."""

from __future__ import annotations

import json

import pytest
import recorded

from nnconform.conformance.report import store

DEEP = "[" * 100_000


def first_result(document):
    return document["results"][0]


def first_output(document):
    return next(iter(next(row for row in document["results"] if row["outputs"])["outputs"].values()))


# The damaged object of a report, its key, and the value that the key gets; None to remove it.
DAMAGE = {
    "key missing": (first_result, "verdict", None),
    "key unknown": (first_result, "points", {}),
    "text expected": (dict, "created", 5),
    "verdict unknown": (first_result, "verdict", "perfect"),
    "verdict of an output unknown": (first_output, "verdict", "perfect"),
    "verdict not hashable": (first_result, "verdict", []),
    "number expected": (first_output, "ratio", "much"),
    "number without value": (first_output, "ratio", [None]),
    "number too large": (first_output, "ratio", 10**400),
    "object expected": (first_output, "worst", [None]),
    "index of strings": (first_output, "worst", {"index": ["a"], "got": 1, "expected": 2, "bound": 1}),
    "list expected": (dict, "problems", "none"),
    "list of texts expected": (first_output, "also", [1]),
    "filters of numbers": (dict, "selection", {"vectors": [1]}),
    "names of numbers": (lambda document: document["frameworks"][0]["implementations"][0], "name", 1),
}


@pytest.fixture
def document():
    return recorded.fresh(recorded.EXPLAINED)


@pytest.fixture
def last(monkeypatch, tmp_path):
    """The path of the last run's report, in an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    store.last_path().parent.mkdir()
    return store.last_path()


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_report_is_refused_from_a_file_and_from_the_cache(last, document, damage):
    find, key, value = DAMAGE[damage]
    target = document if find is dict else find(document)
    if value is None:
        del target[key]
    else:
        target[key] = value
    last.write_text(json.dumps(document))
    with pytest.raises(store.ReportError, match=r"last-report\.json: "):
        store.last()
    with pytest.raises(store.ReportError, match=r"last-report\.json: "):
        store.load(last)


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", '"report"', "{}", '{"format": 2}', DEEP, f'{{"format": 1, "results": {DEEP}', "\udcff"],
)
def test_a_file_that_is_no_report_is_refused(last, text):
    last.write_text(text, errors="surrogateescape")
    for read in (store.last, lambda: store.load(last)):
        with pytest.raises(store.ReportError, match=r"last-report\.json: not "):
            read()


def test_a_report_without_what_older_versions_left_out_is_taken(last, document):
    del document["curves"], document["laws"]
    last.write_text(json.dumps(document))
    assert store.last().to_json() == store.load(last).to_json() == document


def test_a_command_refuses_a_damaged_last_report_with_status_2(cli, last, document):
    document["created"] = 5
    last.write_text(json.dumps(document))
    result = cli("explain", "elu")
    assert result.exit_code == 2
    assert "run `nnconform run` again" in result.stderr
