"""A site's badges: what they say, for whom, and how they look."""

from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as ET

import jsonschema
import pytest
from support.site_reports import broken, of, whole

from nnconform.conformance.web.site import badges

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


def test_badges_keep_the_schema_of_shields(files):
    shields = [json.loads(text) for address, text in files.items() if address.endswith(".json")]
    assert len(shields) == 3 + 4
    for shield in shields:
        jsonschema.validate(shield, SCHEMA)


def test_a_badge_has_the_number_of_unexplained_results(explained):
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
    count = broken(report, "torch", "elu/near-zero/float32")
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
def test_a_badge_of_a_selection_is_incomplete_and_never_green(explained, change):
    report = whole(explained)
    entry = next(entry for entry in report["frameworks"] if entry["name"] == "torch")
    (entry if change.keys() & {"status", "not_run", "only"} else report).update(change)
    shield = badge(report)
    assert shield["message"].startswith("incomplete")
    assert shield["color"] != badges.GOOD


def test_a_badge_of_a_selection_has_its_divergences(explained):
    report = copy.deepcopy(explained)
    count = broken(report, "torch", "elu/near-zero/float32")
    assert badge(report)["message"] == f"incomplete, {count} diverge"


def luminance(color):
    channels = [int(color[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_text_of_a_badge_is_legible(files):
    grounds = set(re.findall(r'fill="#([0-9a-f]{6})"', files["badges/torch.svg"]))
    assert len(grounds) == 2
    for color in grounds | {badges.GOOD, badges.BAD, badges.UNKNOWN}:
        assert 1.05 / (luminance(color) + 0.05) >= 4.5


def test_a_badge_has_the_width_of_its_texts_and_a_label(files):
    root = ET.fromstring(files["badges/torch.svg"])
    texts = root.findall(".//{*}text")
    assert [text.text for text in texts] == ["nnconform torch 2.13.0+cpu", "no divergence"]
    widths = [float(text.attrib["textLength"]) for text in texts]
    assert float(root.attrib["width"]) == pytest.approx(sum(widths) + 4 * badges.PADDING)
    assert root.attrib["aria-label"] == root.find("{*}title").text
    assert re.search(r"torch 2\.13\.0\+cpu: .* spec \d+\.\d+\.\d+", root.attrib["aria-label"])
