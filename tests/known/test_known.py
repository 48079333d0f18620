"""A list of known divergences accepts exactly the results that it covers, and fails a run once it no longer holds."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from nnconform.conformance.known import matching
from nnconform.conformance.known.file import Entry, KnownList, parse
from nnconform.conformance.known.scope import in_range
from nnconform.conformance.model.report import Report
from nnconform.conformance.running.selection import Selection, matches
from nnconform.conformance.schemas import validator

LIAR = Path(__file__).parents[1] / "liars" / "known_differs.py"
ADAPTER = ("--adapter", LIAR)

DATA = Path(__file__).parents[1] / "data"
# Two entries for the liar known_differs.
ELU, RELU = ((DATA / f"known_{name}.yaml").read_text() for name in ("elu", "relu"))
ALL = f"""\
{ELU}{RELU}
- framework: liar
  mode: jit
  clause: "RELU-*"
  verdict: diverges
  covers: 106
  reason: "adds 1"
  link: https://example.org/2
- framework: liar
  implementation: liar.raises
  vector: "clip_by_value/*"
  verdict: error
  covers: 12
  reason: "raises"
  link: https://example.org/3
"""


def listed(entries: str) -> KnownList:
    return parse(f"format: 1\nknown:\n{entries}", "known.yaml")


@pytest.fixture
def apply_to(differs, published) -> Callable[..., dict[str, Any]]:
    """Return a copy of the report, edited by ``change``, with the entries applied."""

    def judge(entries: str, change: Callable[[dict[str, Any]], object] = lambda _: None, of: Any = differs) -> Any:
        document = copy.deepcopy(of)
        change(document)
        result = matching.apply(listed(entries), Report.from_json(document), published.values()).to_json()
        validator("report")(result)
        return result

    return judge


def exit_status(document: Mapping[str, Any], *, strict: bool) -> int:
    return Report.from_json(document).exit_status(strict=strict)


def problems(document: Mapping[str, Any]) -> list[str]:
    return list(document.get("known_problems", []))


def set_rows(verdict: str, number: int = 1, *, vector: str = "", **keys: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change that gives the first results on elu in bfloat16, or on a vector, another verdict."""

    def change(document: dict[str, Any]) -> None:
        rows = [r for r in document["results"] if re.fullmatch(vector or "elu/.*/bfloat16", r["vector"])]
        bad = [r for r in rows if vector or r["verdict"] == "diverges"]
        for name in list(dict.fromkeys(r["vector"] for r in bad))[:number]:
            for row in (r for r in bad if r["vector"] == name):
                row |= {"verdict": verdict, "outputs": {}} | keys

    return change


def by(*dialects: str) -> dict[str, Any]:
    """Return the outputs of a result that have dialects."""
    return {
        name: {"verdict": "dialect", "digest": "", "ratio": 2.0, "ulp": 2.0, "dialect": dialect}
        for name, dialect in zip(("y", "dx"), dialects, strict=False)
    }


# Results that it covers


def test_covered_results_have_the_reason_and_fail_no_run(apply_to):
    document = apply_to(ALL)
    assert problems(document) == []
    assert {r["known"] for r in document["results"] if r["operation"] == "elu" and "known" in r} == {"adds 1"}
    assert exit_status(document, strict=True) == 0


def test_results_that_no_entry_covers_fail_the_run(apply_to, differs):
    assert exit_status(differs, strict=False) == 1
    document = apply_to(ELU)
    assert problems(document) == []
    assert exit_status(document, strict=False) == 1
    assert {r["vector"] for r in document["results"] if "known" in r} == {
        r["vector"] for r in differs["results"] if r["operation"] == "elu" and r["verdict"] == "diverges"
    }


def test_a_problem_of_the_list_alone_fails_the_run(apply_to):
    assert exit_status(apply_to(ALL.replace("covers: 12", "covers: 13")), strict=False) == 1


def test_another_list_replaces_the_reasons_of_an_earlier_one(apply_to, differs):
    marked = apply_to(ALL.replace("covers: 12", "covers: 13"))
    assert apply_to("  []", of=marked) == differs


def test_results_of_profile_defaults_count_like_others(apply_to):
    def change(document):
        for row in document["results"][::2]:
            row["profile"] = "defaults"

    assert problems(apply_to(ALL, change)) == []


