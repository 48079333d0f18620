"""Dataclasses as JSON objects: one key per field, in their order, without the fields that have their default.

A number that is not finite is a string. A field with the metadata ``ALWAYS`` is written even if it has its default, and
one with ``NEVER`` is not written.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Self

from nnconform.conformance.numbers import Json, number

ALWAYS: Mapping[str, Any] = {"written": "always"}
NEVER: Mapping[str, Any] = {"written": "never"}
Reader = Callable[[Any], Any]
# Raised by documents that are damaged or foreign, from the parser on.
DAMAGE = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


class Document:
    """A frozen dataclass that is an object in a JSON document."""

    __slots__ = ()

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return the object of a row that keeps the schema.

        Raises:
            one of ``DAMAGE``: a key is unknown or missing, or a value has a wrong type. Ranges are not checked.
        """
        readers = _readers(cls)  # type: ignore[arg-type]  # mypy takes a class for one of its objects
        return cls(**{name: readers[name](value) for name, value in row.items()})

    def to_json(self) -> Json:
        """Return the row."""
        row = {}
        for name, default, always in _written(type(self)):  # type: ignore[arg-type]
            value = getattr(self, name)
            if always or value != default:
                row[name] = _plain(value)
        return row


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, Document):
        return value.to_json()
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, tuple | list) else value


@functools.cache
def _written(cls: type[Any]) -> list[tuple[str, Any, bool]]:
    """Return the fields to write: name, default, and True to write the default too."""
    written = []
    for field in dataclasses.fields(cls):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if field.metadata != NEVER:
            written.append((field.name, default, default is dataclasses.MISSING or field.metadata == ALWAYS))
    return written


@functools.cache
def _readers(cls: type[Any]) -> Mapping[str, Reader]:
    hints = typing.get_type_hints(cls)
    return {field.name: _reader(hints[field.name]) for field in dataclasses.fields(cls) if field.metadata != NEVER}


def _reader(hint: Any) -> Reader:
    """Return the function that reads a value of a type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return _reader(next(argument for argument in arguments if argument is not types.NoneType))
    if origin is tuple:
        read, is_list = _reader(arguments[0]), _exactly(list)
        return lambda values: tuple(map(read, is_list(values)))
    if origin is Mapping:
        entry = _reader(arguments[1])
        return lambda values: {key: entry(value) for key, value in values.items()}
    if isinstance(hint, type) and issubclass(hint, Document):
        return hint.from_json
    return hint if hint in (int, float) else _exactly(hint)


def _exactly(kind: type[Any]) -> Reader:
    """Return the function that refuses a value of another type."""

    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"{value!r:.60}: expected {kind.__name__}")
        return value

    return read
