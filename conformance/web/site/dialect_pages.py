"""The page of dialects: the description of each, its remedy, and the releases that have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.dialects import DialectDescription, dialects
from nnconform.conformance.vectors.operations import OUTPUTS

from . import frame
from .dialect_history import histories
from .releases import Site

# The result of each kind of dialect.
KINDS = {
    "semantic": "another exact value",
    "accuracy": "the exact value with a wider bound",
    "error": "an error where the clause has a value",
}


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the page of dialects."""
    address = "dialects.html"
    catalogue = dialects()
    by_framework = {framework: histories(releases) for framework, releases in site.releases.items()}
    values = {
        "dialects": catalogue,
        "operations": _by_operation(catalogue),
        "histories": {name: {f: by[name] for f, by in by_framework.items() if name in by} for name in catalogue},
        "clauses": clauses(),
        "kinds": KINDS,
    }
    yield address, frame.render("dialects.html", address, "Dialects", **values)


def _by_operation(catalogue: Mapping[str, DialectDescription]) -> Mapping[str, list[str]]:
    names = {operation: [name for name, d in catalogue.items() if operation in d.operations] for operation in OUTPUTS}
    return {operation: of_it for operation, of_it in names.items() if of_it}
