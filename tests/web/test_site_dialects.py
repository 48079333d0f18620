"""The page of dialects: their counts in each release, compared with the reports."""

from __future__ import annotations

import re

from support.site_reports import dialects_of, of, renamed

from nnconform.conformance.vectors.dialects import dialects
from nnconform.conformance.web.site import dialect_pages


def article(text, name):
    return re.search(rf'<article class="dialect" aria-labelledby="{re.escape(name)}">.*?</article>', text, re.DOTALL)[0]


def test_every_dialect_has_the_counts_of_the_reports(files, explained, older):
    seen = 0
    for name in dialects():
        text = article(files["dialects.html"], name)
        for where, report in (("new", explained), ("old", older)):
            for framework in ("jax", "tensorflow", "torch"):
                vectors = {
                    r["vector"] for r in report["results"] if r["framework"] == framework and name in dialects_of(r)
                }
                # If both reports have the same versions, the newer one counts.
                if where == "old" and framework != "torch":
                    vectors = set()
                links = re.findall(
                    rf'href="reports/{where}\.html#view=results&amp;framework={framework}&amp;dialect={name}">'
                    r"<svg.*?</svg>([\d,]+) vectors?<",
                    text,
                )
                assert links == [str(len(vectors))] * bool(vectors), (name, where, framework)
                seen += bool(vectors)
        assert ("No release on this site has it." in text) == ("reports/" not in text)
    assert seen > 10


def test_a_dialect_has_its_implementations_and_modes(files):
    text = article(files["dialects.html"], "unbiased-running-variance")
    assert "torch.nn.BatchNorm2d" in text
    assert re.search(r"tf\.compat\.v1\.nn\.fused_batch_norm[^<]*\([a-z/]*eager", text)


def test_a_dialect_that_an_older_release_did_not_have_has_its_first_release(files):
    text = article(files["dialects.html"], "unbiased-running-variance")
    assert "<b>since torch 2.13.0+cpu</b>" in text
    assert re.search(r'v-conforms"><svg.*?</svg>not present</span> <span class="quiet">torch 2\.12\.0<', text)
    assert "since tensorflow" not in text


def test_a_dialect_that_a_newer_release_lost_has_that_release(explained, older):
    newest = renamed({**older, "created": "2026-12-01T00:00:00+00:00"}, torch="2.14.0")
    text = article(
        dict(dialect_pages.pages(of(("a", explained), ("b", newest))))["dialects.html"], "unbiased-running-variance"
    )
    assert "<b>gone since torch 2.14.0</b>" in text


def test_a_release_without_results_for_a_dialect_shows_nothing(explained, older):
    silent = renamed({**older, "created": "2025-01-01T00:00:00+00:00"}, torch="2.11.0")
    silent["results"] = [row for row in silent["results"] if row["operation"] != "batch_norm_train"]
    text = article(
        dict(dialect_pages.pages(of(("a", explained), ("b", silent))))["dialects.html"], "unbiased-running-variance"
    )
    assert "since torch" not in text
    assert re.search(r"unknown: torch 2\.11\.0", text)


def test_sources_of_dialects_are_links_without_a_referrer(files):
    for link, rest in re.findall(r'<a href="(https://[^"]+)"([^>]*)>', files["dialects.html"]):
        assert rest == ' rel="noreferrer"', link
