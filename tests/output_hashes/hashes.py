"""Hashes of outputs, by the names of the outputs: as text, and compared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

Hashes = Mapping[str, str]


def digest(data: bytes) -> str:
    """Return the hash of an output."""
    return hashlib.sha256(data).hexdigest()


def text(found: Hashes) -> str:
    """Return hashes as lines, `sha256  name`, sorted by name."""
    return "".join(f"{found[name]}  {name}\n" for name in sorted(found))


def read(lines: str) -> dict[str, str]:
    """Return the hashes in a text that ``text`` made."""
    pairs = (line.split("  ", 1) for line in lines.splitlines())
    return {name: value for value, name in pairs}


def differences(before: Hashes, after: Hashes) -> list[str]:
    """Return a line for each output that differs, is new or is gone, sorted by name."""
    states = {name: _state(before.get(name), after.get(name)) for name in before.keys() | after.keys()}
    return [f"{state}: {name}" for name, state in sorted(states.items()) if state]


def _state(before: str | None, after: str | None) -> str:
    if before is None:
        return "new"
    if after is None:
        return "gone"
    return "" if before == after else "differs"
