"""The meanings of a name: kinds have an order, and an error message has similar names."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from recorded import EXPLAINED

from nnconform.conformance.explain import naming, pages
from nnconform.conformance.explain.naming import Meaning, UnknownName, meanings
from nnconform.conformance.model.report import Report
from nnconform.conformance.report.last_run import LastRun


@pytest.fixture(scope="module")
def run(explained):
    return LastRun(Report.from_json(explained), EXPLAINED.name)


@pytest.mark.parametrize(
    ("word", "kind", "name"),
    [
        ("defaults", "table", "defaults"),
        ("bn-train-4", "clause", "BN-TRAIN-4"),
        ("elu", "operation", "elu"),
        ("global-norm", "dialect", "global-norm"),
        ("clip-denominator-epsilon+global-norm", "dialect", "clip-denominator-epsilon+global-norm"),
        ("saturation", "fault", "saturation"),
        ("dialect", "verdict", "dialect"),
        ("numpy", "framework", "numpy"),
        ("keras", "framework", "keras"),
        ("torch.nn.BatchNorm2d", "implementation", "torch.nn.BatchNorm2d"),
        ("torch.nn.utils.clip_grad_norm_ + torch.optim.SGD", "implementation", None),
        ("elu/near-zero/float32", "vector", "elu/near-zero/float32"),
    ],
)
def test_a_name_of_each_kind_is_known(run, word, kind, name):
    assert meanings(word, run) == [Meaning(kind, name or word)]


def test_no_two_kinds_of_the_spec_share_a_name():
    kinds = [set(make()) for make in naming.names(None).values()]
    assert all(not one & other for one, other in itertools.combinations(kinds, 2))


def with_framework(run, name):
    entry = replace(run.report.frameworks[0], name=name)
    return LastRun(replace(run.report, frameworks=(entry,)))


def test_a_name_of_several_kinds_is_the_first_and_its_page_names_the_others(run):
    named = with_framework(run, "elu")
    assert [meaning.kind for meaning in meanings("elu", named)] == ["operation", "framework"]
    page = pages.page("elu", named).text()
    assert page.startswith("elu (operation")
    assert "nnconform explain --as framework elu" in page


def test_another_kind_can_be_chosen(run):
    assert pages.page("elu", with_framework(run, "elu"), kind="framework").text().startswith("elu (framework)")


def test_an_unknown_kind_is_refused_with_the_known_kinds(run):
    with pytest.raises(UnknownName, match="unknown kind; choose one of table, clause, operation"):
        meanings("elu", run, "layer")


def test_a_glob_that_matches_one_name_explains_it(run):
    assert pages.page("elu/near-zero/float3*", run).title == "elu/near-zero/float32"


def test_a_glob_that_matches_several_lists_them_by_kind(run, published):
    page = pages.page("elu/*", run, verbose=True).text()
    assert [line.strip() for line in page.splitlines() if line.startswith("  elu/")] == [
        name for name in published if name.startswith("elu/")
    ]
    kinds = pages.page("*un*bias*varianc*", run).text()
    assert "unbiased-running-variance" in kinds
    assert "dialect: 1" in kinds
    assert "fault: 1" in kinds


def test_a_long_list_is_cut_and_has_the_number_of_hidden_names(run, published):
    page = pages.page("elu/*", run).text()
    number = sum(name.startswith("elu/") for name in published)
    assert f"... and {number - naming.MANY} more (--verbose lists them)" in page


def test_a_vector_is_found_without_its_dtype(run):
    assert {meaning.name for meaning in meanings("elu/near-zero", run)} == {
        f"elu/near-zero/{dtype}" for dtype in ("float64", "float32", "float16", "bfloat16")
    }


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("BN-TRAIN-44", "BN-TRAIN-4"),
        ("unbiased-runing-variance", "unbiased-running-variance"),
        ("BatchNorm2d", "torch.nn.BatchNorm2d"),
        ("elu/near-zero/float31", "elu/near-zero/float32"),
        ("global-norm+no-such", "global-norm"),
        ("no-such*", ""),
    ],
)
def test_the_error_for_an_unknown_name_has_the_nearest_names(cli, word, near):
    result = cli("explain", word, "--report", EXPLAINED)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"unknown name {word!r}" in result.stderr
    assert near in result.stderr
    assert "`nnconform list KIND`" in result.stderr


def test_without_a_run_the_error_for_an_implementation_says_how_to_get_one(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = cli("explain", "torch.nn.BatchNorm2d")
    assert result.exit_code == 2
    assert "Names of implementations come from a run" in result.stderr


def test_nothing_is_printed_when_one_of_several_names_is_unknown(cli):
    result = cli("explain", "elu", "no-such-name", "--report", EXPLAINED)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_vector_of_a_run_that_is_not_published_has_a_page(run):
    result = replace(run.report.results[0], vector="elu/mine/float32")
    report = replace(run.report, results=(result,), asked={"elu/mine/float32": "0" * 16})
    assert "not published" in pages.page("elu/mine/float32", LastRun(report)).text()
