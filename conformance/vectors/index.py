"""Published vectors by id: their names and outlines, and one vector without parsing the others.

All vectors are 2.5 MB of YAML, which take a second to parse. In these generated files, each field of an outline has its
own line, and a vector is a block of lines.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import yaml

from .dialects import LOADER
from .stored_vector import StoredVector

SPEC = Path(str(resources.files("nnconform.spec")))
ITEM = "- id: "


@dataclass(frozen=True)
class Outline:
    """A vector without its numbers; attributes have the same meaning as in ``vector.Vector``."""

    id: str
    operation: str
    profile: str
    clauses: Sequence[str]
    hunts: Sequence[str]


@dataclass(frozen=True)
class Block:
    """The text of one vector.

    Attributes:
        file: its file, as a path below ``spec/vectors``.
        file_text: the whole text of the file.
        text: the vector's lines.
    """

    file: str
    file_text: str
    text: str

    @property
    def document(self) -> str:
        """The file with this vector alone."""
        return self.file_text[: self.file_text.index(f"\n{ITEM}") + 1] + self.text


@functools.cache
def _file_texts(operation: str = "*") -> Mapping[str, str]:
    """Return the texts of the vector files of an operation, by path below ``spec/vectors``."""
    root = SPEC / "vectors"
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.glob(f"{operation}/*.yaml"))}


@functools.cache
def vector_ids() -> tuple[str, ...]:
    """Return the ids of all published vectors."""
    lines = (line for text in _file_texts().values() for line in text.splitlines())
    return tuple(line.removeprefix(ITEM) for line in lines if line.startswith(ITEM))


def outlines(word: str = "", operation: str = "*") -> Iterator[Outline]:
    """Yield the outlines of vectors.

    Args:
        word: parse only files with this text.
        operation: only of this one.
    """
    for text in _file_texts(operation).values():
        if word in text:
            yield from _outlines(text)


@functools.cache
def _outlines(text: str) -> tuple[Outline, ...]:
    # Tensors are indented more than the fields of an outline.
    document = yaml.load("\n".join(line for line in text.split("\n") if line[:4] != "    "), Loader=LOADER)
    return tuple(
        Outline(v["id"], document["operation"], v["profile"], v["clauses"], v["hunts"]) for v in document["vectors"]
    )


def find_block(name: str) -> Block | None:
    """Return the text of the published vector with an id, or None."""
    for file, text in _file_texts(name.partition("/")[0]).items():
        start = text.find(f"\n{ITEM}{name}\n") + 1
        if start:
            end = text.find(f"\n{ITEM}", start) + 1
            return Block(file, text, text[start : end or len(text)])
    return None


@functools.cache
def find(name: str) -> StoredVector | None:
    """Return the published vector with an id as its file stores it, or None."""
    block = find_block(name)
    if block is None:
        return None
    return StoredVector.from_yaml(yaml.load(block.text, Loader=LOADER)[0], name.partition("/")[0], block.file)
