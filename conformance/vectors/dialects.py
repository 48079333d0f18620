"""The dialects and faults of spec/dialects.yaml, read without NumPy."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

# The C reader is ten times as fast; PyYAML has it wherever there is a wheel.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Clauses about this suite's own files, messages and names, which no implementation can keep or break.
OF_THE_SUITE = re.compile(r"(DIFF|FORMAT|KNOWN|PROTOCOL)-\d+|NUM-10")


@dataclass(frozen=True)
class DialectDescription:
    """The description of a dialect; its exact definition is in ``nnconform.reference``.

    Attributes:
        kind: semantic, accuracy or error.
        operations: that can have it.
        outputs: that it changes.
        departs_from: ids of clauses.
        summary: one sentence.
        formula: in the notation of the clauses.
        source: links and quotations.
        consequence: for a user.
        remedy: to get the values of the clauses.
        adopt: to get the values of the dialect in another framework.
    """

    kind: str
    operations: Sequence[str]
    outputs: Sequence[str]
    departs_from: Sequence[str]
    summary: str
    formula: str
    source: Sequence[str]
    consequence: str
    remedy: str
    adopt: str

    @property
    def advice(self) -> Sequence[tuple[str, str]]:
        """Labels and texts of the remedy and of the way to adopt it."""
        return [("remedy", self.remedy), ("to adopt it", self.adopt)]

    @property
    def links(self) -> Sequence[str]:
        """The sources that are addresses."""
        return [source for source in self.source if source.startswith("http")]


def of_the_suite(clause: str) -> bool:
    """Return whether a clause is a rule of the suite, so that no vector can test it."""
    return OF_THE_SUITE.fullmatch(clause) is not None


@functools.cache
def _document() -> Mapping[str, Any]:
    text = resources.files("nnconform.spec").joinpath("dialects.yaml").read_text()
    document: Mapping[str, Any] = yaml.load(text, Loader=LOADER)
    return document


@functools.cache
def dialects() -> Mapping[str, DialectDescription]:
    """Return the dialects by name, in the order of spec/dialects.yaml."""
    return {name: DialectDescription(**entry) for name, entry in _document()["dialects"].items()}


def faults() -> Mapping[str, str]:
    """Return the faults that vectors hunt, by name, each described in a sentence."""
    described: Mapping[str, str] = _document()["faults"]
    return described
