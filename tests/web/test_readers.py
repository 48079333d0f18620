"""A page is safe from an adapter's texts, and accessible: axe, phones, paper."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlparse

import pytest
from browser import serious_faults
from browser.naming import RESULTS, address

TESTS = Path(__file__).parents[1]
WIDTHS = {"desktop": 1280, "phone": 390}


def test_markup_of_an_adapter_is_harmless(opened, report_of):
    report = report_of("--adapter", TESTS / "liars" / "marks_up.py")[1]
    row = next(row for row in report["results"] if row["verdict"] == "error")
    seen = opened(report)
    for view in (
        "",
        "view=results",
        address(row),
        "view=results&operation=%3Cimg+src%3Dx+onerror%3Dwindow.harmed%3D3%3E",
    ):
        seen.go(view)
        assert seen.page.evaluate("window.harmed") is None
        assert seen.page.locator("img").count() == 0
    seen.go(address(row))
    assert row["reason"] in seen.texts(".result pre")
    assert row["implementation"] in seen.page.locator(".result").text_content()
    assert row["framework"] in seen.page.locator(".result").text_content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
def test_axe_finds_no_serious_fault(opened, full, scheme, width):
    row = next(row for row in full["results"] if row["verdict"] == "dialect" and row["framework"] == "torch")
    seen = opened(full, width=width, color_scheme=scheme)
    for view in ("", RESULTS, address(row)):
        seen.go(view)
        for details in seen.page.locator("details:not([open]) > summary").all():
            details.click()
        assert serious_faults(seen.page) == [], view


def test_nothing_is_wider_than_a_phone(opened, full, differs):
    for report in (full, differs):
        seen = opened(report, width=390)
        row = next(row for row in report["results"] if row["verdict"] in ("dialect", "diverges"))
        for view in ("", RESULTS, "view=results", address(row)):
            seen.go(view)
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_matrix_of_three_frameworks_fits_a_phone(opened, full):
    seen = opened(full, width=390)
    assert (
        seen.page.evaluate(
            "(() => { const e = document.querySelector('.scroll'); return e.scrollWidth - e.clientWidth })()"
        )
        <= 0
    )


def test_a_printed_page_has_its_head_and_unfolded_results(opened, full):
    row = next(row for row in full["results"] if row["verdict"] == "dialect")
    seen = opened(full, address(row))
    folded = seen.page.locator("main details:not([open])").count()
    assert folded
    seen.page.emulate_media(media="print")
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert seen.page.locator("main details:not([open])").count() == 0
    assert seen.page.locator("header .versions").is_visible()
    assert not seen.page.locator("nav").is_visible()
    assert not seen.page.locator("button").first.is_visible()
    assert seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert seen.page.locator("main details:not([open])").count() == folded


def test_screenshots_are_written(browser, full, address_of, tmp_path):
    path = urlparse(address_of(full)).path
    subprocess.run([sys.executable, TESTS / "browser", path, tmp_path / "shots"], check=True, capture_output=True)
    names = {file.name for file in (tmp_path / "shots").iterdir()}
    assert names >= {
        f"{view}-{width}-{scheme}.png"
        for view in ("overview", "results", "vector")
        for width in (1280, 390)
        for scheme in ("light", "dark")
    }
    assert all(file.stat().st_size > 10_000 for file in (tmp_path / "shots").iterdir())
