"""The page of a name: what it stands for decides who writes it."""

from __future__ import annotations

from nnconform.conformance.report.last_run import LastRun

from .naming import KINDS, MANY, Meaning, is_glob, meanings
from .page import Page


def page(word: str, run: LastRun | None, *, kind: str | None = None, verbose: bool = False) -> Page:
    """Return the page of a name, or of a pattern the list of the names that it matches.

    Args:
        word: a name of one of the kinds of ``naming.KINDS``, or a glob.
        run: where the numbers come from; None where there was no run.
        kind: what the name is, where it is several things.
        verbose: whether lists are whole.

    Raises:
        UnknownName: it stands for nothing that is known.
    """
    found = meanings(word, run, kind)
    first = found[0]
    if len(found) > 1 and (is_glob(word) or len({m.kind for m in found}) < len(found)):
        return _several(word, found, verbose=verbose)
    page = _page(first, run, verbose=verbose)
    for other in found[1:]:
        page.gap()
        page.say(f"{word} is also of the kind {other.kind}: nnconform explain --as {other.kind} {word}", style="italic")
    return page


def _page(meaning: Meaning, run: LastRun | None, *, verbose: bool) -> Page:
    from . import clause, dialect, implementation, overview, vector

    name = meaning.name
    match meaning.kind:
        case "table":
            from . import defaults_page

            return defaults_page.page(run)
        case "clause":
            return clause.page(name, run, verbose=verbose)
        case "operation":
            return overview.operation(name, run)
        case "dialect":
            return dialect.page(name, run, verbose=verbose)
        case "fault":
            return dialect.fault(name, run, verbose=verbose)
        case "verdict":
            return overview.verdict(name, run)
        case "framework":
            return overview.framework(name, run)
        case "vector":
            return vector.page(name, run)
    assert run is not None, "implementations are known from a run"
    return implementation.page(name, run)


def _several(word: str, found: list[Meaning], *, verbose: bool) -> Page:
    page = Page(word, f"{len(found)} names; one of them is explained by itself")
    for kind in KINDS:
        names = [meaning.name for meaning in found if meaning.kind == kind]
        if names:
            page.section(f"{kind}: {len(names)}")
            shown = names if verbose else names[:MANY]
            for name in shown:
                page.say(name, indent=2)
            if len(shown) < len(names):
                page.say(f"... and {len(names) - len(shown)} more (--verbose lists them)", indent=2)
    return page
