"""The HTML report, without a browser: one file with all of the JSON report, in which foreign text is no markup."""

from __future__ import annotations

import base64
import copy
import json
import re
import subprocess
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from recorded import EXPLAINED

from nnconform.conformance.model.report import Report
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.spec_markdown import Items, Table, blocks
from nnconform.conformance.web.page import document, page_data, reproducers, spec_texts

HERE = Path(__file__).parents[1]
HARM = "</script><script>window.harmed=1</script><img src=x onerror=window.harmed=2>"


class Tags(HTMLParser):
    """The elements of a page with their attributes, and its text outside of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self._inside = [], "", ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside not in ("script", "style"):
            self.text += data


def page_of(report, **options):
    return document.of_report(Report.from_json(report), **options)


@pytest.fixture(scope="module")
def full_page(full):
    """The page of a whole run with its plots."""
    return document.with_plots(Report.from_json(full))


@pytest.fixture(scope="module")
def marked_up(report_of):
    return report_of("--adapter", HERE / "liars" / "marks_up.py")[1]


def unpacked(text, name):
    packed = re.search(rf'<script type="application/octet-stream" id="{name}">([\w+/=]*)</script>', text)
    return json.loads(zlib.decompress(base64.b64decode(packed[1])))


def rows_of(packed):
    """Yield the packed results, as far as the page shows them."""
    for call, vector, verdict, outputs, *extras in packed["rows"]:
        row = dict(zip(("framework", "implementation", "mode", "operation"), packed["calls"][call][:4], strict=True))
        shown = [packed["outputs"][place] for place in outputs]
        row["outputs"] = {o["name"]: {key: o[key] for key in page_data.OUTPUT_KEYS if key in o} for o in shown}
        asked = packed["vectors"][vector]
        yield (
            row
            | {"vector": asked["id"], "profile": asked["profile"], "verdict": packed["verdicts"][verdict]}
            | dict(*extras)
        )


def shown_of(report):
    """Yield the results of a report without digests and versions, which the page leaves out."""
    for row in report["results"]:
        shown = {key: value for key, value in row.items() if key != "version"}
        outputs = {n: {key: o[key] for key in page_data.OUTPUT_KEYS if key in o} for n, o in row["outputs"].items()}
        yield shown | {"outputs": outputs}


def test_a_full_run_is_a_page_of_less_than_3_mb_with_its_plots(full_page):
    assert re.findall(r"<figcaption>.*</figcaption>\n<svg ", full_page)
    assert len(full_page.encode()) < 3_000_000


def test_a_page_is_ready_within_a_second_and_then_shows_its_plots(browser, full_page, tmp_path):
    (tmp_path / "report.html").write_text(full_page)
    times = []
    for _ in range(3):
        opened = browser.new_page()
        opened.goto((tmp_path / "report.html").as_uri())
        opened.wait_for_selector("html[data-whole]")
        times.append(float(opened.get_attribute("html", "data-ready")))
        shown = opened.locator("#plots figure svg").count()
        assert shown == full_page.count("<figcaption>") > 3
        assert opened.locator("#plots figure svg").first.is_visible()
        opened.close()
    # The fastest, without the machine's other work.
    assert min(times) < 1_000


def test_no_result_of_a_full_run_is_lost_or_changed(full, full_page):
    assert list(rows_of(unpacked(full_page, "data"))) == list(shown_of(full))


def test_no_result_of_a_run_with_errors_is_lost_or_changed(differs):
    assert {row["verdict"] for row in differs["results"]} > {"dialect", "diverges", "error"}
    assert list(rows_of(unpacked(page_of(differs), "data"))) == list(shown_of(differs))


def test_the_page_requests_no_other_file(full_page):
    tags = Tags(full_page).tags
    assert not [a for tag, a in tags if "src" in a or (tag == "link" and a["href"] != "data:,")]
    policy = next(a["content"] for tag, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "@import" not in full_page
    # Plots refer to their own parts.
    assert set(re.findall(r"url\(.", full_page)) <= {"url(#"}


def test_the_head_has_every_version_and_the_machine(full, full_page):
    text = " ".join(Tags(full_page).text.split())
    machine = full["platform"]
    for entry in full["frameworks"]:
        assert all(f"{name} {version}" in text for name, version in entry["versions"].items())
        assert f"Python {entry['python']}" in text
    assert f"spec {full['spec']}" in text
    assert f"nnconform {full['nnconform']}" in text
    assert f"{machine['system']} {machine['machine']}" in text
    assert f"{machine['processor']}, {machine['cores']} cores {machine['threads']} thread per framework" in text


def test_foreign_text_is_no_markup_and_closes_no_element(marked_up):
    text = page_of(marked_up)
    assert HARM not in text
    assert HARM in Tags(text).text
    assert "img" not in [tag for tag, _ in Tags(text).tags]
    assert len(re.findall(r"</script>", text)) == 3


def test_every_text_of_the_run_itself_is_escaped(marked_up):
    report = copy.deepcopy(marked_up)
    report["frameworks"][0] |= {"status": "stopped", "reason": HARM, "stderr": HARM, "target": HARM}
    report["frameworks"][0] |= {"packages": {HARM: HARM}, "adapter": HARM}
    report["frameworks"][0]["versions"] = {HARM: HARM}
    report["platform"]["processor"] = HARM
    report["selection"] = {"vectors": [HARM]}
    report |= {"problems": [HARM], "known_problems": [HARM], "complete": False}
    report["faults"] = [{"framework": "a", "implementation": HARM, "vector": "c", "message": HARM}]
    text = page_of(report)
    assert HARM not in text
    assert Tags(text).text.count(HARM) >= 10


def test_the_first_line_of_an_incomplete_run_says_so(marked_up):
    banner = "Incomplete run."
    assert banner not in page_of(marked_up)
    text = Tags(page_of(marked_up | {"complete": False})).text
    assert text[text.index("Skip to the results") :].split("\n")[1].startswith(banner)


def test_plots_have_a_section_which_is_left_out_without_them(marked_up):
    svg = '<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "x" "y">\n<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>'
    text = page_of(marked_up, plots={"error of <elu>": svg})
    assert "<figcaption>error of &lt;elu&gt;</figcaption>\n<svg viewBox" in text
    assert "DOCTYPE svg" not in text
    assert 'id="plots"' not in page_of(marked_up)


# The spec's texts


def words(value):
    """The words of a text, or of all texts in lists."""
    return re.findall(r"\w+", value) if isinstance(value, str) else [word for part in value for word in words(part)]


def test_every_word_of_every_clause_is_in_its_blocks():
    for clause in clauses().values():
        body = re.sub(r"^(```\w*$|\d\. )", "", clause.body, flags=re.MULTILINE)
        texts = [list(block[0]) if isinstance(block, Items | Table) else block[0] for block in blocks(clause.body)]
        assert words(texts) == words(body), clause.id


def test_the_page_has_the_dialects_and_clauses_that_the_report_names(full_page):
    packed = unpacked(full_page, "data")
    named = {part for o in packed["outputs"] for part in o.get("dialect", "").split("+") if part}
    assert named <= set(packed["dialects"])
    assert {clause for d in packed["dialects"].values() for clause in d["departs_from"]} <= set(packed["clauses"])


def test_a_vector_that_has_changed_since_the_run_has_no_inputs(differs):
    report = copy.deepcopy(differs)
    row = next(row for row in report["results"] if row["verdict"] == "dialect")
    labels = {label for o in outputs_with_numbers(report, row) for label, _ in o["numbers"]}
    assert {"x", "dy", "by the dialect"} <= labels
    report["asked"][row["vector"]] = "0" * 16
    labels = {label for o in outputs_with_numbers(report, row) for label, _ in o["numbers"]}
    assert labels == {"expected", "bound", "got", "error in ULP", "error / bound"}


def outputs_with_numbers(report, row):
    """Return the outputs of a result that have numbers, as the page has them."""
    packed = page_data.of_report(Report.from_json(report), spec_texts.published_vectors(report["asked"]))
    packed_row = packed["rows"][report["results"].index(row)]
    return [packed["outputs"][place] for place in packed_row[3] if "numbers" in packed["outputs"][place]]


# Scripts


def test_every_result_of_a_known_framework_that_does_not_conform_has_its_script(cli, explained):
    scripts = reproducers.of_report(Report.from_json(explained), spec_texts.published_vectors(explained["asked"]))
    wrong = {n for n, row in enumerate(explained["results"]) if row["verdict"] in ("dialect", "diverges")}
    assert wrong
    assert set(scripts) == wrong
    row = explained["results"][min(wrong)]
    call = ("--implementation", row["implementation"], "--mode", row["mode"], "--report", EXPLAINED)
    assert cli("reproduce", row["vector"], row["framework"], *call).stdout == scripts[min(wrong)]


def test_with_too_many_results_each_kind_has_a_script(monkeypatch, explained):
    report = Report.from_json(explained)
    monkeypatch.setattr(reproducers, "MOST", 60)
    scripts = reproducers.of_report(report, spec_texts.published_vectors(report.asked))
    kinds = [reproducers._kind(report.results[position]) for position in scripts]
    assert len(scripts) == 60
    assert len(set(kinds)) == 60


def test_a_framework_that_is_not_built_in_has_no_script(differs):
    assert unpacked(page_of(differs), "scripts") == {}


# The command


def test_the_command_draws_the_page_of_a_run(cli, tmp_path):
    run, drawn, report = (tmp_path / name for name in ("run.html", "drawn.html", "report.json"))
    words = ("numpy", "--vector", "relu/mixed/*")
    assert cli("run", *words, "--html", run, "--json", report).exit_code == 0
    assert cli("html", report, drawn).exit_code == 0
    assert drawn.read_bytes() == run.read_bytes()


def test_the_command_refuses_a_file_that_is_no_report(cli, tmp_path):
    (tmp_path / "report.json").write_text("{}")
    result = cli("html", tmp_path / "report.json", tmp_path / "page.html")
    assert result.exit_code == 2
    assert "not a report of format 1" in result.stderr
    assert not (tmp_path / "page.html").exists()


def test_the_command_refuses_a_missing_folder(cli, tmp_path):
    result = cli("html", EXPLAINED, tmp_path / "none" / "page.html")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_the_template_engine_is_imported_when_a_page_is_drawn():
    code = "import sys; import nnconform.conformance.web.page.document; print('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
