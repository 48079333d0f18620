"""A site's spec, dialects and badges: anchors, links, who keeps what, counts made again from the reports, escapes."""

from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema
import pytest
from browser import serious_faults

from nnconform.conformance.reports.site import badges, dialect_pages, parts, prose, site, spec_pages
from nnconform.conformance.suite.catalogue import dialects, of_the_suite
from nnconform.conformance.suite.clauses import clauses

# Pages that are made and looked into elsewhere.
ELSEWHERE = re.compile(r"(index|compatibility|reports)\.html|reports/.+|frameworks/.+")
VOID = {"meta", "link", "img", "br", "hr", "input", "use", "path"}
EVIL = "<script>window.harmed=1</script><img src=x onerror=window.harmed=2>\"'&"


class Read(HTMLParser):
    """The links, anchors and tags of a page, and the text below each element that has an id."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.tags, self.open = [], [], Counter(), []
        self.below = {}
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.tags[tag] += 1
        self.links += [said[key] for key in ("href", "src") if said.get(key)]
        if said.get("id"):
            self.ids.append(said["id"])
            self.below[said["id"]] = ""
        if tag not in VOID:
            self.open.append((tag, said.get("id")))

    def handle_startendtag(self, tag, attributes):
        self.tags[tag] += 1
        self.links += [said for key, said in attributes if key in ("href", "src")]

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, name in self.open:
            if name:
                self.below[name] += data

    def words(self, name):
        return " ".join(self.below[name].split())


@pytest.fixture(scope="module")
def testing():
    """The clauses of each vector, as its file has them."""
    files = [path.read_text() for path in (prose.SPEC / "vectors").glob("*/*.yaml")]
    return {
        name: set(json.loads(listed))
        for text in files
        for name, listed in re.findall(r"^- id: (.+)\n  clauses: (.+)$", text, re.MULTILINE)
    }


def of(*reports):
    return site.of_reports([(Path(f"{name}.json"), report) for name, report in reports])


def drawn(found):
    made = [page for module in (spec_pages, dialect_pages, badges) for page in module.pages(found)]
    assert len(dict(made)) == len(made)
    return dict(made)


def other(report, created, **versions):
    """A copy of a report of other versions."""
    result = copy.deepcopy(report)
    result["created"] = created
    for entry in result["frameworks"]:
        entry["versions"] |= {name: v for name, v in versions.items() if name in entry["versions"]}
    return result


def whole(report):
    """A copy of a report that says that it is of all vectors."""
    return {**copy.deepcopy(report), "selection": {}}


def diverging(report, framework, vector):
    """Make what a framework gives on a vector unexplained, and return how many results that are."""
    rows = [row for row in report["results"] if (row["framework"], row["vector"]) == (framework, vector)]
    for row in rows:
        row["verdict"] = "diverges"
        for output in row["outputs"].values():
            output.pop("dialect", None)
            output["verdict"] = "diverges"
    return len(rows)


@pytest.fixture(scope="module")
def older(explained):
    """A report of older versions: torch has no `unbiased-running-variance` yet, and breaks a clause of ELU."""
    report = whole(other(explained, "2025-01-01T00:00:00+00:00", torch="2.12.0"))
    for row in report["results"]:
        if row["framework"] == "torch" and "unbiased-running-variance" in json.dumps(row):
            row["verdict"] = "conforms"
            for output in row["outputs"].values():
                output.pop("dialect", None)
                output["verdict"] = "conforms"
    assert diverging(report, "torch", "elu/near-zero/float32")
    return report


@pytest.fixture(scope="module")
def files(explained, older):
    return drawn(of(("new", whole(explained)), ("old", older)))


@pytest.fixture(scope="module")
def pages(files):
    return {address: Read(text) for address, text in files.items() if address.endswith(".html")}


def test_every_clause_has_an_anchor_and_a_box_that_says_who_keeps_it(pages):
    assert len(clauses()) > 150
    for name, clause in clauses().items():
        page = pages[f"spec/{clause.page.replace('.md', '.html')}"]
        assert page.ids.count(name) == 1
        text = page.words(f"kept-{name}")
        if of_the_suite(name):
            assert "A rule of the suite itself" in text
            continue
        assert re.search(r"[\d,]+ vectors? tests? it", text)
        for framework in ("jax", "tensorflow", "torch"):
            assert re.search(rf"\b{framework} (keeps|partly|departs|breaks|not shown)\b", text), name


def test_a_box_tells_what_an_older_release_made_of_its_clause(pages):
    text = pages["spec/activations.html"].words("kept-ELU-1")
    assert re.search(r"torch keeps 2\.12\.0: breaks", text)
    text = pages["spec/batch-normalization.html"].words("kept-BN-TRAIN-5")
    assert re.search(r"torch departs unbiased-running-variance 2\.12\.0: keeps", text)


def test_a_box_names_a_dialect_once_and_of_a_combination_what_departs_from_its_clause(explained):
    report = whole(explained)
    rows = [r for r in report["results"] if r["vector"] == "elu/near-zero/float32" and "exp-minus-one" in said_of(r)]
    assert len(rows) > 1
    rows[0]["outputs"]["y"]["dialect"] = "half-precision-arithmetic+exp-minus-one"
    text = dict(spec_pages.pages(of(("new", report))))["spec/activations.html"]
    assert re.search(r"tensorflow (partly|departs) exp-minus-one tensorflow 2", Read(text).words("kept-ELU-7"))


def test_a_box_says_that_only_a_part_was_run(pages, explained):
    assert "a part only" not in pages["spec/activations.html"].words("kept-ELU-1")
    text = dict(spec_pages.pages(of(("part", explained))))["spec/activations.html"]
    assert "torch keeps a part only was run" in Read(text).words("kept-ELU-1")


def test_every_link_leads_to_an_anchor_that_is_there(pages, files):
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
    wanted = {name for name, found in testing.items() if "BN-TRAIN-9" in found}
    page = pages["spec/batch-normalization.html"]
    assert f"{len(wanted)} vectors test it" in page.words("kept-BN-TRAIN-9")
    asked = wanted & {row["vector"] for row in explained["results"]}
    links = [urlsplit(link) for link in page.links if "view=vector" in link]
    assert {link.path for link in links} == {"../reports/new.html"}
    assert asked
    assert asked <= {parse_qs(link.fragment)["vector"][0] for link in links}


def test_a_vector_shows_the_worst_verdict_and_leads_to_a_report_that_has_it(explained):
    # Each framework has a report of its own; the vector's link leads to the one in which something is wrong.
    alone = {}
    for number, entry in enumerate(explained["frameworks"]):
        rows = [row for row in explained["results"] if row["framework"] == entry["name"]]
        alone[entry["name"]] = {**copy.deepcopy(explained), "frameworks": [entry], "results": copy.deepcopy(rows)}
        alone[entry["name"]]["created"] = f"2026-01-0{number + 1}T00:00:00+00:00"
    assert diverging(alone["torch"], "torch", "elu/near-zero/float32")
    text = dict(spec_pages.pages(of(*alone.items())))["spec/activations.html"]
    found = re.findall(r'<a class="v-(\w+)" href="\.\./reports/(\w+)\.html#view=vector&amp;vector=([^"]+)"', text)
    assert {(verdict, name) for verdict, name, vector in found if unquote(vector) == "elu/near-zero/float32"} == {
        ("diverges", "torch")
    }


def test_tables_formulas_and_special_characters_of_the_pages_survive(pages, files):
    for name in prose.names():
        source = (prose.SPEC / f"{name}.md").read_text()
        tables = len(re.findall(r"^ *\|[-|]+\|$", source, re.MULTILINE))
        assert pages[f"spec/{name}.html"].tags["table"] == tables
        assert pages[f"spec/{name}.html"].tags["pre"] == len(re.findall("^```", source, re.MULTILINE)) // 2
    assert "v = (1/m) sum((x - mu)^2)" in files["spec/batch-normalization.html"]
    assert "&lt;" in files["spec/numerics.html"]


def test_markup_in_a_page_of_the_spec_is_text(tmp_path, monkeypatch):
    (tmp_path / "evil.md").write_text(
        f"# A {EVIL}\n\n{EVIL}\n\n```\n{EVIL}\n```\n\n[x](javascript:alert(1)) [y](../README.md) [z](evil.md#a)\n"
    )
    monkeypatch.setattr(prose, "SPEC", tmp_path)
    found = prose.parts.__wrapped__("evil")
    for text in (found[0].title, found[0].body):
        assert "<script" not in text
        assert "<img" not in text
    assert re.findall(r"<a [^>]+>", found[0].body) == ['<a href="evil.html">']
    assert " y " in found[0].body


def test_clauses_and_dialects_in_prose_are_links(files):
    text = files["spec/batch-normalization.html"]
    assert '<a href="#BN-TRAIN-2">BN-TRAIN-2</a>' in text
    assert '<a href="numerics.html#BOUND-BN-TRAIN">BOUND-BN-TRAIN</a>' in text
    assert '<a href="../dialects.html#unbiased-running-variance"><code>unbiased-running-variance</code></a>' in text
    assert '<a href="numerics.html">numerics</a>' in text
    # Not a part of a longer name.
    assert not re.search(r'<a href="#BN-TRAIN-1">BN-TRAIN-1</a>\d', text)


def test_a_file_that_is_not_on_the_site_is_named_and_not_linked(files):
    text = files["spec/findings.html"]
    assert "<code>examples/known.yaml</code>" in text
    assert "examples/known.yaml" not in " ".join(Read(text).links)


def test_the_list_of_pages_counts_clauses_and_vectors(files, testing):
    text = " ".join(re.sub("<[^>]+>", " ", files["spec/index.html"]).split())
    ours = {name for name, clause in clauses().items() if clause.page == "initialization.md"}
    vectors = sum(bool(ours & found) for found in testing.values())
    assert f"He initialization {len(ours)} {vectors:,} " in text


def article(text, name):
    return re.search(rf'<article class="dialect" aria-labelledby="{re.escape(name)}">.*?</article>', text, re.DOTALL)[0]


def said_of(row):
    """All dialects that a result names, one by one; found without the code that draws."""
    return set(re.findall(r"[^+]+", "+".join(re.findall(r'"dialect": "([^"]+)"', json.dumps(row)))))


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
    newest = other(older, "2026-12-01T00:00:00+00:00", torch="2.14.0")
    text = article(
        dict(dialect_pages.pages(of(("a", explained), ("b", newest))))["dialects.html"], "unbiased-running-variance"
    )
    assert "<b>until before torch 2.14.0</b>" in text


def test_a_release_that_was_not_asked_says_nothing_of_a_dialect(explained, older):
    silent = other(older, "2025-01-01T00:00:00+00:00", torch="2.11.0")
    silent["results"] = [row for row in silent["results"] if row["operation"] != "batch_norm_train"]
    text = article(
        dict(dialect_pages.pages(of(("a", explained), ("b", silent))))["dialects.html"], "unbiased-running-variance"
    )
    assert "since torch" not in text
    assert re.search(r"not shown: torch 2\.11\.0", text)


def test_sources_of_dialects_are_links_that_do_not_tell_where_from(files):
    for link, rest in re.findall(r'<a href="(https://[^"]+)"([^>]*)>', files["dialects.html"]):
        assert rest == ' rel="noreferrer"', link


SCHEMA = {
    # https://shields.io/badges/endpoint-badge
    "type": "object",
    "additionalProperties": False,
    "required": ["schemaVersion", "label", "message", "color"],
    "properties": {
        "schemaVersion": {"const": 1},
        "label": {"type": "string"},
        "message": {"type": "string", "minLength": 1},
        "color": {"type": "string", "pattern": "^[0-9a-f]{6}$"},
    },
}


def badge(report, name="torch"):
    return json.loads(dict(badges.pages(of(("r", report))))[f"badges/{name}.json"])


def test_badges_are_what_shields_takes(files):
    found = [json.loads(text) for address, text in files.items() if address.endswith(".json")]
    assert len(found) == 3 + 4
    for said in found:
        jsonschema.validate(said, SCHEMA)


def test_a_badge_says_how_much_diverges_and_nothing_of_what_is_explained(explained):
    report = whole(explained)
    for row in report["results"]:
        if row["verdict"] in ("diverges", "error"):
            row["verdict"] = "dialect"
    assert badge(report) == {
        "schemaVersion": 1,
        "label": "nnconform torch 2.13.0+cpu",
        "message": "no divergence",
        "color": badges.GOOD,
    }
    count = diverging(report, "torch", "elu/near-zero/float32")
    assert badge(report)["message"] == f"{count} diverge"
    assert badge(report)["color"] == badges.BAD
    others = [row for row in report["results"] if row["framework"] == "torch" and row["verdict"] == "dialect"]
    next(row for row in others if row["profile"] == "defaults")["verdict"] = "diverges"
    assert badge(report)["message"] == f"{count} diverge"
    next(row for row in others if row["profile"] != "defaults")["verdict"] = "crash"
    assert badge(report)["message"] == f"{count} diverge, 1 failed"


@pytest.mark.parametrize(
    "change",
    [
        {"selection": {"vectors": ["relu/*"]}},
        {"status": "stopped"},
        {"not_run": 3},
        {"only": ["flax.*"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_badge_of_a_part_is_incomplete_and_never_green(explained, change):
    report = whole(explained)
    entry = next(entry for entry in report["frameworks"] if entry["name"] == "torch")
    (entry if change.keys() & {"status", "not_run", "only"} else report).update(change)
    said = badge(report)
    assert said["message"].startswith("incomplete")
    assert said["color"] != badges.GOOD


def test_a_badge_of_a_part_still_says_what_diverges(explained):
    report = copy.deepcopy(explained)
    count = diverging(report, "torch", "elu/near-zero/float32")
    assert badge(report)["message"] == f"incomplete, {count} diverge"


def luminance(color):
    channels = [int(color[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_text_of_a_badge_stands_out(files):
    grounds = set(re.findall(r'fill="#([0-9a-f]{6})"', files["badges/torch.svg"]))
    assert len(grounds) == 2
    for color in grounds | {badges.GOOD, badges.BAD, badges.UNKNOWN}:
        assert 1.05 / (luminance(color) + 0.05) >= 4.5


def test_a_badge_is_as_wide_as_its_texts_and_says_its_name(files):
    root = ET.fromstring(files["badges/torch.svg"])
    texts = root.findall(".//{*}text")
    assert [text.text for text in texts] == ["nnconform torch 2.13.0+cpu", "no divergence"]
    widths = [float(text.attrib["textLength"]) for text in texts]
    assert float(root.attrib["width"]) == pytest.approx(sum(widths) + 4 * badges.PADDING)
    assert root.attrib["aria-label"] == root.find("{*}title").text
    assert re.search(r"torch 2\.13\.0\+cpu: .* spec \d+\.\d+\.\d+", root.attrib["aria-label"])


def test_markup_in_what_adapters_say_is_text(explained):
    report = copy.deepcopy(explained)
    for entry in report["frameworks"]:
        entry["name"] += EVIL
        entry["versions"] = {name + EVIL: version + EVIL for name, version in entry["versions"].items()}
    for row in report["results"]:
        row |= {"framework": row["framework"] + EVIL, "implementation": row["implementation"] + EVIL, "reason": EVIL}
        row["mode"] += EVIL
        row["outputs"] = {
            name: {**output, "dialect": f"{output['dialect']}+{EVIL}"} if "dialect" in output else output
            for name, output in row["outputs"].items()
        }
    report["spec"] = EVIL
    found = drawn(of(("evil", report)))
    for address in ("dialects.html", "spec/batch-normalization.html"):
        assert "eager&lt;script&gt;" in found[address]
    for address, text in found.items():
        assert re.fullmatch(r"[A-Za-z0-9._+/-]+", address)
        if address.endswith(".svg"):
            assert {element.tag.partition("}")[2] for element in ET.fromstring(text).iter()} == {
                "svg",
                "title",
                "clipPath",
                "rect",
                "g",
                "text",
            }
        elif address.endswith(".html"):
            page = Read(text)
            assert page.tags["script"] == page.tags["img"] == 0
            assert not any(link.startswith(("x", "javascript:")) for link in page.links)


@pytest.fixture
def visit(browser, files, tmp_path_factory):
    """Open a page, and see that it complains of nothing and asks for files of the site alone."""
    folder = tmp_path_factory.mktemp("site")
    for address, text in {**files, "site.css": parts.style()}.items():
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
    # test_site.py looks into dialects and batch normalization; these have what those have not.
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
