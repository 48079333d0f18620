"""The table of a report: the number of results per verdict, by framework and operation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from nnconform.conformance.layout import Line, Table
from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.model.verdicts import VERDICTS
from nnconform.conformance.report.findings import COLUMNS, count_columns
from nnconform.conformance.vectors.operations import OUTPUTS

# Of the columns, on a terminal; their heads carry the same meaning.
COLOURS = {verdict.column: verdict.colour for verdict in VERDICTS.values()} | {"failed": "red"}
WIDE = ("vectors", *(verdict.column for verdict in VERDICTS.values()))
# From the widest to the one that fits 80 columns.
CHOICES = ((*WIDE, "modes"), WIDE, COLUMNS)
# Title of the results of defaults, which are not an operation.
DEFAULTS = "defaults (info only)"

# A title, and the results of each line below it.
Part = tuple[str, Mapping[str, Sequence[Result]]]


def table(report: Report, width: int) -> Table:
    """Return the table of counts, with as many columns as fit."""
    parts = list(_parts(report))
    tables = (_table(parts, heads) for heads in CHOICES)
    return next((table for table in tables if table.fits(width)), _table(parts, COLUMNS))


def _parts(report: Report) -> Iterator[Part]:
    """Yield each framework with its operations, then the defaults with all frameworks."""
    operations: dict[str, dict[str, list[Result]]] = {entry.name: defaultdict(list) for entry in report.frameworks}
    defaults: dict[str, list[Result]] = defaultdict(list)
    for result in report.results:
        name = result.framework
        (defaults[name] if result.is_default else operations[name][result.operation]).append(result)
    order = list(OUTPUTS)
    for name, results in operations.items():
        if results:
            yield name, {operation: results[operation] for operation in sorted(results, key=order.index)}
    if defaults:
        yield DEFAULTS, {name: defaults[name] for name in operations if name in defaults}


def _table(parts: Sequence[Part], heads: Sequence[str]) -> Table:
    rows: list[list[str] | Line] = []
    bold = []
    for title, lines in parts:
        bold.append(len(rows))
        total = [result for results in lines.values() for result in results]
        # The sum of a single line would repeat it.
        rows.append(Line(title, style="bold", fold=True) if len(lines) == 1 else [title, *_cells(total, heads)])
        rows += [[f"  {name}", *_cells(results, heads)] for name, results in lines.items()]
    texts = {0} | {i + 1 for i, head in enumerate(heads) if head == "modes"}
    return Table(["", *heads], rows, left_aligned=texts, styles=COLOURS, bold=bold)


def _cells(results: Sequence[Result], heads: Sequence[str]) -> list[str]:
    counts = count_columns(Counter(result.verdict for result in results))
    counts["vectors"] = len({result.vector for result in results})
    cells = {head: f"{number:,}" if number else "-" for head, number in counts.items()}
    cells["modes"] = "/".join(dict.fromkeys(result.mode for result in results))
    return [cells[head] for head in heads]
