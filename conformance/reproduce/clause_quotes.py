"""Which clauses a result is about, and how a script quotes them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping

from nnconform.conformance.vectors.clauses import Clause
from nnconform.conformance.vectors.vector import Vector

# How a formula names an output, where not by its own name.
SYMBOLS = {
    "gradients": "g ->",
    "weights": "w ->",
    "running_mean": "new running_mean",
    "running_variance": "new running_variance",
    "batch_mean": "mu =",
    "batch_variance": "v =",
}
LAWS = {"he_normal": "INIT-9", "he_uniform": "INIT-10"}


def quoted(clause: Clause, width: int) -> str:
    """Return title and text as plain text of at most ``width`` columns, formulas indented; not why it is so."""
    title = textwrap.fill(f"{clause.id}: {clause.title}", width)
    return "\n\n".join([title, *_plain(clause.text.partition("\n\nThe sources differ.")[0], width)])


def _plain(text: str, width: int) -> Iterator[str]:
    for block in re.split(r"\n\n", text):
        if block.startswith("```"):
            yield textwrap.indent("\n".join(block.splitlines()[1:-1]), "    ")
        elif block.startswith("|"):
            yield "\n".join(line for line in block.splitlines() if not set(line) <= set("|- "))
        else:
            yield textwrap.fill(block, width, break_long_words=False, break_on_hyphens=False)


def concerned(
    vector: Vector, outputs: Iterable[str], departed: Iterable[str], known: Mapping[str, Clause]
) -> list[Clause]:
    """Return the clauses that a result is about, and those that they only refer to.

    Args:
        vector: what was asked.
        outputs: the flat names of the outputs in question.
        departed: the clauses that the dialects named for them depart from.
        known: every clause by its id.
    """
    found = _concerned(vector, outputs, departed, known)
    others = [other[1] for c in found if (other := re.match(r"As ([A-Z-]+-\d+)", known[c].text))]
    return [known[c] for c in dict.fromkeys([*found, *others])]


def _concerned(
    vector: Vector, outputs: Iterable[str], departed: Iterable[str], known: Mapping[str, Clause]
) -> list[str]:
    of_dialects = [c for c in dict.fromkeys(departed) if c in known]
    if own := [c for c in of_dialects if c in vector.clauses]:
        return own[:2]
    families = {c.rpartition("-")[0] for c in vector.clauses}
    if near := [c for c in of_dialects if c.rpartition("-")[0] in families]:
        return near[:2]
    bases = list(dict.fromkeys(name.partition("[")[0] for name in outputs))
    if bases == ["sample"]:
        return [LAWS[vector.operation]]
    if found := [c for base in bases for c in vector.clauses if _defines(known[c].text, base)]:
        return list(dict.fromkeys(found))[:2]
    # The vector is about a special case: that clause, and the formula itself.
    page = [c for c in known if c.rpartition("-")[0] == vector.clauses[0].rpartition("-")[0]]
    formula = [c for base in bases for c in page if _defines(known[c].text, base)]
    return list(dict.fromkeys([vector.clauses[0], *formula]))[:2]


def _defines(text: str, output: str) -> bool:
    symbol = SYMBOLS.get(output, f"{output} =")
    return re.search(rf"^{re.escape(symbol)}", text, re.MULTILINE) is not None
