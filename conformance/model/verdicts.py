"""The verdicts: a closed set, in one table for all texts, tables and plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One verdict.

    Attributes:
        name: as in reports.
        column: its head in a table of counts.
        plural: after a number, in a sentence.
        predicate: after a result, in a sentence.
        meaning: in a few words.
        colour: on a terminal, as rich names it; never the only carrier.
        shape: the path of its symbol, an SVG of 16 by 16.
        fails: whether it fails a run, unless the divergence is known.
    """

    name: str
    column: str
    plural: str
    predicate: str
    meaning: str
    colour: str
    shape: str
    fails: bool


# In the order of display.
VERDICTS: Mapping[str, Verdict] = {
    "conforms": Verdict(
        "conforms",
        column="conform",
        plural="conform",
        predicate="conforms",
        meaning="within the error bound of the exact value",
        colour="green",
        shape="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM6.9 11.6 3.6 8.3l1.3-1.3 2 2 4.2-4.2 1.3 1.3z",
        fails=False,
    ),
    "dialect": Verdict(
        "dialect",
        column="by dialect",
        plural="by dialect",
        predicate="differs by a dialect",
        meaning="differs in a known way, which a dialect describes",
        colour="yellow",
        shape="M8 .5 15.5 8 8 15.5.5 8z",
        fails=False,
    ),
    "diverges": Verdict(
        "diverges",
        column="diverge",
        plural="diverge",
        predicate="diverges",
        meaning="differs, and no dialect explains it",
        colour="red",
        shape="M8 1 15.7 14.5H.3z",
        fails=True,
    ),
    "error": Verdict(
        "error",
        column="error",
        plural="raised errors",
        predicate="raises an error",
        meaning="raised an error instead of a value, or the reverse",
        colour="red",
        shape="M2 2h12v12H2z",
        fails=True,
    ),
    "crash": Verdict(
        "crash",
        column="crash",
        plural="crashed",
        predicate="crashes",
        meaning="the process died",
        colour="red",
        shape="M3.5 1 8 5.5 12.5 1 15 3.5 10.5 8l4.5 4.5-2.5 2.5L8 10.5 3.5 15 1 12.5 5.5 8 1 3.5z",
        fails=True,
    ),
    "timeout": Verdict(
        "timeout",
        column="timeout",
        plural="timed out",
        predicate="times out",
        meaning="no answer in time",
        colour="red",
        shape="M3 1h10L9.3 8l3.7 7H3l3.7-7z",
        fails=True,
    ),
    "unsupported": Verdict(
        "unsupported",
        column="unsupported",
        plural="unsupported",
        predicate="is unsupported",
        meaning="the framework does not have it",
        colour="dim",
        shape="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 2a5 5 0 1 1 0 10A5 5 0 0 1 8 3z",
        fails=False,
    ),
}
DISPLAY = tuple(VERDICTS)
# From best to worst; a result's verdict is the worst of its outputs'.
SEVERITY = ("unsupported", "conforms", "dialect", "diverges", "error", "timeout", "crash")
FAILING = frozenset(name for name, verdict in VERDICTS.items() if verdict.fails)
# There is no value: the framework raised, the process died, or nothing came in time.
WITHOUT_VALUE = ("error", "crash", "timeout")
