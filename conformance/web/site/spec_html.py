"""The spec as HTML: sections with anchors, in which clauses, bounds, dialects and pages are links."""

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

WEB = ("https://", "http://")


@dataclass(frozen=True)
class HtmlSection:
    """A section of a page as HTML, in which HTML of the Markdown is text.

    Attributes:
        level: of the heading, 1 to 6.
        anchor: the id of the heading: ``BN-TRAIN-5``, or the words of its title.
        name: the id of the clause or bound; "" if the heading has none.
        title: the heading without the name.
        body: the text under the heading.
    """

    level: int
    anchor: str
    name: str
    title: str
    body: str


@functools.cache
def html_sections(page: str) -> Sequence[HtmlSection]:
    """Return the sections of a page of the spec.

    Args:
        page: its name, ``numerics``.
    """
    return [_html(section, page) for section in sections(page)]


def _html(section: Section, page: str) -> HtmlSection:
    tokens = _parser().parse(section.body)
    for token in tokens:
        if token.type == "inline":
            token.children = list(_linked(token.children or [], page, section.anchor))
    body: str = _parser().renderer.render(tokens, _parser().options, {"anchor": section.anchor})
    return HtmlSection(section.level, section.anchor, section.name, _parser().renderInline(section.title), body)


@functools.cache
def _parser() -> MarkdownIt:
    parser = new_parser()
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    parser.add_render_rule("th_open", _open_head)
    parser.add_render_rule("fence", _fence)
    return parser


# A table or formula that is wider than the screen is in a region that scrolls, by keyboard too.


def _open_table(_: object, tokens: Sequence[Token], place: int, options: object, env: Mapping[str, str]) -> str:
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Table of {escape(env["anchor"])}"><table>\n'


def _close_table(*_: object) -> str:
    return "</table></div>\n"


def _open_head(*_: object) -> str:
    return '<th scope="col">'


def _fence(_: object, tokens: Sequence[Token], place: int, options: object, env: Mapping[str, str]) -> str:
    label = escape(f"Formula or example of {env['anchor']}")
    return f'<pre tabindex="0" role="region" aria-label="{label}"><code>{escape(tokens[place].content)}</code></pre>\n'


def _linked(children: Iterable[Token], page: str, anchor: str) -> Iterator[Token]:
    """Yield the tokens of a paragraph with names as links, and without links to files that the site does not have.

    Args:
        children: the tokens.
        page: of the paragraph.
        anchor: of its section, which has no links to itself.
    """
    open_links: list[bool] = []
    for token in children:
        if token.type == "link_open":
            target = _target(str(token.attrs["href"]), page)
            open_links.append(bool(target))
            if target:
                token.attrs = target
                yield token
        elif token.type == "link_close":
            if open_links.pop():
                yield token
        elif token.type in ("text", "code_inline") and not open_links:
            yield from _mentions(token, page, anchor)
        else:
            yield token.copy(content=_unsuffixed(token.content))


def _unsuffixed(text: str) -> str:
    """Return the name of a page without ``.md``; other text as it is."""
    name = text.removesuffix(".md")
    return name if name in page_names() else text


def _target(href: str, page: str) -> dict[str, str | int | float]:
    """Return the attributes of a page's link on the site; none if the site does not have its target."""
    if href.startswith(WEB):
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
    """Return the anchors of a page by those of GitHub, and by themselves."""
    anchors = {section.github_anchor: section.anchor for section in sections(page)}
    return anchors | {anchor: anchor for anchor in anchors.values()}


@functools.cache
def _pages_by_name() -> Mapping[str, str]:
    """Return the page of each clause and bound."""
    bounds = {
        anchor: page for page in page_names() for anchor in _anchors(page).values() if anchor.startswith("BOUND-")
    }
    return {name: clause.page.removesuffix(".md") for name, clause in clauses().items()} | bounds


@functools.cache
def _name_pattern() -> re.Pattern[str]:
    names = "|".join(map(re.escape, sorted(_pages_by_name(), key=len, reverse=True)))
    return re.compile(rf"(?<![\w-])({names})(?![\w-])")


def _mentions(token: Token, page: str, anchor: str) -> Iterator[Token]:
    if token.type == "code_inline":
        is_dialect = token.content in dialects()
        yield from _link(token, f"../dialects.html#{token.content}") if is_dialect else [token]
        return
    for number, text in enumerate(_name_pattern().split(token.content)):
        if not text:
            continue
        word = token.copy(content=text)
        if number % 2 and text != anchor:
            target = _pages_by_name()[text]
            yield from _link(word, f"{target}.html#{text}" if target != page else f"#{text}")
        else:
            yield word


def _link(word: Token, href: str) -> Iterator[Token]:
    from markdown_it.token import Token

    yield Token("link_open", "a", 1, attrs={"href": href})
    yield word
    yield Token("link_close", "a", -1)
