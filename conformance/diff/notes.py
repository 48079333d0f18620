"""What limits a comparison, in words: other specs, packages or machines, sides that did not run to the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from packaging.utils import canonicalize_name

from nnconform.conformance.words import count

from .changes import steady
from .output_differences import Measures
from .sides import Row, Side, aliases, examined, versions

WORDS = ("old", "new")
# Packages beside the frameworks' own whose versions may change results.
COMPUTING = ("jaxlib", "ml-dtypes", "numpy", "scipy")


def notes(
    old: Side, new: Side, left_out: Mapping[tuple[str, str, str], int], renamed: int, measures: Measures
) -> Iterator[str]:
    """Yield the notes of a diff.

    Args:
        old: the old side.
        new: the new side.
        left_out: results on one side only that are not counted, by the side that has them, framework and cause.
        renamed: outputs of the same bits and another verdict.
        measures: which tensors were kept.
    """
    yield from _suite(old, new)
    for side in (old, new):
        yield from _incomplete(side)
    for name in old.entries:
        if name in new.entries:
            yield from _unfinished(name, old, new, left_out)
    yield from _others_left_out(left_out)
    if renamed:
        yield (
            f"{count(renamed, 'output')}: the same bits with another verdict, as other results decide which dialects "
            "may be named; not counted as a change"
        )
    yield from _tensors(measures)
    for name, entry in old.entries.items():
        if name in new.entries:
            yield from _packages(name, entry, new.entries[name])
    yield from _machines(old, new)


def _suite(old: Side, new: Side) -> Iterator[str]:
    specs = [side.report["spec"] for side in (old, new)]
    if specs[0] != specs[1]:
        yield (
            f"the reports are of two versions of the spec, {specs[0]} and {specs[1]}: only vectors that are the same "
            "in both are compared"
        )
    suites = [side.report["nnconform"] for side in (old, new)]
    if suites[0] != suites[1]:
        yield f"two versions of nnconform wrote the reports, {suites[0]} and {suites[1]}: verdicts may differ by that"


def _incomplete(side: Side) -> Iterator[str]:
    """Yield what is missing of a side as a whole."""
    told = any(not side.finished(name) for name in side.entries)
    if not side.report["complete"] and not told:
        yield f"the {side.word} report is incomplete: its run was interrupted"
    if problems := len(side.report["problems"]):
        yield f"{count(problems, 'vector file')} could not be used in the {side.word} report"
    if faults := len(side.report["faults"]):
        yield f"{count(faults, 'call')} of the {side.word} report ended in a fault of the adapter, and have no result"


def _unfinished(name: str, old: Side, new: Side, left_out: Mapping[tuple[str, str, str], int]) -> Iterator[str]:
    """Yield which side of a framework did not run, or not to the end, and how many results that leaves alone."""
    if all(side.entries[name]["status"] == "missing" for side in (old, new)):
        return
    for side, other in ((old, new), (new, old)):
        if side.finished(name):
            continue
        alone = sum(left_out.get((word, name, "unfinished"), 0) for word in WORDS)
        entry = side.entries[name]
        why = steady(entry["reason"]) if "reason" in entry else "the run was interrupted"
        what = "did not run" if entry["status"] in ("missing", "failed") else "did not run to the end"
        counted = f": {count(alone, 'result')} on one side only not counted" if alone and other.finished(name) else ""
        yield f"{name} {what} in the {side.word} report ({why}){counted}"


def _others_left_out(left_out: Mapping[tuple[str, str, str], int]) -> Iterator[str]:
    """Yield why results on one side only are neither gone nor newly supported."""
    causes = {
        "selection": "only: the other report had other filters or parts",
        "fault": "only: the adapter is at fault in the other",
    }
    for cause, words in causes.items():
        total: Counter[str] = Counter()
        for (word, _, of), number in left_out.items():
            total[word] += number if of == cause else 0
        for word in WORDS:
            if total[word]:
                yield f"{count(total[word], 'result')} in the {word} report {words}; not counted"


def _tensors(measures: Measures) -> Iterator[str]:
    if measures.kept[0] != measures.kept[1]:
        yield f"only the {WORDS[measures.kept[1]]} report has whole outputs: changes are not measured in ULP"
    for word, number in zip(WORDS, measures.strange_counts, strict=True):
        if number:
            yield (
                f"{count(number, 'tensor')} kept for the {word} report left aside: not of its results, as if from "
                "another run"
            )


def _packages(name: str, old: Row, new: Row) -> Iterator[str]:
    """Yield which packages differ beside those that the user asked about."""
    before, after = versions(old), versions(new)
    # One side may say more: an environment made for a framework lists all that it has.
    whole = "packages" in old and "packages" in new
    known = before.keys() | after.keys() if whole else before.keys() & after.keys()
    asked = aliases(examined(old, new))
    different = sorted(p for p in known - asked if before.get(p) != after.get(p))
    computing = {*COMPUTING, *aliases([canonicalize_name(p) for p in (*old["versions"], *new["versions"])])}
    words = [
        f"{package} {before.get(package, 'none')} -> {after.get(package, 'none')}"
        for package in different
        if package in computing
    ]
    if others := [package for package in different if package not in computing]:
        few = f" ({', '.join(others)})" if len(others) <= 5 else ""
        words.append(f"{count(len(others), 'other package')}{few}")
    if before and before == after and old["target"] != new["target"]:
        yield f"{name}: both sides have the same versions"
    pythons = old.get("python"), new.get("python")
    if None not in pythons and pythons[0] != pythons[1]:
        words.append(f"Python {pythons[0]} -> {pythons[1]}")
    if words:
        yield f"{name}: other versions differ too: {', '.join(words)}"
    threads = old.get("threads"), new.get("threads")
    if None not in threads and threads[0] != threads[1]:
        yield f"{name}: the number of threads differs, {threads[0]} and {threads[1]}: bits may differ by that"


def _machines(old: Side, new: Side) -> Iterator[str]:
    names = {"system": "systems", "machine": "architectures", "processor": "processors"}
    for key, what in names.items():
        a, b = (side.report["platform"][key] for side in (old, new))
        if a != b:
            yield f"the {what} differ, {a or 'unknown'} and {b or 'unknown'}: bits may differ by that alone"
