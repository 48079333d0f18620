"""What must be acted on, in full: findings with their worst element and the next command, and trouble of the run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from nnconform.conformance.diff.wording import short
from nnconform.conformance.layout import Command, Line, Part
from nnconform.conformance.report.findings_of_rows import Group, Row, again, groups, is_finding
from nnconform.conformance.words import count

Found = Mapping[tuple[str, str, str], Group]
TITLES = {
    "diverges": "Diverges, and no dialect explains it",
    "crash": "Crashed",
    "timeout": "Timed out",
    "error": "Raised an error where the clause has a value, or the reverse",
    "dialect": "Differs by a dialect, which --strict refuses",
}
# Lines that are shown of an error's message, and of what a worker printed.
MOST_SAID = 12
MOST_PRINTED = 15


def findings(report: Mapping[str, Any], *, strict: bool) -> dict[str, Found]:
    """Return the groups that fail a run, by verdict, what matters most first."""
    rows = [row for row in report["results"] if is_finding(row, strict=strict)]
    found = {verdict: groups(rows, verdict) for verdict in TITLES if strict or verdict != "dialect"}
    return {verdict: group for verdict, group in found.items() if group}


def parts(report: Mapping[str, Any], *, strict: bool) -> Iterator[Part]:
    """Yield what must be acted on."""
    for verdict, found in findings(report, strict=strict).items():
        yield from section(TITLES[verdict], found, act=True)
    yield from _trouble(report)


def section(title: str, found: Found, *, act: bool = False) -> Iterator[Part]:
    """Yield a title and groups of findings.

    Args:
        title: what they are.
        found: the groups, by framework, operation, and dialect or reason.
        act: tell each in full, with the next command.
    """
    yield Line()
    yield Line(f"{title}: {count(len(found), 'group')}", style="bold red" if act else "bold")
    for key, group in found.items():
        yield from _acted(key, group) if act else _told(key, group)


def _head(key: tuple[str, str, str], group: Group, what: str) -> Line:
    outputs = f" ({', '.join(group.outputs)})" if group.outputs else ""
    head = f"{key[0]} {key[1]}{outputs}"
    text = f"{head}{': ' + what if what else ''}, {count(group.vectors, 'vector')}"
    return Line(text, indent=2, lead=head, lead_style="bold", fold=True)


def _told(key: tuple[str, str, str], group: Group) -> Iterator[Part]:
    """Yield what a group is, for who wants to know it."""
    row, name = group.worst
    yield _head(key, group, key[2])
    yield Line(group.who, indent=6)
    yield Line(f"{'worst' if name else 'such as'}: {row['vector']}", indent=6)
    yield from _element(row, name, 8)


def _acted(key: tuple[str, str, str], group: Group) -> Iterator[Part]:
    """Yield what a group is, for who must act on it."""
    row, name = group.worst
    # Why there is no value is told in full below.
    yield _head(key, group, key[2] if "reason" not in row else "")
    yield Line(group.who, indent=4)
    yield Line(f"{'worst' if name else 'such as'}: {row['vector']}", indent=4)
    yield from _element(row, name, 6)
    yield from _quoted(row.get("reason", ""), MOST_SAID, indent=6)
    if row.get("printed"):
        yield Line("it printed:", indent=6)
        yield from _quoted(row["printed"], MOST_PRINTED, indent=6, mark="| ")
    yield Command(["nnconform", "explain", row["vector"]], indent=4)


def _element(row: Row, name: str, indent: int) -> Iterator[Part]:
    if text := element_text(row["outputs"].get(name, {})):
        yield Line(f"{name}{text}", indent=indent, fold=True)


def element_text(output: Mapping[str, Any]) -> str:
    """Return where an output is wrong, what came and what was wanted, and how far over which bound; "" for nothing."""
    if output.get("problem"):
        return f": {output['problem']}"
    if not (worst := output.get("worst")):
        return ""
    position = f"[{', '.join(map(str, worst['index']))}]" if worst["index"] else ""
    got, wanted = short(float(worst["got"]), float(worst["expected"]))
    over = f" ({float(output['ulp']):.4g} ulp)" if "ulp" in output else ""
    ratio, bound = float(output["ratio"]), float(worst["bound"])
    size = f"{ratio:.4g} times the bound of {bound:.3g}" if ratio < float("inf") else f"beyond the bound of {bound:.3g}"
    return f"{position}: got {got}, wanted {wanted}: {size}{over}"


def _quoted(text: str, most: int, *, indent: int, mark: str = "") -> Iterator[Part]:
    """Yield lines that others wrote; of many the first of a message, and the last of what was printed."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    shown = lines[-most:] if mark else lines[:most]
    for line in shown:
        inner = len(line) - len(line.lstrip())
        yield Line(line, indent=indent, mark=mark + " " * min(inner, 24), hang=0 if mark else 2, fold=True)
    if not mark and len(lines) > most:
        yield Line(f"... and {len(lines) - most} more lines; the JSON report has them", indent=indent)


def stopped(report: Mapping[str, Any]) -> list[Row]:
    """Return the frameworks that did not run, or not to the end, through no choice of the user."""
    return [entry for entry in report["frameworks"] if entry["status"] in ("failed", "stopped")]


def _trouble(report: Mapping[str, Any]) -> Iterator[Part]:
    if report["problems"]:
        yield from _listed("Vector files that were left out (exit status 2):", report["problems"])
    if report.get("known_problems"):
        yield from _listed("The list of known divergences does not hold (exit status 1):", report["known_problems"])
        file = report["known_problems"][0].partition(":")[0]
        yield Line(f"`nnconform known {file} --update` brings it up to date", indent=4)
    if report["faults"]:
        yield from _faults(report)
    for entry in report["frameworks"]:
        if entry.get("stderr"):
            yield Line()
            yield Line(f"The end of what the worker of {entry['name']} printed:", style="bold", fold=True)
            yield from _quoted(entry["stderr"], MOST_PRINTED, indent=2, mark="| ")


def _listed(title: str, texts: list[str]) -> Iterator[Part]:
    yield Line()
    yield Line(title, style="bold red")
    yield from (Line(text, indent=2, hang=4, fold=True) for text in texts)


def _faults(report: Mapping[str, Any]) -> Iterator[Part]:
    yield Line()
    yield Line("Faults of adapters (the suite's own, not the framework's; exit status 3):", style="bold red")
    seen: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for fault in report["faults"]:
        seen[fault["framework"], fault["implementation"]].append(fault)
    entries = {entry["name"]: entry for entry in report["frameworks"]}
    for (framework, _), faults in seen.items():
        more = f" (and {len(faults) - 1:,} more like it)" if len(faults) > 1 else ""
        yield Line(f"{faults[0]['message']}{more}", indent=2, hang=4, fold=True)
        yield Command(again(entries[framework], faults[0]), indent=6)
