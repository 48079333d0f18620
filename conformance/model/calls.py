"""A worker's greeting, a call of one implementation in one mode, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from nnconform.conformance.numbers import Json

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Served:
    """An implementation of an operation that a worker serves (PROTOCOL-3).

    Attributes:
        operation: its name.
        name: the API's full name.
        modes: that it runs in.
        defaults: whether it sets nothing.
        omits: outputs that the API does not show.
        takes: what not every implementation can be asked: ``seeds``, ``extremes``, ``layers``.
    """

    operation: str
    name: str
    modes: tuple[str, ...]
    defaults: bool = False
    omits: tuple[str, ...] = ()
    takes: frozenset[str] = frozenset()

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the implementation of a greeting."""
        takes = frozenset(row.get("takes", ()))
        return cls(row["operation"], row["name"], tuple(row["modes"]), row["defaults"], tuple(row["omits"]), takes)


@dataclass(frozen=True)
class Hello:
    """A worker's greeting: its framework and the implementations that it serves.

    Attributes:
        framework: the adapter's name.
        versions: of the packages that the adapter needs, the framework's own first.
        modes: the plain one first.
        on_request: modes that run only if the user asks for them.
        implementations: that it serves.
        compiles_shapes: whether the plain mode compiles each shape.
        python: the version that runs it; "" if it did not say.
        threads: of the worker; None if it did not say.
        document: the greeting itself; two workers with the same document find the same.
    """

    framework: str
    versions: Mapping[str, str] = field(default_factory=dict)
    modes: tuple[str, ...] = ()
    on_request: tuple[str, ...] = ()
    implementations: tuple[Served, ...] = ()
    compiles_shapes: bool = False
    python: str = ""
    threads: int | None = None
    document: Json = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The version of the framework itself."""
        return next(iter(self.versions.values()), "")

    @classmethod
    def from_json(cls, document: Json) -> Self:
        """Return the greeting in a message that keeps the protocol's schema."""
        return cls(
            document["framework"],
            document["versions"],
            tuple(document["modes"]),
            tuple(document["on_request"]),
            tuple(Served.from_json(row) for row in document["implementations"]),
            document.get("compiles_shapes", False),
            document.get("python", ""),
            document.get("threads"),
            document,
        )


@dataclass(frozen=True)
class Call:
    """One implementation to run in one mode."""

    implementation: str
    mode: str


@dataclass
class Answer:
    """The answer to one call.

    Attributes:
        call: the call.
        status: value, unsupported, inapplicable, raised, fault, crash or timeout.
        reason: why there is no value.
        outputs: arrays by flat name; None if the framework gave nothing for an entry of a list.
        printed: the end of the framework's printed output during the call.
    """

    call: Call
    status: str
    reason: str = ""
    outputs: Mapping[str, Array | None] = field(default_factory=dict)
    printed: str = ""
