"""Edit a list of known divergences entry by entry; every line that no change concerns stays as it is.

The round trip of a YAML library would change the indentation of a user's file. It also keeps the comment above an entry
with the entry before it, and would remove it with the wrong one.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from typing import Any

import yaml

from .file import Entry
from .plan import Plan

# The text of a new file.
HEAD = """\
# Known divergences: accepted differences of frameworks from the spec, with reasons (format: spec/known.md).
# `nnconform known FILE --update` updates counts and entries; reasons, links and comments are yours.
format: 1
known: []
"""
KEY = re.compile(r"^known[ \t]*:", re.MULTILINE)
EMPTY = re.compile(r"^known[ \t]*:([ \t]*\[[ \t]*\]).*\n?", re.MULTILINE)
DASH = re.compile(r"^( *)-(?=\s)", re.MULTILINE)
BLANK_LINE = re.compile(r"^[ \t\r]*\n", re.MULTILINE)
# The comments directly above an entry, and the blank lines above them.
ABOVE = re.compile(r"(?:^[ \t\r]*\n)*((?:^[ \t]*#.*\n)*)\Z", re.MULTILINE)


class LayoutError(Exception):
    """A list is written so that it cannot be edited entry by entry."""

    def __init__(self) -> None:
        super().__init__("its entries do not begin on lines of their own; write each as `- framework: ...`")


def edit(text: str, plan: Plan) -> tuple[str, dict[int, str]]:
    """Return the new text, and the text of each entry that is removed or replaced, by number.

    Raises:
        LayoutError: an entry does not begin on its own line.
    """
    column, between, entries = _split(text, len(plan.matches))
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = newline if any(map(BLANK_LINE.search, between[1:-1])) else ""

    def dump(new: Iterable[Entry]) -> str:
        return gap.join(textwrap.indent(_dump(entry), " " * column).replace("\n", newline) for entry in new)

    for number, covers in plan.counts.items():
        count = rf"(\bcovers\s*:\s*){plan.matches[number].entry.covers}\b"
        entries[number] = re.sub(count, rf"\g<1>{covers}", entries[number], count=1)
    old_texts: dict[int, str] = {}
    for number in plan.removed:
        new = dump(plan.replacements.get(number, ()))
        old_texts[number] = entries[number] if new else _cut_above(between, number) + entries[number]
        entries[number] = new
    if plan.added:
        last = f"{entries[-1]}{newline if entries[-1] and not entries[-1].endswith(newline) else ''}"
        entries[-1] = f"{last}{gap if any(entries) else ''}{dump(plan.added)}"
    elif not any(entries):
        between[0] = KEY.sub(r"\g<0> []", between[0])
    return between[0] + "".join(map("".join, zip(entries, between[1:], strict=True))), old_texts


def _split(text: str, number: int) -> tuple[int, list[str], list[str]]:
    """Return the column of the dashes, the texts around the entries, and the entries; one empty entry for none.

    Args:
        text: the whole text.
        number: of entries.
    """
    key = KEY.search(text)
    if key is None:
        raise LayoutError
    if not number:
        if (empty := EMPTY.match(text, key.start())) is None:
            raise LayoutError
        line = (text[: empty.start(1)] + text[empty.end(1) : empty.end()]).removesuffix("\n")
        return 2, [f"{line}\n", text[empty.end() :]], [""]
    dash = DASH.search(text, key.end())
    column = len(dash[1]) if dash else 0
    # All lines that are indented further than the dash belong to an entry.
    entry = rf"^ {{{column}}}-(?:[ \t].*|\r)?(?:\n|\Z)(?:(?:[ \t\r]*\n)* {{{column + 1},}}\S.*(?:\n|\Z))*"
    parts = re.split(f"({entry})", text, flags=re.MULTILINE)
    if len(parts) != 2 * number + 1:
        raise LayoutError
    return column, parts[::2], parts[1::2]


def _cut_above(between: list[str], number: int) -> str:
    """Remove the comments directly above an entry, and the blank lines above them; return the comments."""
    above = ABOVE.search(between[number])
    assert above is not None
    between[number] = between[number][: above.start()]
    return above[1]


class _Quoted(str):
    """A text in double quotes."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Quoted, lambda self, text: self.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
_Dumper.add_representer(
    tuple, lambda self, names: self.represent_sequence("tag:yaml.org,2002:seq", names, flow_style=True)
)


def _dump(entry: Entry) -> str:
    """Return an entry as an item of a YAML list, its first line at the margin."""
    item: dict[str, Any] = {"framework": entry.framework}
    if entry.versions:
        item["versions"] = _Quoted(entry.versions)
    for key in ("implementation", "mode"):
        if getattr(entry, key) != "*":
            item[key] = _Quoted(getattr(entry, key))
    item |= {key: _Quoted(getattr(entry, key)) for key in ("vector", "clause") if getattr(entry, key)}
    item["verdict"] = entry.verdict
    if entry.dialects:
        item["dialect"] = entry.dialects[0] if len(entry.dialects) == 1 else entry.dialects
    item |= {"covers": entry.covers, "reason": _Quoted(entry.reason), "link": entry.link or None}
    return yaml.dump([item], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)
