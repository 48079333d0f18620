"""Limits of a comparison, in words: other specs, packages or machines, and sides that did not run to their end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from packaging.utils import canonicalize_name

from nnconform.conformance.model.report import FrameworkEntry
from nnconform.conformance.words import count

from . import packages
from .changes import stable_text
from .measurement import Measurements
from .sides import Side

WORDS = ("old", "new")
# Packages other than the frameworks' own whose versions may change results.
COMPUTING = ("jaxlib", "ml-dtypes", "numpy", "scipy")
# How many results were not counted, by the side that has them, framework and cause: unfinished, fault or selection.
LeftOut = Mapping[tuple[str, str, str], int]


def notes(old: Side, new: Side, left_out: LeftOut, renamed: int, measurements: Measurements) -> Iterator[str]:
    """Yield the notes of a diff.

    Args:
        old: the old side.
        new: the new side.
        left_out: results on one side only that are not counted.
        renamed: how many outputs have the same bits and another verdict.
        measurements: of the tensors.
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
            f"{count(renamed, 'output')} with the same bits and another verdict, because other results decide between "
            "dialects: not counted as a change"
        )
    yield from _tensors(measurements)
    for name, entry in old.entries.items():
        if name in new.entries:
            yield from _environments(name, entry, new.entries[name])
    yield from _machines(old, new)


def _suite(old: Side, new: Side) -> Iterator[str]:
    if old.report.spec != new.report.spec:
        yield (
            f"the reports use two versions of the spec, {old.report.spec} and {new.report.spec}: only vectors that are "
            "the same in both are compared"
        )
    if old.report.nnconform != new.report.nnconform:
        yield (
            f"two versions of nnconform wrote the reports, {old.report.nnconform} and {new.report.nnconform}: verdicts "
            "may differ for that reason"
        )


def _incomplete(side: Side) -> Iterator[str]:
    """Yield a note for each part that a side lacks as a whole."""
    noted = any(not side.finished(name) for name in side.entries)
    if not side.report.complete and not noted:
        yield f"the {side.word} report is incomplete: its run was interrupted"
    if problems := len(side.report.problems):
        yield f"{count(problems, 'vector file')} could not be used in the {side.word} report"
    if faults := len(side.report.faults):
        yield f"{count(faults, 'call')} of the {side.word} report have no result because the adapter is at fault"


def _unfinished(name: str, old: Side, new: Side, left_out: LeftOut) -> Iterator[str]:
    """Yield a note if a framework did not run to its end on a side, with the results that only the other side has."""
    if all(side.entries[name].status == "missing" for side in (old, new)):
        return
    for side, other in ((old, new), (new, old)):
        if side.finished(name):
            continue
        alone = sum(left_out.get((word, name, "unfinished"), 0) for word in WORDS)
        entry = side.entries[name]
        reason = stable_text(entry.reason) or "the run was interrupted"
        state = "did not run" if entry.status in ("missing", "failed") else "did not run to its end"
        counts = f": {count(alone, 'result')} on one side only (not counted)" if alone and other.finished(name) else ""
        yield f"{name} {state} in the {side.word} report ({reason}){counts}"


def _others_left_out(left_out: LeftOut) -> Iterator[str]:
    """Yield the number of other results on one side only that are not changes, with the reason."""
    causes = {
        "selection": "only, because the other run had other filters",
        "fault": "only, because the adapter is at fault in the other run",
    }
    for cause, text in causes.items():
        totals: Counter[str] = Counter()
        for (word, _, reason), number in left_out.items():
            totals[word] += number if reason == cause else 0
        for word in WORDS:
            if totals[word]:
                yield f"{count(totals[word], 'result')} in the {word} report {text}: not counted"


def _tensors(measurements: Measurements) -> Iterator[str]:
    old, new = measurements.sides_with_tensors
    if old != new:
        yield f"only the {'old' if old else 'new'} report has whole outputs: changes are not measured in ULP"
    for word, number in zip(WORDS, measurements.foreign_tensors, strict=True):
        if number:
            yield (
                f"{count(number, 'tensor')} in the outputs file of the {word} report not used: not of its results, "
                "perhaps of another run"
            )


def _environments(name: str, old: FrameworkEntry, new: FrameworkEntry) -> Iterator[str]:
    """Yield the differences between a framework's environments, except the packages that the user asked about."""
    before, after = packages.versions(old), packages.versions(new)
    differences = _package_differences(old, new, before, after)
    if before and before == after and old.target != new.target:
        yield f"{name}: both sides have the same versions"
    if old.python and new.python and old.python != new.python:
        differences.append(f"Python {old.python} -> {new.python}")
    if differences:
        yield f"{name}: other versions differ too: {', '.join(differences)}"
    if old.threads != new.threads and None not in (old.threads, new.threads):
        yield f"{name}: the number of threads differs, {old.threads} and {new.threads}: bits may differ for that reason"


def _package_differences(
    old: FrameworkEntry, new: FrameworkEntry, before: Mapping[str, str], after: Mapping[str, str]
) -> list[str]:
    """Return the other packages with two versions: by name if they compute, else their number."""
    # One side may list more: an environment made for a framework lists all packages.
    complete = old.packages and new.packages
    names = before.keys() | after.keys() if complete else before.keys() & after.keys()
    requested = packages.with_aliases(packages.examined(old, new))
    different = sorted(name for name in names - requested if before.get(name) != after.get(name))
    own = packages.with_aliases(canonicalize_name(name) for name in (*old.versions, *new.versions))
    computing = [name for name in different if name in own.union(COMPUTING)]
    texts = [f"{name} {before.get(name, 'none')} -> {after.get(name, 'none')}" for name in computing]
    if others := [name for name in different if name not in computing]:
        few = f" ({', '.join(others)})" if len(others) <= 5 else ""
        texts.append(f"{count(len(others), 'other package')}{few}")
    return texts


def _machines(old: Side, new: Side) -> Iterator[str]:
    before, after = old.report.platform, new.report.platform
    values = {
        "systems": (before.system, after.system),
        "architectures": (before.machine, after.machine),
        "processors": (before.processor, after.processor),
    }
    for name, (a, b) in values.items():
        if a != b:
            yield f"the {name} differ, {a or 'unknown'} and {b or 'unknown'}: bits may differ for that reason alone"
