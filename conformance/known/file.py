"""Read a list of known divergences (spec/known.md); errors name the line, the entry and the remedy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from nnconform.conformance.running.frameworks import PARTS, suggestion
from nnconform.conformance.schemas import validator

HINT = "quote globs, versions and texts that contain `: ` or ` #`"


class KnownError(Exception):
    """A list of known divergences cannot be used.

    Attributes:
        file: its name.
        line: in the file, from 1; 0 for the file as a whole.
        entry: number of the entry, from 1; 0 for none.
        problem: the fault.
        expected: the remedy.
    """

    def __init__(self, file: str, line: int, entry: int, problem: str, expected: str) -> None:
        super().__init__(file, line, entry, problem, expected)
        self.file, self.line, self.entry, self.problem, self.expected = file, line, entry, problem, expected

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        entry = f" entry {self.entry}:" if self.entry else ""
        return f"{self.file}{line}:{entry} {self.problem}; expected: {self.expected}"


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        line: its first line in its file, from 1.
        framework: name of the framework.
        versions: a PEP 440 specifier, "" for every version.
        implementation: glob.
        mode: glob.
        vector: glob of ids; "" if ``clause`` selects the vectors.
        clause: glob of clauses; "" if ``vector`` selects the vectors.
        verdict: dialect, diverges, error, timeout or crash.
        dialects: of the outputs, sorted; none unless the verdict is dialect.
        covers: number of distinct vectors that it must cover.
        reason: in words.
        link: a URL, "" for none yet.
    """

    line: int
    framework: str
    versions: str
    implementation: str
    mode: str
    vector: str
    clause: str
    verdict: str
    dialects: tuple[str, ...]
    covers: int
    reason: str
    link: str

    @classmethod
    def from_yaml(cls, item: Mapping[str, Any], line: int) -> Entry:
        """Return the entry of a list's item that keeps the schema."""
        dialect = item.get("dialect", [])
        return cls(
            line,
            item["framework"],
            item.get("versions", ""),
            item.get("implementation", "*"),
            item.get("mode", "*"),
            item.get("vector", ""),
            item.get("clause", ""),
            item["verdict"],
            (dialect,) if isinstance(dialect, str) else tuple(sorted(dialect)),
            int(item["covers"]),
            " ".join(item["reason"].split()),
            item["link"] or "",
        )


@dataclass(frozen=True)
class KnownList:
    """A list of known divergences: the name of its file, and its entries in their order."""

    file: str
    entries: tuple[Entry, ...]


def read(path: Path) -> KnownList:
    """Return the list in a file.

    Raises:
        KnownError: it cannot be read, is not YAML, or breaks the format.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise KnownError(str(path), 0, 0, f"cannot be read: {error.strerror}", "a YAML file (spec/known.md)") from None
    except UnicodeDecodeError as error:
        raise KnownError(str(path), 0, 0, f"not UTF-8: {error.reason}", "a YAML file in UTF-8") from None
    return parse(text, str(path))


def parse(text: str, file: str) -> KnownList:
    """Return the list in a text.

    Args:
        text: YAML.
        file: the name for messages.

    Raises:
        KnownError: it is not YAML, or breaks the format.
    """
    node, document = _document(text, file)
    _check(node, document, file)
    lines = [item.start_mark.line + 1 for item in _child(node, "known").value]
    entries = [Entry.from_yaml(item, line) for item, line in zip(document["known"], lines, strict=True)]
    for number, entry in enumerate(entries, 1):
        _check_framework(entry, file, number)
        _check_versions(entry, file, number)
    return KnownList(file, tuple(entries))


def _document(text: str, file: str) -> tuple[Any, Any]:
    """Return a text's root node, whose nodes have line numbers, and its value."""
    try:
        loader = yaml.SafeLoader(text)
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if getattr(event, "anchor", None) is not None:
                line = event.start_mark.line + 1 if event.start_mark else 0
                raise KnownError(file, line, 0, "an anchor or alias", f"each entry in full; {HINT}")
        node = loader.get_single_node()
        for line, key in _repeated_keys(node):
            raise KnownError(file, line, 0, f"the key {key} is repeated", "each key once")
        return node, loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise KnownError(file, mark.line + 1 if mark else 0, 0, f"not YAML: {problem}", f"YAML; {HINT}") from None
    except (RecursionError, ValueError) as error:
        raise KnownError(file, 0, 0, f"not YAML: {type(error).__name__}: {error}", "YAML") from None


