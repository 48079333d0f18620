"""The options of a run: selection, limits, and whether to keep whole outputs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .selection import Selection


@dataclass(frozen=True)
class Options:
    """The options of a run.

    Attributes:
        selection: the vectors, implementations and modes.
        timeout: seconds per call, compilation included.
        cache: the folder for compiled code, or None.
        memory: bytes of resident memory per worker; None for no limit.
        keep: whether to keep whole outputs, except random samples.
    """

    selection: Selection = field(default_factory=Selection)
    timeout: float = 120.0
    cache: Path | None = None
    memory: float | None = None
    keep: bool = False
