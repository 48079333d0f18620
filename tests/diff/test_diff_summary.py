"""A diff in words: changes that need action come first, each kind has its sentence, and the exit status is a gate's."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import pytest

from nnconform.conformance.diff.groups import group_changes
from nnconform.conformance.diff.sentences import PREDICATES
from nnconform.conformance.diff.summary import headline, parts
from nnconform.conformance.layout import plain_text
from nnconform.conformance.model.change import KINDS, Change
from nnconform.conformance.model.diff import Diff
from nnconform.conformance.numbers import distinct_decimals

SCHEMA = json.loads(resources.files("nnconform.spec").joinpath("schema/diff.schema.json").read_text())
UNBIASED = "unbiased-running-variance"


def change(kind, old, new, *, vector="core", output="", **fields):
    """Return a change from one state to another: a verdict, or a state."""
    states = {side: {"verdict": s} if isinstance(s, str) else s for side, s in (("old", old), ("new", new))}
    operation = fields.pop("operation", "batch_norm_train")
    about = {"framework": "jax", "implementation": "mine.BatchNorm", "mode": "jit", "operation": operation}
    place = {"vector": f"{operation}/{vector}/float32", "profile": "core", "output": output}
    return Change.from_json({"kind": kind} | about | place | states | fields).to_json()


def side(version="0.9.2", **fields):
    entry = {"name": "jax", "target": f"jax=={version}", "status": "ran", "versions": {"jax": version}}
    entry |= {key: fields.pop(key) for key in list(fields) if key in ("status", "reason", "target", "versions", "name")}
    return {"spec": "1.0.0", "complete": True, "faults": 0, "frameworks": [entry]} | fields


def document(*changes, drift=(), **fields):
    result = {
        "format": 1,
        "nnconform": "0.1.0",
        "old": side(),
        "new": side("0.10.2"),
        "notes": [],
        "compared": 100,
        "unchanged": 90,
        "only_old": {"vectors": [], "frameworks": []},
        "only_new": {"vectors": [], "frameworks": []},
        "altered_vectors": [],
        "changes": list(changes),
        "drift": list(drift),
    } | fields
    jsonschema.Draft7Validator(SCHEMA).validate(result)
    return Diff.from_json(result)


def drift(**fields):
    about = {"framework": "jax", "operation": "elu", "output": "dx", "tensors": 120}
    numbers = {"elements": 2000, "changed": 500, "median": 1.0, "p99": 3.0, "worst": 12.0}
    place = {"vector": "elu/core/float32", "implementation": "jax.nn.elu", "mode": "jit"}
    return about | numbers | place | fields


def unbiased(vectors, **fields):
    element = {"index": [1], "old": 1.02, "new": 1.0526316, "expected": 1.02}
    new = {"verdict": "dialect", "dialect": UNBIASED}
    words = {"output": "running_variance", "element": element} | fields
    return [change("regressed", "conforms", new, vector=f"core-{n}", **words) for n in range(vectors)]


def text(*changes, **fields):
    return plain_text(parts(document(*changes, **fields)))


def joined(*changes, **fields):
    return " ".join(text(*changes, **fields).split())


# The headline.


def test_the_headline_names_the_versions_and_says_that_there_are_no_changes():
    assert headline(document()) == "jax 0.9.2 -> 0.10.2: no changes"


def test_the_headline_counts_changes_improvements_and_drift():
    fixed = change("fixed", "diverges", "conforms", output="y")
    result = headline(document(*unbiased(38), change("raises", "conforms", "error"), fixed, drift=[drift()]))
    assert result.endswith(": 2 changes need action, 1 improvement, drift in 120 outputs")


def test_the_headline_says_if_nothing_was_compared():
    assert headline(document(compared=0, unchanged=0)).endswith(": nothing could be compared")


def test_the_headline_says_if_a_side_is_incomplete():
    assert headline(document(new=side("0.10.2", complete=False))).endswith("; one side is incomplete")


@pytest.mark.parametrize(
    ("old", "new", "title"),
    [
        (side("1"), side("1"), "jax 1"),
        (
            side(target="keras==1+tensorflow==2", versions={"tensorflow": "2", "keras": "1"}),
            side(target="keras==3+tensorflow==2", versions={"tensorflow": "2", "keras": "3"}),
            "keras 1 -> 3 on tensorflow 2",
        ),
        (side(status="failed", reason="no", versions={}, complete=False), side("2"), "jax ? -> 2"),
        (side(name="torch"), side(name="jax"), "torch -> jax"),
    ],
)
def test_the_title_has_the_packages_that_were_named(old, new, title):
    assert headline(document(old=old, new=new)).startswith(f"{title}: ")


# Groups.


def test_changes_of_one_output_and_one_way_are_one_group():
    (group,) = group_changes(document(*unbiased(38)))
    sentence = f"batch_norm_train: running_variance now has the dialect {UNBIASED}: 1.020 became 1.053 in 38 vectors"
    assert group.sentence == sentence
    assert (group.vectors, len(group.changes), group.section, group.fails) == (38, 38, "act", True)
    assert (group.operation, group.output, group.old, group.new) == (
        "batch_norm_train",
        "running_variance",
        "conforms",
        UNBIASED,
    )


def test_a_group_has_the_dialect_the_implementations_and_an_example():
    others = [c | {"implementation": "mine.Other", "mode": "eager"} for c in unbiased(2)]
    (group,) = group_changes(document(*unbiased(2), *others))
    assert group.vectors == 2
    assert list(group.details) == [
        "The running variance takes the unbiased variance of the batch.",
        "in mine.BatchNorm (jit); mine.Other (eager)",
        "e.g. batch_norm_train/core-0/float32, mine.BatchNorm (jit): running_variance[1] was 1.020, is 1.053, "
        "expected 1.020",
    ]


def test_every_part_of_a_combined_dialect_is_described():
    new = {"verdict": "dialect", "dialect": f"{UNBIASED}+statistics-in-float32"}
    (group,) = group_changes(document(change("regressed", "conforms", new, output="running_variance")))
    assert len(group.details) == 4


def test_entries_of_a_list_are_one_output():
    words = {"operation": "clip_by_norm"}
    both = [change("regressed", "conforms", "diverges", output=f"gradients[{n}]", **words) for n in "01"]
    result = group_changes(document(*both))
    assert [(group.output, len(group.changes)) for group in result] == [("gradients", 2)]
    assert result[0].sentence == "clip_by_norm: gradients now diverge in 1 vector"


def test_changes_that_need_action_come_first_and_then_the_most_vectors():
    fixed = [change("fixed", "diverges", "conforms", vector=f"v{n}", output="y") for n in range(9)]
    open_ = change("latitude-changed", "conforms", "conforms", output="y")
    result = group_changes(document(*fixed, open_, *unbiased(2), change("raises", "conforms", ERROR)))
    assert [group.kind for group in result] == ["regressed", "raises", "fixed", "latitude-changed"]


def test_drift_is_in_no_group():
    assert group_changes(document(change("drifted", "conforms", "conforms", output="y"))) == []


def test_errors_of_one_type_are_one_group():
    reasons = ("ValueError: 3 is wrong", "ValueError: 4 is wrong", "TypeError: no")
    errors = [
        change("raises", "conforms", {"verdict": "error", "reason": r}, vector=r[:13].replace(": ", "-"))
        for r in reasons
    ]
    result = {group.sentence for group in group_changes(document(*errors))}
    assert result == {
        "batch_norm_train now raises in 2 vectors: ValueError: 3 is wrong (and 1 other message)",
        "batch_norm_train now raises in 1 vector: TypeError: no",
    }


def test_the_example_has_the_numbers_that_are_easiest_to_read():
    huge, plain_text = ({"index": [0], "old": 1.0 * s, "new": 2.0 * s, "expected": 1.0 * s} for s in (1e30, 1.0))
    nan = {"index": [0], "old": 1.0, "new": "nan", "expected": 1.0}
    result = [
        change("moved", "diverges", "diverges", vector=v, output="y", element=e)
        for v, e in (("a", huge), ("b", nan), ("c", plain_text))
    ]
    (group,) = group_changes(document(*result))
    assert group.sentence.endswith("a different amount: 1.000 became 2.000 in 3 vectors")


def test_without_the_old_value_a_side_that_conforms_has_the_expected_one():
    (group,) = group_changes(document(*unbiased(1, element={"index": [1], "new": 1.0526316, "expected": 1.02})))
    assert ": 1.020 became 1.053 in 1 vector" in group.sentence


# Each kind in words.

NO, OPEN = "ValueError: no", ", which the spec leaves open"
ERROR = {"verdict": "error", "reason": f"{NO}\nat line 3"}
RAISED = {"verdict": "conforms", "reason": NO}
REFUSED = {"verdict": "dialect", "dialect": "rejects-zero-epsilon", "reason": "ValueError: epsilon"}
NAMED = {"verdict": "dialect", "dialect": UNBIASED}
OTHER = {"verdict": "dialect", "dialect": "x"}
LACKS = {"verdict": "unsupported", "reason": "has none"}
GONE = {"verdict": "absent", "reason": "the implementation no longer exists"}
CAME = {"verdict": "absent", "reason": "the mode jit was not supported"}
CRASH = {"verdict": "crash", "reason": "signal 11"}
TIMEOUT = {"verdict": "timeout", "reason": "no answer in 120 s"}
WRONG = {"verdict": "diverges", "problem": "dtype float64, wanted float32"}
LAW = {"verdict": "diverges", "problem": "not truncated_normal of deviation 0.5: mean 2 times its critical value"}
DEFAULT = "changed its default from"
STREAM = " draws a different random stream from the same seed in 1 vector"
SENTENCES = [
    ("regressed", "conforms", NAMED, "y", f": y now has the dialect {UNBIASED} in 1 vector"),
    ("regressed", "conforms", "diverges", "y", ": y now diverges in 1 vector"),
    ("regressed", "conforms", WRONG, "y", ": y now diverges in 1 vector: dtype float64, wanted float32"),
    ("regressed", "conforms", LAW, "y", f": y now diverges in 1 vector: {LAW['problem']}"),
    ("regressed", NAMED, "diverges", "y", f": y had the dialect {UNBIASED} and now diverges in 1 vector"),
    ("regressed", "absent", "diverges", "weights[0]", ": weights now diverge in 1 vector"),
    ("regressed", REFUSED, ERROR, "", " raises a different error in 1 vector: ValueError: no"),
    ("fixed", NAMED, "conforms", "y", f": y had the dialect {UNBIASED} and now conforms in 1 vector"),
    ("fixed", "diverges", NAMED, "y", f": y diverged and now has the dialect {UNBIASED} in 1 vector"),
    ("fixed", "diverges", "absent", "weights[0]", ": weights are no longer returned, as expected, in 1 vector"),
    (
        "dialect-changed",
        NAMED,
        NAMED | {"dialect": "x"},
        "y",
        f": y had the dialect {UNBIASED} and now has the dialect x in 1 vector",
    ),
    ("moved", "diverges", "diverges", "y", ": y diverges as before, but by a different amount in 1 vector"),
    ("raises", "conforms", ERROR, "", " now raises in 1 vector: ValueError: no"),
    ("raises", "conforms", REFUSED, "", " now raises in 1 vector: ValueError: epsilon (rejects-zero-epsilon)"),
    ("raises-no-more", ERROR, "conforms", "", " no longer raises in 1 vector, and now conforms"),
    ("raises-no-more", ERROR, "diverges", "", " no longer raises in 1 vector, and now diverges"),
    ("raises-no-more", ERROR, NAMED, "", f" no longer raises in 1 vector, and now has the dialect {UNBIASED}"),
    ("dies", "conforms", CRASH, "", " now crashes in 1 vector: signal 11"),
    ("dies", CRASH, TIMEOUT, "", " now times out in 1 vector (it crashed before): no answer in 120 s"),
    ("dies-no-more", TIMEOUT, "conforms", "", " no longer times out in 1 vector, and now conforms"),
    ("dies-no-more", CRASH, ERROR, "", " no longer crashes in 1 vector, and now raises an error"),
    ("gone", "conforms", LACKS, "", " is now unsupported in 1 vector: has none"),
    ("gone", "conforms", GONE, "", " is gone in 1 vector: the implementation no longer exists"),
    ("gone", "conforms", "absent", "batch_mean", ": batch_mean is no longer returned in 1 vector"),
    ("supported", LACKS, "conforms", "", " is new in 1 vector (was unsupported), and now conforms"),
    ("supported", CAME, "diverges", "", " is new in 1 vector (the mode jit was not supported), and now diverges"),
    ("supported", "absent", "conforms", "y", ": y is returned in 1 vector for the first time, and now conforms"),
    (
        "stream-changed",
        "conforms",
        "conforms",
        "sample",
        " draws a different random stream from the same seed in 1 vector",
    ),
    ("defaults-changed", "conforms", NAMED, "y", f" {DEFAULT} the spec's to {UNBIASED}, in 1 vector"),
    (
        "defaults-changed",
        ERROR,
        "conforms",
        "",
        f" {DEFAULT} an error, {NO} to the spec's, in 1 vector",
    ),
    ("latitude-changed", "conforms", "conforms", "y", f" gives a different result in 1 vector{OPEN}"),
    ("latitude-changed", "conforms", RAISED, "", f" now raises in 1 vector{OPEN}: {NO}"),
    ("latitude-changed", RAISED, "conforms", "", f" no longer raises in 1 vector{OPEN}: {NO}"),
]


@pytest.mark.parametrize(("kind", "old", "new", "output", "expected"), SENTENCES, ids=str)
def test_a_change_has_its_sentence(kind, old, new, output, expected):
    (group,) = group_changes(document(change(kind, old, new, output=output)))
    assert group.sentence == f"batch_norm_train{expected}"
    assert group.details[-1].startswith("e.g. batch_norm_train/core/float32, mine.BatchNorm (jit)")


def test_every_kind_has_its_words():
    assert set(PREDICATES) == set(KINDS) - {"drifted"}
    assert {kind for kind, *_ in SENTENCES} == set(KINDS) - {"drifted"}


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ((1.02, 1.0526316), ["1.020", "1.053"]),
        ((1.0, 1.0000001), ["1.0000000", "1.0000001"]),
        ((1.0, 1.0), ["1.000", "1.000"]),
        ((0.0, -0.0), ["0", "-0"]),
        ((float("nan"), float("-inf")), ["nan", "-inf"]),
        ((1234.5, 123456.0), ["1234", "1.235e+05"]),
        ((1.0, 2.0, 1.0000001), ["1.000", "2.000", "1.000"]),
        ((0.1 + 0.2, 0.3), ["0.30000000000000004", "0.29999999999999999"]),
    ],
)
def test_different_numbers_have_different_short_texts(numbers, texts):
    assert distinct_decimals(*numbers) == texts


# The lines.


def test_the_most_important_sections_come_first():
    fixed = change("fixed", "diverges", "conforms", output="y")
    open_ = change("latitude-changed", "conforms", "conforms", output="y")
    only = {"vectors": ["elu/a/float32"], "frameworks": ["torch"]}
    lines = text(fixed, open_, *unbiased(2), drift=[drift()], notes=["a note"], only_old=only, altered_vectors=["v"])
    heads = ["Needs action: 1", "Improved or new: 1", "Changed in cases", "Drift:", "Notes:", "Not compared:"]
    places = [lines.index(head) for head in [*heads, "100 results compared"]]
    assert places == sorted(places)


def test_lines_have_80_columns_unless_a_name_is_longer():
    long = change("raises", "conforms", {"verdict": "error", "reason": "ValueError: " + "a word " * 30})
    lines = text(long, *unbiased(38), notes=["a note of many words " * 9], drift=[drift()])
    assert max(len(line) for line in lines.splitlines()) <= 80
    name = "x" * 100
    assert name in text(*unbiased(1, implementation=name))


def test_the_framework_is_named_if_there_are_several():
    lines = [*unbiased(1), change("raises", "conforms", ERROR) | {"framework": "torch"}]
    assert "jax batch_norm_train: running_variance" in joined(*lines)
    assert "jax batch_norm_train: running_variance" not in joined(*unbiased(1))


def test_drift_is_a_table():
    lines = text(drift=[drift(), drift(output="y", worst="inf")]).splitlines()
    rows = [line.split() for line in lines if line.startswith("  ")]
    assert rows == [
        ["operation", "output", "tensors", "changed", "median", "p99", "worst", "ULP"],
        ["elu", "dx", "120", "25.0%", "1", "3", "12"],
        ["elu", "y", "120", "25.0%", "1", "3", "inf"],
    ]


def test_drift_that_was_not_measured_says_how_to():
    about = {key: drift()[key] for key in ("framework", "operation", "output", "tensors")}
    assert "`nnconform run --outputs FILE`" in text(drift=[about])


def test_vectors_on_one_side_are_counted_and_the_first_are_named():
    only = {"vectors": [f"elu/{n}/float32" for n in "abcde"], "frameworks": []}
    lines = joined(only_new=only)
    assert "5 vectors only in the new report: elu/a/float32, elu/b/float32, elu/c/float32, ..." in lines


def test_verbose_lists_every_change_and_every_vector():
    only = {"vectors": [f"elu/{n}/float32" for n in "abcde"], "frameworks": []}
    lines = plain_text(parts(document(*unbiased(38), only_new=only), verbose=True))
    assert all(f"batch_norm_train/core-{n}/float32" in lines for n in range(38))
    assert "elu/e/float32" in lines


def test_the_last_line_counts_kinds():
    last = text(*unbiased(38), change("raises", "conforms", ERROR)).rpartition("\n\n")[2]
    assert last == "100 results compared: 90 unchanged, 1 raises, 38 regressed\n"


# The exit status.


@pytest.mark.parametrize(
    ("diff", "status"),
    [
        (document(), 0),
        (document(*unbiased(1)), 1),
        (document(change("fixed", "diverges", "conforms", output="y")), 0),
        (document(change("latitude-changed", "conforms", "conforms", output="y")), 0),
        (document(drift=[drift()]), 0),
        (document(compared=0, unchanged=0), 3),
        (document(*unbiased(1), new=side(complete=False)), 3),
        (document(new=side(status="stopped", reason="no", complete=False)), 3),
        (document(old=side(status="failed", reason="no", complete=False)), 3),
        (document(old=side(status="missing", reason="no")), 0),
        (document(new=side(faults=1)), 3),
        (document(only_old={"vectors": ["elu/a/float32"], "frameworks": ["torch"]}), 0),
    ],
)
def test_the_exit_status_is_that_of_a_gate(diff, status):
    assert diff.exit_status() == status


def test_drift_fails_with_bits():
    assert document(drift=[drift()]).exit_status(bits=True) == 1
    assert document().exit_status(bits=True) == 0
