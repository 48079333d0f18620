"""One change between two results of a call: the same type in memory and in a diff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from nnconform.conformance.numbers import Json, number

# The verdict of a result or an output that one side does not have.
ABSENT = "absent"
# Must be acted on; better or new; recorded only.
Section = Literal["act", "improved", "recorded"]


@dataclass(frozen=True)
class Kind:
    """A kind of change.

    Attributes:
        fails: whether it fails a gate, or the new verdicts with which it does.
        improves: whether it is for the better, unless it fails.
        whole: whether it concerns the whole result, and its output is an example.
    """

    fails: bool | tuple[str, ...] = False
    improves: bool = False
    whole: bool = False


# In the order of display.
KINDS: Mapping[str, Kind] = {
    "dies": Kind(fails=True),
    "raises": Kind(fails=True),
    "gone": Kind(fails=True),
    "regressed": Kind(fails=True),
    "dialect-changed": Kind(fails=True),
    "moved": Kind(fails=True),
    "stream-changed": Kind(fails=True, whole=True),
    "defaults-changed": Kind(fails=True, whole=True),
    "raises-no-more": Kind(fails=("diverges",), improves=True),
    "dies-no-more": Kind(fails=("diverges", "error"), improves=True),
    "fixed": Kind(improves=True),
    "supported": Kind(improves=True),
    "latitude-changed": Kind(whole=True),
    "drifted": Kind(),
}


@dataclass(frozen=True, slots=True)
class State:
    """An output, or a whole result, on one side.

    Attributes:
        verdict: of the report, or absent.
        dialect: the dialect that explains it.
        reason: of an error, a crash, a timeout, a lack of support or an absence.
        problem: the dtype, shape or law that is wrong, in words.
        digest: of the output's bytes; None for a whole result.
        ratio: the largest error over its bound; None for a whole result.
    """

    verdict: str
    dialect: str = ""
    reason: str = ""
    problem: str = ""
    digest: str | None = None
    ratio: float | None = None

    @property
    def label(self) -> str:
        """The dialect, or the verdict if there is none."""
        return self.dialect or self.verdict

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the state of a diff's row."""
        return cls(**{**row, "ratio": float(row["ratio"]) if "ratio" in row else None})

    def to_json(self) -> Json:
        """Return it as a diff has it."""
        row: Json = {"verdict": self.verdict}
        row |= {key: text for key in ("dialect", "reason", "problem") if (text := getattr(self, key))}
        if self.digest is not None:
            row["digest"] = self.digest
        if self.ratio is not None:
            row["ratio"] = number(self.ratio)
        return row


@dataclass(frozen=True, slots=True)
class Element:
    """The element of an output that moved most; its values are None if they are not known.

    Attributes:
        index: one number per axis.
        old: the old value.
        new: the new value.
        expected: the expected value.
    """

    index: tuple[int, ...]
    old: float | None = None
    new: float | None = None
    expected: float | None = None

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the element of a diff's row."""
        values = {name: float(row[name]) for name in ("old", "new", "expected") if name in row}
        return cls(tuple(row["index"]), **values)

    def to_json(self) -> Json:
        """Return it as a diff has it."""
        values = {name: getattr(self, name) for name in ("old", "new", "expected")}
        return {"index": list(self.index)} | {n: number(value) for n, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Distance:
    """The distance between the old and the new tensor of an output.

    Attributes:
        elements: of the output.
        changed: elements with other bits.
        worst: the largest distance in ulp.
    """

    elements: int
    changed: int
    worst: float

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the distance of a diff's row."""
        return cls(row["elements"], row["changed"], float(row["worst"]))

    def to_json(self) -> Json:
        """Return it as a diff has it."""
        return {"elements": self.elements, "changed": self.changed, "worst": number(self.worst)}


@dataclass(frozen=True)
class Change:
    """A change of one output of a result, or of the whole result.

    Attributes:
        kind: a key of ``KINDS``.
        framework: the adapter's name.
        implementation: the API's full name.
        mode: eager, compile, function, xla or jit.
        operation: the vector's.
        vector: the vector's id.
        profile: the vector's.
        output: its flat name, "" for the whole result.
        old: the state before.
        new: the state after.
        element: that moved most; None if none is known.
        distance: between the tensors; None unless both reports keep whole outputs.
    """

    kind: str
    framework: str
    implementation: str
    mode: str
    operation: str
    vector: str
    profile: str
    output: str
    old: State
    new: State
    element: Element | None = None
    distance: Distance | None = None

    @property
    def fails(self) -> bool:
        """Whether the change fails a gate."""
        rule = KINDS[self.kind].fails
        return rule if isinstance(rule, bool) else self.new.verdict in rule

    @property
    def section(self) -> Section:
        """The section of a diff's text that the change belongs to."""
        if self.fails:
            return "act"
        return "improved" if KINDS[self.kind].improves else "recorded"

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the change of a diff's row."""
        names = ("kind", "framework", "implementation", "mode", "operation", "vector", "profile", "output")
        return cls(
            **{name: row[name] for name in names},
            old=State.from_json(row["old"]),
            new=State.from_json(row["new"]),
            element=Element.from_json(row["element"]) if "element" in row else None,
            distance=Distance.from_json(row["ulp"]) if "ulp" in row else None,
        )

    def to_json(self) -> Json:
        """Return it as a diff has it."""
        row: Json = {"kind": self.kind, "fails": self.fails}
        names = ("framework", "implementation", "mode", "operation", "vector", "profile", "output")
        row |= {name: getattr(self, name) for name in names}
        row |= {"old": self.old.to_json(), "new": self.new.to_json()}
        if self.element is not None:
            row["element"] = self.element.to_json()
        if self.distance is not None:
            row["ulp"] = self.distance.to_json()
        return row
