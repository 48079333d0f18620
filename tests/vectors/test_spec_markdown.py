"""The reader of the spec's Markdown: every page by headings, every clause as blocks and as plain text."""

from __future__ import annotations

import pytest

from nnconform.conformance.vectors.clauses import clauses
from nnconform.conformance.vectors.spec_markdown import (
    Code,
    Items,
    Paragraph,
    Table,
    blocks,
    page_names,
    plain_text,
    sections,
)

TEXT = """Two
lines, `code` and *more*.

```text
  y = x
    + 1
```

A list:
- one
  item
- another

1. first
2. second

| a | `b` |
|---|---|
| 1 | |
"""


def test_blocks_have_their_kinds_words_and_marks():
    assert list(blocks(TEXT)) == [
        Paragraph("Two lines, `code` and *more*."),
        Code("y = x\n  + 1"),
        Paragraph("A list:"),
        Items(["one item", "another"], ordered=False),
        Items(["first", "second"], ordered=True),
        Table([["a", "`b`"], ["1", ""]]),
    ]


def test_a_table_in_a_list_parts_it():
    parts = list(blocks("- one\n\n  | a |\n  |---|\n\n- two\n"))
    assert parts == [Items(["one"], ordered=False), Table([["a"]]), Items(["two"], ordered=False)]


def test_plain_text_keeps_the_width_and_formulas():
    text = list(plain_text(TEXT, 12))
    assert text[1] == "    y = x\n      + 1"
    assert text[3:5] == ["- one item\n- another", "1. first\n2. second"]
    assert text[5] == "| a | `b` |\n| 1 |  |"
    assert all(len(line) <= 12 for block in text[:1] for line in block.split("\n"))


def test_markdown_that_no_reader_draws_is_refused():
    with pytest.raises(ValueError, match="blockquote"):
        list(blocks("> quoted"))


def test_every_clause_is_read_whole():
    for clause in clauses().values():
        assert list(blocks(clause.body))


def test_anchors_of_a_page_are_unique():
    for page in page_names():
        anchors = [section.anchor for section in sections(page)]
        assert len(set(anchors)) == len(anchors), page
