"""The call that a script shows, with its result in a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nnconform.conformance.model.report import Report
from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.model.verdicts import SEVERITY
from nnconform.conformance.running.frameworks import PARTS, UsageError, available, suggestion

from .families import Families, families

PLAIN = "eager"
# The problems of the judge are shorter. On a longer text, a pattern takes quadratic time.
LONGEST = 2_000


@dataclass(frozen=True)
class ReportedCall:
    """A call of an implementation, with its result.

    Attributes:
        framework: the framework of the adapter.
        implementation: the name of the public API.
        mode: the mode.
        result: the result in the report, if any.
    """

    framework: str
    implementation: str
    mode: str
    result: Result | None


def _severity_key(result: Result) -> tuple[int, float]:
    """Return a key that sorts results by severity, the worst first. Conforming results keep their order."""
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
    """Return the call with the worst result in the report among those with the given names.

    Args:
        report: the report of the last run, or None.
        vector: the id of the vector.
        operation: the operation of the vector.
        framework: a framework or one of its packages.
        implementation: a full name, or "" for any.
        mode: a mode, or "" for any.

    Raises:
        UsageError: a name is unknown or has no scripts, or the report has no such call and no implementation is named.
    """
    parent = PARTS.get(framework, framework)
    of_framework = families(parent)
    if parent not in available():
        raise UsageError(f"unknown framework {framework!r}{suggestion(framework, [*available(), *PARTS])}")
    if not of_framework:
        raise UsageError(
            f"{framework} has no scripts, because nnconform does not know its API; `nnconform explain {vector}` shows "
            "the inputs and expected values"
        )
    prefix = f"{framework}." if framework in PARTS else ""
    _check_name(of_framework, operation, prefix, implementation)
    results = [
        result
        for result in (() if report is None else report.results)
        if (result.framework, result.vector) == (parent, vector)
        and result.implementation.startswith(prefix)
        and implementation in ("", result.implementation)
        and mode in ("", result.mode)
        and (operation, result.implementation) in of_framework
    ]
    if results:
        result = min(results, key=_severity_key)
        _check_mode(of_framework, operation, result.implementation, result.mode)
        return ReportedCall(parent, result.implementation, result.mode, result)
    if not implementation:
        option = f" --mode {mode}" if mode else ""
        raise UsageError(
            f"no result of {framework} on {vector}{option}; run `nnconform run {framework} --vector {vector}{option}` "
            "first, or name an API with --implementation"
        )
    _check_mode(of_framework, operation, implementation, mode or PLAIN)
    return ReportedCall(parent, implementation, mode or PLAIN, None)


def _check_name(families: Families, operation: str, prefix: str, implementation: str) -> None:
    names = [name for of, name in families if of == operation and name.startswith(prefix)]
    if not names:
        raise UsageError(f"{prefix.rstrip('.')} has no implementation of {operation}")
    if implementation and implementation not in names:
        raise UsageError(f"no script of {implementation!r} for {operation}{suggestion(implementation, names)}")


def _check_mode(families: Families, operation: str, implementation: str, mode: str) -> None:
    modes = families[operation, implementation].modes
    if mode not in modes:
        raise UsageError(f"{implementation} has no mode {mode!r}{suggestion(mode, modes)}")


def failing(result: Result | None, names: Iterable[str]) -> list[str]:
    """Return the outputs in ``names`` with the verdict of the result, the worst first, or all if it conforms."""
    names = list(names)
    if result is None or result.verdict not in ("diverges", "dialect") or not result.outputs:
        return names
    bad = [name for name, output in result.outputs.items() if name in names and output.verdict == result.verdict]
    return sorted(bad, key=lambda name: -result.outputs[name].ratio)


def available_outputs(result: Result | None, expected: Sequence[str], omits: Sequence[str]) -> list[str]:
    """Return the expected outputs that an API has."""
    if result is not None and result.outputs:
        return [name for name in expected if name in result.outputs]
    return [name for name in expected if name.partition("[")[0] not in omits]


def output_of(result: Result | None, name: str) -> Output:
    """Return an output of a result; one that conforms if the result does not have it."""
    default = Output("conforms")
    output = default if result is None else result.outputs.get(name, default)
    return output if len(output.problem) <= LONGEST else replace(output, problem=f"{output.problem[:LONGEST]}...")
