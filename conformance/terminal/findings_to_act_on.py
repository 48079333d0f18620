"""Findings that need action, in full: the worst element, the next command, and trouble of the run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from nnconform.conformance.layout import Block, Command, Line
from nnconform.conformance.model.report import Fault, Report
from nnconform.conformance.report.findings import Group, Key, failing_groups, format_worst, rerun_command
from nnconform.conformance.words import count

Groups = Mapping[Key, Group]
TITLES = {
    "crash": "Crashed",
    "timeout": "Timed out",
    "error": "Raised an error instead of returning a value, or the reverse",
    "diverges": "Diverges, and no dialect explains it",
    "dialect": "Differs by a dialect (needs action with --strict)",
}
# Lines of an error's message, and of a worker's printed output.
MESSAGE_LINES = 12
PRINTED_LINES = 15


def blocks(report: Report, *, strict: bool) -> Iterator[Block]:
    """Yield all findings that need action, and the trouble of the run."""
    for verdict, groups in failing_groups(report, strict=strict).items():
        yield from section(f"{TITLES[verdict]}: {count(len(groups), 'finding')}", groups, act=True)
    yield from _trouble(report)


def section(title: str, groups: Groups, *, act: bool = False) -> Iterator[Block]:
    """Yield a title and groups of findings.

    Args:
        title: of the groups.
        groups: by framework, operation, and dialect or reason.
        act: whether they need action, and so reasons, printed text and the next command.
    """
    yield Line()
    yield Line(title, style="bold red" if act else "bold")
    for key, group in groups.items():
        yield from _in_full(key, group) if act else _in_short(key, group)


def _head(key: Key, group: Group, reason: str) -> Line:
    framework, operation, _ = key
    outputs = f" ({', '.join(group.outputs)})" if group.outputs else ""
    head = f"{framework} {operation}{outputs}"
    text = f"{head}{': ' + reason if reason else ''}, {count(group.vector_count, 'vector')}"
    return Line(text, indent=2, lead=head, lead_style="bold", fold=True)


def _in_short(key: Key, group: Group) -> Iterator[Block]:
    yield _head(key, group, key[2])
    yield from _worst(group, 6)


def _in_full(key: Key, group: Group) -> Iterator[Block]:
    result, _ = group.worst
    # The reason follows in full.
    yield _head(key, group, "" if result.reason else key[2])
    yield from _worst(group, 4)
    yield from _quote(result.reason, MESSAGE_LINES, indent=6)
    if result.printed:
        yield Line("printed:", indent=6)
        yield from _quote(result.printed, PRINTED_LINES, indent=6, mark="| ")
    yield Command(["nnconform", "explain", result.vector], indent=4)


def _worst(group: Group, indent: int) -> Iterator[Block]:
    """Yield the implementations of a group, the vector of its worst result, and the worst element."""
    result, name = group.worst
    yield Line(group.implementations, indent=indent)
    yield Line(f"{'worst' if name else 'for example'}: {result.vector}", indent=indent)
    if text := format_worst(name, result.outputs.get(name)):
        yield Line(text, indent=indent + 2, fold=True)


def _quote(text: str, most: int, *, indent: int, mark: str = "") -> Iterator[Block]:
    """Yield lines of foreign text, marked if it was printed: the first of a message, the last of printed text."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    for line in lines[-most:] if mark else lines[:most]:
        inner = len(line) - len(line.lstrip())
        yield Line(line, indent=indent, mark=mark + " " * min(inner, 24), hang=0 if mark else 2, fold=True)
    if not mark and len(lines) > most:
        yield Line(f"... and {len(lines) - most} more lines; the JSON report has them", indent=indent)


def _trouble(report: Report) -> Iterator[Block]:
    if report.problems:
        yield from _list("Wrong vector files, which were left out (exit status 2):", report.problems)
    if report.known_problems:
        yield from _list("Wrong entries in the list of known divergences (exit status 1):", report.known_problems)
        file = report.known_problems[0].partition(":")[0]
        yield Line(f"`nnconform known {file} --update` corrects them", indent=4)
    if report.faults:
        yield from _faults(report)
    for entry in report.frameworks:
        if entry.stderr:
            yield Line()
            yield Line(f"End of the output of the worker of {entry.name}:", style="bold", fold=True)
            yield from _quote(entry.stderr, PRINTED_LINES, indent=2, mark="| ")


def _list(title: str, texts: Sequence[str]) -> Iterator[Block]:
    yield Line()
    yield Line(title, style="bold red")
    yield from (Line(text, indent=2, hang=4, fold=True) for text in texts)


def _faults(report: Report) -> Iterator[Block]:
    yield Line()
    yield Line("Adapter faults: the adapter breaks its contract (exit status 3):", style="bold red")
    by_implementation: dict[tuple[str, str], list[Fault]] = defaultdict(list)
    for fault in report.faults:
        by_implementation[fault.framework, fault.implementation].append(fault)
    for (framework, _), faults in by_implementation.items():
        more = f" (and {len(faults) - 1:,} more)" if len(faults) > 1 else ""
        yield Line(f"{faults[0].message}{more}", indent=2, hang=4, fold=True)
        yield Command(rerun_command(report.by_name[framework], faults[0]), indent=6)
