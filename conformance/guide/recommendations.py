"""The rows of a guide: for each use the source's API, the target's API to write instead, and their agreement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .agreement import Agreement, Side, agreement
from .measurements import DTYPES, Measurement
from .tables import NAMES, OTHER_NAMES, USES, Choice, Framework, table


@dataclass(frozen=True)
class Pick:
    """A way to write a use in the target, and its agreement with the source."""

    choice: Choice
    agreement: Agreement


@dataclass(frozen=True)
class Row:
    """One use of a guide.

    Attributes:
        use: of ``USES``.
        source: the way to write it in the source.
        best: the way in the target that agrees most.
        plain: the plainest way in the target, if the best is another one.
        exact: the way that agrees most in float64, if that is another one than in float32.
    """

    use: str
    source: Choice
    best: Pick
    plain: Pick | None = None
    exact: Pick | None = None

    @property
    def picks(self) -> tuple[Pick, ...]:
        """The ways that the guide recommends: the best one, and the one for float64 if there is one."""
        return (self.best,) if self.exact is None else (self.best, self.exact)


@dataclass(frozen=True)
class Guide:
    """All rows from one framework to another, with the measurements by adapter."""

    source: Framework
    target: Framework
    measurements: Mapping[str, Measurement]
    rows: tuple[Row, ...]

    def row(self, use: str) -> Row | None:
        """Return the first row of a use, or None."""
        return next((row for row in self.rows if row.use == use), None)


def framework_name(word: str) -> str:
    """Return the guide's name of a framework.

    Raises:
        KeyError: there is no such framework.
    """
    name = OTHER_NAMES.get(word.lower(), word.lower())
    if name not in NAMES:
        raise KeyError(word)
    return name


def guide(source: str, target: str, measurements: Mapping[str, Measurement]) -> Guide:
    """Return the guide from one framework to another.

    Args:
        source: the framework that is ported from, of ``NAMES``.
        target: the framework that is ported to.
        measurements: of both, by adapter.
    """
    source_table, target_table = table(source), table(target)
    measurement = measurements[source_table.adapter]
    rows = (
        row
        for use in USES
        for choice in source_table.source_choices(use)
        for row in _rows(use, Side(choice, measurement), target_table, measurements[target_table.adapter])
    )
    return Guide(source_table, target_table, measurements, tuple(rows))


def _rows(use: str, source: Side, framework: Framework, measurement: Measurement) -> Iterator[Row]:
    """Yield the row of a use, unless the two frameworks have no vector in common."""
    choices = framework.target_choices(use)

    def pick(choice: Choice, *dtypes: str) -> Pick:
        return Pick(choice, agreement(use, source, Side(choice, measurement), dtypes))

    def best(dtype: str) -> Pick | None:
        # With equal shares the one that agrees on most vectors, then the plainest.
        picks = (pick(choice, dtype) for choice in choices)
        return max(picks, key=lambda p: (p.agreement.share, len(p.agreement.agreed)), default=None)

    # Almost everyone trains in float32: a call that only float64 needs is a separate recommendation.
    single, double = (best(dtype) for dtype in DTYPES)
    if single is None or not single.agreement.vectors:
        return
    exact = None
    if double is not None and double.choice != single.choice and double.agreement.vectors:
        of_single = pick(single.choice, "float64").agreement
        exact = pick(double.choice) if double.agreement.share > of_single.share else None
    plain = None if choices[0] == single.choice else pick(choices[0])
    yield Row(use, source.choice, pick(single.choice), plain, exact)
