"""The result of one call on one vector: the same type in memory, in a run's journal and in a report."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from nnconform.conformance.numbers import Json, rounded
from nnconform.conformance.words import first_line, indexed

from .document import ALWAYS, NEVER, Document
from .verdicts import SEVERITY, VERDICTS

# Binade, x and y of a point of an error curve; the points of a call by the part of its operation.
Point = tuple[int, float, float]
Points = Mapping[str, list[Point]]


@dataclass(frozen=True, slots=True)
class Worst(Document):
    """The worst element of an output.

    Attributes:
        index: one number per axis.
        got: the actual value.
        expected: the expected value.
        bound: the largest error that conforms.
    """

    index: tuple[int, ...]
    got: float
    expected: float
    bound: float

    def place(self, name: str) -> str:
        """Return the element as an index into an output: ``dx[0, 3]``."""
        return indexed(name, self.index)


@dataclass(frozen=True, slots=True)
class Counted(Document):
    """The results for every number of a dtype that are not the exact one, rounded once (FORMAT-19).

    Attributes:
        inputs: how many numbers went in.
        differ: how many results differ.
        ulp: the largest difference.
        at: the input with the largest difference.
    """

    inputs: int
    differ: int
    ulp: float
    at: float


@dataclass(frozen=True, slots=True)
class Measured(Document):
    """Statistics of a random sample and their expected values; None if the law or the API does not have one.

    Attributes:
        stddev: the sample's deviation.
        expected_stddev: the deviation of its law.
        largest: its largest absolute value.
        tests: how many statistical tests judged it.
        scale: the factor between the sample and the framework's own standard draws.
        expected_scale: that factor by the law.
        implied_fan: the fan with which the law has the sample's deviation.
        implied_fan_low: the smallest fan that the sample admits.
        implied_fan_high: the largest fan that the sample admits.
        expected_fan: the fan of the clause.
        distinct: how many different values the sample has.
    """

    stddev: float
    expected_stddev: float
    largest: float
    tests: int | None = None
    scale: float | None = None
    expected_scale: float | None = None
    implied_fan: float | None = None
    implied_fan_low: float | None = None
    implied_fan_high: float | None = None
    expected_fan: float | None = None
    distinct: int | None = None


@dataclass(frozen=True, slots=True)
class Histogram(Document):
    """Counts of a sample in bins of equal width, in units of the law's deviation."""

    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SampleLaw(Document):
    """The law that a random sample should follow.

    Attributes:
        name: normal, truncated_normal or uniform.
        bound: in the unit of the sample; infinite for a normal law.
    """

    name: str
    bound: float


@dataclass(frozen=True, slots=True)
class Output(Document):
    """The verdict of one output.

    Attributes:
        verdict: conforms, dialect or diverges.
        digest: of the output's bytes; "" if there are none.
        ratio: the largest error over its bound.
        measured: statistics of a random sample.
        counted: wrong results among those for every number of a dtype.
        law: of a random sample.
        histogram: of a random sample; None if it has no number or its law no deviation.
        quantiles: the elements below or at which 0, 1/32, ..., 1 of a random sample lie; empty likewise.
        ulp: the largest error in units in the last place; 0 if the output conforms.
        dialect: the narrowest dialect that explains it; "" if none does.
        fault: the name of a wrong law of a random sample that no dialect explains.
        problem: the dtype, shape or law that is wrong, in words.
        also: other dialects that it fits, and those that were refused.
        worst: the worst element.
    """

    verdict: str
    digest: str = field(default="", metadata=ALWAYS)
    ratio: float = field(default=0.0, metadata=ALWAYS)
    measured: Measured | None = None
    counted: Counted | None = None
    law: SampleLaw | None = None
    histogram: Histogram | None = None
    quantiles: tuple[float, ...] = ()
    ulp: float = field(default=0.0, metadata=ALWAYS)
    dialect: str = ""
    fault: str = ""
    problem: str = ""
    also: tuple[str, ...] = ()
    worst: Worst | None = None

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"{self.verdict!r} is no verdict")

    @property
    def size(self) -> tuple[float, float]:
        """The largest error, for comparisons: in ULP, then over its bound."""
        return self.ulp, self.ratio

    def to_json(self) -> Json:
        """Return the row: its errors in four digits, and no error in ULP if it conforms."""
        short = dataclasses.replace(self, ratio=rounded(self.ratio), ulp=rounded(self.ulp))
        row = Document.to_json(short)
        if self.verdict == "conforms":
            del row["ulp"]
        return row


@dataclass(frozen=True)
class Result(Document):
    """The verdict of one call on one vector.

    Attributes:
        framework: the adapter's name.
        version: of the framework.
        implementation: the API's full name.
        mode: eager, compile, function, xla or jit.
        operation: the vector's.
        vector: the vector's id.
        profile: core, half, edge, range or defaults.
        verdict: the worst of the outputs', or why there are none.
        judged: False if the spec gives the vector no meaning, so that the result is only recorded.
        dialect: the dialect that explains an error.
        reason: of an error, a crash, a timeout, or of a lack of support.
        printed: the end of the framework's printed output during the call.
        outputs: by flat name (``gradients[0]``).
        known: the reason from a list of known divergences.
        points: of error curves, which a report has joined over all vectors; not in the result's own JSON.
    """

    framework: str
    version: str
    implementation: str
    mode: str
    operation: str
    vector: str
    profile: str
    verdict: str
    judged: bool = True
    dialect: str = ""
    reason: str = ""
    printed: str = ""
    outputs: Mapping[str, Output] = field(default_factory=dict, metadata=ALWAYS)
    known: str = ""
    points: Points = field(default_factory=dict, metadata=NEVER)

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"{self.verdict!r} is no verdict")

    @property
    def is_default(self) -> bool:
        """Whether the user sets nothing, so that the result informs and fails no run."""
        return self.profile == "defaults"

    @property
    def dtype(self) -> str:
        """The dtype in the vector's id."""
        return self.vector.rpartition("/")[2]

    @property
    def short_reason(self) -> str:
        """The first line of the reason."""
        return first_line(self.reason) or "no reason given"

    @property
    def can_fail(self) -> bool:
        """Whether its verdict can fail a run: not that of a default or of a known divergence."""
        return not self.is_default and not self.known

    @property
    def differs(self) -> bool:
        """Whether it is not what the spec says, explained by a dialect or not."""
        return VERDICTS[self.verdict].fails or self.verdict == "dialect"

    def fails(self, *, strict: bool = False) -> bool:
        """Return whether the result fails a run; with ``strict``, a dialect does too."""
        return self.can_fail and (VERDICTS[self.verdict].fails or (strict and self.verdict == "dialect"))

    def dialects(self) -> Iterator[tuple[str, str]]:
        """Yield the flat name of an output, "" for the whole result, and the dialect that explains it."""
        if self.dialect:
            yield "", self.dialect
        for name, output in self.outputs.items():
            if output.dialect:
                yield name, output.dialect

    def with_outputs(self, outputs: Mapping[str, Output]) -> Self:
        """Return the result with these outputs, and the worst of their verdicts if there are any."""
        verdict = max((o.verdict for o in outputs.values()), key=SEVERITY.index, default=self.verdict)
        return dataclasses.replace(self, outputs=outputs, verdict=verdict)
