"""Correct the dialects of outputs with the help of an implementation's other results (NUM-10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.vectors.vector import Tensor, Vector
from nnconform.reference.dialects import DIALECTS

from .compare import compare

REFUSED = " (refused)"

# Framework, implementation, mode and operation; and an output, without the index of a list's entry.
Api = tuple[str, str, str, str]
Group = tuple[str, str, str, str, str]
# The number of a result, and one of its outputs.
Place = tuple[int, str]


def diagnose(results: Iterable[Result], vectors: Mapping[str, Vector]) -> list[Result]:
    """Return results with the dialect that explains each output (NUM-10).

    First the semantic dialects that other results contradict are refused, then the accuracy dialects that could hide a
    wrong formula.

    Args:
        results: of one or several frameworks.
        vectors: by id, at least those of the results.
    """
    return refuse_swallowed(prefer_consistent([*results], vectors), vectors)


def is_accuracy(dialect: str) -> bool:
    """Return True if a dialect, or a part of a combination, widens a bound and prescribes no value."""
    return any(DIALECTS[part].accuracy for part in dialect.split("+") if part in DIALECTS)


def _api(result: Result) -> Api:
    return result.framework, result.implementation, result.mode, result.operation


def _group(result: Result, output: str) -> Group:
    return *_api(result), output.partition("[")[0]


def _fits(output: Output) -> list[str]:
    """Return the dialects of an output, the named one first."""
    return [output.dialect, *output.also]


def _renamed(output: Output, dialects: Sequence[str], refused: Iterable[str]) -> Output:
    """Return an output named by the first of some dialects; it diverges without any."""
    also = (*dialects[1:], *(f"{d}{REFUSED}" for d in refused))
    return replace(
        output, verdict="dialect" if dialects else "diverges", dialect=dialects[0] if dialects else "", also=also
    )


def _with_renamed(results: list[Result], renamed: Mapping[Place, Output]) -> list[Result]:
    """Return results with some of their outputs replaced."""
    changed: dict[int, dict[str, Output]] = defaultdict(dict)
    for (number, name), output in renamed.items():
        changed[number][name] = output
    return [
        r.with_outputs({**r.outputs, **changed[number]}) if number in changed else r for number, r in enumerate(results)
    ]


def prefer_consistent(results: list[Result], vectors: Mapping[str, Vector]) -> list[Result]:
    """Name each output by the dialects that the same implementation has elsewhere (NUM-10).

    On the vectors that are proved to see a semantic dialect, an implementation that has it fits it. Of several dialects
    that an output fits, the one that it fits most often there comes first. A dialect that it fits nowhere there, on the
    same dtype or else on float32 and float64, is refused. Of equal ones, the one with the fewest accuracy parts comes
    first, then the one that explains the most of the implementation's outputs that do not conform.
    """
    consistency = _Consistency(results, vectors)
    renamed = {}
    for number, result in enumerate(results):
        for name, output in result.outputs.items():
            if output.verdict == "dialect":
                fits = _fits(output)
                consistent = [d for d in fits if not consistency.contradicts(result, name, d)]
                # Sorting keeps the order of equal ones.
                consistent.sort(key=lambda d: consistency.rank(result, name, d))
                renamed[number, name] = _renamed(output, consistent, [d for d in fits if d not in consistent])
    return _with_renamed(results, renamed)


class _Consistency:
    """The support that a dialect has in an implementation's other results, each figure computed once."""

    def __init__(self, results: Iterable[Result], vectors: Mapping[str, Vector]) -> None:
        self._vectors = vectors
        self._by_api: dict[Api, list[Result]] = defaultdict(list)
        for result in results:
            self._by_api[_api(result)].append(result)
        self._records: dict[tuple[Group, str, str], _Record] = {}
        self._explained: dict[tuple[Api, str], int] = {}

    def contradicts(self, result: Result, name: str, dialect: str) -> bool:
        """Return True if a part of a dialect fits on none of the vectors that are proved to see it."""
        return any(self._record(result, name, part).contradicts for part in _semantic_parts(dialect))

    def rank(self, result: Result, name: str, dialect: str) -> tuple[float, int, int]:
        """Return the key that sorts the dialects of an output, the likeliest first."""
        shares = [self._record(result, name, part).share for part in _semantic_parts(dialect)]
        accuracy = sum(map(is_accuracy, dialect.split("+")))
        return 1 - min(shares, default=1.0), accuracy, -self._count_explained(_api(result), dialect)

    def _record(self, result: Result, name: str, part: str) -> _Record:
        group = _group(result, name)
        key = group, part, result.dtype
        if key not in self._records:
            api = self._by_api[_api(result)]
            self._records[key] = _Record.of(api, self._vectors, group[4], part, result.dtype)
        return self._records[key]

    def _count_explained(self, api: Api, dialect: str) -> int:
        if (api, dialect) not in self._explained:
            self._explained[api, dialect] = _count_explained(self._by_api[api], dialect)
        return self._explained[api, dialect]


