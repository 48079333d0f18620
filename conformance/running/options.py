"""How a run is made: its selection, its limits, and whether whole outputs are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .selection import Selection


@dataclass(frozen=True)
class Options:
    """How to run.

    Attributes:
        selection: what.
        timeout: seconds that one call may take, compilation included.
        cache: where frameworks may keep compiled code, or None.
        memory: bytes of resident memory that a worker may use, or None for as many as there are.
        keep: whether whole outputs are kept, those that follow a random law left out.
    """

    selection: Selection = field(default_factory=Selection)
    timeout: float = 120.0
    cache: Path | None = None
    memory: float | None = None
    keep: bool = False
