"""A site of several reports: links have targets, counts are those of the reports, releases have their changes."""

from __future__ import annotations

import copy
import re
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pytest
from browser import serious_faults
from support.markup import Read
from support.site_reports import marked_up, of, renamed, save

from nnconform.conformance.web.site import folder

WIDTHS = (1280, 390)
EVIL = "<script>window.harmed=1</script><img src=x onerror=window.harmed=2>\"'&\x1b[2J\x00"


@pytest.fixture(scope="session")
def drawn(tmp_path_factory, cli, explained, stopped):
    """The folder of a site of two reports, and the reports' files."""
    root = tmp_path_factory.mktemp("site")
    files = [root / "new report.json", root / "old.json"]
    for path, report in zip(files, (explained, stopped), strict=True):
        save(report, path)
    result = cli("site", root / "site", *files)
    assert result.exit_code == 0, result.output
    return root / "site", files


@pytest.fixture(scope="session")
def site_pages(drawn):
    root, _ = drawn
    # The pages of reports have their own tests.
    return {
        str(path.relative_to(root)): Read(path.read_text())
        for path in root.rglob("*.html")
        if path.parent != root / "reports"
    }


def test_every_link_has_a_file_and_an_anchor_as_target(drawn, site_pages):
    root, _ = drawn
    seen = 0
    for address, page in site_pages.items():
        for link in page.links:
            if link.startswith(("https:", "data:")):
                continue
            parts = urlsplit(link)
            assert (parts.scheme, parts.netloc) == ("", ""), link
            target = (root / address).parent / unquote(parts.path) if parts.path else root / address
            assert target.resolve().is_file(), f"{address}: {link}"
            name = str(target.resolve().relative_to(root.resolve()))
            if parts.fragment and name in site_pages:
                assert unquote(parts.fragment) in site_pages[name].ids, f"{address}: {link}"
                seen += 1
    assert seen > 300


def test_no_page_has_a_script_or_requests_another_site(drawn, site_pages):
    root, _ = drawn
    assert len(site_pages) >= 8
    for address, page in site_pages.items():
        assert page.tags["script"] == 0, address
        text = (root / address).read_text()
        assert "default-src 'none'" in text
        assert not re.search(r"""<(?:img|link|iframe|object)[^>]+(?:src|href)=["']?https?:""", text)


def test_the_counts_of_a_cell_are_those_of_the_results_that_its_link_selects(site_pages, explained, stopped):
    reports = {"new-report": explained["results"], "old": stopped["results"]}
    seen = 0
    for name in ("index.html", "frameworks/torch.html", "frameworks/tensorflow.html", "frameworks/jax.html"):
        for links, words in site_pages[name].cells:
            if not links:
                continue
            where = urlsplit(links[0])
            filters = {key: value for key, (value,) in parse_qs(where.fragment).items() if key != "view"}
            profile = filters.pop("profile")
            rows = [r for r in reports[Path(where.path).stem] if all(r[key] == v for key, v in filters.items())]
            rows = [r for r in rows if (r["profile"] == "defaults") == (profile == "defaults")]
            shown = [int(word.replace(",", "")) for word in words if word.strip().replace(",", "").isdigit()]
            order = ("conforms", "dialect", "diverges", "error", "crash", "timeout", "unsupported")
            counts = Counter(row["verdict"] for row in rows)
            assert shown == [counts[verdict] for verdict in order if counts[verdict]]
            seen += 1
    assert seen > 60


def test_a_release_has_its_changes(site_pages):
    text = site_pages["frameworks/torch.html"].text
    assert text.index("torch 2.13.0+cpu") < text.index("torch 2.12.0")
    assert "torch 2.12.0 → 2.13.0+cpu" in text
    assert "Improved or new: 2" in text
    assert "elu: y diverged and now" in text
    assert "e.g. elu/near-zero/float32" in text


def test_a_clause_that_an_older_release_broke_shows_it_below_the_newer_release(site_pages):
    text = site_pages["compatibility.html"].text
    row = text[text.index("ELU-1 value") : text.index("ELU-2 gradient")]
    assert re.search(r"keeps .* 2\.12\.0 breaks", row)


