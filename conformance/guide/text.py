"""A guide as Markdown that is also readable as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import caveats, edits, recipe_source
from .code_layout import fenced, wrapped
from .recommendations import Guide

SECTIONS: tuple[tuple[str, Callable[[Guide], Iterator[str]]], ...] = (
    ("Calls", edits.calls),
    ("Defaults", edits.defaults),
    ("Weights and statistics", edits.state),
    ("Measurements", caveats.proof),
    ("Remaining differences", caveats.remaining),
    ("Settings that no vector shows", edits.notes),
)


def markdown(guide: Guide) -> str:
    """Return the whole guide."""
    lines = list(_head(guide))
    number = 0
    for title, section in SECTIONS:
        if body := list(section(guide)):
            number += 1
            lines += ["", f"## {number}. {title}", "", *body]
    lines += _recipes(guide)
    return "\n".join(lines) + "\n"


def _head(guide: Guide) -> Iterator[str]:
    source, target = guide.source, guide.target
    versions = {
        package: version
        for framework in (source, target)
        for package, version in guide.measurements[framework.adapter].versions.items()
        if package in framework.packages
    }
    dates = sorted({guide.measurements[framework.adapter].report.created[:10] for framework in (source, target)})
    yield f"# From {source.title} to {target.title}"
    yield ""
    yield from wrapped(
        f"Measured on {' and '.join(dates)} with {', '.join(' '.join(v) for v in versions.items())}, on the CPU, in "
        "float32 and float64. Two calls agree on a test vector if both results are within the same proven error bound "
        "of the same exact value. Half precision and special values are not part of the guide; "
        f"`nnconform run {source.title} {target.title}` tests them."
    )


def _recipes(guide: Guide) -> Iterator[str]:
    names = dict.fromkeys(p.choice.recipe for row in guide.rows for p in row.picks if p.choice.recipe)
    if names:
        yield from ("", "## Recipes")
    for name in names:
        yield ""
        yield from fenced("python", recipe_source.recipe(guide.target.adapter, name))
