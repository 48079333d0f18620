"""A report on a terminal or in a pipe: counts by framework and operation, then each group of findings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nnconform.conformance.suite.operations import OUTPUTS

Row = Mapping[str, Any]
COLUMNS = ("conforms", "dialect", "diverges", "unsupported", "error", "crash", "timeout")
HEADS = {"conforms": "conform", "dialect": "by dialect", "diverges": "diverge", "error": "failed"}


def counts(report: Mapping[str, Any]) -> dict[tuple[str, str], Counter[str]]:
    """Return how many results of each verdict there are, by framework and operation."""
    result: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in report["results"]:
        key = row["framework"], "defaults" if row["profile"] == "defaults" else row["operation"]
        result[key][row["verdict"]] += 1
    return dict(result)


def _failed(count: Counter[str]) -> int:
    return count["error"] + count["crash"] + count["timeout"]


class Group:
    """Findings of the same kind: one dialect or reason, over outputs, implementations, modes and vectors."""

    def __init__(self) -> None:
        self.modes: dict[str, dict[str, None]] = {}
        self.outputs: dict[str, None] = {}
        self.rows: list[tuple[Row, str]] = []

    def add(self, row: Row, output: str) -> None:
        """Take in a row, and the output concerned, "" for the whole vector."""
        self.modes.setdefault(row["implementation"], {})[row["mode"]] = None
        self.rows.append((row, output))
        if output:
            self.outputs[output.partition("[")[0]] = None

    @property
    def implementations_text(self) -> str:
        """The implementations concerned, with the modes where they all have the same."""
        modes = {"/".join(found) for found in self.modes.values()}
        if len(modes) == 1:
            return f"{', '.join(self.modes)} ({modes.pop()})"
        return ", ".join(f"{name} ({'/'.join(found)})" for name, found in self.modes.items())

    @property
    def vectors(self) -> int:
        """How many vectors are concerned."""
        return len({row["vector"] for row, _ in self.rows})

    @property
    def worst(self) -> tuple[Row, str]:
        """The row with the greatest error in ULP, a wrong special value the greatest of all; then over the bound."""

        def size(item: tuple[Row, str]) -> tuple[float, float]:
            output = item[0]["outputs"].get(item[1], {})
            return float(output.get("ulp", 0)), float(output.get("ratio", 0))

        return max(self.rows, key=size)


def groups(rows: Iterable[Row], verdict: str) -> dict[tuple[str, str, str], Group]:
    """Return the rows of a verdict, grouped by framework, operation, and dialect or reason."""
    found: dict[tuple[str, str, str], Group] = defaultdict(Group)
    for row in rows:
        head = row["framework"], row["operation"]
        if not row["outputs"]:
            if row["verdict"] == verdict:
                found[*head, row.get("dialect", _first_line(row.get("reason", "")))].add(row, "")
            continue
        for name, output in row["outputs"].items():
            if output["verdict"] == verdict:
                found[*head, output.get("dialect", "")].add(row, name)
    return dict(found)


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 110 else f"{line[:107]}..."


def worst_text(group: Group) -> str:
    """Return the worst of a group: which vector, which element, what was got and expected, how far over the bound."""
    row, name = group.worst
    return f"{row['vector']}{output_text(row, name)}"


def output_text(row: Row, name: str) -> str:
    """Return where an output is wrong and how far, or "" where the row has no such output."""
    output = row["outputs"].get(name, {})
    element = output.get("worst")
    if output.get("problem"):
        return f": {output['problem']}"
    if not element:
        return ""
    position = f"[{', '.join(map(str, element['index']))}]" if element["index"] else ""
    got, wanted = _number(element["got"]), _number(element["expected"])
    size = _number(output["ratio"])
    over = "bound 0" if size == "inf" else f"{size} x bound, {_number(output['ulp'])} ulp"
    return f" {name}{position} = {got}, expected {wanted} ({over})"


def finding_text(row: Row) -> Iterator[str]:
    """Yield what is wrong with a result, a line for each output: which element, what came, what was wanted, how far."""
    if row.get("reason"):
        yield row["reason"]
    for name, output in row["outputs"].items():
        if output["verdict"] != "conforms":
            dialect = f" [{output['dialect']}]" if "dialect" in output else ""
            text = output_text(row, name)
            yield f"{name}{text}{dialect}" if text.startswith(":") else f"{text.strip() or name}{dialect}"
    if row.get("printed"):
        yield f"printed: {row['printed']}"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.8g}"


def _group_lines(found: Mapping[tuple[str, str, str], Group]) -> Iterator[str]:
    for (framework, operation, name), group in found.items():
        outputs = f" ({', '.join(group.outputs)})" if group.outputs else ""
        yield f"  {framework} {operation}{outputs}{': ' + name if name else ''}, {_count(group.vectors, 'vector')}"
        yield f"      {group.implementations_text}"
        yield f"      {'worst' if group.outputs else 'such as'}: {worst_text(group)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _state(entry: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{k} {v}" for k, v in entry["versions"].items())
    if entry["status"] == "ran":
        return f"{versions} ({entry['seconds']:.0f} s)"
    return f"{entry['status']}: {entry['reason']}"


def _order(key: tuple[str, str], report: Mapping[str, Any]) -> tuple[int, int]:
    """Return the place of a framework and operation: as they were run, what is no operation last."""
    names = [entry["name"] for entry in report["frameworks"]]
    operations = list(OUTPUTS)
    return names.index(key[0]), operations.index(key[1]) if key[1] in operations else len(operations)


def count_rows(report: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return the heads and rows of the table of counts."""
    heads = ["framework", "operation", "conform", "by dialect", "diverge", "unsupported", "failed"]
    rows = []
    for (framework, operation), count in sorted(counts(report).items(), key=lambda item: _order(item[0], report)):
        numbers = (
            count["conforms"],
            count["dialect"],
            count["diverges"],
            count["unsupported"],
            _failed(count),
        )
        rows.append([framework, operation, *(str(n) if n else "-" for n in numbers)])
    return heads, rows


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what stands before and after the table, as plain lines: frameworks first, findings after."""
    for entry in report["frameworks"]:
        yield f"{entry['name']}: {_state(entry)}"
    if not report["complete"]:
        yield "This run is incomplete: what follows is what was done until it ended."


def findings(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the groups of findings as plain lines, what matters most first."""
    known = [row for row in report["results"] if "known" in row]
    new = [row for row in report["results"] if "known" not in row]
    judged = [row for row in new if row["profile"] != "defaults"]
    defaults = [row for row in new if row["profile"] == "defaults"]
    sections: Sequence[tuple[str, dict[tuple[str, str, str], Group]]] = (
        ("Diverges (no dialect explains it)", groups(judged, "diverges")),
        ("Crashed", groups(judged, "crash")),
        ("Timed out", groups(judged, "timeout")),
        ("Raised an error where the clause has a value", groups(judged, "error")),
        ("Differs by a dialect", groups(judged, "dialect")),
        ("Unsupported", groups(judged, "unsupported")),
        ("Defaults that differ from the spec's (they do not fail a run)", _differing(defaults)),
        ("Known (they do not fail a run)", _listed(known)),
    )
    for title, found in sections:
        if found:
            yield ""
            yield f"{title}: {_count(len(found), 'group')}"
            yield from _group_lines(found)
    yield from _trouble(report)


