"""The page of a name: its first meaning decides which module writes it."""

from __future__ import annotations

from collections.abc import Sequence

from nnconform.conformance.report.last_run import LastRun

from .naming import KINDS, MANY, Meaning, is_glob, meanings
from .page import Page


def page(word: str, run: LastRun | None, *, kind: str | None = None, verbose: bool = False) -> Page:
    """Return the page of a name, or the list of names that a pattern matches.

    Args:
        word: a name of one of the kinds of ``naming.KINDS``, or a glob.
        run: the source of the numbers; None if there was no run.
        kind: the only kind of names to look for.
        verbose: whether to print whole lists.

    Raises:
        UnknownName: there is no such name.
    """
    matches = meanings(word, run, kind)
    if len(matches) > 1 and (is_glob(word) or len({m.kind for m in matches}) < len(matches)):
        return _list(word, matches, verbose=verbose)
    page = _page(matches[0], run, verbose=verbose)
    for other in matches[1:]:
        page.gap()
        command = f"nnconform explain --as {other.kind} {word}"
        page.say(f"{word} has another meaning, {other.kind}: {command}", style="italic")
    return page


def _page(meaning: Meaning, run: LastRun | None, *, verbose: bool) -> Page:
    from . import clause, dialect, implementation, overview, vector

    name = meaning.name
    match meaning.kind:
        case "table":
            # It imports the reference, and with it NumPy.
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


def _list(word: str, matches: Sequence[Meaning], *, verbose: bool) -> Page:
    page = Page(word, f"{len(matches)} names; name one of them for its explanation")
    for kind in KINDS:
        names = [meaning.name for meaning in matches if meaning.kind == kind]
        if names:
            page.section(f"{kind}: {len(names)}")
            listed = names if verbose else names[:MANY]
            for name in listed:
                page.say(name, indent=2)
            if len(listed) < len(names):
                page.say(f"... and {len(names) - len(listed)} more (--verbose lists them)", indent=2)
    return page
