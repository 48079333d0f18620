"""Which result of a report a script is to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnconform.conformance.running.frameworks import PARTS, UsageError, available, suggestion

from .families import Families, families

# From worst to best; what was not judged tells least.
VERDICTS = ("crash", "timeout", "error", "diverges", "dialect", "conforms", "unsupported")
PLAIN = "eager"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Chosen:
    """The call to show.

    Attributes:
        framework: that of the adapter.
        implementation: the API's name.
        mode: how it is run.
        row: what the report says of it; None where the report does not tell.
    """

    framework: str
    implementation: str
    mode: str
    row: Row | None


def _badness(row: Row) -> tuple[int, float]:
    """Return a key that sorts results, the worst first; those that conform as they stand in the report."""
    if row["verdict"] == "conforms":
        return VERDICTS.index("conforms"), 0.0
    ratios = [float(output["ratio"]) for output in row["outputs"].values() if output["verdict"] == row["verdict"]]
    return VERDICTS.index(row["verdict"]), -max(ratios, default=0.0)


def choose(
    report: Mapping[str, Any] | None,
    vector: str,
    operation: str,
    framework: str,
    implementation: str = "",
    mode: str = "",
) -> Chosen:
    """Return the call to show: what is named, and for the rest what did worst in the report.

    Args:
        report: of the last run, or None.
        vector: an id.
        operation: the vector's.
        framework: a framework, or a package of it.
        implementation: the full name, or "".
        mode: or "".

    Raises:
        UsageError: a name is unknown, no script can be written of it, or nothing says which call is meant.
    """
    parent = PARTS.get(framework, framework)
    known = families(parent)
    if parent not in available():
        raise UsageError(f"unknown framework {framework!r}{suggestion(framework, [*available(), *PARTS])}")
    if not known:
        raise UsageError(
            f"{framework}: no scripts can be written for it, since its API is not known here; `nnconform explain "
            f"{vector}` has the inputs and the expected values to call it with"
        )
    prefix = f"{framework}." if framework in PARTS else ""
    _check_name(known, operation, prefix, implementation)
    rows = [
        row
        for row in (report or {}).get("results", ())
        if (row["framework"], row["vector"]) == (parent, vector)
        and row["implementation"].startswith(prefix)
        and implementation in ("", row["implementation"])
        and mode in ("", row["mode"])
    ]
    rows = [row for row in rows if (operation, row["implementation"]) in known]
    if rows:
        row = min(rows, key=_badness)
        return Chosen(parent, row["implementation"], row["mode"], row)
    if not implementation:
        how = f" --mode {mode}" if mode else ""
        raise UsageError(
            f"no run tells what {framework} does on {vector}{how}; run `nnconform run {framework} --vector {vector}"
            f"{how}` first, or name an API with --implementation"
        )
    modes = known[operation, implementation].modes
    if mode and mode not in modes:
        raise UsageError(f"{implementation} has no mode {mode!r}{suggestion(mode, modes)}")
    return Chosen(parent, implementation, mode or PLAIN, None)


def _check_name(known: Families, operation: str, prefix: str, implementation: str) -> None:
    names = [name for of, name in known if of == operation and name.startswith(prefix)]
    if not names:
        raise UsageError(f"{prefix.rstrip('.')} has no implementation of {operation}")
    if implementation and implementation not in names:
        raise UsageError(f"no script of {implementation!r} for {operation}{suggestion(implementation, names)}")


def failing(row: Row | None, names: Iterable[str]) -> list[str]:
    """Return the outputs that make the result what it is, the worst first; all ``names`` where it conforms."""
    if row is None or row["verdict"] not in ("diverges", "dialect") or not row["outputs"]:
        return list(names)
    outputs: Mapping[str, Any] = row["outputs"]
    bad = [name for name, output in outputs.items() if output["verdict"] == row["verdict"]]
    return sorted(bad, key=lambda name: -float(outputs[name]["ratio"]))


def shown(row: Row | None, expected: Sequence[str], omits: Sequence[str]) -> list[str]:
    """Return the outputs of a vector that an API shows."""
    if row is not None and row["outputs"]:
        return [name for name in expected if name in row["outputs"]]
    return [name for name in expected if name.partition("[")[0] not in omits]


def output_of(row: Row | None, name: str) -> Mapping[str, Any]:
    """Return what a report says of an output; empty where it does not."""
    return {} if row is None else row["outputs"].get(name, {})
