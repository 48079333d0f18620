"""spec/findings.md has what examples/known.yaml accepts without a dialect, and names what there is."""

from __future__ import annotations

import re
from importlib import resources
from itertools import product
from pathlib import Path

import pytest
import yaml

from nnconform.conformance.vectors.dialects import dialects

PAGE = resources.files("nnconform.spec").joinpath("findings.md").read_text()
KNOWN = yaml.safe_load((Path(__file__).parents[2] / "examples" / "known.yaml").read_text())["known"]
UNEXPLAINED, EXPLAINED = re.split(r"^## With a dialect$", PAGE, flags=re.MULTILINE)
SECTIONS = dict(re.findall(r"^### (.+)\n((?:(?!###).*\n)*)", UNEXPLAINED, re.MULTILINE))


def cells(section: str, row: str) -> list[str]:
    """What stands between backticks in a row of a finding's table."""
    [line] = re.findall(rf"^\| {row} \| (.+) \|$", section, re.MULTILINE)
    return re.findall("`([^`]+)`", line)


def rows(section: str) -> set[tuple[str, str]]:
    return set(product(cells(section, "implementations"), cells(section, "vectors")))


def test_the_findings_are_what_is_known_to_diverge():
    found = [row for section in SECTIONS.values() for row in rows(section)]
    known = [(entry["implementation"], entry["vector"]) for entry in KNOWN if "dialect" not in entry]
    assert sorted(found) == sorted(known)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_finding_is_of_the_versions_that_are_known_to_have_it(name):
    frameworks = {
        (e["framework"], e["versions"]) for e in KNOWN if (e["implementation"], e["vector"]) in rows(SECTIONS[name])
    }
    [(framework, versions)] = frameworks
    assert f"| versions | {framework} {versions.removeprefix('==')} |" in SECTIONS[name]


@pytest.mark.parametrize("name", SECTIONS)
def test_a_finding_is_on_published_vectors_and_cites_clauses_that_they_test(name, published):
    [line] = re.findall(r"^\| clauses \| (.+) \|$", SECTIONS[name], re.MULTILINE)
    for vector in cells(SECTIONS[name], "vectors"):
        assert set(line.split(", ")) <= set(published[vector].clauses)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_finding_has_a_reproducer_for_each_of_its_rows(name):
    commands = re.findall(
        r"^nnconform reproduce (\S+) \S+ --implementation '?([^'\n]+)'?$", SECTIONS[name], re.MULTILINE
    )
    assert {(implementation, vector) for vector, implementation in commands} == rows(SECTIONS[name])


def test_the_dialects_of_findings_are_in_the_catalogue():
    named = re.findall(r"^\| `([^`]+)` \|", EXPLAINED, re.MULTILINE)
    assert named
    assert set(named) <= set(dialects())
