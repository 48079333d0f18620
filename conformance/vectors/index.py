"""Vectors in outline, read no further than is asked for.

All vectors are 2.5 MB of YAML, which take a second to read. Their ids, clauses and hunts stand in lines of their own in
these generated files, and one vector is one block of lines.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from .dialects import LOADER

SPEC = Path(str(resources.files("nnconform.spec")))


@dataclass(frozen=True)
class Outline:
    """What a vector is about, without its numbers; attributes as in ``suite.vectors.Vector``."""

    id: str
    operation: str
    profile: str
    clauses: Sequence[str]
    hunts: Sequence[str]


@functools.cache
def _files(operation: str = "*") -> Mapping[str, str]:
    """Return the text of the vector files of an operation, by path below ``vectors``."""
    root = SPEC / "vectors"
    return {str(path.relative_to(root)): path.read_text() for path in sorted(root.glob(f"{operation}/*.yaml"))}


@functools.cache
def vector_ids() -> tuple[str, ...]:
    """Return the ids of all vectors."""
    return tuple(name for text in _files().values() for name in re.findall(r"^- id: (.+)$", text, re.MULTILINE))


def outlines(word: str = "", operation: str = "*") -> Iterator[Outline]:
    """Yield the outlines of vectors.

    Args:
        word: only of files in which it stands somewhere, so that the others need not be read.
        operation: only of this one.
    """
    for text in _files(operation).values():
        if word in text:
            yield from _outlines(text)


@functools.cache
def _outlines(text: str) -> tuple[Outline, ...]:
    # Tensors stand further in than what the outline is made of.
    document = yaml.load("\n".join(line for line in text.split("\n") if line[:4] != "    "), Loader=LOADER)
    return tuple(
        Outline(v["id"], document["operation"], v["profile"], v["clauses"], v["hunts"]) for v in document["vectors"]
    )


def vector(name: str) -> Mapping[str, Any] | None:
    """Return a vector as it stands in its file, with its ``operation`` and ``file``; None where there is none."""
    operation = name.partition("/")[0]
    for path, text in _files(operation).items():
        block = re.search(rf"^- id: {re.escape(name)}\n(?:  .*\n)*", text, re.MULTILINE)
        if block:
            document: dict[str, Any] = yaml.load(block[0], Loader=LOADER)[0]
            return {**document, "operation": operation, "file": path}
    return None
