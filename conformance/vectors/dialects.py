"""The names of what there is: frameworks, operations, implementations, vectors, dialects, clauses.

What only some names need is imported where it is: the pages and dialects.yaml can be read without numbers or workers.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import yaml

# The C reader is ten times as fast; PyYAML has it wherever there is a wheel.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Clauses about this suite's own files, messages and names, which no implementation can keep or break.
OF_THE_SUITE = re.compile(r"(DIFF|FORMAT|KNOWN|PROTOCOL)-\d+|NUM-10")


def of_the_suite(clause: str) -> bool:
    """Say whether a clause is a rule of the suite, so that no vector can test it."""
    return OF_THE_SUITE.fullmatch(clause) is not None


@functools.cache
def _dialects_page() -> Mapping[str, Any]:
    text = resources.files("nnconform.spec").joinpath("dialects.yaml").read_text()
    document: Mapping[str, Any] = yaml.load(text, Loader=LOADER)
    return document


def dialects() -> Mapping[str, Any]:
    """Return what spec/dialects.yaml says of each dialect, by name."""
    found: Mapping[str, Any] = _dialects_page()["dialects"]
    return found


def faults() -> Mapping[str, str]:
    """Return what spec/dialects.yaml says of each fault, by name."""
    found: Mapping[str, str] = _dialects_page()["faults"]
    return found