def _repeated_keys(node: Any) -> Iterator[tuple[int, str]]:
    """Yield the line and name of each repeated key of a mapping: YAML forbids them, and PyYAML accepts them."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)
    elif isinstance(node, yaml.MappingNode):
        names = set()
        for key, value in node.value:
            if isinstance(key.value, str) and key.value in names:
                yield key.start_mark.line + 1, key.value
            names.add(key.value if isinstance(key.value, str) else id(key))
            yield from _repeated_keys(value)


def _child(node: Any, part: str | int) -> Any:
    """Return the node of a mapping's key or a sequence's index, or the node itself if it has no such child."""
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), node)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part]
    return node


def _check(node: Any, document: Any, file: str) -> None:
    import fastjsonschema

    try:
        validator("known")(document)
    except fastjsonschema.JsonSchemaException as error:
        path = [int(part) if part.isdigit() else part for part in map(str, error.path[1:])]
        for part in path:
            node = _child(node, part)
        number = path[1] + 1 if len(path) > 1 and isinstance(path[1], int) else 0
        place = ".".join(map(str, path[2:] if number else path))
        problem, expected = _describe(error)
        line = node.start_mark.line + 1 if node is not None else 0
        raise KnownError(file, line, number, f"{place}: {problem}" if place else problem, expected) from None


def _describe(error: Any) -> tuple[str, str]:
    """Return the problem and the remedy of a breach of the schema, in words."""
    rule, value, schema = error.rule, error.value, error.definition
    if rule in ("required", "additionalProperties") and isinstance(value, Mapping):
        descriptions = _key_descriptions()
        allowed = schema.get("properties", descriptions)
        if unknown := [key for key in value if key not in allowed]:
            return f"unknown key {unknown[0]!r}", f"only known keys{suggestion(str(unknown[0]), allowed)}"
        missing = [key for key in error.rule_definition if key not in value]
        return f"{', '.join(missing)} missing", " ".join(f"{name}: {descriptions[name]}" for name in missing)
    if rule == "oneOf":
        keys = [key for key in ("vector", "clause") if key in value]
        return f"{' and '.join(keys) or 'neither vector nor clause'} given", "one of vector and clause"
    text = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."
    if schema is False:
        return f"{text} with another verdict", "dialect only with verdict: dialect"
    return text, str(schema.get("description", error.message))


def _key_descriptions() -> dict[str, str]:
    """Return the schema's description of each key of a list and of an entry."""
    schema = json.loads(resources.files("nnconform.spec").joinpath("schema/known.schema.json").read_text())
    keys = schema["properties"] | schema["definitions"]["entry"]["properties"]
    return {name: key["description"] for name, key in keys.items()}


def _check_framework(entry: Entry, file: str, number: int) -> None:
    """Refuse a part of a framework: reports do not have it under its own name, and the entry would never be judged."""
    if (owner := PARTS.get(entry.framework)) is not None:
        problem = f"framework: {entry.framework} is a part of {owner}"
        expected = f'framework: {owner}, and implementation: "{entry.framework}.*"'
        raise KnownError(file, entry.line, number, problem, expected)


def _check_versions(entry: Entry, file: str, number: int) -> None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(entry.versions)
    except InvalidSpecifier:
        problem = f"versions: {entry.versions!r} is not a PEP 440 specifier"
        raise KnownError(file, entry.line, number, problem, 'such as ">=0.9,<0.11"') from None
