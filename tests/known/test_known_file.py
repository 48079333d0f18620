"""A list of known divergences is read with line numbers, and refused by line and entry if it breaks its format."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from nnconform.conformance.known.file import KnownError, parse, read

SPEC = Path(str(resources.files("nnconform.spec")))

DATA = Path(__file__).parents[1] / "data"
# Two entries for the liar known_differs.
ELU, RELU = ((DATA / f"known_{name}.yaml").read_text() for name in ("elu", "relu"))
BAD: dict[str, tuple[str, str]] = {
    "nothing": ("", r"k\.yaml: None; expected: The divergences"),
    "a list": ("- 1", r"k\.yaml:1: \[1\]"),
    "another format": ("format: 2\nknown: []", r"k\.yaml:1: format: 2; expected: .* 1"),
    "no list": ("format: 1\nknown:\n", r"k\.yaml:2: known: None; expected: A list"),
    "a number as an entry": ("format: 1\nknown: [1]", r"k\.yaml:2: entry 1: 1; expected: One entry, a mapping"),
    "no link": (ELU.replace("  link: https://example.org/1\n", ""), r"k\.yaml:3: entry 1: link missing"),
    "no URL": (ELU.replace("https://example.org/1", "issue 1"), r"k\.yaml:8: entry 1: link: 'issue 1'; .* URL"),
    "an empty reason": (ELU.replace("adds 1", " "), r"k\.yaml:7: entry 1: reason: ' '; expected: Why"),
    "a verdict that needs no entry": (ELU.replace("diverges", "conforms"), r"k\.yaml:5: .*'conforms'; .* diverges"),
    "no vector": (ELU.replace('  vector: "elu/*/bfloat16"\n', ""), r"k\.yaml:3: .*neither vector nor clause"),
    "both": (ELU + "  clause: ELU-1\n", r"k\.yaml:3: .*vector and clause given; expected: one of"),
    "no dialect": (ELU.replace("diverges", "dialect"), r"k\.yaml:3: entry 1: dialect missing"),
    "a dialect of another verdict": (ELU + "  dialect: a\n", r"k\.yaml:9: .*only with verdict: dialect"),
    "a list of one dialect": (RELU.replace("gradient-one-at-zero", "[a]"), r"k\.yaml:8: entry 1: dialect: \['a'\]"),
    "no count": (ELU.replace("51", "many"), r"k\.yaml:6: entry 1: covers: 'many'; expected: How many"),
    "a count of none": (ELU.replace("51", "0"), r"k\.yaml:6: entry 1: covers: 0; .*at least 1"),
    "a misspelt key": (ELU.replace("covers", "cover"), r"k\.yaml:3: entry 1: unknown key 'cover'; .*mean covers"),
    "a key twice": (ELU + "  reason: more\n", r"k\.yaml:9: the key reason is repeated"),
    "no specifier": (ELU + '  versions: "0.9"\n', r"k\.yaml:3: entry 1: versions: '0.9' is not a PEP 440 specifier"),
    "a specifier without quotes": (ELU + "  versions: >=0.9\n", r"k\.yaml:9: not YAML: .*quote globs"),
    "a glob without quotes": (ELU.replace('"elu/*/bfloat16"', "*/bfloat16"), r"k\.yaml:4: .*quote globs"),
    "an alias": (ELU.replace('"adds 1"', "&a x") + ELU.replace('"adds 1"', "*a"), r"k\.yaml:7: an anchor or alias"),
    "the second entry": (ELU + ELU.replace("liar", '""'), r"k\.yaml:9: entry 2: framework: ''"),
    "a deep nest": ("[" * 500, r"k\.yaml.*: not YAML"),
}
# Beyond the schema: repeated keys, and specifiers.
BEYOND_SCHEMA = {"a key twice", "no specifier", "an alias"}


def text_of(text: str) -> str:
    return f"format: 1\nknown:\n{text}" if text.startswith("- framework") else text


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD.keys())
def test_a_bad_list_is_refused_by_line_and_entry(tmp_path, text, expected):
    (tmp_path / "k.yaml").write_text(text_of(text))
    with pytest.raises(KnownError) as refusal:
        read(tmp_path / "k.yaml")
    assert re.match(expected, str(refusal.value).removeprefix(f"{tmp_path}/")), str(refusal.value)


@pytest.mark.parametrize("name", [n for n, (_, e) in BAD.items() if "YAML" not in e and "quote globs" not in e])
def test_a_second_validator_finds_the_same_lists_bad(name):
    schema = json.loads((SPEC / "schema/known.schema.json").read_text())
    errors = list(jsonschema.Draft7Validator(schema).iter_errors(yaml.safe_load(text_of(BAD[name][0]))))
    assert bool(errors) is (name not in BEYOND_SCHEMA)


def test_a_file_that_is_not_there_or_no_text_is_refused_by_name(tmp_path):
    with pytest.raises(KnownError, match=r"k\.yaml: cannot be read: No such file"):
        read(tmp_path / "k.yaml")
    (tmp_path / "k.yaml").write_bytes(b"format: \xff")
    with pytest.raises(KnownError, match=r"k\.yaml: not UTF-8"):
        read(tmp_path / "k.yaml")


def test_an_error_has_file_line_entry_problem_and_remedy():
    with pytest.raises(KnownError) as refusal:
        parse(text_of(ELU.replace("51", "0")), "known.yaml")
    error = refusal.value
    assert (error.file, error.line, error.entry, error.problem) == ("known.yaml", 6, 1, "covers: 0")
    assert error.expected.startswith("How many distinct vectors")


def test_the_example_of_the_page_keeps_the_schema_and_names_clauses_and_dialects_that_there_are(published):
    [text] = re.findall(r"```yaml\n(.*?)```", (SPEC / "known.md").read_text(), re.DOTALL)
    schema = json.loads((SPEC / "schema/known.schema.json").read_text())
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(text))
    first, second = parse(text, "known.md").entries
    assert (first.versions, first.dialects) == (">=0.9,<0.11", ())
    dialects = yaml.safe_load((SPEC / "dialects.yaml").read_text())["dialects"]
    assert set(second.dialects) <= set(dialects)
    assert any(second.clause in vector.clauses for vector in published.values())


def test_the_page_describes_the_keys_that_the_schema_has():
    schema = json.loads((SPEC / "schema/known.schema.json").read_text())
    keys = re.findall(r"^\| `([a-z]+)`\??", (SPEC / "known.md").read_text(), re.MULTILINE)
    assert set(keys) == set(schema["definitions"]["entry"]["properties"])


def test_a_part_of_a_framework_is_refused_with_the_right_entry():
    expected = r'flax is a part of jax; expected.* framework: jax, and implementation: "flax\.\*"'
    with pytest.raises(KnownError, match=expected):
        parse(f"format: 1\nknown:\n{ELU.replace('liar', 'flax')}", "k.yaml")
