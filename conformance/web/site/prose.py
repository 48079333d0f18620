"""A page of the spec as HTML: its parts with anchors, clauses and dialects in prose as links, links between pages."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.dialects import dialects
from nnconform.conformance.vectors.spec_markdown import Section, new_parser, page_names, sections

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

ELSEWHERE = ("https://", "http://")


@dataclass(frozen=True)
class Part:
    """A section as HTML, in which nothing of the Markdown stands as markup that Markdown does not know.

    Attributes:
        level: of the heading, 1 to 6.
        anchor: the id of it: ``BN-TRAIN-5``, or the words of its title.
        name: the clause or bound, or "".
        title: the words of the heading without the name.
        body: the text under it.
    """

    level: int
    anchor: str
    name: str
    title: str
    body: str


@functools.cache
def parts(page: str) -> Sequence[Part]:
    """Return a page of the spec, ``numerics``, part by part."""
    return [_part(section, page) for section in sections(page)]


def _part(section: Section, page: str) -> Part:
    tokens = _reader().parse(section.body)
    for token in tokens:
        if token.type == "inline":
            token.children = list(_linked(token.children or [], page, section.anchor))
    body: str = _reader().renderer.render(tokens, _reader().options, {"of": section.anchor})
    return Part(section.level, section.anchor, section.name, _reader().renderInline(section.title), body)


@functools.cache
def _reader() -> MarkdownIt:
    found = new_parser()
    found.add_render_rule("table_open", _table)
    found.add_render_rule("table_close", _table_end)
    found.add_render_rule("th_open", _head)
    found.add_render_rule("fence", _fence)
    return found


# What is wider than the screen is scrolled by itself, also by keyboard.


def _table(_: object, tokens: Sequence[Token], place: int, options: object, env: Mapping[str, str]) -> str:
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Table of {escape(env["of"])}"><table>\n'


def _table_end(*_: object) -> str:
    return "</table></div>\n"


def _head(*_: object) -> str:
    return '<th scope="col">'


def _fence(_: object, tokens: Sequence[Token], place: int, options: object, env: Mapping[str, str]) -> str:
    label = escape(f"Formula or example of {env['of']}")
    return f'<pre tabindex="0" role="region" aria-label="{label}"><code>{escape(tokens[place].content)}</code></pre>\n'


def _linked(children: Iterable[Token], page: str, anchor: str) -> Iterator[Token]:
    """Yield the tokens of a paragraph, in which names are links, and links lead to pages of the site or nowhere.

    Args:
        children: the tokens.
        page: that they stand on.
        anchor: of the part that they stand in, which needs no link to itself.
    """
    inside: list[bool] = []
    for token in children:
        if token.type == "link_open":
            target = _target(str(token.attrs["href"]), page)
            inside.append(bool(target))
            if target:
                token.attrs = target
                yield token
        elif token.type == "link_close":
            if inside.pop():
                yield token
        elif token.type in ("text", "code_inline") and not inside:
            yield from _mentions(token, page, anchor)
        else:
            yield token.copy(content=_unsuffixed(token.content))


def _unsuffixed(text: str) -> str:
    """Return the name of a file of Markdown that is a page of the site without its ending; other text as it is."""
    name = text.removesuffix(".md")
    return name if name in page_names() else text


def _target(href: str, page: str) -> dict[str, str | int | float]:
    """Return what a link of a page has as attributes on the site; nothing where it leads to no page of it."""
    if href.startswith(ELSEWHERE):
        return {"href": href, "rel": "noreferrer"}
    path, _, fragment = href.partition("#")
    if path == "dialects.yaml":
        return {"href": f"../dialects.html{f'#{fragment}' if fragment in dialects() else ''}"}
    name = path.removesuffix(".md") if path else page
    if name not in page_names():
        return {}
    anchor = _anchors(name).get(fragment, "")
    return {"href": (f"{name}.html" if path else "") + (f"#{anchor}" if anchor else "")}


@functools.cache
def _anchors(page: str) -> Mapping[str, str]:
    """Return the anchors of a page by what GitHub calls them, and by themselves."""
    found = {section.github_anchor: section.anchor for section in sections(page)}
    return found | {anchor: anchor for anchor in found.values()}


@functools.cache
def _places() -> Mapping[str, str]:
    """Return the page of each clause and bound."""
    bounds = {
        anchor: page for page in page_names() for anchor in _anchors(page).values() if anchor.startswith("BOUND-")
    }
    return {name: clause.page.removesuffix(".md") for name, clause in clauses().items()} | bounds


@functools.cache
def _mention() -> re.Pattern[str]:
    found = "|".join(map(re.escape, sorted(_places(), key=len, reverse=True)))
    return re.compile(rf"(?<![\w-])({found})(?![\w-])")


def _mentions(token: Token, page: str, anchor: str) -> Iterator[Token]:
    if token.type == "code_inline":
        known = token.content in dialects()
        yield from _link(token, f"../dialects.html#{token.content}") if known else [token]
        return
    for number, text in enumerate(_mention().split(token.content)):
        if not text:
            continue
        word = token.copy(content=text)
        if number % 2 and text != anchor:
            where = _places()[text]
            yield from _link(word, f"{where}.html#{text}" if where != page else f"#{text}")
        else:
            yield word


def _link(word: Token, href: str) -> Iterator[Token]:
    from markdown_it.token import Token

    yield Token("link_open", "a", 1, attrs={"href": href})
    yield word
    yield Token("link_close", "a", -1)
