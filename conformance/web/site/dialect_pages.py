"""The catalogue of dialects: what each is, what to do about it, and which releases have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnconform.conformance.vectors import dialects
from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.dialects import DialectDescription
from nnconform.conformance.vectors.operations import OUTPUTS

from . import dialect_history, parts

# What each kind of dialect gives.
KINDS = {
    "semantic": "another exact value",
    "accuracy": "the exact value with a wider bound",
    "error": "an error where the clause has a value",
}


def pages(site: parts.Site) -> Iterator[tuple[str, str]]:
    """Yield the page of dialects."""
    address = "dialects.html"
    said = dialects.dialects()
    found = {framework: dialect_history.histories(releases) for framework, releases in site.releases.items()}
    values = {
        "dialects": said,
        "operations": _by_operation(said),
        "found": {name: {f: by[name] for f, by in found.items() if name in by} for name in said},
        "clauses": clauses(),
        "kinds": KINDS,
    }
    yield address, parts.render(address, address, "Dialects", **values)


def _by_operation(said: Mapping[str, DialectDescription]) -> Mapping[str, list[str]]:
    found = {operation: [name for name, d in said.items() if operation in d.operations] for operation in OUTPUTS}
    return {operation: names for operation, names in found.items() if names}
