"""The rows of a guide: for each use what one has, what one writes instead, and what the vectors say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .agreement import Agreement, agreement
from .measurements import DTYPES, Measured
from .tables import NAMES, OTHER_NAMES, USES, Choice, Framework, table


@dataclass(frozen=True)
class Pick:
    """One way to write it in the framework that one goes to, and how far it agrees with what one had."""

    choice: Choice
    agreement: Agreement


@dataclass(frozen=True)
class Row:
    """One use of a guide.

    Attributes:
        use: of ``USES``.
        ours: what one has.
        best: the way that agrees most.
        plain: the plainest way, where the best is another one.
        exact: the way that agrees most in float64, where that is another one than the best in float32.
    """

    use: str
    ours: Choice
    best: Pick
    plain: Pick | None = None
    exact: Pick | None = None

    @property
    def picks(self) -> tuple[Pick, ...]:
        """What is written instead: the best way, and the one for float64 where there is one."""
        return (self.best,) if self.exact is None else (self.best, self.exact)


@dataclass(frozen=True)
class Guide:
    """All rows from one framework to another, with what they were measured with."""

    source: Framework
    target: Framework
    measured: Mapping[str, Measured]
    rows: tuple[Row, ...]

    def row(self, use: str) -> Row | None:
        """Return the first row of a use, or None."""
        return next((row for row in self.rows if row.use == use), None)


def named(word: str) -> str:
    """Return the name of a framework that a user has given in any of its names.

    Raises:
        KeyError: there is no such framework.
    """
    name = OTHER_NAMES.get(word.lower(), word.lower())
    if name not in NAMES:
        raise KeyError(word)
    return name


def guide(source: str, target: str, measured: Mapping[str, Measured]) -> Guide:
    """Return the guide from one framework to another.

    Args:
        source: the one that one leaves, of ``NAMES``.
        target: the one that one goes to.
        measured: by adapter, for both.
    """
    ours, theirs = table(source), table(target)
    rows = (row for use in USES for choice in ours.left(use) for row in _rows(use, choice, ours, theirs, measured))
    return Guide(ours, theirs, measured, tuple(rows))


def _rows(
    use: str, ours: Choice, source: Framework, target: Framework, measured: Mapping[str, Measured]
) -> Iterator[Row]:
    """Yield the row of a use, unless the vectors have nothing that both take."""

    def best(*dtypes: str) -> Pick | None:
        mine, other = measured[source.adapter], measured[target.adapter]
        picks = (Pick(c, agreement(use, ours, mine, c, other, dtypes)) for c in target.reached(use))
        # Of those that agree on an equal share the one that does so on most vectors, then the plainest.
        return max(picks, key=lambda p: (p.agreement.share, len(p.agreement.agreed)), default=None)

    def of(choice: Choice) -> Pick:
        return Pick(choice, agreement(use, ours, measured[source.adapter], choice, measured[target.adapter]))

    # Almost everyone trains in float32: what matters in float64 alone must not be in everyone's way.
    single, double = (best(dtype) for dtype in DTYPES)
    if single is None or not single.agreement.vectors:
        return
    pick, plain = of(single.choice), of(target.reached(use)[0])
    exact = None
    if double is not None and double.choice != single.choice and double.agreement.vectors:
        here = agreement(use, ours, measured[source.adapter], single.choice, measured[target.adapter], ("float64",))
        exact = of(double.choice) if double.agreement.share > here.share else None
    yield Row(use, ours, pick, None if plain.choice == pick.choice else plain, exact)
