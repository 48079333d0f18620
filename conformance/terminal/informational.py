"""What needs no action, in a line each: dialects, what is unsupported, defaults, what is known."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nnconform.conformance.layout import Line, Part, Table
from nnconform.conformance.report.findings_of_rows import BAD, first_line
from nnconform.conformance.words import count

Row = Mapping[str, Any]
# Reasons that are told of one framework.
FEW = 12
# Columns that the names of frameworks may have, as heads of a table.
ROOM = 36


def parts(report: Mapping[str, Any], *, strict: bool) -> Iterator[Part]:
    """Yield what needs no action; a dialect needs some where ``strict`` refuses it."""
    new = [row for row in report["results"] if "known" not in row]
    judged = [row for row in new if row["profile"] != "defaults"]
    if not strict:
        yield from _dialects([row for row in judged if row["verdict"] == "dialect"])
    yield from _unsupported([row for row in judged if row["verdict"] == "unsupported"])
    yield from _defaults([row for row in new if row["profile"] == "defaults"])
    yield from _known([row for row in report["results"] if "known" in row])


def _title(what: str, rows: Sequence[Row], more: str = "") -> Iterator[Part]:
    yield Line()
    head = f"{what}: {count(len(rows), 'result')}"
    yield Line(f"{head}{more}", lead=head, lead_style="bold", style="dim")


def _dialects(rows: Sequence[Row]) -> Iterator[Part]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for name in {row.get("dialect"), *(output.get("dialect") for output in row["outputs"].values())} - {None}:
            found[name][row["framework"]] += 1
    if not found:
        return
    yield from _title("Differs by a dialect, which explains it", rows, " (nnconform explain NAME)")
    order = sorted(found, key=lambda name: (-found[name].total(), name))
    frameworks = list(dict.fromkeys(row["framework"] for row in rows))
    if sum(len(name) + 2 for name in frameworks) > ROOM:
        yield from (Line(f"{name}: {_counted(found[name])}", indent=2) for name in order)
        return
    cells = [[name, *(f"{found[name][f]:,}" if found[name][f] else "-" for f in frameworks)] for name in order]
    yield Table(["", *frameworks], cells, indent=2)


def _counted(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counter.items())


def _unsupported(rows: Sequence[Row]) -> Iterator[Part]:
    if not rows:
        return
    yield from _title("Unsupported", rows)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[row["framework"]][first_line(row.get("reason", ""))] += 1
    for framework, reasons in found.items():
        told = reasons.most_common(FEW)
        yield from (_line(framework, f"{reason} ({number:,})") for reason, number in told)
        if left := reasons.total() - sum(number for _, number in told):
            yield _line(framework, f"other reasons ({left:,}; --verbose tells them)")


def _line(framework: str, text: str) -> Line:
    return Line(f"{framework}: {text}", indent=2, lead=framework, lead_style="bold", fold=True)


def _defaults(rows: Sequence[Row]) -> Iterator[Part]:
    other = differing(rows)
    if not other:
        return
    yield from _title("Defaults other than the spec's", other, " (nnconform explain defaults)")
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in other:
        verdict = f" {row['verdict']}" if row["verdict"] in BAD else ""
        found[row["framework"]][f"{row['operation']}{verdict}"] += 1
    yield from (_line(framework, _counted(counter)) for framework, counter in found.items())


def _known(rows: Sequence[Row]) -> Iterator[Part]:
    if not rows:
        return
    yield from _title("Known", rows, " (they fail no run)")
    found = Counter((row["framework"], row["operation"], row["verdict"], first_line(row["known"])) for row in rows)
    for (framework, operation, verdict, reason), number in found.items():
        yield _line(framework, f"{operation} {verdict}: {reason} ({number:,})")


def differing(rows: Iterable[Row]) -> list[Row]:
    """Return the results that are not what the spec has."""
    return [row for row in rows if row["verdict"] in BAD or row["verdict"] == "dialect"]
