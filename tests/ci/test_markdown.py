"""Markdown: the most important first, safe with any foreign text, and never too long for a comment."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from support.diffs import diff_of

from nnconform.conformance.ci import markdown, markdown_text
from nnconform.conformance.model.change import State
from nnconform.conformance.model.diff import Diff, Distribution, Drift
from nnconform.conformance.model.report import Report

LIARS = Path(__file__).parents[1] / "liars"
Json = dict[str, Any]
HOSTILE = (
    "# <script>alert(1)</script> | ` `` ``` ~~~ \\| \\ @someone #1 !2 $x$ ~label x@example.org **b** _i_ [a](b) "
    "![c](d) </details></code> &lt; &amp;\r\n\n/close\n- item\n\n    code\n> quote\n| a | b |\n<!-- "
    "\x1b[31m \u202e \ud800 http://example.org www.example.org"
)
OURS = {
    "details",
    "summary",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "strong",
    "code",
    "br",
    "p",
    "ul",
    "li",
    "pre",
}


def of_report(report: Json, *, strict: bool) -> str:
    return markdown.of_report(Report.from_json(report), strict=strict)


class Page(HTMLParser):
    """A rendered page: its tags, its text, and its text outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = self.prose = ""
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if not {"code", "pre"} & set(self.open):
            self.prose += data


@pytest.fixture(scope="module")
def bad(report_of: Callable[..., tuple[Any, Json]]) -> Json:
    """The report of a run in which some outputs diverge."""
    return report_of("--adapter", LIARS / "drops_one.py", "--operation", "clip_by_value")[1]


def hostile(value: Any) -> Any:
    """Return a document with hostile text wherever an adapter, a framework, a vector or an error could put it."""
    foreign = (
        "framework",
        "implementation",
        "name",
        "reason",
        "known",
        "problem",
        "stderr",
        "message",
        "vector",
        "mode",
    )
    if isinstance(value, list):
        return [hostile(v) for v in value]
    if not isinstance(value, dict):
        return value
    changed = {k: HOSTILE if k in foreign and isinstance(v, str) else hostile(v) for k, v in value.items()}
    if "versions" in changed:
        changed["versions"] = {HOSTILE: HOSTILE}
    return changed


def full(report: Json) -> Json:
    """Return a report with findings and trouble of every kind."""
    result = copy.deepcopy(report)
    rows = result["results"]
    error = {"verdict": "error", "reason": "ValueError: x", "outputs": {}}
    rows[0] |= error
    rows[1] |= error | {"known": "it is old"}
    rows[2] |= error | {"profile": "defaults"}
    rows[3] |= error | {"verdict": "unsupported", "reason": "no such thing"}
    rows[4] |= error | {"verdict": "crash", "reason": "SIGABRT"}
    rows[5]["verdict"] = "dialect"
    name, output = next(iter(rows[5]["outputs"].items()))
    rows[5]["outputs"][name] = output | {"verdict": "dialect", "dialect": "global-norm", "ratio": 5.0, "ulp": 2.0}
    result["frameworks"][0] |= {"status": "stopped", "reason": "it died 11 times", "stderr": "x"}
    result["faults"] = [{"framework": "a", "implementation": "b", "vector": "c", "message": "d"}]
    return result | {"problems": ["bad.yaml: broken"], "known_problems": ["entry 1: stale"], "complete": False}


def hostile_report(report: Json) -> Json:
    result = hostile(full(report))
    return result | {"problems": [HOSTILE], "known_problems": [HOSTILE]}


def hostile_diff(report: Json) -> Diff:
    good = copy.deepcopy(report)
    for row in good["results"]:
        row["verdict"] = "conforms"
        row["outputs"] = {name: {"verdict": "conforms", "digest": "0" * 16, "ratio": 0.0} for name in row["outputs"]}
    document = hostile(diff_of(good, full(report)).to_json())
    drift = {"framework": HOSTILE, "operation": "relu", "output": HOSTILE, "tensors": 3}
    only = {"vectors": [HOSTILE], "frameworks": [HOSTILE]}
    document |= {"notes": [HOSTILE] * 20, "drift": [drift], "only_old": only, "altered_vectors": [HOSTILE]}
    return Diff.from_json(document)


MADE: dict[str, Callable[[Json], str]] = {
    "report": lambda r: of_report(hostile_report(r), strict=False),
    "strict": lambda r: of_report(hostile_report(r), strict=True),
    "diff": lambda r: markdown.of_diff(hostile_diff(r)),
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE.keys())
def test_hostile_text_makes_no_markup_and_closes_nothing(bad, made):
    page = Page(made(bad))
    assert set(page.tags) <= OURS
    assert not page.open
    assert "<script>alert(1)</script>" in page.text


@pytest.mark.parametrize("made", MADE.values(), ids=MADE.keys())
def test_hostile_text_mentions_nobody_and_refers_to_nothing(bad, made):
    prose = Page(made(bad)).prose
    assert "@\u200bsomeone" in prose
    assert not re.search(r"[@#!$~]\w", prose)


@pytest.mark.parametrize("made", MADE.values(), ids=MADE.keys())
def test_hostile_text_starts_no_line_and_links_nowhere(bad, made):
    text = made(bad)
    lines = re.sub(r"(?ms)^(`{3,})text$.*?^\1$", "", text).splitlines()
    assert all(
        line.startswith(("<", "|", "- ", "**", "Frameworks: ", "and ")) or line[:1].isdigit() for line in lines if line
    )
    assert "://" not in "\n".join(lines)
    assert "www." not in "\n".join(lines)
    assert "\u202e" not in text
    text.encode()


