"""A guide as Markdown that is also readable as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import caveats, edits, recipe_source
from .code_layout import fenced, wrapped
from .recommendations import Guide

SECTIONS: tuple[tuple[str, Callable[[Guide], Iterator[str]]], ...] = (
    ("Replace the calls", edits.calls),
    ("Give what was a default", edits.defaults),
    ("Copy weights and statistics", edits.state),
    ("Why, and what was measured", caveats.proof),
    ("What stays different", caveats.remaining),
    ("What no vector shows", edits.notes),
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
        "float32 and float64. Two calls agree on a test vector when both results are within the same proved bound of "
        f"the same exact value. For half precision and special values: `nnconform run {source.title} {target.title}`."
    )


def _recipes(guide: Guide) -> Iterator[str]:
    names = dict.fromkeys(p.choice.recipe for row in guide.rows for p in row.picks if p.choice.recipe)
    if names:
        yield from ("", "## Recipes")
    for name in names:
        yield ""
        yield from fenced("python", recipe_source.recipe(guide.target.adapter, name))
