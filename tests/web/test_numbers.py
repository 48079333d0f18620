"""The numbers and texts of a page are those of the report, of the vectors and of the spec."""

from __future__ import annotations

import json
import random
import re
import shlex

import pytest
from browser.naming import address, number
from playwright.sync_api import expect
from recorded import EXPLAINED

from nnconform.conformance.vectors import index
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.tensors import DTYPES


def test_two_hundred_numbers_are_those_of_the_report(opened, full):
    """Worst elements in their own precision, errors, and outputs that conform, of results drawn at random."""
    rows = [row for row in full["results"] if row["outputs"]]
    bad = [row for row in rows if row["verdict"] != "conforms"]
    chance = random.Random(7)
    seen, compared = opened(full), 0
    for row in chance.sample(bad, 35) + chance.sample(rows, 35):
        seen.go(address(row))
        compared += compare(seen, row)
    assert compared >= 200


def compare(seen, row):
    """Compare the numbers of the view of a result with the report's; return how many."""
    shown = {column[0]: dict(zip(seen.texts(".numbers tbody th"), column[1:], strict=True)) for column in columns(seen)}
    kind = DTYPES[row["vector"].rpartition("/")[2]].type
    conforming = dict(text.split(" error / bound ") for text in seen.texts(".outputs li"))
    count = 0
    for name, output in row["outputs"].items():
        if output["verdict"] == "conforms":
            assert number(conforming[name].split(",")[0]) == float(output["ratio"])
            count += 1
        elif "worst" in output:
            worst = output["worst"]
            index = f"[{', '.join(map(str, worst['index']))}]" if worst["index"] else ""
            column = shown[f"{name}{index}"]
            for label, value in (("got", worst["got"]), ("expected", worst["expected"])):
                # The precision of statistics may be greater than that of the vector's name.
                assert same(column[label], value, kind) or same(column[label], value, DTYPES["float32"].type)
            for label, value in (
                ("bound", worst["bound"]),
                ("error in ULP", output["ulp"]),
                ("error / bound", output["ratio"]),
            ):
                assert float(column[label]) == pytest.approx(
                    float(value), rel=5e-3 if label == "bound" else 1e-9, nan_ok=True
                )
            count += 5
    return count


def same(text, value, kind):
    return kind(float(text)) == kind(float(value)) or text == str(value)


def columns(seen):
    """Return the columns of the table of worst elements, with their heads."""
    rows = seen.page.evaluate(
        """() => [...document.querySelectorAll(".numbers tr")]
          .map((row) => [...row.cells].map((cell) => cell.textContent))"""
    )
    return [list(column) for column in zip(*rows, strict=True)][1:]


def test_inputs_are_those_of_the_vector(opened, explained, published):
    """For elementwise operations, whose inputs have the position of the output."""
    seen, compared = opened(explained), 0
    for row in explained["results"]:
        if row["operation"] not in ("relu", "elu") or row["verdict"] != "dialect" or compared > 60:
            continue
        vector = published[row["vector"]]
        if vector.lengths:
            continue
        seen.go(address(row))
        for head, *cells in columns(seen):
            column = dict(zip(seen.texts(".numbers tbody th"), cells, strict=True))
            index = tuple(json.loads(head[head.index("[") :])) if "[" in head else ()
            for name in set(column) & {"x", "dy"}:
                value = vector.inputs[name][index]
                assert value.dtype.type(float(column[name])) == value or column[name] == str(value)
                compared += 1
    assert compared > 10


def test_the_shown_script_is_that_of_the_command(opened, explained, cli):
    row = next(row for row in explained["results"] if row["verdict"] == "dialect")
    seen = opened(explained, address(row))
    seen.page.wait_for_selector(".copyable >> nth=1")
    command, script = seen.texts(".copyable pre")
    assert command.startswith(f"nnconform reproduce {row['vector']} {row['framework']} --implementation ")
    words = command.split()[1:]
    assert cli(*words, "--report", EXPLAINED).stdout.strip() == script.strip()


def test_a_shell_reads_the_names_in_the_command_unchanged(opened, full):
    rows = [row for row in full["results"] if row["verdict"] == "dialect"]
    odd = {row["implementation"]: row for row in rows}
    odd = {name: row for name, row in odd.items() if not re.fullmatch(r"[\w.]+", name)}
    assert any("'" in name for name in odd)
    assert any(" + " in name for name in odd)
    seen = opened(full)
    for name, row in odd.items():
        seen.go(address(row))
        command = shlex.split(seen.texts(".copyable pre")[0])
        assert command[2:] == [row["vector"], row["framework"], "--implementation", name, "--mode", row["mode"]]


def test_without_a_script_the_page_shows_the_reason(opened, differs):
    row = next(row for row in differs["results"] if row["verdict"] == "diverges")
    seen = opened(differs, address(row))
    assert "does not know how to call its API" in seen.page.locator("main").inner_text()
    assert seen.texts(".copyable pre") == [f"nnconform explain {row['vector']}"]


def test_the_command_and_the_script_are_copied(opened, explained):
    row = next(row for row in explained["results"] if row["verdict"] == "dialect")
    seen = opened(explained, address(row))
    seen.page.wait_for_selector(".copyable >> nth=1")
    for position, noun in enumerate(("command", "script")):
        block = seen.page.locator(".copyable").nth(position)
        block.get_by_role("button").click()
        expect(seen.page.locator("#announcement")).to_contain_text(f"Copied the {noun}")
        first = block.locator("pre").inner_text().split("\n")[0]
        seen.page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), {id: 'pasted'}))")
        seen.page.locator("#pasted").focus()
        seen.page.keyboard.press("Control+V")
        assert seen.page.locator("#pasted").input_value().split("\n")[0] == first
        seen.page.locator("#pasted").evaluate("element => element.remove()")


def test_the_clauses_of_a_vector_are_quoted_from_the_spec(opened, explained):
    row = next(r for r in explained["results"] if r["operation"] == "batch_norm_train" and r["verdict"] == "dialect")
    seen = opened(explained, address(row))
    for clause in index.find(row["vector"]).clauses:
        text = clauses()[clause]
        shown = seen.page.locator("details.clause", has_text=f"{clause}: {text.title}").last.text_content()
        formulas = re.findall(r"^```text\n(.*?)^```", text.body, re.MULTILINE | re.DOTALL)
        assert all(formula.rstrip() in shown for formula in formulas)
        assert f"spec/{text.page}" in shown