# When it does not hold: each edit, and the message
WRONG: dict[str, tuple[str, Callable[[dict[str, Any]], object], str]] = {
    "it covers more": (
        ELU.replace("51", "50"),
        lambda _: None,
        "covers 51 vectors, expected 50: elu/.*bfloat16, .* and 46 more; .*narrow the entry or correct `covers`",
    ),
    "some are better": (
        ELU,
        set_rows("conforms", 2),
        "covers 49 vectors, expected 51; .* in its scope: elu/.*bfloat16 \\(liar.elu, eager\\) conforms; .*correct",
    ),
    "some are worse": (
        ELU,
        set_rows("crash", 4, reason="killed"),
        "covers 47 vectors, expected 51; .* in its scope: elu/.* crashes; .* crashes; .* crashes and \\d+ more; ",
    ),
    "some have a dialect now": (
        ELU,
        set_rows("dialect", outputs=by("exp-minus-one")),
        "covers 50 vectors, expected 51; .* in its scope: elu/.* has the dialect exp-minus-one",
    ),
    "a dialect is another": (
        RELU,
        set_rows("dialect", vector="relu/zero-alone/float64", outputs=by("gradient-half-at-zero")),
        "covers 30 vectors, expected 31; .* relu/zero-alone/float64 .* has the dialect gradient-half-at-zero",
    ),
    "a dialect is joined by a second": (
        RELU,
        set_rows("dialect", vector="relu/zero-alone/float64", outputs=by("a", "gradient-one-at-zero")),
        "covers 30 vectors, expected 31; .* has the dialects a and gradient-one-at-zero",
    ),
    "all are better": (ELU, set_rows("conforms", 51), "covers nothing: no result in its scope diverges any more: elu/"),
    "there is no such vector": (ELU.replace("elu/*/b", "elo/*/b"), lambda _: None, "no vector matches elo/"),
    "there is no such clause": (
        ELU.replace('vector: "elu/*/bfloat16"', "clause: ELU-99"),
        lambda _: None,
        "no vector matches clause ELU-99; fix or remove the entry",
    ),
    "there is no such implementation": (
        ELU + "  implementation: liar.gone\n",
        lambda _: None,
        r"no result is in its scope \(liar.gone, mode \*\)",
    ),
    "there is no such mode": (ELU + "  mode: xla\n", lambda _: None, r"no result is in its scope \(\*, mode xla\)"),
    "one mode is better": (
        ELU,
        lambda document: next(
            r
            for r in document["results"]
            if r["verdict"] == "diverges" and (r["operation"], r["mode"]) == ("elu", "jit")
        ).update(verdict="conforms"),
        "eager\\) diverges, but liar.elu, jit conforms; narrow the implementation or mode",
    ),
    "another entry covers the same": (
        ELU + ELU.replace("51", "1").replace("elu/*/", "elu/subnormal/"),
        lambda _: None,
        r"line 3 also covers elu/subnormal/bfloat16 \(liar.elu, eager\).*; remove or narrow one of the two",
    ),
    "the version is none": (
        ELU + '  versions: ">=1"\n',
        lambda document: document["frameworks"][0].update(versions={"liar": "nightly"}),
        "liar has version 'nightly', which is not a PEP 440 version; remove `versions`",
    ),
}


@pytest.mark.parametrize(("entries", "change", "expected"), WRONG.values(), ids=WRONG.keys())
def test_an_entry_is_wrong_when(apply_to, entries, change, expected):
    [problem] = problems(apply_to(entries, change))
    assert re.match(rf"known\.yaml:\d+: (.*){expected}", f"{problem}"), problem


def test_a_problem_names_the_line_of_its_entry(apply_to):
    assert problems(apply_to(f"\n# above\n{RELU}# between\n{ELU.replace('51', '9')}"))[0].startswith("known.yaml:15: ")


def test_an_entry_that_covers_more_than_it_says_excuses_nothing(apply_to):
    assert not [r for r in apply_to(ELU.replace("51", "50"))["results"] if "known" in r]


def test_an_entry_covers_results_whose_outputs_are_by_exactly_its_dialects(apply_to):
    entry = RELU.replace("gradient-one-at-zero", "[gradient-one-at-zero, a]").replace("31", "1")
    change = set_rows("dialect", vector="relu/zero-alone/float64", outputs=by("a", "gradient-one-at-zero"))
    assert problems(apply_to(entry, change)) == []


def test_an_entry_covers_an_error_that_a_dialect_prescribes(apply_to):
    change = set_rows("dialect", vector="relu/zero-alone/float64", reason="ValueError", dialect="raises-on-zero")
    entry = RELU.replace("gradient-one-at-zero", "raises-on-zero").replace("31", "1")
    assert problems(apply_to(entry, change)) == []


# Versions


@pytest.mark.parametrize(
    ("versions", "version", "holds"),
    [
        ("", "nightly", True),
        (">=0.9,<0.11", "0.10.2", True),
        (">=0.9,<0.11", "0.11.0", False),
        (">=0.9,<0.11", "0.10.3.dev20260101", True),
        (">=0.9,<0.11", "0.11.0rc1", False),
        (">=2.13", "2.14.0a0+git1234", True),
        ("==2.13.0", "2.13.0+cpu", True),
        ("<=2.13.0", "2.13.0+cpu", True),
        ("==2.13.0+cu12", "2.13.0+cpu", False),
    ],
)
def test_prereleases_and_local_versions_count(versions, version, holds):
    assert in_range(Entry(1, "f", versions, "*", "*", "*", "", "diverges", (), 1, "r", ""), version) is holds


