"""A copy of the control that has a dialect, and its diagnosis by the whole suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mutants.gate import DTYPES, relevant_vectors, results_of_source
from mutants.mutant import changed

from nnconform.conformance.model.result import Result
from nnconform.conformance.vectors.dialects import dialects
from nnconform.conformance.vectors.vector import Vector
from nnconform.reference.dialects import DIALECTS

NO_HALF_DEFAULTS = "what is done by default is asked in float32 and float64 alone"


@dataclass(frozen=True)
class Control:
    """A copy of the control that has a dialect, or a combination of them.

    Attributes:
        dialect: its name; a combination's parts are joined by ``+``.
        changes: pairs of old and new text.
        unseen: the reasons why a dtype, an operation, or a pair of both (``operation/dtype``) cannot show it.
    """

    dialect: str
    changes: Sequence[tuple[str, str]]
    unseen: Mapping[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """The dialects that it has."""
        return tuple(self.dialect.split("+"))

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that have all its parts."""
        first, *others = (dialects()[part].operations for part in self.parts)
        return tuple(operation for operation in first if all(operation in other for other in others))

    def reason(self, operation: str, dtype: str) -> str:
        """Return the reason why an operation and dtype cannot show it; "" if they must."""
        for place in (dtype, operation, f"{operation}/{dtype}"):
            if place in self.unseen:
                return self.unseen[place]
        entries = [DIALECTS[part] for part in self.parts]
        for only in (d.dtypes for d in entries if d.dtypes and dtype not in d.dtypes):
            return f"it is of {' and '.join(only)} alone"
        default = any(dialect.defaults_only for dialect in entries)
        return NO_HALF_DEFAULTS if default and dtype in DTYPES[2:] else ""

    def __add__(self, other: Control) -> Control:
        """Return the control that has both; a place that cannot show one of them cannot show both."""
        changes = dict.fromkeys((*self.changes, *other.changes))
        return Control(f"{self.dialect}+{other.dialect}", tuple(changes), {**self.unseen, **other.unseen})


@dataclass
class Diagnosis:
    """The diagnosis of a control by all vectors of its operations.

    Attributes:
        control: the control.
        named: the vectors that name the whole dialect, by operation and dtype.
        wrong: the results that neither conform nor have the name of the dialect or of a part of it.
    """

    control: Control
    named: dict[tuple[str, str], list[str]]
    wrong: list[str]

    @property
    def problems(self) -> list[str]:
        """The faults of the diagnosis; empty if it is the dialect and nothing else."""
        problems = list(self.wrong)
        for (operation, dtype), vectors in self.named.items():
            reason = self.control.reason(operation, dtype)
            if not vectors and not reason:
                problems.append(f"{operation}/{dtype}: no vector names it")
            if vectors and reason:
                problems.append(f"{vectors[0]} sees it, though listed as unseen ({reason})")
        return problems

    def count_named(self, dtype: str) -> int:
        """Return the number of vectors of a dtype that name it."""
        return sum(len(vectors) for (_, of), vectors in self.named.items() if of == dtype)


def diagnosis(control: Control, vectors: Sequence[Vector], *, every: bool = False) -> Diagnosis:
    """Run a control on the vectors of its operations.

    Args:
        control: it must fit the current adapter.
        vectors: all vectors.
        every: run the slow vectors of other dialects too, which ``mutants.gate.relevant_vectors`` leaves out.

    Raises:
        WrongMutant: a change finds nothing to change, or the copy breaks the contract of adapters.
    """
    name, operations = control.dialect.replace("+", "_with_"), control.operations
    source = changed(control.dialect, control.changes)
    if every:
        relevant = [vector for vector in vectors if vector.operation in operations]
    else:
        relevant = relevant_vectors(vectors, operations, control.parts)
    results = results_of_source(name, source, relevant)
    diagnosed = Diagnosis(control, {(o, d): [] for o in operations for d in DTYPES}, [])
    for result in results:
        names = _names(result)
        if control.dialect in names:
            diagnosed.named[result.operation, result.dtype].append(result.vector)
        diagnosed.wrong += [
            f"{result.vector}: {name} is {label}"
            for label, name in names.items()
            if not set(label.split("+")) <= set(control.parts)
        ]
    return diagnosed


def _names(result: Result) -> dict[str, str]:
    """Return the names of a result or its deviating outputs, each with an output that has it."""
    if not result.outputs:
        label = result.dialect or f"{result.verdict} ({result.reason})"
        return {} if result.verdict == "conforms" else {label: "the answer"}
    bad = {name: output for name, output in result.outputs.items() if output.verdict != "conforms"}
    return {output.dialect or output.verdict: name for name, output in bad.items()}