@pytest.mark.parametrize("made", MADE.values(), ids=MADE.keys())
def test_all_rows_of_a_table_have_equally_many_cells(bad, made):
    # Renderers of Markdown drop the cells of a row that are too many.
    tables = re.findall(r"(?:^\|.*\n)+", made(bad), re.MULTILINE)
    assert tables
    assert all(len({line.count("|") for line in table.splitlines()}) == 1 for table in tables)


def test_a_fence_is_longer_than_any_within():
    lines = markdown_text.block("a\n````\nb")
    assert lines[0] == "`````text"
    assert lines[-1] == "`````"


@pytest.mark.parametrize("made", MADE.values(), ids=MADE.keys())
def test_it_begins_with_the_marker_of_a_workflows_comment(bad, made):
    assert made(bad).startswith("<!-- nnconform -->\n**")


def test_the_first_line_of_a_run_without_findings(report_of):
    lines = of_report(report_of("numpy", "--operation", "clip_by_value")[1], strict=False).splitlines()
    assert lines[1] == "**nnconform: no action needed**"
    assert re.fullmatch(r"Frameworks: numpy \S+\. 84 results: 84 conform\.", lines[3])


def test_the_headline_has_the_counts_and_the_table_at_most_ten_rows(bad):
    report = copy.deepcopy(bad)
    for number, row in enumerate(report["results"]):
        row |= {"verdict": "error", "reason": f"Error {number}", "outputs": {}}
    total = len(report["results"])
    head, _, folded = of_report(report, strict=False).partition("<details>")
    assert f"**nnconform: {total} findings need action**" in head
    assert head.count("| error: ") == 10
    assert f"and {total - 10} more findings, folded below" in head
    assert folded.count("| error: ") == total - 10


def test_known_divergences_and_defaults_are_folded_and_not_counted(bad):
    report = copy.deepcopy(bad)
    for row in report["results"]:
        row["known"] = "it is old"
    report["results"][0]["profile"] = "defaults"
    head, _, folded = of_report(report, strict=False).partition("<details>")
    assert "no action needed" in head
    assert "it is old" in folded
    assert folded.count("nothing where a value is wanted") == 0


def test_a_dialect_is_a_finding_only_with_strict(bad):
    report = full(bad)
    assert "global-norm" not in of_report(report, strict=False).partition("<details>")[0]
    assert "dialect: global-norm" in of_report(report, strict=True).partition("<details>")[0]


def long(report: Json) -> Json:
    result = hostile_report(report)
    result["results"] = [
        row | {"reason": f"{n}{HOSTILE}{'`|<@x' * 100}", "verdict": verdict, "outputs": {}}
        for verdict in ("error", "unsupported", "dialect")
        for n, row in enumerate(result["results"] * 5)
    ]
    result["problems"] = ["`|<@x" * 100] * 50
    result["frameworks"] = result["frameworks"] * 30
    return result


@pytest.mark.parametrize("strict", [False, True])
def test_it_is_never_too_long_for_a_comment_and_counts_the_omitted_lines(bad, strict):
    text = of_report(long(bad), strict=strict)
    assert len(text) <= 60_000
    assert re.search(r"Left out for length: \d+ of \d+ lines of .*The JSON report has all of it\.", text)
    assert not Page(text).open


def test_a_diff_is_never_too_long_for_a_comment(bad):
    diff = hostile_diff(bad)
    raised = dataclasses.replace(diff.changes[0], kind="raises", new=State("error", reason="`|<@x" * 100))
    changes = tuple(dataclasses.replace(raised, framework=f"{n}{HOSTILE}") for n in range(500))
    text = markdown.of_diff(dataclasses.replace(diff, changes=changes))
    assert len(text) <= 60_000
    assert "and 490 more changes, folded below" in text
    assert "Left out for length: " in text
    assert not Page(text).open


def test_the_first_line_of_a_diff_counts_the_changes_that_need_action(bad):
    good = copy.deepcopy(bad)
    for row in good["results"]:
        row["verdict"] = "conforms"
        row["outputs"] = {name: {"verdict": "conforms", "digest": "0" * 16, "ratio": 0.0} for name in row["outputs"]}
    assert "1 change needs action" in markdown.of_diff(diff_of(good, bad)).splitlines()[1]
    better = markdown.of_diff(diff_of(bad, good))
    assert "action" not in better
    assert "<summary>Improved or new: " in better


def test_the_reason_of_a_side_that_did_not_run_is_not_folded(bad):
    report = copy.deepcopy(bad)
    report["frameworks"][0] |= {"status": "failed", "reason": "ImportError: libx"}
    head = markdown.of_diff(diff_of(bad, report | {"complete": False})).partition("<details>")[0]
    assert "ImportError: libx" in head


def test_drift_has_its_size_and_place(bad):
    distribution = Distribution(2000, 7, 1.0, 3.0, 4.0, "relu/a/float32", "f", "jit")
    drift = Drift("jax", "relu", "y", 2, distribution)
    text = markdown.of_diff(dataclasses.replace(diff_of(bad, bad), drift=(drift,)))
    assert "| jax relu | y | 2 | 7 of 2,000 | 1 | 4 | relu/a/float32, f (jit) |" in text


def test_drift_that_fails_is_named_above_the_folded_sections(bad):
    diff = dataclasses.replace(diff_of(bad, bad), drift=(Drift("jax", "relu", "y", 2),))
    text = "needs action too"
    assert text in markdown.of_diff(diff, bits=True).partition("<details>")[0]
    assert text not in markdown.of_diff(diff)
