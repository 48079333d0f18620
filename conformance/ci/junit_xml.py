"""The JUnit XML of test cases.

It follows the stricter of the two schemas in use, that of Apache Ant. A suite has properties, test cases, system-out
and system-err in this order. Printed text belongs to the suite, and a test case has one outcome.
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
# Characters of a suite's output: some viewers read whole files.
MOST_PRINTED = 100_000
# Colours of terminals, and characters that XML 1.0 cannot hold: control characters and lone surrogates.
_INVALID = re.compile("\x1b\\[[0-9;?]*[A-Za-z]|[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """A test case.

    Attributes:
        classname: a dotted name, which viewers show as folders.
        name: unique in its class.
        outcome: passed, skipped, failure or error.
        kind: the verdict or the part that failed, of a failure or error.
        message: one line, unless it passed.
        text: the details of a failure or error.
        out: a line for the suite's output.
        err: printed text.
        seconds: the duration, 0 if it is unknown.
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
    """A test suite.

    Attributes:
        name: unique.
        package: the group in viewers.
        properties: texts by name.
        cases: its test cases.
    """

    name: str
    package: str
    properties: Mapping[str, str]
    cases: list[Case] = field(default_factory=list)


def xml(suites: Sequence[Suite], created: str) -> str:
    """Return the document.

    Args:
        suites: in its order.
        created: the time of the run, in ISO 8601 and UTC.
    """
    root = junitparser.JUnitXml()
    for place, suite in enumerate(suites):
        element = _TestSuite(_valid(suite.name))
        # The schema has no time zone.
        element.timestamp, element.hostname = created[:19], "localhost"
        element.id, element.package = str(place), _valid(suite.package)
        element.append(junitparser.Properties())
        for name, value in suite.properties.items():
            element.add_property(_valid(name), _valid(value))
        element.add_testcases([_element(case) for case in suite.cases])
        element.append(junitparser.SystemOut(_join(suite.cases, "out")))
        element.append(junitparser.SystemErr(_join(suite.cases, "err")))
        root.append(element)
    tree = ElementTree.fromstring(root.tostring())
    ElementTree.indent(tree, " ")
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ElementTree.tostring(tree, encoding='unicode')}\n"


class _TestSuite(junitparser.TestSuite):
    """A suite with the attributes that its place among other suites requires."""

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


def _join(cases: Iterable[Case], stream: Literal["out", "err"]) -> str:
    """Return the output of a suite's cases, each below its name, up to a limit."""
    texts, room = [], MOST_PRINTED
    for case in cases:
        if not (output := _valid(getattr(case, stream)).strip()):
            continue
        text = f"{_valid(case.classname)} {_valid(case.name)}: {output}\n"
        room -= len(text)
        if room < 0:
            texts.append("The rest is left out; the JSON report has all of it.\n")
            break
        texts.append(text)
    return "".join(texts)


def _valid(text: str) -> str:
    return _INVALID.sub("", text)
