"""The spec of a site: anchors, links, the state of each clause, and the vectors that test it."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from browser import serious_faults
from support.markup import Read
from support.site_reports import broken, dialects_of, of, whole

from nnconform.conformance.vectors import spec_markdown
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.dialects import of_the_suite
from nnconform.conformance.web.site import frame, spec_html, spec_pages

# Pages that are made and looked into elsewhere.
ELSEWHERE = re.compile(r"(index|compatibility|reports)\.html|reports/.+|frameworks/.+")
EVIL = "<script>window.harmed=1</script><img src=x onerror=window.harmed=2>\"'&"


@pytest.fixture(scope="module")
def testing():
    """The clauses of each vector in its file."""
    files = [path.read_text() for path in (spec_markdown.SPEC / "vectors").glob("*/*.yaml")]
    return {
        name: set(json.loads(names))
        for text in files
        for name, names in re.findall(r"^- id: (.+)\n  clauses: (.+)$", text, re.MULTILINE)
    }


def test_every_clause_has_an_anchor_and_a_box_with_its_state(pages):
    assert len(clauses()) > 150
    for name, clause in clauses().items():
        page = pages[f"spec/{clause.page.replace('.md', '.html')}"]
        assert page.ids.count(name) == 1
        text = page.words(f"kept-{name}")
        if of_the_suite(name):
            assert "A rule of the suite itself" in text
            continue
        assert re.search(r"[\d,]+ vectors? tests? this clause", text)
        for framework in ("jax", "tensorflow", "torch"):
            assert re.search(rf"\b{framework} (keeps|partly|departs|breaks|unknown)\b", text), name


def test_a_box_has_the_state_in_an_older_release(pages):
    text = pages["spec/activations.html"].words("kept-ELU-1")
    assert re.search(r"torch keeps 2\.12\.0: breaks", text)
    text = pages["spec/batch-normalization.html"].words("kept-BN-TRAIN-5")
    assert re.search(r"torch departs unbiased-running-variance 2\.12\.0: keeps", text)


def test_a_box_names_a_dialect_once_and_of_a_combination_the_parts_that_depart(explained):
    report = whole(explained)
    rows = [
        r for r in report["results"] if r["vector"] == "elu/near-zero/float32" and "exp-minus-one" in dialects_of(r)
    ]
    assert len(rows) > 1
    rows[0]["outputs"]["y"]["dialect"] = "half-precision-arithmetic+exp-minus-one"
    text = dict(spec_pages.pages(of(("new", report))))["spec/activations.html"]
    assert re.search(r"tensorflow (partly|departs) exp-minus-one tensorflow 2", Read(text).words("kept-ELU-7"))


def test_a_box_of_a_selection_says_so(pages, explained):
    assert "partial run" not in pages["spec/activations.html"].words("kept-ELU-1")
    text = dict(spec_pages.pages(of(("part", explained))))["spec/activations.html"]
    assert "torch keeps partial run" in Read(text).words("kept-ELU-1")


def test_every_link_has_an_anchor_as_target(pages, files):
    seen = Counter()
    for address, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), address
        for link in page.links:
            where = urlsplit(link)
            if where.scheme:
                assert where.scheme == "https" or link == "data:,"
                continue
            folder = address.rpartition("/")[0]
            target = str(Path("/", folder, unquote(where.path)).resolve())[1:] if where.path else address
            if ELSEWHERE.fullmatch(target) or target == "site.css":
                continue
            assert target in files, f"{address}: {link}"
            if where.fragment:
                assert unquote(where.fragment) in pages[target].ids, f"{address}: {link}"
            seen[target] += 1
    assert seen["dialects.html"] > 100
    assert seen["spec/numerics.html"] > 100


def test_the_vectors_of_a_box_are_those_that_test_its_clause_and_lead_to_the_newest_report(pages, testing, explained):
    vectors = {name for name, ids in testing.items() if "BN-TRAIN-9" in ids}
    page = pages["spec/batch-normalization.html"]
    assert f"{len(vectors)} vectors test this clause" in page.words("kept-BN-TRAIN-9")
    asked = vectors & {row["vector"] for row in explained["results"]}
    links = [urlsplit(link) for link in page.links if "view=vector" in link]
    assert {link.path for link in links} == {"../reports/new.html"}
    assert asked
    assert asked <= {parse_qs(link.fragment)["vector"][0] for link in links}


def test_a_vector_shows_the_worst_verdict_and_leads_to_a_report_that_has_it(explained):
    # Each framework has its own report; the link leads to the one with an unexplained result.
    alone = {}
    for number, entry in enumerate(explained["frameworks"]):
        rows = [row for row in explained["results"] if row["framework"] == entry["name"]]
        alone[entry["name"]] = {**copy.deepcopy(explained), "frameworks": [entry], "results": copy.deepcopy(rows)}
        alone[entry["name"]]["created"] = f"2026-01-0{number + 1}T00:00:00+00:00"
    assert broken(alone["torch"], "torch", "elu/near-zero/float32")
    text = dict(spec_pages.pages(of(*alone.items())))["spec/activations.html"]
    links = re.findall(r'<a class="v-(\w+)" href="\.\./reports/(\w+)\.html#view=vector&amp;vector=([^"]+)"', text)
    assert {(verdict, name) for verdict, name, vector in links if unquote(vector) == "elu/near-zero/float32"} == {
        ("diverges", "torch")
    }


def test_tables_formulas_and_special_characters_of_the_pages_survive(pages, files):
    for name in spec_markdown.page_names():
        source = (spec_markdown.SPEC / f"{name}.md").read_text()
        tables = len(re.findall(r"^ *\|[-|]+\|$", source, re.MULTILINE))
        assert pages[f"spec/{name}.html"].tags["table"] == tables
        assert pages[f"spec/{name}.html"].tags["pre"] == len(re.findall("^```", source, re.MULTILINE)) // 2
    assert "v = (1/m) sum((x - mu)^2)" in files["spec/batch-normalization.html"]
    assert "&lt;" in files["spec/numerics.html"]


def test_markup_in_a_page_of_the_spec_is_text(tmp_path, monkeypatch):
    (tmp_path / "evil.md").write_text(
        f"# A {EVIL}\n\n{EVIL}\n\n```\n{EVIL}\n```\n\n[x](javascript:alert(1)) [y](../README.md) [z](evil.md#a)\n"
    )
    evil = spec_markdown.sections.__wrapped__
    monkeypatch.setattr(spec_markdown, "SPEC", tmp_path)
    monkeypatch.setattr(spec_html, "sections", evil)
    monkeypatch.setattr(spec_html, "page_names", lambda: ["evil"])
    [section] = spec_html.html_sections.__wrapped__("evil")
    for text in (section.title, section.body):
        assert "<script" not in text
        assert "<img" not in text
    assert re.findall(r"<a [^>]+>", section.body) == ['<a href="evil.html">']
    assert " y " in section.body


def test_clauses_and_dialects_in_prose_are_links(files):
    text = files["spec/batch-normalization.html"]
    assert '<a href="#BN-TRAIN-2">BN-TRAIN-2</a>' in text
    assert '<a href="numerics.html#BOUND-BN-TRAIN">BOUND-BN-TRAIN</a>' in text
    assert '<a href="../dialects.html#unbiased-running-variance"><code>unbiased-running-variance</code></a>' in text
    assert '<a href="numerics.html">numerics</a>' in text
    # A part of a longer name is no link.
    assert not re.search(r'<a href="#BN-TRAIN-1">BN-TRAIN-1</a>\d', text)


def test_a_file_that_the_site_does_not_have_is_no_link(files):
    text = files["spec/findings.html"]
    assert "<code>examples/known.yaml</code>" in text
    assert "examples/known.yaml" not in " ".join(Read(text).links)


def test_the_list_of_pages_counts_clauses_and_vectors(files, testing):
    text = " ".join(re.sub("<[^>]+>", " ", files["spec/index.html"]).split())
    ours = {name for name, clause in clauses().items() if clause.page == "initialization.md"}
    vectors = sum(bool(ours & ids) for ids in testing.values())
    assert f"He initialization {len(ours)} {vectors:,} " in text


@pytest.fixture
def visit(browser, files, tmp_path_factory):
    """Open a page; fail at the end if it had a complaint or a request to another site."""
    folder = tmp_path_factory.mktemp("site")
    for address, text in {**files, "site.css": frame.style()}.items():
        (folder / address).parent.mkdir(exist_ok=True)
        (folder / address).write_text(text)
    context, complaints = browser.new_context(viewport={"width": 1280, "height": 900}), []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: complaints.extend([] if request.url.startswith("file:") else [request.url]))

    def run(address):
        page.goto(f"{folder.as_uri()}/{address}")
        return page

    yield run
    context.close()
    assert [text for text in complaints if text != "data:,"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(visit, scheme):
    # test_site.py has dialects and batch normalization; these pages have other elements.
    for address in ("spec/index.html", "spec/findings.html", "spec/known.html"):
        page = visit(address)
        page.emulate_media(color_scheme=scheme)
        assert serious_faults(page) == [], address


def test_no_page_is_wider_than_a_phone_with_everything_unfolded(visit, pages):
    for address in pages:
        page = visit(address)
        page.set_viewport_size({"width": 390, "height": 900})
        page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address


def test_an_address_with_a_clause_shows_it_and_its_vectors_unfold_by_keyboard(visit):
    page = visit("spec/batch-normalization.html#BN-TRAIN-9")
    assert 0 <= page.locator("#BN-TRAIN-9").bounding_box()["y"] < 200
    folded = page.locator("#kept-BN-TRAIN-9 .testing")
    assert not folded.locator("li").first.is_visible()
    folded.locator("summary").focus()
    page.keyboard.press("Enter")
    assert folded.locator("li").first.is_visible()
    assert folded.locator("a use").first.bounding_box()["width"] > 5
