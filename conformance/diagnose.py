"""Second thoughts on dialects, once all results are there: which names stand, and which of several is likelier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from nnconform.reference.dialects import DIALECTS

from .judge import OutputResult, Result
from .vectors import flat

REFUSED = " (refused)"


def diagnose(results: Sequence[Result]) -> None:
    """Settle which dialect each output is named by (NUM-10).

    First the names that other results contradict give way to those that they do not, then the accuracy dialects that
    could hide a wrong formula are refused.
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
    """Name an output by a semantic dialect that the same implementation does not contradict, if it fits one.

    An implementation contradicts a dialect where its output conforms although the vector is proved to see the dialect
    there, in every such vector of the same dtype, or in every one of float32 and float64: another formula does not
    come with another dtype.
    """
    seen: dict[tuple[str, ...], list[Result]] = defaultdict(list)
    for result in results:
        seen[result.framework, result.implementation, result.mode, result.vector.operation].append(result)
    known: dict[tuple[object, ...], bool] = {}

    def contradicted(result: Result, name: str, part: str) -> bool:
        key = (*_group(result, name), part, result.vector.dtype)
        if key not in known:
            known[key] = _contradicted(seen[key[:4]], key[4], part, result.vector.dtype)
        return known[key]

    for result in results:
        for name, output in result.outputs.items():
            if output.verdict == "dialect" and output.also:
                fits = (output.dialect, *output.also)
                against = {d: any(contradicted(result, name, p) for p in _semantic_parts(d)) for d in fits}
                # Sorting keeps the order of those that are equal.
                output.dialect, *others = sorted(fits, key=against.__getitem__)
                output.also = tuple(others)


def _semantic_parts(dialect: str) -> list[str]:
    return [part for part in dialect.split("+") if part in DIALECTS and not DIALECTS[part].accuracy]


def _contradicted(results: Sequence[Result], base: str, part: str, dtype: str) -> bool:
    """Say whether an output conforms where the vector is proved to see the dialect on it."""
    hunting = [
        (r.vector.dtype, output.verdict)
        for r in results
        if part in r.vector.hunts and part in r.vector.dialects
        for name, _ in flat(r.vector.dialects[part])
        if (output := r.outputs.get(name)) is not None and name.partition("[")[0] == base
    ]
    same = [verdict for of, verdict in hunting if of == dtype]
    wide = [verdict for of, verdict in hunting if of in ("float32", "float64")]
    return any(found and all(verdict == "conforms" for verdict in found) for found in (same, wide))


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
            output.dialect = left[0] if left and not left[0].endswith(REFUSED) else ""
            output.also = (*(left[1:] if output.dialect else left), f"{dialect}{REFUSED}")
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
