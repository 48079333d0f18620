"""Verdicts: what the suite says of one call on one vector, and which dialect explains it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from nnconform.conformance.model.calls import Answer
from nnconform.conformance.vectors.operations import DRAWS, OUTPUTS
from nnconform.conformance.vectors.tensors import Array
from nnconform.conformance.vectors.vector import LawTensor, Tensor, Vector

from . import position_dependence as position
from .compare import compare, counted, digest
from .error_curves import Points, of_answer
from .laws import law_names, law_tests
from .laws.sample import Sample
from .laws.sample_histogram import of_sample

# From best to worst; a vector's verdict is the worst of its outputs'.
VERDICTS = ("conforms", "dialect", "unsupported", "diverges", "error", "timeout", "crash")


class ContractBroken(Exception):
    """An adapter returned other names than its operation has: the adapter's fault (exit status 3)."""


@dataclass
class OutputResult:
    """What is said of one output.

    Attributes:
        verdict: conforms, dialect or diverges.
        digest: of the output's bytes; "" where there are none.
        ratio: the worst error over the bound of the expected value.
        ulp: the worst error in units in the last place.
        dialect: the narrowest that explains it, "" where none does.
        also: other dialects that it fits, and those that were refused.
        problem: dtype, shape or law that is wrong, in words.
        worst: the worst element: index, got, expected, bound.
        measured: of a random sample: its deviation, largest size, implied fan, and what its law has of these.
        fault: of a random sample that no dialect explains: what its law is named by (``lawname.name``).
        counted: of every number of a dtype: how many inputs there are, how many results are not the exact one rounded
            once, the worst of them in ULP, and the input it is of.
        picture: of a random sample: its law, histogram and quantiles, as ``of_sample`` gives them.
    """

    verdict: str
    digest: str = ""
    ratio: float = 0.0
    ulp: float = 0.0
    dialect: str = ""
    also: tuple[str, ...] = ()
    problem: str = ""
    worst: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, float] = field(default_factory=dict)
    counted: dict[str, float] = field(default_factory=dict)
    fault: str = ""
    picture: dict[str, Any] = field(default_factory=dict)


@dataclass
class Result:
    """What is said of one call on one vector.

    Attributes:
        framework: the adapter's name.
        implementation: the API's full name.
        mode: how it ran.
        vector: the vector.
        verdict: the worst of the outputs', or why there are none.
        outputs: by flat name.
        reason: of an error, a crash, a timeout, or of what is not supported.
        dialect: that explains an error.
        printed: the end of what the framework printed during the call.
        points: what it adds to curves, as ``of_answer`` gives it.
    """

    framework: str
    implementation: str
    mode: str
    vector: Vector
    verdict: str
    outputs: dict[str, OutputResult] = field(default_factory=dict)
    reason: str = ""
    dialect: str = ""
    printed: str = ""
    points: Points = field(default_factory=dict)

    def settle(self) -> None:
        """Make the verdict the worst of the outputs'."""
        if self.outputs:
            self.verdict = max((o.verdict for o in self.outputs.values()), key=VERDICTS.index)


def judge(framework: str, vector: Vector, omits: Sequence[str], answer: Answer) -> Result:
    """Return what is said of an answer; dialects of accuracy still have to pass ``diagnose``.

    Args:
        framework: the adapter's name.
        vector: what was asked.
        omits: outputs that the implementation does not show.
        answer: what came; its status is none of ``inapplicable`` and ``fault``.

    Raises:
        ContractBroken: an output is missing that is not declared, or has a name that the operation does not have.
    """
    call = answer.call
    result = Result(framework, call.implementation, call.mode, vector, "conforms", printed=answer.printed)
    if answer.status != "value":
        return _without_value(result, vector, answer)
    _check_names(vector, omits, answer)
    result.points = of_answer(vector, answer.outputs)
    fits: dict[str, list[Fit]] = {}
    for name, expected in vector.expected.items():
        if name in answer.outputs or "[" in name:
            got = answer.outputs.get(name)
            if isinstance(expected, LawTensor) and got is not None:
                sample = Sample(got, answer.outputs.get(DRAWS))
                result.outputs[name], fits[name] = _random(vector, name, expected, sample)
                continue
            result.outputs[name] = _output(name, expected, got)
            if got is not None and isinstance(expected, Tensor) and expected.counted:
                result.outputs[name].counted = _counted(vector, name, expected, got)
            if got is not None and result.outputs[name].verdict == "diverges":
                fits[name] = _fitting(vector, name, got)
    _name_dialects(result, fits)
    if vector.lengths:
        _name_dependence(result, vector, answer)
    for name, got in answer.outputs.items():
        if name not in result.outputs and got is not None and name != DRAWS:
            result.outputs[name] = _unexpected(vector, name, got)
    result.settle()
    return result


def _without_value(result: Result, vector: Vector, answer: Answer) -> Result:
    result.reason = answer.reason
    result.verdict = {"raised": "error"}.get(answer.status, answer.status)
    if result.verdict not in VERDICTS:
        raise ContractBroken(f"the worker's answer has the status {answer.status!r}, which the protocol does not have")
    if answer.status != "raised":
        return result
    for name, pattern in vector.errors.items():
        if pattern.search(answer.reason):
            result.verdict, result.dialect = "dialect", name
    if vector.unjudged:
        result.verdict = "conforms"
    return result


