"""A site of several reports: links lead somewhere, counts are the reports', each release says what it changed."""

from __future__ import annotations

import copy
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pytest
from browser import serious_faults

from nnconform.conformance.reports.report import write
from nnconform.conformance.reports.site import compatibility, releases, site

WIDTHS = (1280, 390)
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Read(HTMLParser):
    """The addresses, anchors, elements and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.tags, self.words, self.open = [], set(), Counter(), [], []
        self.cells = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.tags[tag] += 1
        self.links += [said[key] for key in ("href", "src") if said.get(key)]
        if said.get("id"):
            assert said["id"] not in self.ids, f"{said['id']} twice"
            self.ids.add(said["id"])
        if tag not in VOID:
            self.open.append(tag)
        if tag == "td":
            self.cells.append([[], []])
        if tag == "a" and self.cells and "td" in self.open:
            self.cells[-1][0].append(said["href"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if self.cells and "td" in self.open:
            self.cells[-1][1].append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def renamed(report, **versions):
    """The same report, of other versions."""
    result = copy.deepcopy(report)
    for entry in result["frameworks"]:
        entry["versions"] |= {name: v for name, v in versions.items() if name in entry["versions"]}
    for row in result["results"]:
        row["version"] = versions.get(row["framework"], row["version"])
    return result


def broken(row):
    """Make a result of it that nothing explains."""
    row["verdict"] = "diverges"
    name, output = next(iter(row["outputs"].items()))
    worst = {"index": [0], "got": 1.5, "expected": 0.5, "bound": 0.1}
    row["outputs"][name] = {
        **output,
        "verdict": "diverges",
        "ratio": 12.0,
        "ulp": 34.0,
        "worst": worst,
        "digest": "0" * 16,
    }


@pytest.fixture(scope="session")
def older(explained):
    """A report of older versions, in which one implementation of torch broke RELU or ELU, and jax was interrupted."""
    report = renamed(explained, torch="2.12.0", tensorflow="2.20.0", jax="0.9.2")
    report["created"] = "2025-11-28T05:04:25+00:00"
    report["complete"] = False
    jax = next(entry for entry in report["frameworks"] if entry["name"] == "jax")
    jax |= {"status": "stopped", "reason": "interrupted by the <user>", "not_run": 7}
    for row in report["results"]:
        if row["vector"] == "elu/near-zero/float32" and row["framework"] == "torch":
            broken(row)
    return report


@pytest.fixture(scope="session")
def drawn(tmp_path_factory, cli, explained, older):
    """The folder of a site of two reports, and the reports' files."""
    folder = tmp_path_factory.mktemp("site")
    files = [folder / "new report.json", folder / "old.json"]
    for path, report in zip(files, (explained, older), strict=True):
        write(report, path)
    result = cli("site", folder / "site", *files)
    assert result.exit_code == 0, result.output
    return folder / "site", files


@pytest.fixture(scope="session")
def pages(drawn):
    folder, _ = drawn
    # The pages of reports are looked into elsewhere.
    return {
        str(path.relative_to(folder)): Read(path.read_text())
        for path in folder.rglob("*.html")
        if path.parent != folder / "reports"
    }


def test_every_link_leads_to_a_file_and_to_an_anchor_in_it(drawn, pages):
    folder, _ = drawn
    seen = 0
    for address, page in pages.items():
        for link in page.links:
            if link.startswith(("https:", "data:")):
                continue
            parts = urlsplit(link)
            assert (parts.scheme, parts.netloc) == ("", ""), link
            target = (folder / address).parent / unquote(parts.path) if parts.path else folder / address
            assert target.resolve().is_file(), f"{address}: {link}"
            name = str(target.resolve().relative_to(folder.resolve()))
            if parts.fragment and name in pages:
                assert unquote(parts.fragment) in pages[name].ids, f"{address}: {link}"
                seen += 1
    assert seen > 300


def test_no_page_has_a_script_or_asks_a_network(drawn, pages):
    folder, _ = drawn
    assert len(pages) >= 8
    for address, page in pages.items():
        assert page.tags["script"] == 0, address
        text = (folder / address).read_text()
        assert "default-src 'none'" in text
        assert not re.search(r"""<(?:img|link|iframe|object)[^>]+(?:src|href)=["']?https?:""", text)


