"""What a report says in sum: counts by framework and operation, groups of findings, each of them in words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from nnconform.conformance.vectors.operations import OUTPUTS
from nnconform.conformance.words import GLUE, count, joined

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


def failed(found: Mapping[str, int]) -> int:
    """Return how many results of a count have no value where one was wanted, or none at all."""
    return sum(found.get(verdict, 0) for verdict in ("error", "crash", "timeout"))


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

    def leave_out(self, implementations: Collection[str]) -> None:
        """Leave out the findings of some implementations."""
        self.modes = {name: modes for name, modes in self.modes.items() if name not in implementations}
        self.rows = [(row, output) for row, output in self.rows if row["implementation"] not in implementations]

    @property
    def implementations_text(self) -> str:
        """The implementations concerned, those of the same modes together."""
        return self.who.replace(GLUE, " ")

    @property
    def who(self) -> str:
        """The same for text that is wrapped: each name stays in one line (``layout.GLUE``)."""
        return who(self.modes)

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


def who(modes: Mapping[str, Iterable[str]]) -> str:
    """Return implementations with their modes, those of the same modes together, for text that is wrapped.

    Args:
        modes: by implementation.
    """
    by_modes: dict[str, list[str]] = {}
    for name, found in modes.items():
        by_modes.setdefault("/".join(found), []).append(name)
    return "; ".join(f"{joined(names)} ({found})" for found, names in by_modes.items())


def groups(rows: Iterable[Row], verdict: str) -> dict[tuple[str, str, str], Group]:
    """Return the rows of a verdict, grouped by framework, operation, and dialect or reason."""
    found: dict[tuple[str, str, str], Group] = defaultdict(Group)
    for row in rows:
        head = row["framework"], row["operation"]
        if not row["outputs"]:
            if row["verdict"] == verdict:
                found[*head, row.get("dialect", first_line(row.get("reason", "")))].add(row, "")
            continue
        for name, output in row["outputs"].items():
            if output["verdict"] == verdict:
                found[*head, output.get("dialect", "")].add(row, name)
    return dict(found)


def first_line(text: str) -> str:
    """Return the first line of a text, cut where it is long."""
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 110 else f"{line[:107]}..."


def again(entry: Row, row: Row) -> list[str]:
    """Return the command that runs one call again.

    Args:
        entry: the framework in the report.
        row: a result, or a fault of an adapter, of which the mode is not known.
    """
    ours = entry["adapter"].startswith("nnconform.adapters.")
    what = [entry.get("target", entry["name"])] if ours else ["--adapter", entry["adapter"]]
    mode = ["--mode", row["mode"]] if "mode" in row else []
    return ["nnconform", "run", *what, "--vector", row["vector"], "--implementation", row["implementation"], *mode]


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


def _order(key: tuple[str, str], report: Mapping[str, Any]) -> tuple[int, int]:
    """Return the place of a framework and operation: as they were run, what is no operation last."""
    names = [entry["name"] for entry in report["frameworks"]]
    operations = list(OUTPUTS)
    return names.index(key[0]), operations.index(key[1]) if key[1] in operations else len(operations)


def count_rows(report: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return the heads and rows of the table of counts."""
    heads = ["framework", "operation", "conform", "by dialect", "diverge", "unsupported", "failed"]
    rows = []
    for (framework, operation), found in sorted(counts(report).items(), key=lambda item: _order(item[0], report)):
        numbers = (
            found["conforms"],
            found["dialect"],
            found["diverges"],
            found["unsupported"],
            failed(found),
        )
        rows.append([framework, operation, *(str(n) if n else "-" for n in numbers)])
    return heads, rows


def conclusion(report: Mapping[str, Any]) -> str:
    """Return the totals and the time in one sentence."""
    total = Counter(row["verdict"] for row in report["results"])
    parts = [f"{total[v]:,} {HEADS.get(v, v)}" for v in COLUMNS if total[v]]
    results = f"{count(len(report['results']), 'result')}: {', '.join(parts) or 'none'}"
    known = sum("known" in row for row in report["results"])
    listed = f"; {known:,} known" if known else ""
    return f"{count(report['vectors'], 'vector')}, {results}{listed}; {report['seconds']:.1f} s"


def false_alarms(report: Mapping[str, Any]) -> str:
    """Return how sure the verdicts on random samples are, "" where there are none."""
    laws = report.get("laws", {})
    if not laws.get("tests"):
        return ""
    return (
        f"{count(laws['samples'], 'random sample')}, {laws['tests']:,} random tests: samples that all have their laws "
        f"fail one with a probability below {laws['false_alarm']:.1e}"
    )


BAD = frozenset({"diverges", "error", "crash", "timeout"})


def is_finding(row: Mapping[str, Any], *, strict: bool) -> bool:
    """Say whether a result fails a run: it is bad, judged by what the user set, and not known."""
    bad = row["verdict"] in BAD or (strict and row["verdict"] == "dialect")
    return bad and row["profile"] != "defaults" and "known" not in row


def exit_status(report: Mapping[str, Any], *, strict: bool) -> int:
    """Return the exit status of a run: 3 the suite failed, 130 interrupted, 1 findings, 0 none.

    Vectors of profile defaults inform and do not fail a run.
    """
    failed = any(entry["status"] in ("failed", "stopped") for entry in report["frameworks"])
    if report["faults"] or failed:
        return 3
    if report["problems"]:
        return 2
    if not report["complete"]:
        return 130
    return int(bool(report.get("known_problems")) or any(is_finding(r, strict=strict) for r in report["results"]))
