"""The result of one call on one vector: the same type in memory, in a run's journal and in a report."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from nnconform.conformance.numbers import Json, number, shortened
from nnconform.conformance.words import first_line

from .verdicts import SEVERITY, VERDICTS

# Binade, x and y of a point of an error curve; the points of a call by the part of its operation.
Point = tuple[int, float, float]
Points = Mapping[str, list[Point]]


@dataclass(frozen=True, slots=True)
class Worst:
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
        return f"{name}[{', '.join(map(str, self.index))}]" if self.index else name

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the element of a report's row."""
        return cls(tuple(map(int, row["index"])), float(row["got"]), float(row["expected"]), float(row["bound"]))

    def to_json(self) -> Json:
        """Return it as a report has it."""
        return {
            "index": list(self.index),
            "got": number(self.got),
            "expected": number(self.expected),
            "bound": number(self.bound),
        }


@dataclass(frozen=True, slots=True)
class Counted:
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

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the counts of a report's row."""
        return cls(row["inputs"], row["differ"], float(row["ulp"]), float(row["at"]))

    def to_json(self) -> Json:
        """Return them as a report has them."""
        return {"inputs": self.inputs, "differ": self.differ, "ulp": number(self.ulp), "at": number(self.at)}


@dataclass(frozen=True, slots=True)
class Measured:
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

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the statistics of a report's row."""
        values: dict[str, Any] = {k: float(value) if isinstance(value, str) else value for k, value in row.items()}
        return cls(**values)

    def to_json(self) -> Json:
        """Return them as a report has them."""
        values = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: number(value) for name, value in values if value is not None}


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of a sample in bins of equal width, in units of the law's deviation."""

    low: float
    high: float
    counts: tuple[int, ...]

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the histogram of a report's row."""
        return cls(row["low"], row["high"], tuple(row["counts"]))

    def to_json(self) -> Json:
        """Return it as a report has it."""
        return {"low": self.low, "high": self.high, "counts": list(self.counts)}


@dataclass(frozen=True, slots=True)
class Picture:
    """The data of a random sample's plot.

    Attributes:
        law: normal, truncated_normal or uniform.
        bound: of the law, in the unit of the sample; infinite for a normal one.
        histogram: None if the sample has no number or the law no deviation.
        quantiles: the elements below or at which 0, 1/32, ..., 1 of the sample lie; empty likewise.
    """

    law: str
    bound: float
    histogram: Histogram | None = None
    quantiles: tuple[float, ...] = ()

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self | None:
        """Return the picture of an output's row; None if it has none."""
        if "law" not in row:
            return None
        histogram = Histogram.from_json(row["histogram"]) if "histogram" in row else None
        quantiles = tuple(float(quantile) for quantile in row.get("quantiles", ()))
        return cls(row["law"]["name"], float(row["law"]["bound"]), histogram, quantiles)

    def to_json(self) -> Json:
        """Return it as a report has it."""
        row: Json = {"law": {"name": self.law, "bound": number(self.bound)}}
        if self.histogram is not None:
            row["histogram"] = self.histogram.to_json()
        if self.quantiles:
            row["quantiles"] = [number(quantile) for quantile in self.quantiles]
        return row


@dataclass(frozen=True, slots=True)
class Output:
    """The verdict of one output.

    Attributes:
        verdict: conforms, dialect or diverges.
        digest: of the output's bytes; "" if there are none.
        ratio: the largest error over its bound.
        ulp: the largest error in units in the last place; 0 if the output conforms.
        dialect: the narrowest dialect that explains it; "" if none does.
        also: other dialects that it fits, and those that were refused.
        problem: the dtype, shape or law that is wrong, in words.
        fault: the name of a wrong law of a random sample that no dialect explains.
        worst: the worst element.
        measured: statistics of a random sample.
        counted: wrong results among those for every number of a dtype.
        picture: the data of a random sample's plot.
    """

    verdict: str
    digest: str = ""
    ratio: float = 0.0
    ulp: float = 0.0
    dialect: str = ""
    also: tuple[str, ...] = ()
    problem: str = ""
    fault: str = ""
    worst: Worst | None = None
    measured: Measured | None = None
    counted: Counted | None = None
    picture: Picture | None = None

    @property
    def size(self) -> tuple[float, float]:
        """The largest error, for comparisons: in ULP, then over its bound."""
        return self.ulp, self.ratio

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the output of a report's row."""
        return cls(
            row["verdict"],
            row["digest"],
            float(row["ratio"]),
            float(row.get("ulp", 0)),
            row.get("dialect", ""),
            tuple(row.get("also", ())),
            row.get("problem", ""),
            row.get("fault", ""),
            Worst.from_json(row["worst"]) if "worst" in row else None,
            Measured.from_json(row["measured"]) if "measured" in row else None,
            Counted.from_json(row["counted"]) if "counted" in row else None,
            Picture.from_json(row),
        )

    def to_json(self) -> Json:
        """Return it as a report has it: short if it conforms."""
        row: Json = {"verdict": self.verdict, "digest": self.digest, "ratio": shortened(self.ratio)}
        if self.measured is not None:
            row["measured"] = self.measured.to_json()
        if self.counted is not None:
            row["counted"] = self.counted.to_json()
        if self.picture is not None:
            row |= self.picture.to_json()
        if self.verdict == "conforms":
            return row
        row["ulp"] = shortened(self.ulp)
        row |= {key: text for key in ("dialect", "fault", "problem") if (text := getattr(self, key))}
        if self.also:
            row["also"] = list(self.also)
        if self.worst is not None:
            row["worst"] = self.worst.to_json()
        return row


@dataclass(frozen=True)
class Result:
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
    outputs: Mapping[str, Output] = field(default_factory=dict)
    known: str = ""
    points: Points = field(default_factory=dict)

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

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the result of a report's row."""
        return cls(
            row["framework"],
            row["version"],
            row["implementation"],
            row["mode"],
            row["operation"],
            row["vector"],
            row["profile"],
            row["verdict"],
            row.get("judged", True),
            row.get("dialect", ""),
            row.get("reason", ""),
            row.get("printed", ""),
            {name: Output.from_json(output) for name, output in row["outputs"].items()},
            row.get("known", ""),
        )

    def to_json(self) -> Json:
        """Return the row of a report."""
        row: Json = {
            "framework": self.framework,
            "version": self.version,
            "implementation": self.implementation,
            "mode": self.mode,
            "operation": self.operation,
            "vector": self.vector,
            "profile": self.profile,
            "verdict": self.verdict,
        }
        if not self.judged:
            row["judged"] = False
        row |= {key: text for key in ("dialect", "reason", "printed") if (text := getattr(self, key))}
        row["outputs"] = {name: output.to_json() for name, output in self.outputs.items()}
        if self.known:
            row["known"] = self.known
        return row