def test_every_count_of_a_cell_is_how_many_results_its_link_selects(pages, explained, older):
    reports = {"new-report": explained["results"], "old": older["results"]}
    seen = 0
    for name in ("index.html", "frameworks/torch.html", "frameworks/tensorflow.html", "frameworks/jax.html"):
        for links, words in pages[name].cells:
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


def test_a_release_says_what_it_changed(pages):
    text = pages["frameworks/torch.html"].text
    assert text.index("torch 2.13.0+cpu") < text.index("torch 2.12.0")
    assert "torch 2.12.0 → 2.13.0+cpu" in text
    assert "Better, or new: 1" in text
    assert "elu: y diverged and now" in text
    assert "e.g. elu/near-zero/float32" in text


def test_a_clause_that_an_older_release_broke_shows_it_below_the_newer(pages):
    text = pages["compatibility.html"].text
    row = text[text.index("ELU-1 value") : text.index("ELU-2 gradient")]
    assert re.search(r"keeps .* 2\.12\.0 breaks", row)


def spans_of(name, *reports):
    found = releases.releases(releases.sources([(Path(f"{n}.json"), report) for n, report in enumerate(reports)]))
    return [(span.versions, span.state.word) for span in compatibility.spans(name, found["torch"])]


def test_releases_that_make_the_same_of_a_clause_stand_together(explained):
    whole = {**explained, "selection": {}}
    old, older, oldest = (renamed(whole, torch=version) for version in ("2.12.0", "2.11.0", "2.10.0"))
    for report in (old, oldest):
        for row in report["results"]:
            if row["vector"] == "elu/near-zero/float32":
                broken(row)
    found = spans_of("ELU-1", whole, old, older, oldest)
    assert found == [("2.13.0+cpu", "keeps"), ("2.12.0", "breaks"), ("2.11.0", "keeps"), ("2.10.0", "breaks")]
    assert spans_of("ELU-1", whole, older, renamed(whole, torch="2.9.0")) == [("2.9.0 to 2.13.0+cpu", "keeps")]


def test_a_part_of_a_release_says_of_a_clause_only_that_it_is_broken(explained):
    whole = {**explained, "selection": {}}
    part = renamed(explained, torch="2.12.0")
    part["results"] = [row for row in part["results"] if row["implementation"] != "torch.nn.BatchNorm2d"]
    assert spans_of("BN-TRAIN-5", whole, part) == [("2.13.0+cpu", "departs")]
    part["results"] = [row for row in part["results"] if row["framework"] != "torch" or row["operation"] == "elu"]
    assert spans_of("BN-TRAIN-5", whole, part) == [("2.13.0+cpu", "departs")]
    assert spans_of("BN-TRAIN-5", part) == [("2.12.0", "silent")]


def test_columns_tell_of_other_packages_whose_versions_differ(explained, tmp_path):
    reports = [explained, renamed(explained, tensorflow="2.20.0", keras="3.12.0")]
    found = site.of_reports([(tmp_path / f"{n}.json", report) for n, report in enumerate(reports)])
    text = Read(dict(site.pages(found))["frameworks/tensorflow.html"]).text
    assert re.search(r"operation 2\.21\.0 keras 3\.15\.1 .*2\.20\.0 keras 3\.12\.0", text)


def test_an_adapter_without_versions_is_shown_by_its_name(explained, tmp_path):
    report = copy.deepcopy(explained)
    for entry in report["frameworks"]:
        entry["versions"] = {}
    found = dict(site.pages(site.of_reports([(tmp_path / "one.json", report)])))
    assert "torch" in Read(found["frameworks/torch.html"]).text
    assert "nnconform torch" in found["badges/torch.json"]


@pytest.fixture
def bare(monkeypatch):
    """Reports' own pages are not drawn, which take longer than all others and are looked into elsewhere."""
    monkeypatch.setattr(site.page, "with_pictures", lambda report, home: "<!doctype html>")


def test_a_release_that_was_not_run_to_its_end_says_so_wherever_its_counts_stand(pages, cli, tmp_path, older, bare):
    assert "Incomplete: interrupted by the <user>" in pages["frameworks/jax.html"].text
    write(older, tmp_path / "old.json")
    assert cli("site", tmp_path / "site", tmp_path / "old.json").exit_code == 0
    assert "Incomplete: interrupted by the <user>" in Read((tmp_path / "site/index.html").read_text()).text
    assert "incomplete" in Read((tmp_path / "site/reports.html").read_text()).text


