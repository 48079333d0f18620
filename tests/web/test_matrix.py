"""A page opens without errors, shows the frameworks that ran and that did not, and counts the report's verdicts."""

from __future__ import annotations

import re
from collections import Counter

from browser.naming import RESULTS, address, number


def test_every_view_of_every_kind_of_result_opens_without_an_error(opened, full, differs):
    for report in (full, differs):
        seen = opened(report)
        kinds = {
            (row["framework"], row["operation"], row["verdict"], row.get("dialect")): row for row in report["results"]
        }
        for row in kinds.values():
            seen.go(address(row))
            assert seen.page.locator("h2").first.inner_text() == row["vector"]
            assert row["verdict"] in seen.texts(".result .badge")[0]


def test_every_view_of_an_incomplete_run_has_a_banner_and_so_has_paper(opened, differs):
    seen = opened(differs | {"complete": False})
    row = next(row for row in differs["results"] if row["verdict"] == "dialect")
    for view in ("", RESULTS, address(row)):
        seen.go(view)
        assert seen.page.locator(".banner").is_visible()
        assert seen.page.title().startswith("Incomplete: ")
    seen.page.emulate_media(media="print")
    assert seen.page.locator(".banner").is_visible()


def test_a_framework_that_did_not_run_has_an_empty_column(opened, differs):
    other = differs["frameworks"][0] | {
        "name": "mxnet",
        "status": "failed",
        "reason": "ImportError: libx",
        "versions": {},
    }
    seen = opened(differs | {"frameworks": [*differs["frameworks"], other], "complete": False})
    assert "mxnet\nfailed" in seen.texts(".frameworks-matrix thead th")
    cells = seen.page.locator(".frameworks-matrix tbody tr td:last-child")
    assert set(cells.all_text_contents()) == {"\u2013no result"}
    assert "ImportError: libx" in seen.page.locator("header").inner_text()


# The matrices


def counts_of(cell):
    return {
        part.get_attribute("class").split("v-")[1]: number(re.match(r"[\d,]+", part.text_content())[0])
        for part in cell.locator(".count").all()
    }


def test_the_matrix_of_frameworks_counts_the_reports_verdicts(opened, full):
    expected = {}
    for row in full["results"]:
        key = "defaults" if row["profile"] == "defaults" else row["operation"], row["framework"]
        expected.setdefault(key, Counter())[row["verdict"]] += 1
    seen = opened(full)
    frameworks = seen.texts(".frameworks-matrix thead th")[1:]
    counts = {}
    for line in seen.page.locator(".frameworks-matrix tbody tr").all():
        operation = line.locator("th").inner_text().split("\n")[0]
        for framework, cell in zip(frameworks, line.locator("td").all(), strict=True):
            counts[operation, framework] = counts_of(cell)
    assert counts == expected


def test_the_matrix_of_implementations_and_modes_counts_the_reports_verdicts(opened, full):
    expected = {}
    for row in full["results"]:
        key = row["operation"], row["framework"], row["implementation"], row["mode"]
        expected.setdefault(key, Counter())[row["verdict"]] += 1
    rows = opened(full).page.evaluate(
        """() => [...document.querySelectorAll(".implementations-matrix tbody")].flatMap((body) => {
          const [head, ...rows] = [...body.rows];
          return rows.flatMap((row) => [...row.querySelectorAll(".cell")].map((cell) => [
            [head, ...[...row.cells].slice(0, 2), cell].map((c, i) => i < 3 ? c.textContent : c.dataset.label),
            Object.fromEntries([...cell.querySelectorAll(".count")].map((part) =>
              [part.className.split("v-")[1], Number(part.childNodes[1].data.replace(",", ""))])),
          ]));
        })"""
    )
    assert {tuple(key): counts for key, counts in rows} == expected


def test_verdicts_have_a_text_and_a_shape(opened, full, differs):
    shapes = {}
    for report in (full, differs):
        seen = opened(report)
        for cell in seen.page.locator(".frameworks-matrix .cell .badge").all():
            shape = cell.locator("path").get_attribute("d")
            assert shapes.setdefault(cell.inner_text(), shape) == shape
    assert set(shapes) == {"conforms", "dialect", "diverges", "error"}
    assert len(set(shapes.values())) == len(shapes)