def test_an_entry_for_other_versions_is_not_stale_and_is_shown_so(apply_to, differs, published):
    entry = ELU + '  versions: "<1"\n'
    assert problems(apply_to(entry)) == []
    [match] = matching.match(listed(entry), Report.from_json(differs), published.values())
    assert (match.status, match.note) == (
        "other versions",
        f"it is for <1, and {differs['frameworks'][0]['versions']['numpy']} ran",
    )
    assert exit_status(apply_to(entry), strict=False) == 1


# Partial runs

FEWER = ELU.replace("51", "60")
MORE = ELU.replace("51", "2")
FILTERS: list[dict[str, tuple[str, ...]]] = [
    {"vectors": ("elu/[ns]*",)},
    {"dtypes": ("bfloat16",), "profiles": ("edge",)},
    {"operations": ("elu",), "modes": ("eager",)},
    {"implementations": ("liar.elu",)},
]


@pytest.fixture
def part(differs, published) -> Callable[..., dict[str, Any]]:
    """Return the report of a run with filters: a part of the whole one."""

    def run(**filters: tuple[str, ...]) -> dict[str, Any]:
        document, selection = copy.deepcopy(differs), Selection(**filters)
        vectors = {name: digest for name, digest in document["asked"].items() if selection.takes(published[name])}
        return document | {
            "selection": {key: list(globs) for key, globs in filters.items()},
            "asked": vectors,
            "vectors": len(vectors),
            "results": [
                row
                for row in document["results"]
                if row["vector"] in vectors
                and matches(row["implementation"], selection.implementations)
                and matches(row["mode"], selection.modes)
            ],
        }

    return run


def test_a_filtered_run_gives_a_part_of_the_whole(report_of, part):
    filters = {"--operation": "elu", "--dtype": "bfloat16", "--mode": "eager"}
    filtered = report_of(*ADAPTER, *(word for pair in filters.items() for word in pair))[1]
    expected = part(operations=("elu",), dtypes=("bfloat16",), modes=("eager",))
    assert {key: filtered[key] for key in ("selection", "asked", "results")} == {
        key: expected[key] for key in ("selection", "asked", "results")
    }


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_a_filtered_run_calls_no_entry_stale_and_still_sees_one_that_covers_too_much(part, apply_to, filters):
    assert problems(apply_to(FEWER.replace("*/bfloat16", "*"), of=part(**filters))) == []
    assert ", expected 2" in problems(apply_to(MORE, of=part(**filters)))[0]


def test_a_filtered_run_that_asks_for_all_of_an_entry_judges_it(part, apply_to):
    run = part(operations=("elu",), dtypes=("bfloat16",), modes=("*",))
    assert problems(apply_to(ELU, of=run)) == []
    assert "covers 51 vectors, expected 60" in problems(apply_to(FEWER, of=run))[0]


def test_a_run_of_one_implementation_judges_the_entries_for_it_alone(part, apply_to):
    run = part(implementations=("liar.elu",))
    assert "expected 60" in problems(apply_to(FEWER + "  implementation: liar.elu\n", of=run))[0]
    assert problems(apply_to(FEWER + '  implementation: "liar.*"\n', of=run)) == []


def test_vectors_of_the_report_that_are_not_among_those_given_are_all_there_are_but_in_a_filtered_run(part, differs):
    for document, status in ((differs, "does not hold"), (part(dtypes=("bfloat16",)), "not judged")):
        [match] = matching.match(listed(FEWER), Report.from_json(document), [])
        assert match.status == status


def test_a_mode_that_runs_only_on_request_is_not_stale_if_it_was_not_requested(apply_to):
    assert problems(apply_to(FEWER + "  mode: compile\n")) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["frameworks"][0].update(not_run=1),
        lambda document: document["frameworks"][0].update(status="stopped", reason="ended"),
        lambda document: document.update(complete=False),
        lambda document: document.update(problems=["bad.yaml"]),
        lambda document: document["asked"].update({"elu/subnormal/bfloat16": "0" * 16}),
        lambda document: document["frameworks"][0].update(name="other"),
    ],
    ids=["calls left", "stopped", "interrupted", "vector files left out", "an altered vector", "another framework"],
)
def test_an_incomplete_run_calls_no_entry_stale(apply_to, change):
    assert problems(apply_to(FEWER, change)) == []


def test_a_framework_that_did_not_start_calls_no_entry_stale(report_of, apply_to, tmp_path):
    (tmp_path / "liar.py").write_text("import a_module_that_nobody_has\n")
    assert problems(apply_to(ALL, of=report_of("--adapter", tmp_path / "liar.py")[1])) == []


def test_a_run_of_a_part_of_a_framework_judges_entries_for_that_part_alone(differs, published):
    document = copy.deepcopy(differs)
    document["frameworks"][0]["only"] = ["liar.elu"]
    entries = FEWER + FEWER.replace("elu/*/bfloat16", "relu/none").replace("60", "1") + "  implementation: liar.elu\n"
    first, second = matching.match(listed(entries), Report.from_json(document), published.values())
    assert (first.status, second.status) == ("not judged", "does not hold")
