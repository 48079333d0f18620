"""Findings of a report: results in groups, counted, and put into words."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from nnconform.conformance.model.report import Fault, FrameworkEntry, Report
from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.model.verdicts import DISPLAY, SEVERITY, VERDICTS, WITHOUT_VALUE
from nnconform.conformance.numbers import decimal, distinct_decimals
from nnconform.conformance.vectors.operations import OUTPUTS
from nnconform.conformance.words import GLUE, count, first_line, joined

# Framework, operation, and a dialect or a reason.
Key = tuple[str, str, str]
DEFAULTS = "defaults"
# Verdicts of findings, the worst first.
FINDINGS = tuple(name for name in reversed(SEVERITY) if VERDICTS[name].fails or name == "dialect")
# Column heads of a table of counts, in which errors, crashes and timeouts are one column.
COLUMNS = tuple(dict.fromkeys("failed" if name in WITHOUT_VALUE else v.column for name, v in VERDICTS.items()))


class Group:
    """Results with one dialect or reason, over outputs, implementations, modes and vectors.

    Attributes:
        modes: by implementation, in the order of the report.
        outputs: their names, all entries of a list together.
        members: each result with the flat name of its output; "" for the whole result.
    """

    def __init__(self) -> None:
        self.modes: dict[str, dict[str, None]] = {}
        self.outputs: dict[str, None] = {}
        self.members: list[tuple[Result, str]] = []

    def add(self, result: Result, output: str) -> None:
        """Add a result and the flat name of its output; "" for the whole result."""
        self.modes.setdefault(result.implementation, {})[result.mode] = None
        self.members.append((result, output))
        if output:
            self.outputs[output.partition("[")[0]] = None

    def leave_out(self, implementations: Collection[str]) -> None:
        """Remove the results of some implementations."""
        self.modes = {name: modes for name, modes in self.modes.items() if name not in implementations}
        self.members = [(r, output) for r, output in self.members if r.implementation not in implementations]

    @property
    def implementations(self) -> str:
        """The implementations with their modes, for text that is wrapped."""
        return format_implementations(self.modes)

    @property
    def plain_implementations(self) -> str:
        """The implementations with their modes, for text that is not wrapped."""
        return self.implementations.replace(GLUE, " ")

    @property
    def vector_count(self) -> int:
        """The number of different vectors."""
        return len({result.vector for result, _ in self.members})

    @property
    def worst(self) -> tuple[Result, str]:
        """The result and output with the largest error in ULP; of equal ones, the largest error over its bound."""

        return max(self.members, key=lambda member: member[0].outputs.get(member[1], Output("conforms")).size)


def format_implementations(modes: Mapping[str, Iterable[str]]) -> str:
    """Return implementations with their modes, those with the same modes together, for text that is wrapped.

    Args:
        modes: by implementation.
    """
    by_modes: dict[str, list[str]] = {}
    for name, of_it in modes.items():
        by_modes.setdefault("/".join(of_it), []).append(name)
    return "; ".join(f"{joined(names)} ({of_them})" for of_them, names in by_modes.items())


def group_by_reason(results: Iterable[Result], verdict: str) -> dict[Key, Group]:
    """Return the results with a verdict by framework, operation, and dialect or reason."""
    groups: dict[Key, Group] = defaultdict(Group)
    for result in results:
        head = result.framework, result.operation
        if not result.outputs and result.verdict == verdict:
            groups[*head, result.dialect or first_line(result.reason)].add(result, "")
        for name, output in result.outputs.items():
            if output.verdict == verdict:
                groups[*head, output.dialect].add(result, name)
    return dict(groups)


def failing_groups(report: Report, *, strict: bool) -> dict[str, dict[Key, Group]]:
    """Return the groups that fail a run, by verdict in the order of ``FINDINGS``; a dialect fails if it is strict."""
    results = [result for result in report.results if result.fails(strict=strict)]
    by_verdict = {verdict: group_by_reason(results, verdict) for verdict in FINDINGS if strict or verdict != "dialect"}
    return {verdict: groups for verdict, groups in by_verdict.items() if groups}


def group_by_dialect(results: Iterable[Result], dialect: str) -> dict[Key, Group]:
    """Return the results that have a dialect, alone or in a combination, by framework, operation and combination.

    Args:
        results: of a report.
        dialect: its name; of a combination, in any order, only results with exactly its parts.
    """
    parts = set(dialect.split("+"))
    groups: dict[Key, Group] = defaultdict(Group)
    for result in results:
        for name, other in result.dialects():
            others = set(other.split("+"))
            if parts == others or (len(parts) == 1 and parts < others):
                groups[result.framework, result.operation, other].add(result, name)
    return dict(groups)


def group_unexplained(results: Iterable[Result]) -> dict[Key, Group]:
    """Return divergences, errors, crashes and timeouts by framework, operation, and verdict with its reason."""
    groups: dict[Key, Group] = defaultdict(Group)
    for result in results:
        if result.verdict in WITHOUT_VALUE:
            groups[result.framework, result.operation, f"{result.verdict}: {result.short_reason}"].add(result, "")
        for name, output in result.outputs.items():
            if output.verdict == "diverges":
                groups[result.framework, result.operation, "diverges"].add(result, name)
    return dict(groups)


def rerun_command(entry: FrameworkEntry, result: Result | Fault) -> list[str]:
    """Return the command that repeats one call; without a mode for an adapter's fault."""
    built_in = entry.adapter.startswith("nnconform.adapters.")
    target = [entry.target or entry.name] if built_in else ["--adapter", entry.adapter]
    mode = ["--mode", result.mode] if isinstance(result, Result) else []
    call = ["--vector", result.vector, "--implementation", result.implementation]
    return ["nnconform", "run", *target, *call, *mode]


