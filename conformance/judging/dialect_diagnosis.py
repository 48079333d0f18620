"""Second thoughts on dialects, once all results are there: which names stand, and which of several is likelier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from nnconform.conformance.vectors.vector import Tensor
from nnconform.reference.dialects import DIALECTS

from .compare import compare
from .judge import OutputResult, Result

REFUSED = " (refused)"


def diagnose(results: Sequence[Result]) -> None:
    """Settle which dialect each output is named by (NUM-10).

    First the semantic dialects that other results contradict are refused, then the accuracy dialects that could hide a
    wrong formula.
    """
    prefer_consistent(results)
    refuse_swallowed(results)


def is_accuracy(dialect: str) -> bool:
    """Say whether a dialect, or a part of a combination, widens a bound rather than prescribe a value."""
    return any(DIALECTS[part].accuracy for part in dialect.split("+") if part in DIALECTS)


def _group(result: Result, output: str) -> tuple[str, ...]:
    return (
        result.framework,
        result.implementation,
        result.mode,
        result.vector.operation,
        output.partition("[")[0],
    )


def prefer_consistent(results: Sequence[Result]) -> None:
    """Name an output by the dialects that the same implementation speaks elsewhere (NUM-10).

    On the vectors that are proved to see a semantic dialect, an implementation that speaks it fits it. Where an output
    fits several dialects the one that it fits most often there comes first; a dialect that it fits nowhere there, on
    the same dtype or else on float32 and float64, is no explanation and is refused. Of equal ones it is that of the
    fewest accuracy parts, then that which explains the most of what the implementation has that does not conform.
    """
    seen: dict[tuple[str, ...], list[Result]] = defaultdict(list)
    for result in results:
        seen[_group(result, "")[:4]].append(result)
    known: dict[tuple[str, ...], _Record] = {}
    explained: dict[tuple[str, ...], int] = {}

    def record(result: Result, name: str, part: str) -> _Record:
        key = (*_group(result, name), part, result.vector.dtype)
        if key not in known:
            known[key] = _Record.of(seen[key[:4]], key[4], part, result.vector.dtype)
        return known[key]

    def explains(result: Result, dialect: str) -> int:
        key = (*_group(result, "")[:4], dialect)
        if key not in explained:
            explained[key] = _explained(seen[key[:4]], dialect)
        return explained[key]

    def order(result: Result, name: str, dialect: str) -> tuple[float, int, int]:
        shares = [record(result, name, part).share for part in _semantic_parts(dialect)]
        accuracy = sum(map(is_accuracy, dialect.split("+")))
        return 1 - min(shares, default=1.0), accuracy, -explains(result, dialect)

    renamed = []
    for result in results:
        for name, output in result.outputs.items():
            if output.verdict == "dialect":
                fits = [output.dialect, *output.also]
                spoken = [d for d in fits if not any(record(result, name, p).contradicts for p in _semantic_parts(d))]
                # Sorting keeps the order of those that are equal.
                ranks = {d: order(result, name, d) for d in spoken}
                spoken.sort(key=ranks.__getitem__)
                renamed.append((result, output, spoken, [d for d in fits if d not in spoken]))
    for result, output, spoken, refused in renamed:
        output.dialect = spoken[0] if spoken else ""
        output.also = (*spoken[1:], *(f"{d}{REFUSED}" for d in refused))
        output.verdict = "dialect" if spoken else "diverges"
        result.settle()


def _explained(results: Sequence[Result], dialect: str) -> int:
    """Return how many outputs that do not conform fit a dialect or, of a combination, some of its parts.

    Where dialects without a wider bound explain an output, those with one do not count as well.
    """
    parts, count = set(dialect.split("+")), 0
    for result in results:
        for output in result.outputs.values():
            if output.verdict == "dialect":
                fits = [output.dialect, *output.also]
                narrow = [d for d in fits if not is_accuracy(d)]
                count += any(set(d.split("+")) <= parts for d in narrow or fits)
    return count


def _semantic_parts(dialect: str) -> list[str]:
    return [part for part in dialect.split("+") if part in DIALECTS and not DIALECTS[part].accuracy]


class _Record(NamedTuple):
    """How an implementation's output does on the vectors that are proved to see a dialect on it.

    Attributes:
        share: of these vectors, those on which the output fits the dialect; 1 where there is none.
        contradicts: there are some, and it fits on none.
    """

    share: float
    contradicts: bool

    @classmethod
    def of(cls, results: Sequence[Result], base: str, part: str, dtype: str) -> _Record:
        """Return the record of one output, by name without index, and of one dialect that is no combination."""
        hunting = [
            (r.vector.dtype, any(part in d.split("+") for d in (output.dialect, *output.also)))
            for r in results
            if part in r.vector.hunts
            for name in r.vector.prescribed.get(part, ())
            if (output := r.outputs.get(name)) is not None and name.partition("[")[0] == base
            if not _hidden(part, r, name)
        ]
        wide = [fits for of, fits in hunting if of in ("float32", "float64")]
        nearest = [fits for of, fits in hunting if of == dtype] or wide
        every = wide if dtype in ("float32", "float64") else nearest + wide
        return cls(sum(every) / len(every) if every else 1.0, bool(nearest) and not any(nearest))


def _hidden(part: str, result: Result, name: str) -> bool:
    """Say whether a wide bound that an output fits reaches what a semantic dialect prescribes, and so may hide it."""
    output, prescribed = result.outputs[name], result.vector.prescribed
    fits = [d for d in (output.dialect, *output.also) if d]
    values = getattr(prescribed[part][name], "values", None)
    if values is None or any(part in d.split("+") for d in fits):
        return False
    others = [prescribed[d][name] for d in fits]
    return any(isinstance(other, Tensor) and compare(values, other).fits for other in others)


def refuse_swallowed(results: Sequence[Result]) -> None:
    """Turn an accuracy dialect into a divergence where the implementation is wrong on benign vectors too (NUM-10).

    A wide bound must not swallow a wrong formula: on the output's vectors of profile core or half where the
    dialect's bound is at most ``WIDE`` times the conforming one, the implementation must conform or fit a dialect
    that is not refused itself. They are those of the same dtype, or those of float32 and float64 where that dtype
    has none.
    """
    benign: dict[tuple[str, ...], list[tuple[Result, str]]] = defaultdict(list)
    for result in results:
        if result.vector.profile in ("core", "half"):
            for name in result.outputs:
                benign[_group(result, name)].append((result, name))
    # To refuse one dialect may take the ground from under another.
    while refused := list(_refused(results, benign)):
        for result, output, dialect in refused:
            left = [d for d in (output.dialect, *output.also) if d != dialect]
            standing = [d for d in left if not d.endswith(REFUSED)]
            output.dialect = standing[0] if standing else ""
            output.also = (*(d for d in left if d != output.dialect), f"{dialect}{REFUSED}")
            output.verdict = "dialect" if output.dialect else "diverges"
            result.settle()


Benign = Mapping[tuple[str, ...], Sequence[tuple[Result, str]]]


def _refused(results: Sequence[Result], benign: Benign) -> Iterator[tuple[Result, OutputResult, str]]:
    """Yield the outputs whose named dialect an unexplained benign vector speaks against."""
    known: dict[tuple[tuple[str, ...], str, str], bool] = {}
    for result in results:
        for name, output in result.outputs.items():
            if output.verdict != "dialect" or not is_accuracy(output.dialect):
                continue
            group = _group(result, name)
            key = group, output.dialect, result.vector.dtype
            if key not in known:
                known[key] = _unexplained(benign[group], output.dialect, result.vector.dtype)
            if known[key]:
                yield result, output, output.dialect


def _unexplained(benign: Sequence[tuple[Result, str]], dialect: str, dtype: str) -> bool:
    """Say whether an output diverges on a benign vector where the dialect's bound is narrow."""
    narrow = [(r, n) for r, n in benign if dialect not in r.vector.tempting.get(n, ())]
    same = [(r, n) for r, n in narrow if r.vector.dtype == dtype]
    witnesses = same or [(r, n) for r, n in narrow if r.vector.dtype in ("float32", "float64")]
    return any(r.outputs[n].verdict == "diverges" for r, n in witnesses)
