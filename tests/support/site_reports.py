"""Reports for sites: recorded ones, made older or worse."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

from nnconform.conformance.model.report import Report
from nnconform.conformance.report import store
from nnconform.conformance.web.site import badges, dialect_pages, folder, releases, spec_pages

Document = dict[str, Any]


def of(*reports: tuple[str, Document]) -> releases.Site:
    """Return the site of some reports, each with its name."""
    return folder.site_of([(Path(f"{name}.json"), Report.from_json(report)) for name, report in reports])


def releases_of(*reports: tuple[str, Document]) -> dict[str, list[releases.Release]]:
    """Return the releases of some reports, each with its name, by framework."""
    typed = [(Path(f"{name}.json"), Report.from_json(report)) for name, report in reports]
    return releases.releases(releases.sources(typed))


def save(report: Document, path: Path) -> None:
    """Write a report as a run writes it."""
    store.write(Report.from_json(report), path)


def whole(report: Document, **changes: Any) -> Document:
    """Return a copy of a report as if it had all vectors."""
    return {**copy.deepcopy(report), "selection": {}, **changes}


def renamed(report: Document, **versions: str) -> Document:
    """Return a copy of a report with other versions."""
    result = copy.deepcopy(report)
    for entry in result["frameworks"]:
        entry["versions"] |= {name: v for name, v in versions.items() if name in entry["versions"]}
    for row in result["results"]:
        row["version"] = versions.get(row["framework"], row["version"])
    return result


def broken(report: Document, framework: str, vector: str) -> int:
    """Make the results of a framework on a vector unexplained, and return their number."""
    rows = [row for row in report["results"] if (row["framework"], row["vector"]) == (framework, vector)]
    wrong = {"verdict": "diverges", "ratio": 12.0, "ulp": 34.0, "digest": "0" * 16}
    worst = {"index": [0], "got": 1.5, "expected": 0.5, "bound": 0.1}
    for row in rows:
        row["verdict"] = "diverges"
        for name, output in row["outputs"].items():
            row["outputs"][name] = {k: v for k, v in output.items() if k != "dialect"} | wrong | {"worst": worst}
    return len(rows)


def marked_up(report: Document, evil: str) -> Document:
    """Return a copy of a report in which all texts of adapters end with a text."""
    result = copy.deepcopy(report)
    for entry in result["frameworks"]:
        entry["name"] += evil
        entry["versions"] = {name + evil: version + evil for name, version in entry["versions"].items()}
    for row in result["results"]:
        row |= {key: row[key] + evil for key in ("framework", "implementation", "mode")} | {"reason": evil}
        row["outputs"] = {
            name: {**output, "dialect": f"{output['dialect']}+{evil}"} if "dialect" in output else output
            for name, output in row["outputs"].items()
        }
    return result


def spec_files(site: releases.Site) -> dict[str, str]:
    """Return the spec, the dialects and the badges of a site, by address."""
    files = [page for module in (spec_pages, dialect_pages, badges) for page in module.pages(site)]
    assert len(dict(files)) == len(files)
    return dict(files)


def dialects_of(row: Document) -> set[str]:
    """Return the parts of all dialects in a result, without the code that draws."""
    return set(re.findall(r"[^+]+", "+".join(re.findall(r'"dialect": "([^"]+)"', json.dumps(row)))))
