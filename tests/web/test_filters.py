"""Filters and links: from a cell to its vectors and their explanations, by mouse, by keyboard and by address."""

from __future__ import annotations

import re

import pytest
from browser.naming import RESULTS, address, number


def test_two_clicks_lead_from_a_cell_to_its_vectors_and_an_explanation(opened, full):
    seen = opened(full)
    cell = seen.page.locator(".frameworks-matrix tbody tr", has_text="batch_norm_train").locator("td").first
    cell.locator("a").click()
    seen.settle()
    assert seen.page.locator("h2").first.inner_text() == "Results: batch_norm_train, torch"
    assert (
        "The running variance takes the unbiased variance of the batch." in seen.page.locator(".reasons").inner_text()
    )
    seen.page.locator(".results a", has_text="batch_norm_train/").first.click()
    seen.settle()
    assert seen.page.locator("section", has_text="Explanation").locator("article.dialect").count()
    for label in ("formula", "consequence", "remedy", "departs from"):
        assert seen.page.locator(".dialect dt", has_text=label).first.is_visible()


@pytest.mark.parametrize(
    ("key", "value", "of"),
    [
        ("framework", "jax", lambda row: row["framework"] == "jax"),
        ("operation", "clip_by_norm", lambda row: row["operation"] == "clip_by_norm"),
        ("profile", "edge", lambda row: row["profile"] == "edge"),
        ("verdict", "unsupported", lambda row: row["verdict"] == "unsupported"),
        ("mode", "xla", lambda row: row["mode"] == "xla"),
        (
            "dialect",
            "global-norm",
            lambda row: any("global-norm" in o.get("dialect", "").split("+") for o in [row, *row["outputs"].values()]),
        ),
    ],
)
def test_a_filter_leaves_the_matching_results(opened, full, key, value, of):
    seen = opened(full, "view=results")
    seen.page.get_by_label(key.capitalize(), exact=True).select_option(value)
    seen.settle()
    assert f"{key}={value}" in seen.view
    assert number(seen.texts(".summary")[0].split()[0]) == sum(map(of, full["results"]))


def test_filters_work_by_keyboard_alone(opened, full):
    seen = opened(full)
    focused = "document.activeElement.id || document.activeElement.textContent"
    for _ in range(20):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate(focused) == "filter-framework":
            break
    seen.page.keyboard.type("tor")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.type("elu")
    seen.settle()
    assert seen.view == "framework=torch&operation=elu"
    assert seen.page.evaluate(focused) == "filter-operation"
    seen.page.locator(".frameworks-matrix a").first.focus()
    seen.page.keyboard.press("Enter")
    seen.settle()
    assert "view=results" in seen.view
    # A screen reader goes on with the new view.
    assert seen.page.evaluate(focused) == "Results: elu, torch"
    seen.page.locator(".reasons a").first.focus()
    seen.page.keyboard.press("Enter")
    seen.settle()
    assert "view=vector" in seen.view
    seen.page.locator(".clause:not([open]) summary").first.focus()
    seen.page.keyboard.press("Enter")
    assert seen.page.locator(".clause[open] pre, .clause[open] p").first.is_visible()


def test_everything_that_can_be_clicked_can_be_reached_by_tab(opened, explained):
    seen = opened(explained, address(next(r for r in explained["results"] if r["verdict"] == "dialect")))
    seen.page.wait_for_selector(".copyable")
    clickable = seen.page.evaluate(
        """() => [...document.querySelectorAll("a, button, select, input, summary")]
          .filter((e) => e.checkVisibility()).length"""
    )
    reached = set()
    for _ in range(clickable * 2 + 20):
        seen.page.keyboard.press("Tab")
        reached.add(
            seen.page.evaluate(
                """() => { const e = document.activeElement;
                  return e.matches("a, button, select, input, summary")
                    ? [...document.querySelectorAll("*")].indexOf(e) : -1 }"""
            )
        )
    assert len(reached - {-1}) == clickable


def test_the_first_tab_skips_the_head_and_keeps_the_view(opened, full):
    seen = opened(full, RESULTS)
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.id") == "main"
    assert seen.view == RESULTS


def test_a_link_restores_the_view(opened, full):
    seen = opened(full, f"{RESULTS}&verdict=dialect&dialect=exp-minus-one&text=near+zero")
    assert seen.page.get_by_label("Framework", exact=True).input_value() == "tensorflow"
    assert seen.page.get_by_label("Vector contains").input_value() == "near zero"
    rows = [
        row
        for row in full["results"]
        if (row["framework"], row["operation"], row["verdict"]) == ("tensorflow", "elu", "dialect")
        and {"near", "zero"} <= set(re.findall("near|zero", row["vector"]))
        and any("exp-minus-one" in o.get("dialect", "").split("+") for o in row["outputs"].values())
    ]
    assert rows
    assert len(seen.texts(".results tbody tr")) == len(rows)


def test_the_back_button_returns_to_the_previous_view(opened, full):
    seen = opened(full)
    seen.page.locator(".frameworks-matrix .cell a").first.click()
    seen.settle()
    seen.page.locator(".results a").first.click()
    seen.settle()
    seen.page.go_back()
    seen.settle()
    assert "view=results" in seen.view
    seen.page.go_back()
    seen.settle()
    assert seen.view == ""
    assert seen.page.locator(".frameworks-matrix").is_visible()


def test_a_button_shows_more_results(opened, full):
    seen = opened(full, "view=results&operation=he_normal&framework=tensorflow")
    rows = sum((r["operation"], r["framework"]) == ("he_normal", "tensorflow") for r in full["results"])
    assert len(seen.texts(".results tbody tr")) == rows
    seen.go("view=results")
    seen.page.locator("button.more").click()
    assert len(seen.texts(".results tbody tr")) == 400


def test_an_address_without_results_shows_a_message(opened, explained):
    seen = opened(explained, "view=vector&vector=relu/none/float32")
    assert "no vector relu/none/float32" in seen.page.locator("main").inner_text()
    seen.go("view=results&verdict=crash")
    assert "No results match these filters." in seen.page.locator("main").inner_text()
