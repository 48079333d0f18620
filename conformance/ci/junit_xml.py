"""The JUnit XML of test cases.

It keeps to the stricter of the two schemas in use, that of Apache Ant: properties, test cases, system-out and
system-err of a suite in this order, one outcome a test case, and what was printed in the suite, not in the case.
"""

# The methods of junitparser's classes are not annotated.
# mypy: allow-untyped-calls

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from xml.etree import ElementTree

import junitparser

Outcome = Literal["passed", "skipped", "failure", "error"]
# What a suite's own output may hold: some viewers read a file whole.
MOST_PRINTED = 100_000
# Colours of terminals, and what XML 1.0 cannot hold: control characters and lone surrogates.
_INVALID = re.compile("\x1b\\[[0-9;?]*[A-Za-z]|[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """A test case.

    Attributes:
        classname: a dotted name; viewers make folders of it.
        name: unique in its class.
        outcome: how it ended.
        kind: of a failure or error: the verdict, or what failed.
        message: of what did not pass, in one line.
        text: of a failure or error, all that is known.
        out: what its suite tells of it.
        err: what was printed while it ran.
        seconds: how long it took, where that is known.
    """

    classname: str
    name: str
    outcome: Outcome = "passed"
    kind: str = ""
    message: str = ""
    text: str = ""
    out: str = ""
    err: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Suite:
    """A test suite: its name, the package that viewers put it in, properties by name, and its test cases."""

    name: str
    package: str
    properties: Mapping[str, str]
    cases: list[Case] = field(default_factory=list)


def xml(suites: Sequence[Suite], created: str) -> str:
    """Return the document.

    Args:
        suites: what it holds.
        created: when that was made, in ISO 8601 and UTC.
    """
    root = junitparser.JUnitXml()
    for place, suite in enumerate(suites):
        element = _TestSuite(_valid(suite.name))
        # The schema wants no time zone.
        element.timestamp, element.hostname = created[:19], "localhost"
        element.id, element.package = str(place), _valid(suite.package)
        element.append(junitparser.Properties())
        for name, value in suite.properties.items():
            element.add_property(_valid(name), _valid(value))
        element.add_testcases([_element(case) for case in suite.cases])
        element.append(junitparser.SystemOut(_told(suite.cases, "out")))
        element.append(junitparser.SystemErr(_told(suite.cases, "err")))
        root.append(element)
    tree = ElementTree.fromstring(root.tostring())
    ElementTree.indent(tree, " ")
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ElementTree.tostring(tree, encoding='unicode')}\n"


class _TestSuite(junitparser.TestSuite):
    """With the attributes that the schema wants of a suite among others."""

    id = junitparser.Attr()
    package = junitparser.Attr()


def _element(case: Case) -> junitparser.TestCase:
    element = junitparser.TestCase(_valid(case.name), _valid(case.classname), case.seconds)
    if case.outcome == "passed":
        return element
    kinds = {"skipped": junitparser.Skipped, "failure": junitparser.Failure, "error": junitparser.Error}
    result = kinds[case.outcome](_valid(case.message), _valid(case.kind))
    result.text = _valid(case.text)
    element.append(result)
    return element


def _told(cases: Iterable[Case], what: Literal["out", "err"]) -> str:
    """Return what a suite's cases told or printed, each under its name, up to a limit."""
    parts, room = [], MOST_PRINTED
    for case in cases:
        if not (text := _valid(getattr(case, what)).strip()):
            continue
        part = f"{_valid(case.classname)} {_valid(case.name)}: {text}\n"
        room -= len(part)
        if room < 0:
            parts.append("More was left out here; the JSON report has all of it.\n")
            break
        parts.append(part)
    return "".join(parts)


def _valid(text: str) -> str:
    return _INVALID.sub("", text)
