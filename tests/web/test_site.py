"""A site of several reports: links lead somewhere, counts are the reports', each release says what it changed."""

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

from nnconform.conformance.web.site import site

WIDTHS = (1280, 390)
EVIL = "<script>window.harmed=1</script><img src=x onerror=window.harmed=2>\"'&\x1b[2J\x00"


@pytest.fixture(scope="session")
def drawn(tmp_path_factory, cli, explained, stopped):
    """The folder of a site of two reports, and the reports' files."""
    folder = tmp_path_factory.mktemp("site")
    files = [folder / "new report.json", folder / "old.json"]
    for path, report in zip(files, (explained, stopped), strict=True):
        save(report, path)
    result = cli("site", folder / "site", *files)
    assert result.exit_code == 0, result.output
    return folder / "site", files


@pytest.fixture(scope="session")
def site_pages(drawn):
    folder, _ = drawn
    # The pages of reports are looked into elsewhere.
    return {
        str(path.relative_to(folder)): Read(path.read_text())
        for path in folder.rglob("*.html")
        if path.parent != folder / "reports"
    }


def test_every_link_leads_to_a_file_and_to_an_anchor_in_it(drawn, site_pages):
    folder, _ = drawn
    seen = 0
    for address, page in site_pages.items():
        for link in page.links:
            if link.startswith(("https:", "data:")):
                continue
            parts = urlsplit(link)
            assert (parts.scheme, parts.netloc) == ("", ""), link
            target = (folder / address).parent / unquote(parts.path) if parts.path else folder / address
            assert target.resolve().is_file(), f"{address}: {link}"
            name = str(target.resolve().relative_to(folder.resolve()))
            if parts.fragment and name in site_pages:
                assert unquote(parts.fragment) in site_pages[name].ids, f"{address}: {link}"
                seen += 1
    assert seen > 300


def test_no_page_has_a_script_or_asks_a_network(drawn, site_pages):
    folder, _ = drawn
    assert len(site_pages) >= 8
    for address, page in site_pages.items():
        assert page.tags["script"] == 0, address
        text = (folder / address).read_text()
        assert "default-src 'none'" in text
        assert not re.search(r"""<(?:img|link|iframe|object)[^>]+(?:src|href)=["']?https?:""", text)


def test_every_count_of_a_cell_is_how_many_results_its_link_selects(site_pages, explained, stopped):
    reports = {"new-report": explained["results"], "old": stopped["results"]}
    seen = 0
    for name in ("index.html", "frameworks/torch.html", "frameworks/tensorflow.html", "frameworks/jax.html"):
        for links, words in site_pages[name].cells:
            if not links:
                continue
            where = urlsplit(links[0])
            wanted = {key: value for key, (value,) in parse_qs(where.fragment).items() if key != "view"}
            profile = wanted.pop("profile")
            rows = [r for r in reports[Path(where.path).stem] if all(r[key] == v for key, v in wanted.items())]
            rows = [r for r in rows if (r["profile"] == "defaults") == (profile == "defaults")]
            said = [int(word.replace(",", "")) for word in words if word.strip().replace(",", "").isdigit()]
            order = ("conforms", "dialect", "diverges", "error", "crash", "timeout", "unsupported")
            counted = Counter(row["verdict"] for row in rows)
            assert said == [counted[verdict] for verdict in order if counted[verdict]]
            seen += 1
    assert seen > 60


def test_a_release_says_what_it_changed(site_pages):
    text = site_pages["frameworks/torch.html"].text
    assert text.index("torch 2.13.0+cpu") < text.index("torch 2.12.0")
    assert "torch 2.12.0 → 2.13.0+cpu" in text
    assert "Improved or new: 2" in text
    assert "elu: y diverged and now" in text
    assert "e.g. elu/near-zero/float32" in text


def test_a_clause_that_an_older_release_broke_shows_it_below_the_newer(site_pages):
    text = site_pages["compatibility.html"].text
    row = text[text.index("ELU-1 value") : text.index("ELU-2 gradient")]
    assert re.search(r"keeps .* 2\.12\.0 breaks", row)


def test_columns_tell_of_other_packages_whose_versions_differ(explained):
    reports = [explained, renamed(explained, tensorflow="2.20.0", keras="3.12.0")]
    found = of(*((str(n), report) for n, report in enumerate(reports)))
    text = Read(dict(site.pages(found))["frameworks/tensorflow.html"]).text
    assert re.search(r"operation 2\.21\.0 keras 3\.15\.1 .*2\.20\.0 keras 3\.12\.0", text)


def test_an_adapter_without_versions_is_shown_by_its_name(explained):
    report = copy.deepcopy(explained)
    for entry in report["frameworks"]:
        entry["versions"] = {}
    found = dict(site.pages(of(("one", report))))
    assert "torch" in Read(found["frameworks/torch.html"]).text
    assert "nnconform torch" in found["badges/torch.json"]


def test_a_release_that_was_not_run_to_its_end_says_so_wherever_its_counts_stand(
    site_pages, cli, tmp_path, stopped, bare
):
    assert "Incomplete: interrupted by the <user>" in site_pages["frameworks/jax.html"].text
    save(stopped, tmp_path / "old.json")
    assert cli("site", tmp_path / "site", tmp_path / "old.json").exit_code == 0
    assert "Incomplete: interrupted by the <user>" in Read((tmp_path / "site/index.html").read_text()).text
    assert "incomplete" in Read((tmp_path / "site/reports.html").read_text()).text


def test_the_reports_can_be_downloaded_as_they_are(drawn):
    folder, files = drawn
    assert (folder / "reports/new-report.json").read_bytes() == files[0].read_bytes()
    assert (folder / "reports/old.json").read_bytes() == files[1].read_bytes()


def test_markup_in_what_adapters_say_is_text(explained):
    found = dict(site.pages(of(("evil", marked_up(explained, EVIL)))))
    for address in ("dialects.html", "spec/batch-normalization.html"):
        assert "eager&lt;script&gt;" in found[address]
    for address, text in found.items():
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
    """Open a page of the site, and see that it complains of nothing and asks for files of the site alone."""
    folder, _ = drawn
    contexts, complaints = [], []

    def run(address, width=1280, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: complaints.extend(
                [] if request.url.startswith(folder.as_uri()) or request.url == "data:," else [request.url]
            ),
        )
        page.goto(f"{folder.as_uri()}/{address}")
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
def test_axe_finds_no_serious_fault_of_a_site_and_nothing_is_wider_than_the_screen(visit, width, scheme):
    for address in SHOWN:
        page = visit(address, width=width, color_scheme=scheme)
        page.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
        assert serious_faults(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_a_cell_leads_to_the_results_that_it_counts(visit):
    page = visit("frameworks/torch.html")
    cell = page.locator("td.v-diverges a").first
    numbers = [int(text.split()[0]) for text in cell.locator(".count").all_inner_texts()]
    cell.click()
    page.wait_for_selector("html[data-ready]")
    assert page.locator(".summary").inner_text().startswith(f"{sum(numbers)} results")
    assert page.locator("#filter-operation").input_value() == "elu"
    page.get_by_role("link", name="All reports").click()
    page.wait_for_url("**/index.html")


def test_the_menu_can_be_walked_by_keyboard(visit):
    page = visit("index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/compatibility.html")
    assert page.locator("nav [aria-current]").inner_text() == "Compatibility"
