"""What a control of a dialect is: a copy of the control that has it, and how the whole suite diagnoses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mutants.gate import DTYPES, results_of_source, telling
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
        changes: what stands in the control, and what stands there instead.
        unseen: why it cannot be seen in a dtype, in an operation, or in both (``operation/dtype``).
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
        """The operations in which all its parts occur."""
        first, *others = (dialects()[part].operations for part in self.parts)
        return tuple(operation for operation in first if all(operation in other for other in others))

    def reason(self, operation: str, dtype: str) -> str:
        """Why it cannot be seen there; "" where it must be."""
        for place in (dtype, operation, f"{operation}/{dtype}"):
            if place in self.unseen:
                return self.unseen[place]
        table = [DIALECTS[part] for part in self.parts if part in DIALECTS]
        for only in (d.dtypes for d in table if d.dtypes and dtype not in d.dtypes):
            return f"it is of {' and '.join(only)} alone"
        default = any(part.startswith("default-") for part in self.parts)
        return NO_HALF_DEFAULTS if default and dtype in DTYPES[2:] else ""

    def __add__(self, other: Control) -> Control:
        """Return the control that has both; where one of them is unseen, so are both together."""
        changes = dict.fromkeys((*self.changes, *other.changes))
        return Control(f"{self.dialect}+{other.dialect}", tuple(changes), {**self.unseen, **other.unseen})


@dataclass
class Diagnosis:
    """What all vectors of its operations say of a control.

    Attributes:
        control: which.
        named: the vectors that name the whole dialect, by operation and dtype.
        wrong: what is neither conforming nor named by the dialect or, of a combination, by a part of it.
    """

    control: Control
    named: dict[tuple[str, str], list[str]]
    wrong: list[str]

    @property
    def problems(self) -> list[str]:
        """What is not as it should be; empty where the diagnosis is the dialect and nothing else."""
        found = list(self.wrong)
        for (operation, dtype), vectors in self.named.items():
            reason = self.control.reason(operation, dtype)
            if not vectors and not reason:
                found.append(f"{operation}/{dtype}: no vector names it")
            if vectors and reason:
                found.append(f"{vectors[0]} sees what is said to be unseen ({reason})")
        return found

    def seen(self, dtype: str) -> int:
        """How many vectors of a dtype name it."""
        return sum(len(vectors) for (_, of), vectors in self.named.items() if of == dtype)


def diagnosis(control: Control, vectors: Sequence[Vector], *, every: bool = False) -> Diagnosis:
    """Run a control on the vectors of its operations.

    Args:
        control: it must fit the control as it stands.
        vectors: all that there are.
        every: those too that take long and are for other dialects, which ``mutants.gate.telling`` leaves out.

    Raises:
        WrongMutant: a change finds nothing to change, or the copy breaks the contract of adapters.
    """
    name, operations = control.dialect.replace("+", "_with_"), control.operations
    source = changed(control.dialect, control.changes)
    if every:
        asked = [vector for vector in vectors if vector.operation in operations]
    else:
        asked = telling(vectors, operations, control.parts)
    results = results_of_source(name, source, asked)
    found = Diagnosis(control, {(o, d): [] for o in operations for d in DTYPES}, [])
    for result in results:
        said = _names(result)
        if control.dialect in said:
            found.named[result.operation, result.dtype].append(result.vector)
        found.wrong += [
            f"{result.vector}: {name} is {what}"
            for what, name in said.items()
            if not set(what.split("+")) <= set(control.parts)
        ]
    return found


def _names(result: Result) -> dict[str, str]:
    """Return what is said of a result or its outputs that do not conform, with an output of which it is said."""
    if not result.outputs:
        what = result.dialect or f"{result.verdict} ({result.reason})"
        return {} if result.verdict == "conforms" else {what: "the answer"}
    bad = {name: output for name, output in result.outputs.items() if output.verdict != "conforms"}
    return {output.dialect or output.verdict: name for name, output in bad.items()}
