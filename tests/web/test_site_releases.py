"""Releases of frameworks: their order, whole runs and selections, and their states of a clause."""

from __future__ import annotations

from support.markup import Read
from support.site_reports import broken, of, releases_of, renamed

from nnconform.conformance.web.site import compatibility, folder


def spans_of(name, *reports):
    found = releases_of(*((str(n), report) for n, report in enumerate(reports)))
    return [(span.versions, span.state.word) for span in compatibility.spans(name, found["torch"])]


def test_consecutive_releases_with_the_same_state_are_one_span(explained):
    whole = {**explained, "selection": {}}
    old, older, oldest = (renamed(whole, torch=version) for version in ("2.12.0", "2.11.0", "2.10.0"))
    for report in (old, oldest):
        broken(report, "torch", "elu/near-zero/float32")
    found = spans_of("ELU-1", whole, old, older, oldest)
    assert found == [("2.13.0+cpu", "keeps"), ("2.12.0", "breaks"), ("2.11.0", "keeps"), ("2.10.0", "breaks")]
    assert spans_of("ELU-1", whole, older, renamed(whole, torch="2.9.0")) == [("2.9.0 to 2.13.0+cpu", "keeps")]


def test_a_selection_of_vectors_shows_of_a_clause_only_that_it_is_broken(explained):
    whole = {**explained, "selection": {}}
    part = renamed(explained, torch="2.12.0")
    part["results"] = [row for row in part["results"] if row["implementation"] != "torch.nn.BatchNorm2d"]
    assert spans_of("BN-TRAIN-5", whole, part) == [("2.13.0+cpu", "departs")]
    part["results"] = [row for row in part["results"] if row["framework"] != "torch" or row["operation"] == "elu"]
    assert spans_of("BN-TRAIN-5", whole, part) == [("2.13.0+cpu", "departs")]
    assert spans_of("BN-TRAIN-5", part) == [("2.12.0", "silent")]


def test_a_framework_that_ran_to_the_end_is_whole_even_if_another_failed(stopped):
    site = of(("old", {**stopped, "selection": {}}))
    whole = {name: releases[0].whole for name, releases in site.releases.items()}
    assert whole == {"jax": False, "tensorflow": True, "torch": True}
    fault = {"framework": "torch", "implementation": "torch.relu", "vector": "relu/core/float32", "message": "no"}
    faulty = releases_of(("old", {**stopped, "selection": {}, "faults": [fault]}))
    assert [faulty["torch"][0].whole, faulty["tensorflow"][0].whole] == [False, True]
    pages = dict(folder.pages(site))
    assert "Incomplete" not in Read(pages["frameworks/torch.html"]).text
    assert "incomplete" not in pages["badges/torch.json"]
    assert "incomplete" in pages["badges/jax.json"]


def test_releases_have_the_order_of_their_versions(explained):
    versions = ("2.9.1", "2.13.0", "2.10.0rc1", "2.10.0", "main")
    found = releases_of(*((version, renamed(explained, torch=version)) for version in versions))
    assert [r.versions["torch"] for r in found["torch"]] == ["main", "2.9.1", "2.10.0rc1", "2.10.0", "2.13.0"]
    assert len(found["jax"]) == 1


def test_a_later_selection_does_not_replace_a_whole_run(explained):
    whole = {**explained, "selection": {}, "created": "2026-01-01T00:00:00+00:00"}
    part = {**explained, "created": "2026-02-01T00:00:00+00:00"}
    for reports in ([whole, part], [part, whole]):
        found = releases_of(*((str(n), report) for n, report in enumerate(reports)))
        assert found["torch"][0].source.report.created == whole["created"]
    again = {**whole, "created": "2026-03-01T00:00:00+00:00"}
    found = releases_of(("1", again), ("2", whole))
    assert found["torch"][0].source.report.created == again["created"]


def test_own_vectors_or_missing_files_make_no_whole_release(explained):
    for part in ({"selection": {"folder": ["mine"]}}, {"selection": {}, "problems": ["relu/one.yaml: no vectors"]}):
        found = releases_of(("1", {**explained, **part}))
        assert not any(release.whole for (release,) in found.values())


def test_releases_of_one_version_are_distinguished_by_their_other_packages(explained):
    new = {**explained, "selection": {}}
    old = renamed(new, flax="0.1.0")
    broken(old, "jax", "elu/near-zero/float32")
    found = releases_of(("new", new), ("old", old))["jax"]
    states = [(span.versions, span.state.word) for span in compatibility.spans("ELU-1", found)]
    assert states == [(found[1].title, "keeps"), (found[0].title, "breaks")]
    assert "flax 0.1.0" in states[1][0]