def _count_explained(results: Sequence[Result], dialect: str) -> int:
    """Return the number of deviating outputs that fit a dialect or, of a combination, some of its parts.

    If dialects without a wider bound explain an output, those with one do not count as well.
    """
    parts, count = set(dialect.split("+")), 0
    for result in results:
        for output in result.outputs.values():
            if output.verdict == "dialect":
                fits = _fits(output)
                narrow = [d for d in fits if not is_accuracy(d)]
                count += any(set(d.split("+")) <= parts for d in narrow or fits)
    return count


def _semantic_parts(dialect: str) -> list[str]:
    return [part for part in dialect.split("+") if part in DIALECTS and DIALECTS[part].kind == "semantic"]


class _Record(NamedTuple):
    """An implementation's output on the vectors that are proved to see a dialect on it.

    Attributes:
        share: of these vectors, those on which the output fits the dialect; 1 if there are none.
        contradicts: there are some, and it fits on none.
    """

    share: float
    contradicts: bool

    @classmethod
    def of(cls, results: Sequence[Result], vectors: Mapping[str, Vector], base: str, part: str, dtype: str) -> _Record:
        """Return the record of one output, by name without index, and of one dialect that is no combination."""
        hunting = [
            (result.dtype, any(part in d.split("+") for d in _fits(output)))
            for result in results
            if part in vectors[result.vector].hunts
            for name in vectors[result.vector].prescribed.get(part, ())
            if (output := result.outputs.get(name)) is not None and name.partition("[")[0] == base
            if not _hidden(part, output, vectors[result.vector], name)
        ]
        wide = [fits for of, fits in hunting if of in ("float32", "float64")]
        nearest = [fits for of, fits in hunting if of == dtype] or wide
        every = wide if dtype in ("float32", "float64") else nearest + wide
        return cls(sum(every) / len(every) if every else 1.0, bool(nearest) and not any(nearest))


def _hidden(part: str, output: Output, vector: Vector, name: str) -> bool:
    """Return True if a wide bound that an output fits has room for a semantic dialect's values, and may hide it."""
    prescribed = vector.prescribed
    fits = [d for d in _fits(output) if d]
    values = getattr(prescribed[part][name], "values", None)
    if values is None or any(part in d.split("+") for d in fits):
        return False
    others = [prescribed[d][name] for d in fits]
    return any(isinstance(other, Tensor) and compare(values, other).fits for other in others)


def refuse_swallowed(results: list[Result], vectors: Mapping[str, Vector]) -> list[Result]:
    """Turn an accuracy dialect into a divergence if the implementation is wrong on benign vectors too (NUM-10).

    A wide bound must not swallow a wrong formula. On the output's vectors of profile core or half with a bound of the
    dialect that is at most ``WIDE`` times the conforming one, the implementation must conform or fit a dialect that is
    not refused itself. They are those of the same dtype, or those of float32 and float64 if that dtype has none.
    """
    benign: dict[Group, list[Place]] = defaultdict(list)
    for number, result in enumerate(results):
        if result.profile in ("core", "half"):
            for name in result.outputs:
                benign[_group(result, name)].append((number, name))
    # To refuse one dialect may leave another without support.
    while refused := dict(_refused(results, vectors, benign)):
        results = _with_renamed(results, refused)
    return results


def _refused(
    results: Sequence[Result], vectors: Mapping[str, Vector], benign: Mapping[Group, Sequence[Place]]
) -> Iterator[tuple[Place, Output]]:
    """Yield the outputs whose named dialect an unexplained benign vector contradicts, without that dialect."""
    refusals: dict[tuple[Group, str, str], bool] = {}
    for number, result in enumerate(results):
        for name, output in result.outputs.items():
            if output.verdict != "dialect" or not is_accuracy(output.dialect):
                continue
            group = _group(result, name)
            key = group, output.dialect, result.dtype
            if key not in refusals:
                witnesses = [(results[other], n) for other, n in benign[group]]
                refusals[key] = _unexplained(witnesses, vectors, output.dialect, result.dtype)
            if refusals[key]:
                yield (number, name), _without(output)


def _without(output: Output) -> Output:
    """Return an output without its named dialect: by the next that is not refused, or diverging."""
    others = [d for d in _fits(output) if d != output.dialect]
    dialect = next((d for d in others if not d.endswith(REFUSED)), "")
    also = (*(d for d in others if d != dialect), f"{output.dialect}{REFUSED}")
    return replace(output, verdict="dialect" if dialect else "diverges", dialect=dialect, also=also)


def _unexplained(benign: Sequence[tuple[Result, str]], vectors: Mapping[str, Vector], dialect: str, dtype: str) -> bool:
    """Return True if an output diverges on a benign vector with a narrow bound of the dialect."""
    narrow = [(r, n) for r, n in benign if dialect not in vectors[r.vector].tempting.get(n, ())]
    same = [(r, n) for r, n in narrow if r.dtype == dtype]
    witnesses = same or [(r, n) for r, n in narrow if r.dtype in ("float32", "float64")]
    return any(r.outputs[n].verdict == "diverges" for r, n in witnesses)