def test_a_framework_that_ran_to_its_end_is_whole_whatever_became_of_another(older, tmp_path):
    found = site.of_reports([(tmp_path / "old.json", {**older, "selection": {}})])
    whole = {name: shown[0].whole for name, shown in found.releases.items()}
    assert whole == {"jax": False, "tensorflow": True, "torch": True}
    fault = {"framework": "torch", "implementation": "torch.relu", "vector": "relu/core/float32", "message": "no"}
    faulty = releases.releases(releases.sources([(Path("old.json"), {**older, "selection": {}, "faults": [fault]})]))
    assert [faulty["torch"][0].whole, faulty["tensorflow"][0].whole] == [False, True]
    pages = dict(site.pages(found))
    assert "Incomplete" not in Read(pages["frameworks/torch.html"]).text
    assert "incomplete" not in pages["badges/torch.json"]
    assert "incomplete" in pages["badges/jax.json"]


def test_the_reports_can_be_downloaded_as_they_are(drawn):
    folder, files = drawn
    assert (folder / "reports/new-report.json").read_bytes() == files[0].read_bytes()
    assert (folder / "reports/old.json").read_bytes() == files[1].read_bytes()


def test_releases_are_in_the_order_of_their_versions_not_of_their_reports(explained):
    reports = [
        (Path(f"{v}.json"), renamed(explained, torch=v)) for v in ("2.9.1", "2.13.0", "2.10.0rc1", "2.10.0", "main")
    ]
    found = releases.releases(releases.sources(reports))
    assert [r.versions["torch"] for r in found["torch"]] == ["main", "2.9.1", "2.10.0rc1", "2.10.0", "2.13.0"]
    assert len(found["jax"]) == 1


def test_a_whole_run_is_not_replaced_by_a_later_part(explained):
    whole = {**explained, "selection": {}, "created": "2026-01-01T00:00:00+00:00"}
    part = {**explained, "created": "2026-02-01T00:00:00+00:00"}
    for reports in ([whole, part], [part, whole]):
        found = releases.releases(releases.sources([(Path(f"{n}.json"), r) for n, r in enumerate(reports)]))
        assert found["torch"][0].source.report is whole
    again = {**whole, "created": "2026-03-01T00:00:00+00:00"}
    found = releases.releases(releases.sources([(Path("1.json"), again), (Path("2.json"), whole)]))
    assert found["torch"][0].source.report is again


def test_vectors_of_ones_own_or_files_left_out_make_no_whole_release(explained):
    for part in ({"selection": {"folder": ["mine"]}}, {"selection": {}, "problems": ["relu/one.yaml: no vectors"]}):
        found = releases.releases(releases.sources([(Path("1.json"), {**explained, **part})]))
        assert not any(release.whole for (release,) in found.values())


def test_reports_of_one_name_all_have_their_files(explained):
    paths = [Path("a/last run.json"), Path("b/last run.json"), Path("c/LAST-run.json"), Path("d/last-run-2.json")]
    reports = [(path, {**explained, "seconds": number}) for number, path in enumerate(paths)]
    names = [source.name for source in releases.sources(reports)]
    assert len({name.lower() for name in names}) == 4
    assert all(re.fullmatch(r"[A-Za-z0-9._+-]+", name) for name in names)


def test_a_report_that_is_there_twice_is_one(tmp_path, cli, explained, bare):
    write(explained, tmp_path / "one.json")
    assert cli("site", tmp_path / "site", tmp_path / "one.json").exit_code == 0
    again = cli("site", tmp_path / "site", tmp_path / "site/reports/one.json", tmp_path / "one.json")
    assert again.exit_code == 0
    assert [path.name for path in (tmp_path / "site/reports").glob("*.json")] == ["one.json"]
    assert again.stdout.endswith(" of 1 report\n")


def test_frameworks_of_like_names_or_the_same_packages_have_pages_and_badges_of_their_own(tmp_path, explained):
    report = copy.deepcopy(explained)
    names = {"torch": "my fw", "tensorflow": "my?fw", "jax": "numpy"}
    for entry in report["frameworks"]:
        entry |= {"name": names[entry["name"]], "versions": {"numpy": "2.4.6"}}
    for row in report["results"]:
        row["framework"] = names[row["framework"]]
    found = site.of_reports([(tmp_path / "one.json", report)])
    addresses = Counter(address for address, _ in site.pages(found))
    assert max(addresses.values()) == 1
    assert sum(address.startswith("frameworks/") for address in addresses) == 3


