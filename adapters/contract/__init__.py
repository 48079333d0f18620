"""The types of an adapter: ``Adapter``, ``Unsupported`` and ``SparseGradient``.

An adapter is a module that registers one function for each public API of a framework:

    adapter = Adapter("torch", requires=("torch",), modes=("eager", "compile"))

    @adapter.implements("elu", "torch.nn.functional.elu")
    def elu(x, dy, *, alpha):
        ...
        return {"y": array(y), "dx": array(x.grad)}

Inputs and attributes arrive as keyword arguments by the names that they have in the vector, outputs leave
in a dictionary by theirs. This package imports nothing but NumPy and the standard library, so that it runs
in any environment that has the framework.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

Function = Callable[..., Mapping[str, Any]]


class Unsupported(Exception):
    """Raised by an implementation's function if the framework lacks a feature, which the message names."""


class SparseGradient(NamedTuple):
    """A gradient with only some rows: the sum of ``values`` at ``indices``.

    Attributes:
        indices: (n,) int64, rows of the first axis, in any order, repeated or not.
        values: (n, *rest), one row per index.
        dense_shape: the shape (rows, *rest) of the dense gradient.
    """

    indices: np.ndarray[Any, Any]
    values: np.ndarray[Any, Any]
    dense_shape: tuple[int, ...]


@dataclass(frozen=True)
class Implementation:
    """One public API of a framework that serves one operation.

    Attributes:
        operation: the operation's name in the spec, ``batch_norm_train``.
        name: the API's full name, ``torch.nn.BatchNorm2d``.
        function: called with the vector's inputs and attributes by name; returns outputs by name.
        modes: the modes in which it can run.
        omits: outputs of the operation that this API does not show.
        applies: a predicate over the same keyword arguments; where it is false the vector does not count.
        defaults: whether the function leaves the attributes to the framework's own defaults.
        takes: what it can be asked that not every implementation of its operation can: ``layers`` (several kernels of
            one initializer, INIT-15), ``extremes`` (a kernel of 84 MB, FORMAT-21).
    """

    operation: str
    name: str
    function: Function
    modes: tuple[str, ...]
    omits: tuple[str, ...] = ()
    applies: Callable[..., bool] | None = None
    defaults: bool = False
    takes: tuple[str, ...] = ()


@dataclass
class Adapter:
    """The implementations of one framework.

    Attributes:
        name: the framework's name on the command line.
        requires: the distributions that it imports, the framework's own first.
        modes: how the framework can run a function, the plain one first.
        on_request: those of ``modes`` that run only when they are asked for by name, being slow.
        compiles_shapes: the plain mode compiles each new shape too, so that it runs few lengths of many.
        setup: called once before the first call, with the number of threads to use.
        mode: the mode in which the next call is to run; set by the worker, read by the adapter's functions.
        implementations: what ``implements`` has registered, in order.
        file: the path of the adapter's module; set by the worker.
    """

    name: str
    requires: tuple[str, ...]
    modes: tuple[str, ...] = ("eager",)
    on_request: tuple[str, ...] = ()
    compiles_shapes: bool = False
    setup: Callable[[int], None] | None = None
    mode: str = "eager"
    implementations: list[Implementation] = field(default_factory=list)
    file: str = ""

    def implements(
        self,
        operation: str,
        name: str,
        *,
        modes: Sequence[str] | None = None,
        omits: Sequence[str] = (),
        applies: Callable[..., bool] | None = None,
        defaults: bool = False,
        takes: Sequence[str] = (),
    ) -> Callable[[Function], Function]:
        """Return a decorator that registers a function as the implementation ``name`` of ``operation``.

        Args:
            operation: the operation's name in the spec.
            name: the full name of the public API that the function calls.
            modes: those of the adapter's modes in which it can run; all of them when not given.
            omits: outputs of the operation that the API does not show.
            applies: predicate over the function's own keyword arguments; false where the API does not take
                such inputs (a rank, a layout), which is then not counted.
            defaults: the function leaves the attributes out, and is run on ``defaults`` vectors only.
            takes: ``layers``, ``extremes``, or both, of a random initializer; vectors that ask for what is not named
                here are not put to it.

        Raises:
            ValueError: the pair (operation, name) is registered already, or a mode is not the adapter's.
        """
        chosen = tuple(self.modes if modes is None else modes)
        if unknown := set(chosen) - set(self.modes):
            raise ValueError(f"{name}: modes {sorted(unknown)} are not among the adapter's {self.modes}")
        if any((i.operation, i.name, i.defaults) == (operation, name, defaults) for i in self.implementations):
            raise ValueError(f"{name} is registered twice for {operation}")

        def register(function: Function) -> Function:
            self.implementations.append(
                Implementation(operation, name, function, chosen, tuple(omits), applies, defaults, tuple(takes))
            )
            return function

        return register
