"""A site's catalogue of dialects: who has which, counted again from the reports."""

from __future__ import annotations

import re

from support.site_reports import of, renamed, said_of

from nnconform.conformance.vectors.dialects import dialects
from nnconform.conformance.web.site import dialect_pages


def article(text, name):
    return re.search(rf'<article class="dialect" aria-labelledby="{re.escape(name)}">.*?</article>', text, re.DOTALL)[0]


def test_every_dialect_is_counted_as_often_as_the_reports_have_it(files, explained, older):
    seen = 0
    for name in dialects():
        text = article(files["dialects.html"], name)
        for where, report in (("new", explained), ("old", older)):
            for framework in ("jax", "tensorflow", "torch"):
                wanted = {r["vector"] for r in report["results"] if r["framework"] == framework and name in said_of(r)}
                # What both reports have of the same versions is the newer report's.
                if where == "old" and framework != "torch":
                    wanted = set()
                links = re.findall(
                    rf'href="reports/{where}\.html#view=results&amp;framework={framework}&amp;dialect={name}">'
                    r"<svg.*?</svg>([\d,]+) vectors?<",
                    text,
                )
                assert links == [str(len(wanted))] * bool(wanted), (name, where, framework)
                seen += bool(wanted)
        assert ("Found in no release on this site." in text) == ("reports/" not in text)
    assert seen > 10


def test_a_dialect_names_who_has_it_in_which_mode(files):
    text = article(files["dialects.html"], "unbiased-running-variance")
    assert "torch.nn.BatchNorm2d" in text
    assert re.search(r"tf\.compat\.v1\.nn\.fused_batch_norm[^<]*\([a-z/]*eager", text)


def test_a_dialect_that_an_older_release_is_shown_not_to_have_says_since_when(files):
    text = article(files["dialects.html"], "unbiased-running-variance")
    assert "<b>since torch 2.13.0+cpu</b>" in text
    assert re.search(r'v-conforms"><svg.*?</svg>not found</span> <span class="quiet">torch 2\.12\.0<', text)
    assert "since tensorflow" not in text


def test_a_dialect_that_a_newer_release_lost_says_until_when(explained, older):
    newest = renamed({**older, "created": "2026-12-01T00:00:00+00:00"}, torch="2.14.0")
    text = article(
        dict(dialect_pages.pages(of(("a", explained), ("b", newest))))["dialects.html"], "unbiased-running-variance"
    )
    assert "<b>until before torch 2.14.0</b>" in text


def test_a_release_that_was_not_asked_says_nothing_of_a_dialect(explained, older):
    silent = renamed({**older, "created": "2025-01-01T00:00:00+00:00"}, torch="2.11.0")
    silent["results"] = [row for row in silent["results"] if row["operation"] != "batch_norm_train"]
    text = article(
        dict(dialect_pages.pages(of(("a", explained), ("b", silent))))["dialects.html"], "unbiased-running-variance"
    )
    assert "since torch" not in text
    assert re.search(r"not shown: torch 2\.11\.0", text)


def test_sources_of_dialects_are_links_that_do_not_tell_where_from(files):
    for link, rest in re.findall(r'<a href="(https://[^"]+)"([^>]*)>', files["dialects.html"]):
        assert rest == ' rel="noreferrer"', link
