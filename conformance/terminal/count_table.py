"""The table of a report: how many results have which verdict, by framework and operation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nnconform.conformance.layout import Line, Table
from nnconform.conformance.report.findings_of_rows import COLUMNS, HEADS, failed
from nnconform.conformance.vectors.operations import OUTPUTS

Row = Mapping[str, Any]
# Of the columns, where there is a terminal; their heads say the same.
COLOURS = {
    **{"conform": "green", "by dialect": "yellow", "diverge": "red", "unsupported": "dim"},
    **dict.fromkeys(("failed", "error", "crash", "timeout"), "red"),
}
NARROW = ("conform", "by dialect", "diverge", "unsupported", "failed")
WIDE = ("vectors", "conform", "by dialect", "diverge", "unsupported", "error", "crash", "timeout")
# From the widest to the one that fits 80 columns.
CHOICES = ((*WIDE, "modes"), WIDE, NARROW)
# What stands over the vectors in which a user sets nothing, which are no operation.
DEFAULTS = "defaults (not judged)"


def table(report: Mapping[str, Any], width: int) -> Table:
    """Return the table of counts, with as many columns as there is room for."""
    blocks = list(_blocks(report))
    made = (_table(blocks, heads) for heads in CHOICES)
    return next((found for found in made if found.fits(width)), _table(blocks, NARROW))


Block = tuple[str, Mapping[str, Sequence[Row]]]


def _blocks(report: Mapping[str, Any]) -> Iterator[Block]:
    """Yield a title and the rows of each line below it: a framework and its operations, then the defaults."""
    found: dict[str, dict[str, list[Row]]] = {entry["name"]: defaultdict(list) for entry in report["frameworks"]}
    defaults: dict[str, list[Row]] = defaultdict(list)
    for row in report["results"]:
        name = row["framework"]
        (defaults[name] if row["profile"] == "defaults" else found[name][row["operation"]]).append(row)
    order = list(OUTPUTS)
    for name, by_operation in found.items():
        if by_operation:
            yield name, {o: by_operation[o] for o in sorted(by_operation, key=order.index)}
    if defaults:
        yield DEFAULTS, {name: defaults[name] for name in found if name in defaults}


def _table(blocks: Sequence[Block], heads: Sequence[str]) -> Table:
    rows: list[list[str] | Line] = []
    strong = []
    for title, lines in blocks:
        strong.append(len(rows))
        total = [row for found in lines.values() for row in found]
        # The sum of one line would only say it again.
        rows.append(Line(title, style="bold", fold=True) if len(lines) == 1 else [title, *_cells(total, heads)])
        rows += [[f"  {name}", *_cells(found, heads)] for name, found in lines.items()]
    left = {0} | {i + 1 for i, head in enumerate(heads) if head == "modes"}
    return Table(["", *heads], rows, left=left, styles=COLOURS, strong=strong)


def _cells(rows: Sequence[Row], heads: Sequence[str]) -> list[str]:
    verdicts = Counter(row["verdict"] for row in rows)
    counts: dict[str, int] = {HEADS.get(v, v): verdicts[v] for v in COLUMNS}
    counts |= {"error": verdicts["error"], "failed": failed(verdicts)}
    special: dict[str, Callable[[], str]] = {
        "vectors": lambda: f"{len({row['vector'] for row in rows}):,}",
        "modes": lambda: "/".join(dict.fromkeys(row["mode"] for row in rows)),
    }
    return [special[head]() if head in special else f"{counts[head]:,}" if counts[head] else "-" for head in heads]
