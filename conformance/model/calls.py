"""A call of one implementation in one mode, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic] | NDArray[Any]


@dataclass(frozen=True)
class Call:
    """One implementation to run in one mode."""

    implementation: str
    mode: str


@dataclass
class Answer:
    """What one call gave.

    Attributes:
        call: which.
        status: value, unsupported, inapplicable, raised, fault, crash or timeout.
        reason: why there is no value.
        outputs: arrays by flat name; None where the framework gave nothing for an entry of a list.
        printed: the end of what was printed during the call.
    """

    call: Call
    status: str
    reason: str = ""
    outputs: Mapping[str, Array | None] = field(default_factory=dict)
    printed: str = ""
