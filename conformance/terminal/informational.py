"""Results that need no action, in short: dialects, unsupported calls, defaults and known divergences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from nnconform.conformance.layout import Block, Line, Table
from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Result
from nnconform.conformance.model.verdicts import VERDICTS
from nnconform.conformance.words import count, first_line

# Most reasons per framework.
REASONS = 12
# Columns for the names of frameworks as heads of a table.
HEAD_ROOM = 36


def blocks(report: Report, *, strict: bool) -> Iterator[Block]:
    """Yield the results that need no action; a dialect needs some if ``strict``."""
    counting = [result for result in report.results if result.can_fail]
    if not strict:
        yield from _dialects([result for result in counting if result.verdict == "dialect"])
    yield from _unsupported([result for result in counting if result.verdict == "unsupported"])
    defaults = (result for result in report.results if result.is_default and not result.known)
    yield from _defaults([result for result in defaults if result.differs])
    yield from _known([result for result in report.results if result.known])


def _title(text: str, results: Sequence[Result], remark: str = "") -> Iterator[Block]:
    yield Line()
    yield Line(f"{text}: {count(len(results), 'result')}{remark}", lead=text, lead_style="bold", style="dim")


def _dialects(results: Sequence[Result]) -> Iterator[Block]:
    """Yield a table of dialects by framework, or a line per dialect if the names of frameworks are long."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        for name in {dialect for _, dialect in result.dialects()}:
            counts[name][result.framework] += 1
    if not counts:
        return
    yield from _title("Dialects", results, " that differ in a known way (nnconform explain NAME)")
    order = sorted(counts, key=lambda name: (-counts[name].total(), name))
    frameworks = list(dict.fromkeys(result.framework for result in results))
    if sum(len(name) + 2 for name in frameworks) > HEAD_ROOM:
        yield from (Line(f"{name}: {_join_counts(counts[name])}", indent=2) for name in order)
        return
    cells = [[name, *(f"{counts[name][f]:,}" if counts[name][f] else "-" for f in frameworks)] for name in order]
    yield Table(["", *frameworks], cells, indent=2)


def _join_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items())


def _unsupported(results: Sequence[Result]) -> Iterator[Block]:
    if not results:
        return
    yield from _title("Unsupported", results)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        reasons[result.framework][first_line(result.reason)] += 1
    for framework, counts in reasons.items():
        common = counts.most_common(REASONS)
        yield from (_line(framework, f"{reason} ({number:,})") for reason, number in common)
        if rest := counts.total() - sum(number for _, number in common):
            yield _line(framework, f"other reasons ({rest:,}; --verbose lists them)")


def _line(framework: str, text: str) -> Line:
    return Line(f"{framework}: {text}", indent=2, lead=framework, lead_style="bold", fold=True)


def _defaults(results: Sequence[Result]) -> Iterator[Block]:
    if not results:
        return
    yield from _title("Defaults that differ from the spec", results, " (nnconform explain defaults)")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        verdict = f" {result.verdict}" if VERDICTS[result.verdict].fails else ""
        counts[result.framework][f"{result.operation}{verdict}"] += 1
    yield from (_line(framework, _join_counts(counter)) for framework, counter in counts.items())


def _known(results: Sequence[Result]) -> Iterator[Block]:
    if not results:
        return
    yield from _title("Known divergences", results, " (they do not fail the run)")
    counts = Counter((r.framework, r.operation, r.verdict, first_line(r.known)) for r in results)
    for (framework, operation, verdict, reason), number in counts.items():
        yield _line(framework, f"{operation} {verdict}: {reason} ({number:,})")
