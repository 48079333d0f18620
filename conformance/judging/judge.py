"""The verdict on one call: each output against its expected value, its dialects, and its law."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nnconform.conformance.model.calls import Answer
from nnconform.conformance.model.result import Counted, Output, Result, Worst
from nnconform.conformance.model.verdicts import VERDICTS
from nnconform.conformance.vectors.operations import DRAWS, OUTPUTS
from nnconform.conformance.vectors.tensors import Array
from nnconform.conformance.vectors.vector import LawTensor, Tensor, Vector

from . import law_names, law_tests, position_dependence
from .compare import compare, count_wrong, digest
from .error_curves import of_answer
from .sample import Sample
from .sample_histogram import with_plot_data


class ContractBroken(Exception):
    """An adapter returned outputs that its operation does not have: the adapter's fault (exit status 3)."""


def judge(framework: str, vector: Vector, omits: Sequence[str], answer: Answer, *, version: str = "") -> Result:
    """Return the result of a call; its dialects still have to pass ``diagnose``.

    Args:
        framework: the adapter's name.
        vector: the vector of the call.
        omits: outputs that the implementation does not return.
        answer: of the worker; its status is neither ``inapplicable`` nor ``fault``.
        version: of the framework.

    Raises:
        ContractBroken: an undeclared output is missing, or an output has a name that the operation does not have.
    """
    call = answer.call
    result = Result(
        framework,
        version,
        call.implementation,
        call.mode,
        vector.operation,
        vector.id,
        vector.profile,
        "conforms",
        judged=not vector.unjudged,
        printed=answer.printed,
    )
    if answer.status != "value":
        return _without_value(result, vector, answer)
    _check_names(vector, omits, answer)
    outputs: dict[str, Output] = {}
    fits: dict[str, list[Fit]] = {}
    for name, expected in vector.expected.items():
        if name in answer.outputs or "[" in name:
            outputs[name], fits[name] = _judge_output(vector, name, expected, answer)
    outputs |= _with_dialects(outputs, fits)
    if vector.lengths:
        outputs |= _with_dependence(outputs, vector, answer)
    for name, actual in answer.outputs.items():
        if name not in outputs and actual is not None and name != DRAWS:
            outputs[name] = _unexpected(vector, name, actual)
    return replace(result, points=of_answer(vector, answer.outputs)).with_outputs(outputs)


def _judge_output(vector: Vector, name: str, expected: Tensor | LawTensor, answer: Answer) -> tuple[Output, list[Fit]]:
    """Return the verdict on one output, and the dialects that it fits if it does not conform."""
    actual = answer.outputs.get(name)
    if isinstance(expected, LawTensor) and actual is not None:
        return _judge_sample(vector, name, expected, Sample(actual, answer.outputs.get(DRAWS)))
    output = _judge_values(expected, actual)
    if actual is None or isinstance(expected, LawTensor):
        return output, []
    if expected.exhaustive:
        output = replace(output, counted=_count_wrong(vector, name, expected, actual))
    return output, _fitting(vector, name, actual) if output.verdict == "diverges" else []


def _without_value(result: Result, vector: Vector, answer: Answer) -> Result:
    verdict = {"raised": "error"}.get(answer.status, answer.status)
    if verdict not in VERDICTS:
        raise ContractBroken(f"the worker's answer has the status {answer.status!r}, which the protocol does not have")
    dialect = ""
    if answer.status == "raised":
        matching = [name for name, pattern in vector.errors.items() if pattern.search(answer.reason)]
        if matching:
            verdict, dialect = "dialect", matching[-1]
        if vector.unjudged:
            verdict = "conforms"
    return replace(result, verdict=verdict, dialect=dialect, reason=answer.reason)


def _check_names(vector: Vector, omits: Sequence[str], answer: Answer) -> None:
    got = {name.partition("[")[0] for name in answer.outputs}
    expected = {name.partition("[")[0] for name in vector.expected}
    allowed = set(OUTPUTS[vector.operation])
    name = f"{answer.call.implementation} on {vector.id}"
    if unknown := got - allowed:
        raise ContractBroken(f"{name} returned {_names(unknown)}; {vector.operation} has the outputs {_names(allowed)}")
    if missing := expected - got - set(omits):
        raise ContractBroken(
            f"{name} did not return {_names(missing)}; return it, or declare omits={sorted(missing)!r}"
        )
    if not vector.unjudged and (extra := got - expected - {"gradients", "weights", DRAWS}):
        raise ContractBroken(f"{name} returned {_names(extra)}, which this vector does not ask for")


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _unexpected(vector: Vector, name: str, actual: Array) -> Output:
    if vector.unjudged:
        return Output("conforms", digest(actual, None))
    return Output("diverges", digest(actual, None), np.inf, ulp=np.inf, problem="a value where the gradient is absent")


