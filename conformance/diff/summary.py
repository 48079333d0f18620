"""A diff on a terminal or in a pipe: first the changes that must be acted on, then all else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from nnconform.conformance.layout import Block, Line, Table
from nnconform.conformance.model.change import KINDS
from nnconform.conformance.model.diff import Diff, Drift
from nnconform.conformance.model.report import FrameworkEntry
from nnconform.conformance.words import count

from . import packages
from .groups import TITLES, Group, group_changes
from .sentences import change_text

# How many names of vectors on one side only are listed, unless --verbose asks for all.
FEW = 3


def headline(diff: Diff) -> str:
    """Return the versions that were compared, and the outcome, in one sentence."""
    if not diff.old.frameworks and not diff.new.frameworks:
        return "both sides have the same versions of every framework: nothing to compare"
    limits = "; one side is incomplete" if diff.incomplete else ""
    return f"{title(diff)}: {_outcome(diff)}{limits}"


def title(diff: Diff) -> str:
    """Return the versions that were compared: ``jax 0.9.2 -> 0.10.2``."""
    old, new = diff.old.by_name, diff.new.by_name
    common = [_versions(old[name], new[name]) for name in old if name in new]
    return ", ".join(common) or f"{_names(old)} -> {_names(new)}"


def _names(entries: Mapping[str, FrameworkEntry]) -> str:
    return ", ".join(entries) or "nothing"


def _versions(old: FrameworkEntry, new: FrameworkEntry) -> str:
    before, after = packages.versions(old), packages.versions(new)
    changed: list[str] = []
    same: list[str] = []
    for name in packages.examined(old, new):
        a, b = before.get(name, "?"), after.get(name, "?")
        (same if a == b else changed).append(f"{name} {b}" if a == b else f"{name} {a} -> {b}")
    if not changed:
        return " with ".join(same) or new.name
    return ", ".join(changed) + (f" on {', '.join(same)}" if same else "")


def _outcome(diff: Diff) -> str:
    if diff.fruitless:
        return "nothing could be compared"
    sections = Counter(group.section for group in group_changes(diff))
    counts = [
        f"{count(sections['act'], 'change needs', 'changes need')} action" if sections["act"] else "",
        count(sections["improved"], "improvement") if sections["improved"] else "",
        f"{count(sections['recorded'], 'change')} that the spec leaves open" if sections["recorded"] else "",
        f"drift in {count(diff.drifted, 'output')}" if diff.drifted else "",
    ]
    return ", ".join(text for text in counts if text) or "no changes"


def parts(diff: Diff, *, verbose: bool = False, quiet: bool = False) -> Iterator[Block]:
    """Yield the text of a diff.

    Args:
        diff: the diff.
        verbose: list every change and every vector, not examples.
        quiet: list only the changes that must be acted on, and the totals.
    """
    yield Line(headline(diff), style="bold")
    all_groups = group_changes(diff)
    several = len({group.framework for group in all_groups} | {drift.framework for drift in diff.drift}) > 1
    for section, heading in TITLES.items():
        of_section = [group for group in all_groups if group.section == section]
        if of_section and (section == "act" or not quiet):
            yield Line()
            yield Line(
                f"{heading}: {count(len(of_section), 'change')}", style="bold red" if section == "act" else "bold"
            )
            for group in of_section:
                yield from _group_parts(group, several, verbose)
    if not quiet:
        yield from _drift_parts(diff, several, verbose)
        yield from _list("Notes:", diff.notes)
        yield from _list("Not compared:", list(_not_compared(diff, verbose)))
    yield Line()
    yield Line(conclusion(diff))


def _group_parts(group: Group, several: bool, verbose: bool) -> Iterator[Block]:
    yield Line(f"{group.framework} {group.sentence}" if several else group.sentence, indent=2)
    for detail in group.details[:-1] if verbose else group.details:
        yield Line(detail, indent=6)
    if verbose:
        yield from (Line(change_text(change), indent=6) for change in group.changes)


def _list(heading: str, texts: Sequence[str]) -> Iterator[Block]:
    if texts:
        yield Line()
        yield Line(heading, style="bold")
        yield from (Line(text, indent=2) for text in texts)


def _drift_parts(diff: Diff, several: bool, verbose: bool) -> Iterator[Block]:
    """Yield a table of the outputs that have other bits."""
    if not diff.drift:
        return
    heads = ("operation", "output", "tensors", "changed", "median", "p99", "worst ULP")
    yield Line()
    yield Line("Drift: different bits, same verdict", style="bold")
    yield Table(heads, [_drift_cells(drift, several) for drift in diff.drift], left_aligned=(0, 1), indent=2)
    if all(drift.distribution is None for drift in diff.drift):
        yield Line("(to measure it, keep the outputs of both runs: `nnconform run --outputs FILE`)", indent=2)
    if verbose:
        yield from (Line(change_text(change), indent=6) for change in diff.changes if change.kind == "drifted")


def _drift_cells(drift: Drift, several: bool) -> tuple[str, ...]:
    name = f"{drift.framework} {drift.operation}" if several else drift.operation
    cells = (name, drift.output, str(drift.tensors))
    if (d := drift.distribution) is None:
        return (*cells, "-", "-", "-", "-")
    share = d.changed / d.elements if d.elements else 0.0
    return (*cells, f"{share:.1%}", *(f"{value:.4g}" for value in (d.median, d.p99, d.worst)))


def _not_compared(diff: Diff, verbose: bool) -> Iterator[str]:
    """Yield the vectors and frameworks on one side only, and the vectors that differ between the sides."""
    for word, names in (("old", diff.only_old), ("new", diff.only_new)):
        yield from _some(f"only in the {word} report", "framework", names.frameworks, verbose)
        yield from _some(f"only in the {word} report", "vector", names.vectors, verbose)
    yield from _some("with different contents in the two reports", "vector", diff.altered_vectors, verbose)


def _some(state: str, noun: str, names: Sequence[str], verbose: bool) -> Iterator[str]:
    if names:
        first = names if verbose else names[:FEW]
        more = ", ..." if len(first) < len(names) else ""
        yield f"{count(len(names), noun)} {state}: {', '.join(first)}{more}"


def conclusion(diff: Diff) -> str:
    """Return the last line: the number of compared results, and of changes of each kind."""
    kinds = Counter(change.kind for change in diff.changes)
    counts = [f"{diff.unchanged} unchanged", *(f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind])]
    return f"{count(diff.compared, 'result')} compared: {', '.join(counts)}"
