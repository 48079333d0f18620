"""The clauses of the spec in words, and which of them a result is about."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from nnconform.conformance.suite.vectors import Vector

HEADING = re.compile(r"^### (?P<id>[A-Z]+(?:-[A-Z]+)*-\d+): (?P<title>.+)$", re.MULTILINE)
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


@dataclass(frozen=True)
class Clause:
    """One normative sentence of the spec.

    Attributes:
        id: ``BN-TRAIN-4``.
        title: of its heading.
        text: what it says, Markdown, without notes and source.
        source: where it comes from.
        page: the file of the spec that it stands in.
    """

    id: str
    title: str
    text: str
    source: str
    page: str

    def quoted(self, width: int) -> str:
        """Return title and text as plain text of at most ``width`` columns, formulas indented; not why it is so."""
        title = textwrap.fill(f"{self.id}: {self.title}", width)
        return "\n\n".join([title, *_plain(self.text.partition("\n\nThe sources differ.")[0], width)])


def _plain(text: str, width: int) -> Iterator[str]:
    for block in re.split(r"\n\n", text):
        if block.startswith("```"):
            yield textwrap.indent("\n".join(block.splitlines()[1:-1]), "    ")
        elif block.startswith("|"):
            yield "\n".join(line for line in block.splitlines() if not set(line) <= set("|- "))
        else:
            yield textwrap.fill(block, width, break_long_words=False, break_on_hyphens=False)


def clauses() -> dict[str, Clause]:
    """Return every clause by its id."""
    pages = sorted(Path(str(resources.files("nnconform.spec"))).glob("*.md"))
    return {clause.id: clause for page in pages for clause in _page(page)}


def _page(page: Path) -> Iterator[Clause]:
    text = page.read_text()
    for heading in HEADING.finditer(text):
        body = re.split(r"^##", text[heading.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
        blocks = body.split("\n\n")
        source = next((b.removeprefix("Source: ") for b in blocks if b.startswith("Source:")), "")
        kept = [b for b in blocks if not b.startswith(("Source:", "Note:"))]
        yield Clause(heading["id"], heading["title"], "\n\n".join(kept), source, page.name)


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
