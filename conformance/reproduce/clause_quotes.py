"""The clauses that explain a result, and their quotation in a script."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping

from nnconform.conformance.vectors.clauses import Clause
from nnconform.conformance.vectors.vector import Vector

# The beginning of a formula for an output, if it is not the name of the output.
SYMBOLS = {
    "gradients": "g ->",
    "weights": "w ->",
    "running_mean": "new running_mean",
    "running_variance": "new running_variance",
    "batch_mean": "mu =",
    "batch_variance": "v =",
}
LAWS = {"he_normal": "INIT-9", "he_uniform": "INIT-10"}


def quote(clause: Clause, width: int) -> str:
    """Return title and rule as plain text of at most ``width`` columns, with indented formulas."""
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


def relevant_clauses(
    vector: Vector, outputs: Iterable[str], departures: Iterable[str], clauses: Mapping[str, Clause]
) -> list[Clause]:
    """Return the clauses that a result is about, and the clauses that these refer to.

    Args:
        vector: the vector.
        outputs: the names of the outputs in question.
        departures: the clauses that their dialects depart from.
        clauses: all clauses by id.
    """
    ids = _relevant_ids(vector, outputs, departures, clauses)
    references = [match[1] for c in ids if (match := re.match(r"As ([A-Z-]+-\d+)", clauses[c].text))]
    return [clauses[c] for c in dict.fromkeys([*ids, *references])]


def _relevant_ids(
    vector: Vector, outputs: Iterable[str], departures: Iterable[str], clauses: Mapping[str, Clause]
) -> list[str]:
    of_dialects = [c for c in dict.fromkeys(departures) if c in clauses]
    if own := [c for c in of_dialects if c in vector.clauses]:
        return own[:2]
    families = {c.rpartition("-")[0] for c in vector.clauses}
    if near := [c for c in of_dialects if c.rpartition("-")[0] in families]:
        return near[:2]
    bases = list(dict.fromkeys(name.partition("[")[0] for name in outputs))
    if bases == ["sample"]:
        return [LAWS[vector.operation]]
    if definitions := [c for base in bases for c in vector.clauses if _defines(clauses[c].text, base)]:
        return list(dict.fromkeys(definitions))[:2]
    # The vector is about a special case: quote its clause and the formula.
    page = [c for c in clauses if c.rpartition("-")[0] == vector.clauses[0].rpartition("-")[0]]
    formula = [c for base in bases for c in page if _defines(clauses[c].text, base)]
    return list(dict.fromkeys([vector.clauses[0], *formula]))[:2]


def _defines(text: str, output: str) -> bool:
    symbol = SYMBOLS.get(output, f"{output} =")
    return re.search(rf"^{re.escape(symbol)}", text, re.MULTILINE) is not None