def _judge_sample(vector: Vector, name: str, expected: LawTensor, sample: Sample) -> tuple[Output, list[Fit]]:
    """Return the verdict on a random sample, and the dialects whose laws it follows."""
    comparison = law_tests.compare(sample, expected)
    output = Output("conforms", digest(sample.elements, expected), comparison.ratio, ulp=comparison.ulp)
    if law_tests.comparable(sample, expected):
        output = replace(output, measured=law_tests.measured(sample, expected))
        output = with_plot_data(output, sample, expected)
    if comparison.fits:
        return output, []
    output = replace(output, verdict="diverges", problem=comparison.problem)
    if output.measured is None:
        return output, []
    fits = []
    for dialect, outputs in vector.prescribed.items():
        other = outputs.get(name)
        if isinstance(other, LawTensor) and law_tests.fits(sample, other):
            fits.append(Fit(law_tests.accuracy(other), dialect.count("+"), dialect))
    if not fits and (law := law_names.name(sample, expected, vector.attributes)):
        output = replace(output, fault=law.name, problem=f"{law.name}: {law.words}; {comparison.problem}")
    return output, fits


def _judge_values(expected: Tensor | LawTensor, actual: Array | None) -> Output:
    if actual is None or isinstance(expected, LawTensor):
        return Output("diverges", "", np.inf, ulp=np.inf, problem="nothing where a value is wanted")
    comparison = compare(actual, expected)
    output = Output("conforms", digest(actual, expected), comparison.ratio, ulp=comparison.ulp)
    if comparison.fits:
        return output
    worst = None
    if expected.values is not None and comparison.worst >= 0:
        worst = _worst_element(expected, actual, comparison.worst)
    return replace(output, verdict="diverges", problem=comparison.problem, worst=worst)


def _count_wrong(vector: Vector, name: str, expected: Tensor, actual: Array) -> Counted | None:
    wrong = count_wrong(actual, expected)
    if wrong is None:
        return None
    inputs, differ, ulp, position = wrong
    x = vector.inputs["x"] if "[" not in name else vector.inputs["gradients"][int(name.partition("[")[2][:-1])]
    return Counted(inputs, differ, ulp, float(x[position]))


def _worst_element(expected: Tensor, actual: Array, position: int) -> Worst:
    assert expected.values is not None
    assert expected.bound is not None
    index = tuple(int(i) for i in np.unravel_index(position, expected.shape))
    return Worst(index, float(actual[index]), float(expected.values[index]), float(expected.bound[index]))


def _with_dependence(outputs: Mapping[str, Output], vector: Vector, answer: Answer) -> dict[str, Output]:
    """Name the outputs, conforming or not, whose equal inputs have unequal results."""
    renamed = {}
    for name, output in outputs.items():
        actual, expected = answer.outputs.get(name), vector.expected[name]
        if actual is None or not isinstance(expected, Tensor) or output.problem:
            continue
        verdict, dialect = output.verdict, output.dialect
        problem = position_dependence.dependence(vector, name, expected, actual)
        if problem and verdict == "conforms":
            verdict, dialect = "dialect", position_dependence.DIALECT
        elif problem and verdict == "diverges":
            part = position_dependence.mixture(vector.prescribed, name, expected, actual)
            dialect = f"{part}+{position_dependence.DIALECT}" if part else ""
            verdict = "dialect" if part else "diverges"
        renamed[name] = replace(output, verdict=verdict, dialect=dialect, problem=problem)
    return renamed


class Fit(NamedTuple):
    """A dialect whose bounds hold an output; the narrower, the better."""

    width: float
    parts: int
    dialect: str


def _fitting(vector: Vector, name: str, got: Array) -> list[Fit]:
    """Return the dialects that an output fits."""
    fits = []
    for dialect, outputs in vector.prescribed.items():
        other = outputs.get(name)
        if isinstance(other, Tensor) and compare(got, other).fits:
            fits.append(Fit(float(np.sum(np.asarray(other.bound))), dialect.count("+"), dialect))
    return fits


def _with_dialects(outputs: Mapping[str, Output], fits: Mapping[str, list[Fit]]) -> dict[str, Output]:
    """Name each output by the dialect with the narrowest bounds or, of equal ones, that explains most outputs."""
    explained = Counter(fit.dialect for of_output in fits.values() for fit in of_output)
    renamed = {}
    for name, of_output in fits.items():
        if of_output:
            order = sorted(of_output, key=lambda f: (f.width, -explained[f.dialect], f.parts, f.dialect))
            first, *others = (fit.dialect for fit in order)
            renamed[name] = replace(outputs[name], verdict="dialect", dialect=first, also=tuple(others))
    return renamed
