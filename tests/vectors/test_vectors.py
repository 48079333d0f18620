"""The published vectors are sound, and a file that is not is refused by name while the others still load."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from nnconform.conformance.vectors import dialects
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.reading import load, parse_file
from nnconform.conformance.vectors.spec_markdown import page_names, sections
from nnconform.conformance.vectors.vector import VectorError

SPEC = Path(str(resources.files("nnconform.spec")))
VECTORS = SPEC / "vectors"
FILES = sorted(path.relative_to(VECTORS).as_posix() for path in VECTORS.rglob("*.yaml"))


def schema(name: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads((SPEC / "schema" / f"{name}.schema.json").read_text()))


def test_every_published_file_loads():
    assert load()[1] == []


def test_there_are_a_thousand_vectors_of_all_dtypes_and_profiles(published):
    assert len(published) >= 1000
    assert {v.dtype for v in published.values()} == {"float64", "float32", "float16", "bfloat16"}
    assert {v.profile for v in published.values()} == {"core", "half", "edge", "range", "defaults"}


def test_ids_are_unique_over_all_files():
    ids = re.findall(r"^- id: (\S+)$", "".join((VECTORS / f).read_text() for f in FILES), re.MULTILINE)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("file", FILES)
def test_a_second_validator_finds_the_schema_kept(file):
    document = yaml.load((VECTORS / file).read_bytes(), yaml.CSafeLoader)
    assert [e.message for e in schema("vector").iter_errors(document)] == []


def test_the_dialects_keep_their_schema():
    document = yaml.safe_load((SPEC / "dialects.yaml").read_text())
    assert [e.message for e in schema("dialects").iter_errors(document)] == []


def test_vectors_name_clauses_that_the_spec_has(published):
    assert {c for v in published.values() for c in v.clauses} <= set(clauses())


def test_every_clause_but_the_rules_of_the_suite_has_a_vector(published):
    tested = {c for v in published.values() for c in v.clauses}
    assert {c for c in clauses() if not dialects.of_the_suite(c)} - tested == set()


def test_vectors_hunt_and_list_only_names_of_dialects_yaml(published):
    document = yaml.safe_load((SPEC / "dialects.yaml").read_text())
    hunted = {hunt for v in published.values() for hunt in v.hunts}
    listed = {part for v in published.values() for name in v.dialects for part in name.split("+")}
    assert hunted - set(document["dialects"]) - set(document["faults"]) == set()
    assert listed - set(document["dialects"]) == set()


def test_dialects_depart_from_clauses_that_the_spec_has():
    departed = {c for d in dialects.dialects().values() for c in d.departs_from}
    assert departed <= set(clauses())


def test_the_spec_defines_no_clause_twice():
    names = [section.name for page in page_names() for section in sections(page) if section.name]
    assert len(names) == len(set(names))
    assert set(clauses()) <= set(names)


# Files that cannot be used

GOOD = (VECTORS / "clip_by_value" / "core.yaml").read_text()
FIRST = re.search(r"^- id: (\S+)$", GOOD, re.MULTILINE).group(1)


def sealed(text: str) -> str:
    """Return a file's text with the digest of its vectors."""
    head, body = text.split("\nvectors:", 1)
    digest = hashlib.sha256(f"vectors:{body}".encode()).hexdigest()
    return re.sub("sha256:[0-9a-f]{64}", f"sha256:{digest}", head) + f"\nvectors:{body}"


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return sealed(GOOD.replace(old, new, 1))


BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 8)}]\n" for old, new in zip("abcdefghij", "bcdefghijk", strict=True)
)
BAD: dict[str, tuple[str, str]] = {
    "not YAML": ("format: 1\nvectors: [", r"bad\.yaml, line \d+: not YAML"),
    "tabs": ("format: 1\n\tspec: 1\n", r"bad\.yaml, line 2: not YAML"),
    "a list": ("- 1\n- 2\n", r"bad\.yaml: breaks .*vector\.schema\.json"),
    "nothing": ("", r"bad\.yaml: breaks .*vector\.schema\.json"),
    "a bomb": (BOMB, r"bad\.yaml, line 1: an anchor or alias"),
    "a misspelt key": (changed("  profile:", "  profil:"), rf"bad\.yaml: breaks .* at {FIRST}: .*profil"),
    "a missing key": (changed("  profile: core\n", ""), rf"bad\.yaml: breaks .* at {FIRST}: .*profile"),
    "a wrong type": (
        changed("clipvalue: 0.5", 'clipvalue: "half"'),
        rf"bad\.yaml: breaks .* at {FIRST}, .*clipvalue",
    ),
    "a changed digit": (GOOD.replace("-0.584", "-0.585", 1), r"bad\.yaml: the digest"),
    "a number too large": (
        changed("-0.584", "-1e400"),
        rf"bad\.yaml: {FIRST}: inputs\.gradients\[0\].*-1e400.*float64",
    ),
    "a number too many": (
        changed("-0.584", "-0.584 1"),
        rf"bad\.yaml: {FIRST}: inputs\.gradients\[0\]: 6 numbers",
    ),
    "a negative bound": (
        changed('bound: "0"', 'bound: "-1"'),
        rf"bad\.yaml: {FIRST}: expected\.gradients\[0\]",
    ),
    "an infinite bound": (
        changed('bound: "0"', 'bound: "inf"'),
        rf"bad\.yaml: {FIRST}: expected\.gradients\[0\]",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_refused_by_file_and_vector(text, message):
    with pytest.raises(VectorError) as refusal:
        parse_file(text.encode(), "bad.yaml")
    assert re.match(message, str(refusal.value)), str(refusal.value)


def test_bytes_that_are_no_text_are_refused_by_file():
    with pytest.raises(VectorError, match=r"bad\.yaml"):
        parse_file(b"format: \xff\xfe", "bad.yaml")


@pytest.fixture
def load_with(tmp_path: Path) -> Callable[[str], tuple[int, list[str]]]:
    """Load a folder of a good file and another; return the number of vectors, and the problems."""

    def run(text: str) -> tuple[int, list[str]]:
        (tmp_path / "bad.yaml").write_text(text)
        (tmp_path / "good.yaml").write_text(GOOD)
        vectors, problems = load(tmp_path)
        return len(vectors), problems

    return run


@pytest.mark.parametrize("text", [text for text, _ in BAD.values()], ids=BAD.keys())
def test_the_other_files_still_load(load_with, text):
    count, [problem] = load_with(text)
    assert count == len(parse_file(GOOD.encode(), "good.yaml"))
    assert problem.startswith("bad.yaml")


def test_an_id_in_two_files_is_refused_with_both_names(load_with):
    _, [problem] = load_with(GOOD)
    assert FIRST in problem
    assert "good.yaml" in problem
    assert "bad.yaml" in problem


def test_a_folder_without_vectors_is_an_error(tmp_path):
    with pytest.raises(VectorError, match="no vector files"):
        load(tmp_path)


# Recipes that are refused

EVERY, LONG = "clip_by_value/every-number/float16", "clip_by_norm/10000000-elements/float32"
LENGTHS, STEPS = "clip_by_value/lengths/float64", "batch_norm_train/2-steps/float32"
SEEDS, EXTREMES, LAYERS = (f"he_normal/{name}/float32" for name in ("seeds", "extremes", "two-layers"))
EVERY_WIDE = '{dtype: "float32", shape: [65536], recipe: every}'
RECIPES: dict[str, tuple[str, str, str, str]] = {
    "computed with data": (EVERY, "recipe: computed,", 'recipe: computed, data: "1",', "data"),
    "computed with a bound": (EVERY, "recipe: computed,", 'recipe: computed, bound: "0",', "bound"),
    "computed without a digest": (EVERY, "digest:", "flushed:", "digest"),
    "every with data": (EVERY, "recipe: every}", 'recipe: every, data: "1"}', "data"),
    "every of float32": (EVERY, '{dtype: "float16", shape: [65536], recipe: every}', EVERY_WIDE, "dtype"),
    "every of fewer": (EVERY, "[65536], recipe: every}", "[65535], recipe: every}", "65536 numbers"),
    "every on two axes": (EVERY, "[65536], recipe: every}", "[256, 256], recipe: every}", "shape"),
    "but NaN with NaN": (EVERY, "recipe: every}", "recipe: every-but-nan}", "63490 numbers"),
    "no data and no recipe": (EVERY, ", recipe: every}", "}", "data"),
    "an unknown recipe": (EVERY, "recipe: every}", "recipe: some}", "inputs"),
    "a block that ends within the shape": (LONG, "[10000000]", "[100001]", "50 numbers do not fill"),
    "a block that is longer than the shape": (LONG, "[10000000]", "[0]", "50 numbers do not fill"),
    "an empty block": (LONG, 'data: "', 'data: "", x: "', "inputs"),
    "lengths with first": (LENGTHS, "  lengths:", "  first: 3\n  lengths:", "first"),
    "lengths with steps": (STEPS, "  steps:", "  lengths: [1]\n  steps:", "lengths"),
    "a length of nothing": (LENGTHS, "lengths: [1,", "lengths: [0,", "lengths"),
    "a length twice": (LENGTHS, "lengths: [1,", "lengths: [2,", "lengths"),
    "one seed": (SEEDS, "seeds: [8000, 8000, 8100]", "seeds: [8000]", "seeds"),
    "a first seed that is not the attribute": (SEEDS, "seeds: [8000,", "seeds: [8001,", "not the attribute seed, 8000"),
    "seeds without the attribute": (SEEDS, ", seed: 8000}", "}", "attributes"),
    "seeds of what is not random": (EVERY, "  attributes:", "  seeds: [1, 1]\n  attributes:", "attributes"),
    "seeds with extremes": (EXTREMES, "  extremes: true", "  seeds: [8300, 8300]\n  extremes: true", "extremes"),
    "no extremes": (EXTREMES, "extremes: true", "extremes: false", "extremes"),
    "a law without extremes": (EXTREMES, "  extremes: true\n", "", "sample"),
    "extremes of a law": (LAYERS, "  attributes: {", "  extremes: true\n  attributes: {", "sample"),
    "one layer": (LAYERS, "layers: 2", "layers: 1", "layers"),
    "a length beyond the inputs": (LENGTHS, "lengths: [1,", "lengths: [99,", r"shape \[67\]; its longest call \[99\]"),
}


@pytest.mark.parametrize(("vector", "old", "new", "message"), RECIPES.values(), ids=RECIPES.keys())
def test_a_recipe_that_describes_no_tensor_is_refused_by_file_and_vector(file_of, vector, old, new, message):
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    assert parse_file(file_of(vector).encode(), "good.yaml")
    with pytest.raises(VectorError, match=rf"bad\.yaml: .*{message}") as refusal:
        parse_file(file_of(vector, change).encode(), "bad.yaml")
    assert vector in str(refusal.value)