def test_heads_of_columns_have_the_packages_whose_versions_differ(explained):
    reports = [explained, renamed(explained, tensorflow="2.20.0", keras="3.12.0")]
    site = of(*((str(n), report) for n, report in enumerate(reports)))
    text = Read(dict(folder.pages(site))["frameworks/tensorflow.html"]).text
    assert re.search(r"operation 2\.21\.0 keras 3\.15\.1 .*2\.20\.0 keras 3\.12\.0", text)


def test_an_adapter_without_versions_is_shown_by_its_name(explained):
    report = copy.deepcopy(explained)
    for entry in report["frameworks"]:
        entry["versions"] = {}
    pages = dict(folder.pages(of(("one", report))))
    assert "torch" in Read(pages["frameworks/torch.html"]).text
    assert "nnconform torch" in pages["badges/torch.json"]


def test_an_incomplete_release_says_so_next_to_its_counts(site_pages, cli, tmp_path, stopped, bare):
    assert "Incomplete: interrupted by the <user>" in site_pages["frameworks/jax.html"].text
    save(stopped, tmp_path / "old.json")
    assert cli("site", tmp_path / "site", tmp_path / "old.json").exit_code == 0
    assert "Incomplete: interrupted by the <user>" in Read((tmp_path / "site/index.html").read_text()).text
    assert "incomplete" in Read((tmp_path / "site/reports.html").read_text()).text


def test_the_reports_can_be_downloaded_unchanged(drawn):
    root, files = drawn
    assert (root / "reports/new-report.json").read_bytes() == files[0].read_bytes()
    assert (root / "reports/old.json").read_bytes() == files[1].read_bytes()


def test_markup_in_the_texts_of_adapters_is_text(explained):
    pages = dict(folder.pages(of(("evil", marked_up(explained, EVIL)))))
    for address in ("dialects.html", "spec/batch-normalization.html"):
        assert "eager&lt;script&gt;" in pages[address]
    for address, text in pages.items():
        assert re.fullmatch(r"[A-Za-z0-9._+/-]+", address)
        if address.endswith(".svg"):
            elements = {element.tag.partition("}")[2] for element in ElementTree.fromstring(text).iter()}
            assert elements == {"svg", "title", "clipPath", "rect", "g", "text"}
        elif address.endswith(".html"):
            page = Read(text)
            assert page.tags["script"] == 0, address
            assert page.tags["img"] == (len(explained["frameworks"]) if address == "reports.html" else 0)
            assert not any(link.startswith(("x", "javascript:")) for link in page.links)


@pytest.fixture
def visit(browser, drawn):
    """Open a page of the site; fail at the end if it had a complaint or a request to another site."""
    root, _ = drawn
    contexts, complaints = [], []

    def run(address, width=1280, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: complaints.extend(
                [] if request.url.startswith(root.as_uri()) or request.url == "data:," else [request.url]
            ),
        )
        page.goto(f"{root.as_uri()}/{address}")
        return page

    yield run
    for context in contexts:
        context.close()
    assert complaints == []


SHOWN = (
    "index.html",
    "compatibility.html",
    "frameworks/torch.html",
    "frameworks/jax.html",
    "reports.html",
    "dialects.html",
    "spec/batch-normalization.html",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_serious_fault_and_no_page_is_wider_than_the_screen(visit, width, scheme):
    for address in SHOWN:
        page = visit(address, width=width, color_scheme=scheme)
        page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
        assert serious_faults(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_a_cell_leads_to_its_results(visit):
    page = visit("frameworks/torch.html")
    cell = page.locator("td.v-diverges a").first
    numbers = [int(text.split()[0]) for text in cell.locator(".count").all_inner_texts()]
    cell.click()
    page.wait_for_selector("html[data-ready]")
    assert page.locator(".summary").inner_text().startswith(f"{sum(numbers)} results")
    assert page.locator("#filter-operation").input_value() == "elu"
    page.get_by_role("link", name="All reports").click()
    page.wait_for_url("**/index.html")


def test_the_menu_works_by_keyboard(visit):
    page = visit("index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/compatibility.html")
    assert page.locator("nav [aria-current]").inner_text() == "Compatibility"
