"""An update makes a list right for a whole run and changes nothing else; a list that it refuses stays as it is."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnconform.conformance.known.file import read
from nnconform.conformance.known.matching import apply
from nnconform.conformance.known.update import Refused, update
from nnconform.conformance.model.report import Report

LIAR = Path(__file__).parents[1] / "liars" / "known_differs.py"
Change = Callable[[dict[str, Any]], object]

# A list with comments, blank lines, quotes and indentation in every odd place.
UGLY = (Path(__file__).parents[1] / "data" / "known_ugly.yaml").read_text()


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "known.yaml"


@pytest.fixture
def updated(differs, published, file) -> Callable[..., list[str]]:
    """Update the file from a copy of the report, edited by ``change``, check the outcome, and return the lines."""

    def run(change: Change = lambda _: None, *, dialects: bool = False) -> list[str]:
        document = copy.deepcopy(differs)
        change(document)
        report, vectors = Report.from_json(document), list(published.values())
        lines = update(file, report, vectors, dialects=dialects)
        data = file.read_bytes()
        applied = apply(read(file), report, vectors)
        assert applied.known_problems == ()
        assert not any(result.fails(strict=dialects) for result in applied.results)
        assert update(file, report, vectors, dialects=dialects) == []
        assert file.read_bytes() == data
        return [line.removeprefix(f"{file}") for line in lines]

    return run


def turn(verdict: str, operation: str, number: int | None = None, **keys: Any) -> Change:
    """Return a change that gives the first vectors of an operation that do not conform, or all, another verdict."""

    def change(document: dict[str, Any]) -> None:
        rows = [r for r in document["results"] if r["operation"] == operation and r["verdict"] != "conforms"]
        names = list(dict.fromkeys(r["vector"] for r in rows))[:number]
        for row in (r for r in rows if r["vector"] in names):
            row.pop("reason", None)
            row |= {"verdict": verdict, "outputs": {}} | keys

    return change


def all_conform(document: dict[str, Any]) -> None:
    for operation in ("elu", "relu", "clip_by_value"):
        turn("conforms", operation)(document)


FAULT = {"framework": "liar", "implementation": "liar.elu", "vector": "elu/a/float32", "message": "wrong name"}
BY_A = {"y": {"verdict": "dialect", "digest": "", "ratio": 2.0, "ulp": 2.0, "dialect": "gradient-half-at-zero"}}


def listed(*entries: str) -> str:
    return "format: 1\nknown:\n" + "".join(entries)


def entry(vector: str, verdict: str, covers: int, reason: str = "r", *lines: str, framework: str = "liar") -> str:
    head = [f"- framework: {framework}", *lines, f'vector: "{vector}"', f"verdict: {verdict}", f"covers: {covers}"]
    return "\n  ".join([*head, f'reason: "{reason}"', "link: null\n"])


# Making a list


def test_a_file_that_is_not_there_is_made_with_the_narrowest_globs(updated, file):
    assert updated() == [
        ": added: liar, liar.raises, clip_by_value/* raises an error (12)",
        ": added: liar, liar.elu, elu/*/bfloat16 diverges (51)",
        ": added: liar, liar.relu, jit, relu/* diverges (106)",
    ]
    text = file.read_text()
    assert text.startswith("# Known divergences: ")
    assert 'reason: "not explained yet: json.decoder.JSONDecodeError: Expecting value' in text
    assert text.endswith('    covers: 106\n    reason: "not explained yet"\n    link: null\n')


def test_dialects_are_listed_when_they_are_asked_for_with_their_summary_and_source(updated, file):
    assert updated(dialects=True)[3:] == [
        ": added: liar, liar.relu, eager, relu/* has the dialect gradient-one-at-zero (31)"
    ]
    assert '    reason: "The gradient of ReLU at x = 0 is 1."\n    link: https://' in file.read_text()


def test_up_to_three_vectors_are_listed_one_by_one(updated, file):
    def change(document):
        turn("conforms", "clip_by_value")(document)
        turn("conforms", "relu")(document)
        rows = [r for r in document["results"] if r["operation"] == "elu" and r["verdict"] == "diverges"]
        for row in rows:
            if row["vector"] not in list(dict.fromkeys(r["vector"] for r in rows))[::20]:
                row.update(verdict="conforms")

    assert len(updated(change)) == 3
    assert all("*" not in entry.vector and entry.covers == 1 for entry in read(file).entries)


def test_globs_take_nothing_that_another_entry_covers(updated, file):
    file.write_text(listed(entry("elu/n*/bfloat16", "diverges", 16)))
    updated()
    entries = [e for e in read(file).entries if e.vector.startswith("elu/")]
    assert len(entries) > 2
    assert sum(e.covers for e in entries) == 51


def test_a_run_without_findings_makes_an_empty_list(updated, file):
    assert updated(all_conform) == []
    assert file.read_text().endswith("format: 1\nknown: []\n")


# Lines that stay


def test_a_list_that_holds_stays_byte_for_byte(updated, file):
    file.write_text(UGLY)
    assert updated() == []
    assert file.read_text() == UGLY


def test_a_count_is_changed_in_place(updated, file):
    file.write_text(UGLY)
    assert updated(turn("conforms", "elu", 2)) == [":9: covers 49 instead of 51"]
    assert file.read_text() == UGLY.replace("51   # as of", "49   # as of")


@pytest.mark.parametrize(
    ("newline", "mark", "end"), [("\r\n", "", "\r\n"), ("\n", "\ufeff", "\n"), ("\r\n", "\ufeff", "")], ids=repr
)
def test_line_ends_a_byte_order_mark_and_a_missing_last_newline_stay(updated, file, newline, mark, end):
    text = UGLY[UGLY.index("known:") :].removesuffix("# Tail.\n").replace("  # last\n\nformat: 1   # the format\n", "")
    text = f"{mark}format: 1\n{text}".rstrip("\n").replace("\n", newline) + end
    file.write_bytes(text.encode())
    assert len(updated(dialects=True)) == 1
    text_after = file.read_bytes().decode()
    assert text_after.startswith(text.replace("51   #", "51   #"))
    added = text_after.removeprefix(text)
    assert added.count("\n") == added.count(newline) >= 9


def test_entries_that_the_run_does_not_judge_stay(updated, file):
    others = listed(
        entry("*", "crash", 5, framework="elsewhere"),
        entry("*", "crash", 5, "r", 'versions: "<1"'),
        entry("*", "crash", 5, "r", "mode: compile"),
    )
    file.write_text(others)
    assert len(updated()) == 3
    assert file.read_text().startswith(others)


def test_a_link_to_the_file_stays_a_link(updated, file, tmp_path):
    (tmp_path / "real.yaml").write_text(UGLY)
    file.symlink_to(tmp_path / "real.yaml")
    updated(turn("conforms", "elu", 2))
    assert file.is_symlink()
    assert "49   # as of" in (tmp_path / "real.yaml").read_text()


# Entries that are removed

FIRST = UGLY[UGLY.index("  # elu, above") : UGLY.index("\n  # raises, above")]
SECOND = UGLY[UGLY.index("  # raises, above") : UGLY.index("\n\n  # between")]
THIRD = UGLY[UGLY.index("  -\n    # under") : UGLY.index("  # last")]


def test_an_entry_that_covers_nothing_goes_with_its_comments_and_no_others(updated, file):
    file.write_text(UGLY)
    lines = updated(turn("conforms", "clip_by_value"))
    assert lines[0].startswith(":22: removed: covers nothing: no result in its scope raises an error any more: ")
    assert lines[1:] == [f"  | {line}" for line in SECOND.splitlines()]
    assert file.read_text() == UGLY.replace(f"\n{SECOND}", "")


def test_the_first_and_the_last_entry_go_likewise(updated, file):
    def change(document):
        turn("conforms", "elu")(document)
        turn("conforms", "relu")(document)

    file.write_text(UGLY)
    updated(change)
    assert file.read_text() == UGLY.replace(f"{FIRST}\n", "").replace(f"\n{THIRD}", "")


def test_a_list_of_which_nothing_is_left_is_empty_and_can_be_filled_again(updated, file):
    file.write_text(UGLY)
    updated(all_conform)
    text = file.read_text()
    assert "known: []   # the list\n" in text
    assert all(comment in text for comment in ("# Head.", "# A heading", "# between", "# last", "# Tail."))
    updated()
    assert file.read_text().startswith(text[: text.index("known:")] + "known:   # the list\n  - framework: liar\n")


# Entries that change


def test_an_entry_whose_results_changed_verdict_is_replaced_in_its_place_and_its_reason_is_quoted(updated, file):
    file.write_text(UGLY)
    lines = updated(turn("crash", "elu", reason="killed by SIGKILL"))
    assert lines[0].startswith(":9: replaced: covers nothing: ")
    assert lines[-1] == ": added: liar, liar.elu, elu/*/bfloat16 crashes (51)"
    text = file.read_text()
    assert (
        '    reason: "not explained yet; was diverges: adds 1, in two lines"\n    link: https://example.org/a#b\n'
        in text
    )
    assert text.index("  # elu, above\n  - framework: liar\n") < text.index("# raises, above")


def test_an_entry_some_of_whose_results_have_another_verdict_is_reduced_and_they_are_added(updated, file):
    file.write_text(UGLY)
    lines = updated(turn("error", "elu", 1, reason="ValueError: no"))
    assert lines[0] == ":9: covers 50 instead of 51"
    assert lines[1].startswith(": added: liar, liar.elu, elu/")
    added = read(file).entries[-1]
    assert (added.verdict, added.covers) == ("error", 1)
    assert added.reason == "not explained yet; was diverges: adds 1, in two lines"


def test_a_reason_that_was_never_given_is_not_quoted_again(updated, file):
    updated()
    for verdict in ("crash", "diverges", "crash"):
        updated(turn(verdict, "elu", reason="killed"))
    assert {e.reason for e in read(file).entries if e.vector.startswith("elu")} == {"not explained yet"}


def test_an_entry_that_covers_a_vector_in_part_is_narrowed_and_keeps_reason_link_and_versions(updated, file):
    wide = entry("relu/*", "diverges", 106, "in jit", 'versions: ">=1"').replace("null", "https://example.org/jit")
    file.write_text(listed("# above\n", wide))
    assert "narrow the implementation or mode" in updated()[0]
    narrow = wide.replace("  vector", '  implementation: "liar.relu"\n  mode: "jit"\n  vector')
    assert file.read_text().startswith(listed("# above\n", narrow))


def test_of_two_entries_for_the_same_the_later_covers_the_rest(updated, file):
    file.write_text(listed(entry("elu/n*", "diverges", 16, "first"), entry("elu/*", "diverges", 51, "second")))
    updated()
    covers = {reason: [e.covers for e in read(file).entries if e.reason == reason] for reason in ("first", "second")}
    assert covers["first"] == [16]
    assert sum(covers["second"]) == 35


def test_results_by_several_dialects_get_entries_with_all_of_them(updated, file):
    outputs = BY_A | {"dx": BY_A["y"] | {"dialect": "gradient-one-at-zero"}}
    updated(turn("dialect", "elu", outputs=outputs), dialects=True)
    assert ("gradient-half-at-zero", "gradient-one-at-zero") in {e.dialects for e in read(file).entries}


@pytest.mark.parametrize("seed", range(4))
def test_the_list_holds_afterwards_for_any_verdicts(updated, file, seed):
    def change(document):
        chance = random.Random(seed)
        for row in chance.sample(document["results"], 60):
            verdict = chance.choice(["conforms", "diverges", "error", "dialect", "unsupported"])
            row.pop("reason", None)
            row |= {"verdict": verdict, "outputs": BY_A if verdict == "dialect" else {}}
            row["profile"] = chance.choice([row["profile"], "defaults"])

    file.write_text(UGLY)
    updated(change, dialects=seed % 2 == 1)
    updated()


# Lists and reports that are refused


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda document: document.update(complete=False), "incomplete"),
        (lambda document: document.update(faults=[FAULT]), "faults"),
        (lambda document: document.update(problems=["bad.yaml"]), "faults"),
        (lambda document: document["asked"].popitem(), "1 of its .* vectors were not run"),
        (lambda document: document["asked"].update({"elu/subnormal/bfloat16": "0"}), "1 of its .* vectors"),
        (lambda document: document["selection"].update(modes=["eager"]), "some of its modes"),
        (lambda document: document["selection"].update(implementations=["liar.elu"]), "some of its implementations"),
        (lambda document: document["frameworks"][0].update(only=["liar.elu"]), "some of its implementations"),
        (lambda document: document["frameworks"][0].update(not_run=1), "did not run to its end"),
        (lambda document: document["frameworks"].clear(), "no framework ran"),
    ],
)
def test_a_partial_run_is_refused_and_the_file_untouched(differs, published, file, change, expected):
    document = copy.deepcopy(differs)
    change(document)
    file.write_text("format: 1\nknown: []\n")
    with pytest.raises(Refused, match=f"{expected}.*; update a list from a whole run"):
        update(file, Report.from_json(document), list(published.values()), dialects=False)
    assert file.read_text() == "format: 1\nknown: []\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"format": 1, "known": []}\n', "do not begin on lines of their own; write each as"),
        (
            "format: 1\nknown: [{framework: liar, vector: relu, verdict: error, covers: 1, reason: r, link: null}]\n",
            "do not begin on lines of their own; write each as",
        ),
        (
            "format: 1\n? known\n: " + entry("elu/*", "diverges", 1).replace("\n", "\n  ").rstrip() + "\n",
            "do not begin on lines of their own",
        ),
    ],
)
def test_a_list_that_cannot_be_edited_in_place_is_refused_and_untouched(differs, published, file, text, expected):
    file.write_text(text)
    with pytest.raises(Refused, match=expected):
        update(file, Report.from_json(differs), list(published.values()), dialects=False)
    assert file.read_text() == text


def test_a_problem_that_only_the_user_can_fix_is_refused(differs, published, file):
    document = copy.deepcopy(differs)
    document["frameworks"][0]["versions"] = {"liar": "nightly"}
    for row in document["results"]:
        row["version"] = "nightly"
    text = listed(entry("*", "crash", 1, "r", 'versions: ">1"'))
    file.write_text(text)
    with pytest.raises(Refused, match=r"known\.yaml:3: liar has version 'nightly'"):
        update(file, Report.from_json(document), list(published.values()), dialects=False)
    assert file.read_text() == text


def test_a_write_that_fails_leaves_the_file_whole(differs, published, file, monkeypatch):
    file.write_text("format: 1\nknown: []\n")
    monkeypatch.setattr(os, "umask", lambda _: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(OSError, match="no"):
        update(file, Report.from_json(differs), list(published.values()), dialects=False)
    assert file.read_text() == "format: 1\nknown: []\n"
