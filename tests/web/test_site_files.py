"""The files of a site: their names, and the files that a new site replaces or keeps."""

from __future__ import annotations

import copy
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from support.markup import Read
from support.site_reports import of, save

from nnconform.conformance.model.report import Report
from nnconform.conformance.web.site import folder, releases


def test_reports_of_one_name_have_their_own_files(explained):
    paths = [Path("a/last run.json"), Path("b/last run.json"), Path("c/LAST-run.json"), Path("d/last-run-2.json")]
    report = Report.from_json(explained)
    reports = [(path, replace(report, seconds=float(number))) for number, path in enumerate(paths)]
    names = [source.name for source in releases.sources(reports)]
    assert len({name.lower() for name in names}) == 4
    assert all(re.fullmatch(r"[A-Za-z0-9._+-]+", name) for name in names)


def test_a_repeated_report_is_taken_once(tmp_path, cli, explained, bare):
    save(explained, tmp_path / "one.json")
    assert cli("site", tmp_path / "site", tmp_path / "one.json").exit_code == 0
    second = cli("site", tmp_path / "site", tmp_path / "site/reports/one.json", tmp_path / "one.json")
    assert second.exit_code == 0
    assert [path.name for path in (tmp_path / "site/reports").glob("*.json")] == ["one.json"]
    assert second.stdout.endswith(" of 1 report\n")


def test_frameworks_with_similar_names_or_the_same_packages_have_their_own_pages_and_badges(explained):
    report = copy.deepcopy(explained)
    names = {"torch": "my fw", "tensorflow": "my?fw", "jax": "numpy"}
    for entry in report["frameworks"]:
        entry |= {"name": names[entry["name"]], "versions": {"numpy": "2.4.6"}}
    for row in report["results"]:
        row["framework"] = names[row["framework"]]
    site = of(("one", report))
    addresses = Counter(address for address, _ in folder.pages(site))
    assert max(addresses.values()) == 1
    assert sum(address.startswith("frameworks/") for address in addresses) == 3


def test_a_report_without_results_is_not_called_a_duplicate(explained):
    reports = [explained, {**explained, "results": []}, {**explained, "seconds": 1.0}]
    site = of(*((str(number), report) for number, report in enumerate(reports)))
    text = Read(dict(folder.pages(site))["reports.html"]).text
    assert text.count("No results.") == 1
    assert text.count("Not used: another report covers the same releases.") == 1


def test_a_new_site_replaces_the_old_one_alone(tmp_path, cli, explained, stopped, bare):
    save(explained, tmp_path / "one.json")
    save(stopped, tmp_path / "two.json")
    root = tmp_path / "site"
    assert cli("site", root, tmp_path / "one.json", tmp_path / "two.json").exit_code == 0
    (root / "CNAME").write_text("example.org")
    assert cli("site", root, root / "reports/one.json").exit_code == 0
    assert (root / "CNAME").read_text() == "example.org"
    assert (root / "reports/one.json").exists()
    assert not list(root.rglob("two.*"))


def test_a_folder_with_other_files_is_refused(tmp_path, cli, explained, bare):
    save(explained, tmp_path / "one.json")
    result = cli("site", tmp_path, tmp_path / "one.json")
    assert result.exit_code == 2
    assert "has files that are not part of a site; name an empty or new folder" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["one.json"]


@pytest.mark.parametrize("listed", ['{"files": ["../kept.txt"]}', '{"files": ["/kept.txt", 3]}'])
def test_a_damaged_list_of_files_removes_nothing_outside_the_folder(tmp_path, cli, explained, listed, bare):
    save(explained, tmp_path / "one.json")
    (tmp_path / "kept.txt").write_text("kept")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / folder.MARK).write_text(listed)
    assert cli("site", tmp_path / "site", tmp_path / "one.json").exit_code == 0
    assert (tmp_path / "kept.txt").read_text() == "kept"


def test_a_file_that_is_no_report_is_named(tmp_path, cli, explained, bare):
    (tmp_path / "no.json").write_text("{}")
    result = cli("site", tmp_path / "site", tmp_path / "no.json")
    assert result.exit_code == 2
    assert "no.json" in result.stderr
    save({**explained, "results": []}, tmp_path / "empty.json")
    result = cli("site", tmp_path / "site", tmp_path / "empty.json")
    assert result.exit_code == 2
    assert "no report has results" in result.stderr
    assert not (tmp_path / "site").exists()