def format_worst(name: str, output: Output | None) -> str:
    """Return the worst element of an output: ``y[3]: expected 1.5, got 1.25 (2 x bound of 0.125, 14 ulp)``.

    Args:
        name: the output's flat name.
        output: its verdict; None if the result does not have the output.

    Returns:
        The problem if the output has no value to compare, "" if it has no worst element.
    """
    if output is None:
        return ""
    if output.problem:
        return f"{name}: {output.problem}"
    worst = output.worst
    if worst is None:
        return ""
    expected, got = distinct_decimals(worst.expected, worst.got)
    # A special value is beyond any bound, and has no distance.
    times = f"{_short(output.ratio)} x bound of " if math.isfinite(output.ratio) else "bound "
    ulp = f", {_short(output.ulp)} ulp" if math.isfinite(output.ulp) else ""
    return f"{worst.place(name)}: expected {expected}, got {got} ({times}{decimal(worst.bound, 3)}{ulp})"


def _short(value: float) -> str:
    """Return a number with four significant digits, without an exponent below 10^8."""
    return decimal(float(decimal(value, 4)))


def describe_worst(group: Group) -> str:
    """Return the vector of a group's worst output, with the worst element or the problem."""
    result, name = group.worst
    return f"{result.vector} {format_worst(name, result.outputs.get(name))}".rstrip()


def describe(result: Result) -> Iterator[str]:
    """Yield a line for each output that does not conform, the reason if there is none, and printed text."""
    if result.reason:
        yield result.reason
    for name, output in result.outputs.items():
        if output.verdict != "conforms":
            dialect = f" [{output.dialect}]" if output.dialect else ""
            yield f"{format_worst(name, output) or name}{dialect}"
            if output.also:
                yield f"  also fits: {', '.join(output.also)}"
    yield from quote_printed(result.printed)


def quote_printed(text: str) -> Iterator[str]:
    """Yield printed text as marked lines below a title; nothing for a blank text."""
    if text.strip():
        yield "printed:"
        yield from (f"  | {line}" for line in text.strip().splitlines())


def count_by_verdict(report: Report) -> dict[tuple[str, str], Counter[str]]:
    """Return the number of results per verdict, by framework and operation; ``DEFAULTS`` for all defaults."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for result in report.results:
        counts[result.framework, DEFAULTS if result.is_default else result.operation][result.verdict] += 1
    names = [entry.name for entry in report.frameworks]
    places = {operation: place for place, operation in enumerate(OUTPUTS)}
    order = sorted(counts, key=lambda key: (names.index(key[0]), places.get(key[1], len(places))))
    return {key: counts[key] for key in order}


def count_failed(counts: Mapping[str, int]) -> int:
    """Count the errors, crashes and timeouts."""
    return sum(counts.get(verdict, 0) for verdict in WITHOUT_VALUE)


def count_columns(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the number of results by column head: of each verdict, and of ``failed`` ones."""
    columns = {verdict.column: counts.get(name, 0) for name, verdict in VERDICTS.items()}
    return columns | {"failed": count_failed(counts)}


def format_counts(results: Sequence[Result]) -> str:
    """Return the number of results and their verdicts: ``84 results: 80 conform, 4 diverge``."""
    total = Counter(result.verdict for result in results)
    counts = [_count_verdict(total[verdict], verdict) for verdict in DISPLAY if total[verdict]]
    return f"{count(len(results), 'result')}: {', '.join(counts) or 'none'}"


def _count_verdict(number: int, verdict: str) -> str:
    if verdict in WITHOUT_VALUE:
        return count(number, verdict, "crashes" if verdict == "crash" else "")
    return f"{number:,} {VERDICTS[verdict].plural}"


def conclusion(report: Report) -> str:
    """Return the totals and the time in one sentence."""
    accepted = sum(bool(result.known) for result in report.results)
    listed = f"; {count(accepted, 'known divergence')}" if accepted else ""
    return f"{count(report.vectors, 'vector')}, {format_counts(report.results)}{listed}; {report.seconds:.1f} s"


def false_alarms(report: Report) -> str:
    """Return the probability that a right random sample fails a test, in a sentence; "" without random samples."""
    laws = report.laws
    if laws is None or not laws.tests:
        return ""
    tests = count(laws.tests, "statistical test")
    return f"{count(laws.samples, 'random sample')}, {tests}: probability of a false alarm below {laws.false_alarm:.1e}"