def _check_names(vector: Vector, omits: Sequence[str], answer: Answer) -> None:
    got = {name.partition("[")[0] for name in answer.outputs}
    wanted = {name.partition("[")[0] for name in vector.expected}
    allowed = set(OUTPUTS[vector.operation])
    name = f"{answer.call.implementation} on {vector.id}"
    if unknown := got - allowed:
        raise ContractBroken(f"{name} returned {_names(unknown)}; {vector.operation} has the outputs {_names(allowed)}")
    if missing := wanted - got - set(omits):
        raise ContractBroken(
            f"{name} did not return {_names(missing)}; return it, or declare omits={sorted(missing)!r}"
        )
    if not vector.unjudged and (extra := got - wanted - {"gradients", "weights", DRAWS}):
        raise ContractBroken(f"{name} returned {_names(extra)}, which this vector does not ask for")


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _unexpected(vector: Vector, name: str, got: Array) -> OutputResult:
    if vector.unjudged:
        return OutputResult("conforms", digest(got, None))
    return OutputResult("diverges", digest(got, None), np.inf, np.inf, problem="a value where the gradient is absent")


def _random(vector: Vector, name: str, expected: LawTensor, sample: Sample) -> tuple[OutputResult, list[Fit]]:
    """Return what is said of a random sample, and the dialects whose laws it follows."""
    found = law_tests.compare(sample, expected)
    result = OutputResult("conforms", digest(sample.elements, expected), found.ratio, found.ulp)
    if law_tests.comparable(sample, expected):
        result.measured = law_tests.measured(sample, expected)
        result.picture = of_sample(sample, expected)
    if found.fits:
        return result, []
    result.verdict, result.problem = "diverges", found.problem
    if not result.measured:
        return result, []
    fitting = []
    for dialect, outputs in vector.prescribed.items():
        other = outputs.get(name)
        if isinstance(other, LawTensor) and law_tests.fits(sample, other):
            fitting.append(Fit(law_tests.accuracy(other), dialect.count("+"), dialect))
    if not fitting and (named := law_names.name(sample, expected, vector.attributes)):
        result.fault = named.name
        result.problem = f"{named.name}: {named.words}; {result.problem}"
    return result, fitting


def _output(name: str, expected: Tensor | LawTensor, got: Array | None) -> OutputResult:
    if got is None or isinstance(expected, LawTensor):
        return OutputResult("diverges", "", np.inf, np.inf, problem="nothing where a value is wanted")
    found = compare(got, expected)
    result = OutputResult("conforms", digest(got, expected), found.ratio, found.ulp)
    if found.fits:
        return result
    result.verdict, result.problem = "diverges", found.problem
    if expected.values is not None and found.worst >= 0:
        result.worst = _element(expected, got, found.worst)
    return result


def _counted(vector: Vector, name: str, expected: Tensor, got: Array) -> dict[str, float]:
    found = counted(got, expected)
    if found:
        numbers = (
            vector.inputs["x"] if "[" not in name else vector.inputs["gradients"][int(name.partition("[")[2][:-1])]
        )
        found["at"] = float(numbers[int(found.pop("position"))])
    return found


def _element(expected: Tensor, got: Array, position: int) -> dict[str, Any]:
    assert expected.values is not None
    assert expected.bound is not None
    index = [int(i) for i in np.unravel_index(position, expected.shape)]
    return {
        "index": index,
        "got": float(got[tuple(index)]),
        "expected": float(expected.values[tuple(index)]),
        "bound": float(expected.bound[tuple(index)]),
    }


def _name_dependence(result: Result, vector: Vector, answer: Answer) -> None:
    """Name the outputs that are right, and not the same for equal elements; say it of the others too."""
    for name, output in result.outputs.items():
        got, expected = answer.outputs.get(name), vector.expected[name]
        if got is None or not isinstance(expected, Tensor) or output.problem:
            continue
        output.problem = position.dependence(vector, name, expected, got)
        if output.problem and output.verdict == "conforms":
            output.verdict, output.dialect = "dialect", position.DIALECT
        elif output.problem and output.verdict == "diverges":
            part = position.mixture(vector.prescribed, name, expected, got)
            output.dialect = f"{part}+{position.DIALECT}" if part else ""
            output.verdict = "dialect" if part else "diverges"


class Fit(NamedTuple):
    """A dialect whose region an output is in; the narrower the better."""

    width: float
    parts: int
    dialect: str


def _fitting(vector: Vector, name: str, got: Array) -> list[Fit]:
    """Return the dialects that an output fits."""
    found = []
    for dialect, outputs in vector.prescribed.items():
        other = outputs.get(name)
        if isinstance(other, Tensor) and compare(got, other).fits:
            found.append(Fit(float(np.sum(np.asarray(other.bound))), dialect.count("+"), dialect))
    return found


def _name_dialects(result: Result, fits: Mapping[str, list[Fit]]) -> None:
    """Name each output by the narrowest region; of equal ones, by the dialect that explains most outputs."""
    explained = Counter(fit.dialect for found in fits.values() for fit in found)
    for name, found in fits.items():
        if found:
            order = sorted(found, key=lambda f: (f.width, -explained[f.dialect], f.parts, f.dialect))
            output = result.outputs[name]
            output.verdict, output.dialect = "dialect", order[0].dialect
            output.also = tuple(fit.dialect for fit in order[1:])
