"""One change between two results of a call: the same type in memory and in a diff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from nnconform.conformance.numbers import Json

from .document import Document

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
class State(Document):
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


@dataclass(frozen=True, slots=True)
class Element(Document):
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


@dataclass(frozen=True, slots=True)
class Distance(Document):
    """The distance between the old and the new tensor of an output.

    Attributes:
        elements: of the output.
        changed: elements with other bits.
        worst: the largest distance in ulp.
    """

    elements: int
    changed: int
    worst: float


@dataclass(frozen=True)
class Change(Document):
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
        """True if the change fails a gate."""
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
        """Return the change of a diff's row, which has its distance as ``ulp``."""
        names = {"ulp": "distance"}
        return super().from_json({names.get(key, key): value for key, value in row.items() if key != "fails"})

    def to_json(self) -> Json:
        """Return the row of a diff."""
        row = {"ulp" if key == "distance" else key: value for key, value in super().to_json().items()}
        return {"kind": row.pop("kind"), "fails": self.fails, **row}
