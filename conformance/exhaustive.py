"""What came out for every number of a half format, a line for each result that is the same (FORMAT-19)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

Key = tuple[Any, ...]


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield how many results are not the exact ones rounded once, by framework, operation, dtype and output."""
    found = _found(report)
    if not found:
        return
    yield ""
    yield "Every number of a half format, against the exact result rounded once:"
    for (framework, operation, dtype, output, *count), implementations in found.items():
        inputs, differ, ulp, at = count
        worst = f", the worst by {_number(ulp)} ulp, at {_number(at)}" if differ else ""
        modes = {"/".join(modes) for modes in implementations.values()}
        names = ", ".join(implementations) if len(modes) == 1 else _apart(implementations)
        yield f"  {framework} {operation} {dtype} {output}: {differ:,} of {inputs:,} differ{worst}"
        yield f"      {names}{f' ({modes.pop()})' if len(modes) == 1 else ''}"


def _found(report: Mapping[str, Any]) -> dict[Key, dict[str, list[str]]]:
    """Return the implementations, with their modes, that gave each result."""
    found: dict[Key, dict[str, list[str]]] = defaultdict(dict)
    for row in report["results"]:
        for name, output in row["outputs"].items():
            if count := output.get("counted"):
                dtype = row["vector"].rpartition("/")[2]
                head = row["framework"], row["operation"], dtype, name.partition("[")[0]
                key = (*head, *(count[part] for part in ("inputs", "differ", "ulp", "at")))
                found[key].setdefault(row["implementation"], []).append(row["mode"])
    return dict(sorted(found.items(), key=lambda item: item[0][:4]))


def _apart(implementations: Mapping[str, list[str]]) -> str:
    return ", ".join(f"{name} ({'/'.join(modes)})" for name, modes in implementations.items())


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