def _differing(rows: Sequence[Row]) -> dict[tuple[str, str, str], Group]:
    return {key: group for verdict in ("diverges", "error", "dialect") for key, group in groups(rows, verdict).items()}


def _listed(rows: Sequence[Row]) -> dict[tuple[str, str, str], Group]:
    """Return the results that the list of known divergences covers, grouped by framework, operation and reason."""
    found: dict[tuple[str, str, str], Group] = defaultdict(Group)
    for row in rows:
        names = [name for name, output in row["outputs"].items() if output["verdict"] == row["verdict"]]
        for name in names or [""]:
            found[row["framework"], row["operation"], f"{row['verdict']}: {_first_line(row['known'])}"].add(row, name)
    return dict(found)


def _trouble(report: Mapping[str, Any]) -> Iterator[str]:
    if report["problems"]:
        yield ""
        yield "Vector files that were left out:"
        yield from (f"  {problem}" for problem in report["problems"])
    if report.get("known_problems"):
        yield ""
        yield "The list of known divergences does not hold (exit status 1):"
        yield from (f"  {problem}" for problem in report["known_problems"])
    if report["faults"]:
        seen: dict[tuple[str, str], list[str]] = defaultdict(list)
        for fault in report["faults"]:
            seen[fault["framework"], fault["implementation"]].append(fault["message"])
        yield ""
        yield "Faults of adapters (the suite's own, not the framework's; exit status 3):"
        for messages in seen.values():
            more = f" (and {len(messages) - 1} more like it)" if len(messages) > 1 else ""
            yield f"  {messages[0]}{more}"
    for entry in report["frameworks"]:
        if entry.get("stderr"):
            yield ""
            yield f"The end of what the worker of {entry['name']} printed:"
            yield from (f"  | {line}" for line in entry["stderr"].strip().splitlines()[-15:])


def conclusion(report: Mapping[str, Any]) -> str:
    """Return the last line: totals and time."""
    total = Counter(row["verdict"] for row in report["results"])
    parts = [f"{total[v]} {HEADS.get(v, v)}" for v in COLUMNS if total[v]]
    results = f"{len(report['results'])} results: {', '.join(parts) or 'none'}"
    known = sum("known" in row for row in report["results"])
    listed = f"; {known} known" if known else ""
    faults = f"; {_count(len(report['faults']), 'fault')} of adapters" if report["faults"] else ""
    return f"{report['vectors']} vectors, {results}{listed}{faults}; {report['seconds']:.1f} s"


def false_alarms(report: Mapping[str, Any]) -> list[str]:
    """Return the line that says how sure the verdicts on random samples are, where there are any."""
    laws = report.get("laws", {})
    if not laws.get("tests"):
        return []
    return [
        f"{_count(laws['samples'], 'random sample')}, {laws['tests']} random tests: samples that all have their laws "
        f"fail one with a probability below {laws['false_alarm']:.1e}"
    ]
