"""A diff on a terminal or in a pipe: what a user must act on first, in words, then all else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnconform.conformance.layout import Block, Line, Table
from nnconform.conformance.words import count

from .changes import FAILS
from .groups import Group, groups
from .sides import examined, versions
from .wording import row_text

__all__ = ["Group", "exit_status", "groups", "headline", "parts"]

Document = Mapping[str, Any]

TITLES = {
    "act": "To act on",
    "improved": "Better, or new",
    "recorded": "Changed where the spec leaves it open (recorded, not judged)",
}
# How many names are told of vectors on one side only, unless all are wanted.
FEW = 3


def headline(document: Document) -> str:
    """Return what was compared, and what came of it, in one sentence."""
    if not document["old"]["frameworks"] and not document["new"]["frameworks"]:
        return "both sides name the same versions of every framework: there is nothing to compare"
    return f"{title(document)}: {_outcome(document)}{_limits(document)}"


def title(document: Document) -> str:
    """Return what was compared: ``jax 0.9.2 -> 0.10.2``."""
    old, new = ({entry["name"]: entry for entry in document[side]["frameworks"]} for side in ("old", "new"))
    common = [_change_of_versions(old[name], new[name]) for name in old if name in new]
    return ", ".join(common) or f"{_names(old)} -> {_names(new)}"


def _names(entries: Mapping[str, Any]) -> str:
    return ", ".join(entries) or "nothing"


def _change_of_versions(old: Document, new: Document) -> str:
    before, after = versions(old), versions(new)
    changed: list[str] = []
    same: list[str] = []
    for name in examined(old, new):
        a, b = before.get(name, "?"), after.get(name, "?")
        (same if a == b else changed).append(f"{name} {b}" if a == b else f"{name} {a} -> {b}")
    if not changed:
        return " with ".join(same) or str(new["name"])
    return ", ".join(changed) + (f" on {', '.join(same)}" if same else "")


def _outcome(document: Document) -> str:
    sections = Counter(group.section for group in groups(document))
    drifted = sum(row["tensors"] for row in document["drift"])
    said = [
        f"{count(sections['act'], 'change')} to act on" if sections["act"] else "",
        count(sections["improved"], "improvement") if sections["improved"] else "",
        f"{count(sections['recorded'], 'change')} where the spec leaves it open" if sections["recorded"] else "",
        f"drift in {count(drifted, 'output')}" if drifted else "",
    ]
    if fruitless(document):
        return "nothing could be compared"
    return ", ".join(text for text in said if text) or "nothing that the suite can see has changed"


def fruitless(document: Document) -> bool:
    """Say whether there was something to compare, and nothing of it could be."""
    wanted = document["old"]["frameworks"] or document["new"]["frameworks"]
    return bool(wanted) and not (document["compared"] or document["changes"])


def _limits(document: Document) -> str:
    return "; one side is incomplete" if _trouble(document) else ""


def _trouble(document: Document) -> bool:
    """Say whether a side did not run to the end, or the suite itself failed on it."""
    sides = [document["old"], document["new"]]
    stopped = any(entry["status"] in ("failed", "stopped") for side in sides for entry in side["frameworks"])
    return stopped or any(not side["complete"] or side["faults"] for side in sides)


def exit_status(document: Document, bits: bool = False) -> int:
    """Return the exit status of a diff: 3 a side is not whole, or nothing was compared; 1 a change fails; 0 none does.

    Args:
        document: the diff.
        bits: whether drift fails too.
    """
    if _trouble(document) or fruitless(document):
        return 3
    return int(any(change["fails"] for change in document["changes"]) or (bits and bool(document["drift"])))


def parts(document: Document, *, verbose: bool = False, quiet: bool = False) -> Iterator[Block]:
    """Yield what is told of a diff.

    Args:
        document: the diff.
        verbose: tell every change and every vector, not examples.
        quiet: tell what must be acted on and the totals, and nothing else.
    """
    yield Line(headline(document), style="bold")
    found = groups(document)
    several = len({group.framework for group in found} | {row["framework"] for row in document["drift"]}) > 1
    for section, words in TITLES.items():
        chosen = [group for group in found if group.section == section]
        if chosen and (section == "act" or not quiet):
            yield Line()
            yield Line(f"{words}: {count(len(chosen), 'change')}", style="bold red" if section == "act" else "bold")
            for group in chosen:
                yield from _group_parts(group, several, verbose)
    if not quiet:
        yield from _drift_parts(document, several, verbose)
        yield from _list("Notes:", document["notes"])
        yield from _only_parts(document, verbose)
    yield Line()
    yield Line(conclusion(document))


def _group_parts(group: Group, several: bool, verbose: bool) -> Iterator[Block]:
    yield Line(f"{group.framework} {group.sentence}" if several else group.sentence, indent=2)
    for detail in group.details[:-1] if verbose else group.details:
        yield Line(detail, indent=6)
    if verbose:
        yield from (Line(row_text(row), indent=6) for row in group.rows)


def _list(head: str, texts: Sequence[str]) -> Iterator[Block]:
    if texts:
        yield Line()
        yield Line(head, style="bold")
        yield from (Line(text, indent=2) for text in texts)


def _drift_parts(document: Document, several: bool, verbose: bool) -> Iterator[Block]:
    """Yield a table of the outputs that have other bits."""
    if not document["drift"]:
        return
    heads = ("operation", "output", "tensors", "changed", "median", "p99", "worst ULP")
    yield Line()
    yield Line("Drift: other bits, the same verdict", style="bold")
    yield Table(heads, [_drift_cells(row, several) for row in document["drift"]], left=(0, 1), indent=2)
    if not any("elements" in row for row in document["drift"]):
        yield Line("(measured where both reports keep whole outputs: `nnconform run --outputs`)", indent=2)
    if verbose:
        drifted = (change for change in document["changes"] if change["kind"] == "drifted")
        yield from (Line(row_text(change), indent=6) for change in drifted)


def _drift_cells(row: Document, several: bool) -> tuple[str, ...]:
    name = f"{row['framework']} {row['operation']}" if several else row["operation"]
    if "elements" not in row:
        return name, row["output"], str(row["tensors"]), "-", "-", "-", "-"
    share = row["changed"] / row["elements"] if row["elements"] else 0.0
    numbers = (f"{float(row[key]):.4g}" for key in ("median", "p99", "worst"))
    return name, row["output"], str(row["tensors"]), f"{share:.1%}", *numbers


def _only_parts(document: Document, verbose: bool) -> Iterator[Block]:
    """Yield what could not be compared: vectors and frameworks on one side, vectors that are not the same."""
    told = []
    for side in ("old", "new"):
        only = document[f"only_{side}"]
        told += _some(f"only in the {side} report", "framework", only["frameworks"], verbose)
        told += _some(f"only in the {side} report", "vector", only["vectors"], verbose)
    told += _some("not the same in both reports", "vector", document["altered_vectors"], verbose)
    yield from _list("Not compared:", told)


def _some(where: str, what: str, names: Sequence[str], verbose: bool) -> list[str]:
    if not names:
        return []
    shown = names if verbose else names[:FEW]
    more = ", ..." if len(shown) < len(names) else ""
    return [f"{count(len(names), what)} {where}: {', '.join(shown)}{more}"]


def conclusion(document: Document) -> str:
    """Return the last line: how much was compared, and how many changes of each kind there are."""
    kinds = Counter(change["kind"] for change in document["changes"])
    told = [f"{document['unchanged']} unchanged", *(f"{kinds[kind]} {kind}" for kind in FAILS if kinds[kind])]
    return f"{count(document['compared'], 'result')} compared: {', '.join(told)}"
