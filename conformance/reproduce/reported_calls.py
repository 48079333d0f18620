"""Which result of a report a script is to show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.model.verdicts import SEVERITY
from nnconform.conformance.running.frameworks import PARTS, UsageError, available, suggestion

from .families import Families, families

PLAIN = "eager"
# No problem that a judge writes is as long; a pattern takes the square of its time on a longer one.
LONGEST = 2_000


@dataclass(frozen=True)
class ReportedCall:
    """The call to show.

    Attributes:
        framework: that of the adapter.
        implementation: the API's name.
        mode: how it is run.
        result: of the report; None if the report does not have it.
    """

    framework: str
    implementation: str
    mode: str
    result: Result | None


def _badness(result: Result) -> tuple[int, float]:
    """Return a key that sorts results, the worst first; those that conform stay in the order of the report."""
    severity = -SEVERITY.index(result.verdict)
    if result.verdict == "conforms":
        return severity, 0.0
    ratios = [output.ratio for output in result.outputs.values() if output.verdict == result.verdict]
    return severity, -max(ratios, default=0.0)


def choose(
    report: Report | None,
    vector: str,
    operation: str,
    framework: str,
    implementation: str = "",
    mode: str = "",
) -> ReportedCall:
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
    results = [
        result
        for result in (() if report is None else report.results)
        if (result.framework, result.vector) == (parent, vector)
        and result.implementation.startswith(prefix)
        and implementation in ("", result.implementation)
        and mode in ("", result.mode)
        and (operation, result.implementation) in known
    ]
    if results:
        result = min(results, key=_badness)
        _check_mode(known, operation, result.implementation, result.mode)
        return ReportedCall(parent, result.implementation, result.mode, result)
    if not implementation:
        how = f" --mode {mode}" if mode else ""
        raise UsageError(
            f"no run tells what {framework} does on {vector}{how}; run `nnconform run {framework} --vector {vector}"
            f"{how}` first, or name an API with --implementation"
        )
    _check_mode(known, operation, implementation, mode or PLAIN)
    return ReportedCall(parent, implementation, mode or PLAIN, None)


def _check_name(known: Families, operation: str, prefix: str, implementation: str) -> None:
    names = [name for of, name in known if of == operation and name.startswith(prefix)]
    if not names:
        raise UsageError(f"{prefix.rstrip('.')} has no implementation of {operation}")
    if implementation and implementation not in names:
        raise UsageError(f"no script of {implementation!r} for {operation}{suggestion(implementation, names)}")


def _check_mode(known: Families, operation: str, implementation: str, mode: str) -> None:
    modes = known[operation, implementation].modes
    if mode not in modes:
        raise UsageError(f"{implementation} has no mode {mode!r}{suggestion(mode, modes)}")


def failing(result: Result | None, names: Iterable[str]) -> list[str]:
    """Return those of ``names`` that have the result's verdict, the worst first; all of them if it conforms."""
    names = list(names)
    if result is None or result.verdict not in ("diverges", "dialect") or not result.outputs:
        return names
    bad = [name for name, output in result.outputs.items() if name in names and output.verdict == result.verdict]
    return sorted(bad, key=lambda name: -result.outputs[name].ratio)


def shown(result: Result | None, expected: Sequence[str], omits: Sequence[str]) -> list[str]:
    """Return the outputs of a vector that an API shows."""
    if result is not None and result.outputs:
        return [name for name in expected if name in result.outputs]
    return [name for name in expected if name.partition("[")[0] not in omits]


def output_of(result: Result | None, name: str) -> Output:
    """Return an output of a result; one that conforms if the result does not have it."""
    nothing = Output("conforms")
    output = nothing if result is None else result.outputs.get(name, nothing)
    return output if len(output.problem) <= LONGEST else replace(output, problem=f"{output.problem[:LONGEST]}...")