def test_releases_of_one_version_are_told_apart_by_their_other_packages(explained):
    new = {**explained, "selection": {}}
    old = renamed(new, flax="0.1.0")
    for row in old["results"]:
        if row["vector"] == "elu/near-zero/float32" and row["framework"] == "jax":
            broken(row)
    found = releases.releases(releases.sources([(Path("new.json"), new), (Path("old.json"), old)]))["jax"]
    told = [(span.versions, span.state.word) for span in compatibility.spans("ELU-1", found)]
    assert told == [(found[1].title, "keeps"), (found[0].title, "breaks")]
    assert "flax 0.1.0" in told[1][0]


def test_a_report_without_results_is_not_said_to_be_in_another(tmp_path, explained):
    reports = [explained, {**explained, "results": []}, {**explained, "seconds": 1.0}]
    found = site.of_reports([(tmp_path / f"{number}.json", report) for number, report in enumerate(reports)])
    text = Read(dict(site.pages(found))["reports.html"]).text
    assert text.count("It has no results.") == 1
    assert text.count("Another report tells as much or more of the same releases.") == 1


def test_markup_in_what_adapters_say_is_text(tmp_path, explained):
    report = copy.deepcopy(explained)
    evil = "<script>window.harmed=1</script><img src=x onerror=window.harmed=2>\"'&\x1b[2J\x00"
    for entry in report["frameworks"]:
        entry["name"] += evil
        entry["versions"] = {name + evil: version + evil for name, version in entry["versions"].items()}
    for row in report["results"]:
        row["framework"] += evil
        row["implementation"] += evil
        row["reason"] = evil
    found = site.of_reports([(tmp_path / "evil.json", report)])
    for address, text in site.pages(found):
        assert re.fullmatch(r"[A-Za-z0-9._+/-]+", address)
        if address.endswith(".svg"):
            ElementTree.fromstring(text)
        # JSON is text to whoever reads it.
        page = Read("" if address.endswith(".json") else text)
        assert page.tags["script"] == 0, address
        assert not any(link.startswith(("x", "javascript:")) for link in page.links)


def test_a_new_site_replaces_the_old_one_and_touches_nothing_else(tmp_path, cli, explained, older, bare):
    write(explained, tmp_path / "one.json")
    write(older, tmp_path / "two.json")
    folder = tmp_path / "site"
    assert cli("site", folder, tmp_path / "one.json", tmp_path / "two.json").exit_code == 0
    (folder / "CNAME").write_text("example.org")
    assert cli("site", folder, folder / "reports/one.json").exit_code == 0
    assert (folder / "CNAME").read_text() == "example.org"
    assert (folder / "reports/one.json").exists()
    assert not list(folder.rglob("two.*"))


def test_a_folder_of_other_things_is_left_alone(tmp_path, cli, explained, bare):
    write(explained, tmp_path / "one.json")
    result = cli("site", tmp_path, tmp_path / "one.json")
    assert result.exit_code == 2
    assert "has files that are of no site; name a folder that is empty or new" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["one.json"]


@pytest.mark.parametrize("listed", ['{"files": ["../kept.txt"]}', '{"files": ["/kept.txt", 3]}'])
def test_what_a_damaged_list_of_files_names_outside_the_folder_is_not_removed(tmp_path, cli, explained, listed, bare):
    write(explained, tmp_path / "one.json")
    (tmp_path / "kept.txt").write_text("kept")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / site.MARK).write_text(listed)
    assert cli("site", tmp_path / "site", tmp_path / "one.json").exit_code == 0
    assert (tmp_path / "kept.txt").read_text() == "kept"


def test_what_is_no_report_is_named(tmp_path, cli, explained, bare):
    (tmp_path / "no.json").write_text("{}")
    result = cli("site", tmp_path / "site", tmp_path / "no.json")
    assert result.exit_code == 2
    assert "no.json" in result.stderr
    write({**explained, "results": []}, tmp_path / "empty.json")
    result = cli("site", tmp_path / "site", tmp_path / "empty.json")
    assert result.exit_code == 2
    assert "no report has a result to show" in result.stderr
    assert not (tmp_path / "site").exists()


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
