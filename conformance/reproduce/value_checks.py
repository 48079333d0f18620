"""Assertions on values at the end of a script: expected values, bounds, and the worst element in the message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnconform.conformance.model.result import Output
from nnconform.conformance.vectors.tensors import Array, dtype_name
from nnconform.conformance.vectors.vector import Tensor

from .literals import WIDTH, Arrays, literals

# Of longer outputs, and of several wrong outputs, a script checks only the worst element.
LONG = 128
numpy = Arrays("numpy")


@dataclass(frozen=True)
class Check:
    """An output to check.

    Attributes:
        name: its name in the report.
        got: the expression of its array.
        expected: its expected values and bounds.
        output: the output in the report; one that conforms if the report does not have it.
    """

    name: str
    got: str
    expected: Tensor
    output: Output


def lines(checks: Sequence[Check], first: int = 0, *, brief: bool = False) -> Iterator[str]:
    """Yield the lines that check outputs and fail if one is out of bounds.

    Args:
        checks: one per output, the worst first.
        first: the number of elements that a longer output is cut to, 0 for no cut.
        brief: check a single element, because the call itself may fail.
    """
    # Of an empty output, only the shape can be wrong.
    checks = [check for check in checks if np.prod(check.expected.shape)] or checks[:1]
    if brief:
        checks = checks[:1]
    several = len(checks) > 1 and all(check.output.worst is not None for check in checks)
    if brief or several or first or any(np.prod(check.expected.shape) > LONG for check in checks):
        yield from _elements([_Element.of(check, first) for check in checks])
    elif len(checks) == 1:
        yield from _whole(checks[0])
    else:
        yield from _several(checks)


@dataclass(frozen=True)
class _Element:
    """The worst element of a long output.

    Attributes:
        name: the output and the index.
        got: the expression of the element.
        expected: the expected value as Python text.
        bound: the bound as Python text.
        condition: the condition on ``got``, ``expected`` and, for finite values, ``bound``.
    """

    name: str
    got: str
    expected: str
    bound: str
    condition: str

    @classmethod
    def of(cls, check: Check, first: int) -> _Element:
        """Return the worst element of an output, or the first one if no element is known to be the worst."""
        tensor = check.expected
        assert tensor.values is not None
        assert tensor.bound is not None
        index = (0,) * len(tensor.shape) if check.output.worst is None else check.output.worst.index
        place = f"[{', '.join(map(str, index))}]" if index else ""
        value = tensor.values[index]
        (text,) = literals(np.asarray(value), "float64" if dtype_name(value) == "bfloat16" else dtype_name(value))
        cut = ".ravel()" if first and tensor.shape == (first,) else ""
        condition = "abs(float(got) - expected) <= bound"
        if not np.isfinite(float(value)):
            condition = "np.isnan(got)" if np.isnan(float(value)) else "got == expected"
        elif value == 0 and "sign-of-zero" not in tensor.latitude:
            condition += f" and {'' if np.signbit(float(value)) else 'not '}np.signbit(got)"
        return cls(check.name + place, f"{check.got}{cut}{place}", text, repr(float(tensor.bound[index])), condition)


def _elements(elements: Sequence[_Element]) -> Iterator[str]:
    first, *others = elements
    conditions = {element.condition for element in elements}
    if not others or any("signbit" in condition for condition in conditions):
        yield f"got = {first.got}"
        yield f"expected, bound = {first.expected}, {first.bound}"
        yield from _assert(first.condition, f'f"{first.name} = {{got}}, expected {{expected}} (bound {{bound}})"')
        return
    yield "wrong = []"
    yield "for name, got, expected, bound in ("
    for e in elements:
        yield f'    ("{e.name}", {e.got}, {e.expected}, {e.bound}),'
    yield "):"
    condition = first.condition if len(conditions) == 1 else f"({' or '.join(sorted(conditions))})"
    if "np.isnan(got)" in conditions:
        condition = condition.replace("np.isnan(got)", "(np.isnan(got) and np.isnan(expected))")
    yield f"    if not {condition}:"
    yield '        wrong.append(f"{name} = {got}, expected {expected} (bound {bound})")'
    yield r'assert not wrong, "\n".join(wrong)'


def _assert(condition: str, message: str) -> Iterator[str]:
    line = f"assert {condition}, {message}"
    yield line if len(line) <= WIDTH else f"assert {condition}, (\n    {message}\n)"


def _whole(check: Check) -> Iterator[str]:
    tensor = check.expected
    assert tensor.bound is not None
    assert tensor.values is not None
    yield f"got = {check.got}"
    if not tensor.values.size:
        yield from _assert(f"got.shape == {tensor.shape}", f'f"{check.name} has the shape {{got.shape}}"')
        return
    one = len({*tensor.bound.ravel()}) == 1
    yield numpy("expected", tensor.values)
    yield f"bound = {float(tensor.bound.flat[0])!r}" if one else numpy("bound", tensor.bound)
    yield ""
    if one and not tensor.bound.flat[0] and not _flushes(tensor):
        yield from _exact(check)
        return
    wide = "got" if dtype_name(tensor.values) in ("float64", "bfloat16") else "np.float64(got)"
    yield from _ratio(tensor, wide, _special(check))
    bound = "{bound}" if one or not tensor.shape else "{bound[worst]}"
    yield from _worst(check, "ratio", "{} <= 1", bound)


def _exact(check: Check) -> Iterator[str]:
    """Yield the comparison with values whose bounds are 0."""
    tensor = check.expected
    yield (
        f"wrong = (got != expected) | {_other_sign('got', 'expected')}"
        if _signed(tensor)
        else "wrong = got != expected"
    )
    if np.isnan(_present(tensor.values).astype(np.float64)).any():
        yield "wrong &= ~(np.isnan(got) & np.isnan(expected))"
    yield from _worst(check, "wrong", "not {}", "{bound}")


def _worst(check: Check, measure: str, condition: str, bound: str) -> Iterator[str]:
    """Yield the assertion on the element with the largest ``measure``."""
    at, index = "[worst]", "{[*map(int, worst)]}"
    if not check.expected.shape:
        at, index = "", ""
    elif len(check.expected.shape) == 1:
        index = "[{worst}]"
        yield f"worst = {measure}.argmax()"
    else:
        yield f"worst = np.unravel_index({measure}.argmax(), {measure}.shape)"
    text = f'f"{check.name}{index} = {{got{at}}}, expected {{expected{at}}} (bound {bound})"'
    yield from _assert(condition.format(f"{measure}{at}"), text)


def _special(check: Check) -> bool:
    """Return True if error / bound is not enough: a value is infinite, a bound is 0 or the sign of a zero matters.

    An actual NaN needs no special case: ``argmax`` finds it, and it is not at most 1.
    """
    tensor, worst = check.expected, check.output.worst
    got = 0.0 if worst is None else worst.got
    assert tensor.values is not None
    assert tensor.bound is not None
    finite = np.isfinite(tensor.values.astype(np.float64)).all() and not np.isinf(got)
    return not finite or bool((tensor.bound == 0).any()) or _signed(tensor)


def _signed(tensor: Tensor) -> bool:
    """Return True if the sign of an expected zero matters."""
    assert tensor.values is not None
    return "sign-of-zero" not in tensor.latitude and bool((tensor.values == 0).any())


def _ratio(tensor: Tensor, got: str, special: bool) -> Iterator[str]:
    flushes = _flushes(tensor)
    if not special and not flushes:
        yield f"ratio = np.abs({got} - expected) / bound"
        return
    signed = _signed(tensor)
    yield f"same = (got == expected) & ~{_other_sign('got', 'expected')}" if signed else "same = got == expected"
    if np.isnan(tensor.values.astype(np.float64)).any():  # type: ignore[union-attr]
        yield "same |= np.isnan(got) & np.isnan(expected)"
    if flushes:
        yield numpy("flushed", tensor.flushed)
        yield f"same |= np.abs({got} - flushed) <= bound  # subnormal inputs may count as 0"
    yield 'with np.errstate(all="ignore"):'
    yield f"    ratio = np.where(same, 0, np.abs({got} - expected) / bound)"
    if signed:
        yield "ratio[~same & (got == expected)] = np.inf  # a zero of the wrong sign"
    yield "ratio[np.isnan(ratio)] = np.inf"


def _other_sign(one: str, other: str) -> str:
    return f"(np.signbit({one}) != np.signbit({other}))"


def _flushes(tensor: Tensor) -> bool:
    """Return True if the expected values are different if subnormal inputs count as zero."""
    if tensor.flushed is None:
        return False
    assert tensor.values is not None
    return not np.array_equal(tensor.flushed.astype(float), tensor.values.astype(float), equal_nan=True)


def _several(checks: Sequence[Check]) -> Iterator[str]:
    yield from _table("expected", {c.name: c.expected.values for c in checks})
    yield from _table("bound", {c.name: c.expected.bound for c in checks})
    flushed = {c.name: c.expected.flushed for c in checks if _flushes(c.expected)}
    if flushed:
        yield "# Subnormal inputs may count as 0."
        yield from _table("flushed", flushed)
    yield from ("got = {", *(f'    "{check.name}": {check.got},' for check in checks), "}")
    signed = any(_signed(check.expected) for check in checks)
    yield "wrong = []"
    yield "for name in expected:"
    yield "    a, b = np.float64(got[name]), np.float64(expected[name])"
    sign = f" & ~{_other_sign('a', 'b')}" if signed else ""
    yield f"    same = (a == b){sign} | (np.isnan(a) & np.isnan(b))"
    if flushed:
        yield "    same |= np.abs(a - flushed.get(name, b)) <= bound[name]"
    yield '    with np.errstate(all="ignore"):'
    yield "        ratio = np.where(same, 0, np.abs(a - b) / bound[name])"
    zeros = " | (~same & (a == b))" if signed else ""
    yield f"    ratio = np.where(np.isnan(ratio){zeros}, np.inf, ratio)"
    yield "    worst = np.unravel_index(ratio.argmax(), ratio.shape)"
    yield "    if ratio[worst] > 1:"
    yield "        wrong.append("
    yield '            f"{name}{[*map(int, worst)]} = {got[name][worst]}, "'
    yield '            f"expected {expected[name][worst]} (bound {bound[name][worst]})"'
    yield "        )"
    yield r'assert not wrong, "\n".join(wrong)'


def _present(values: Array | None) -> Array:
    assert values is not None
    return values


def _table(title: str, arrays: Mapping[str, Array | None]) -> Iterator[str]:
    yield f"{title} = {{"
    for name, array in arrays.items():
        yield numpy.within(f'    "{name}": ', _present(array), ",")
    yield "}"
