"""Arrays as Python text in the syntax of each framework. The text gives exactly the same bits."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnconform.adapters import SparseGradient
from nnconform.conformance.vectors.described_tensors import Repeated
from nnconform.conformance.vectors.tensors import DTYPES, Array, dtype_name, format_data
from nnconform.reference import rounding

WIDTH = 79

# The calls that make an array from a list, of zeros and of ones, and the prefix of a dtype in them.
CALLS = {
    "numpy": ("np.array", "np.zeros", "np.ones", "np."),
    "torch": ("torch.tensor", "torch.zeros", "torch.ones", "dtype=torch."),
    "tensorflow": ("tf.constant", "tf.zeros", "tf.ones", "tf."),
    "jax": ("jnp.array", "jnp.zeros", "jnp.ones", "jnp."),
}


def literals(values: Array, dtype: str) -> list[str]:
    """Return each element as a Python literal: the shortest decimal that every cast turns back into it.

    Args:
        values: of any shape.
        dtype: the name of the dtype that the literals are cast to.
    """
    flat = values.ravel()
    if dtype == "int64":
        return [str(int(v)) for v in flat]
    with np.errstate(invalid="ignore"):
        wide = flat.astype(np.float64)
    return exact_literals(format_data(wide, dtype).split(), wide, dtype)


def exact_literals(texts: Sequence[str], values: Array, dtype: str) -> list[str]:
    """Return decimals as Python literals, replaced by the exact value if a cast gives another number.

    Python reads a literal as float64. Some casts to a half format first convert to float32 and so round twice.
    """
    parsed = np.array([float(text) for text in texts])
    with np.errstate(over="ignore", invalid="ignore"):
        casts = [rounding.round_floats(parsed, dtype)]
        if dtype != "float64":
            casts.append(parsed.astype(np.float32).astype(DTYPES[dtype]).astype(np.float64))
    exact = np.all([(cast == values) | np.isnan(values) for cast in casts], axis=0)
    decimals = [text if fine else repr(v) for text, v, fine in zip(texts, values.tolist(), exact, strict=True)]
    return [text if set(text) & set(".en") else f"{text}.0" for text in decimals]


def nested(values: Array, dtype: str, prefix: str = "") -> str:
    """Return the elements as nested, wrapped lists; ``prefix`` is the text before them on the first line."""
    texts = np.array(literals(values, dtype), object).reshape(values.shape)
    if texts.ndim == 0:
        return str(texts)
    text = np.array2string(
        texts,
        separator=", ",
        formatter={"all": str},
        threshold=sys.maxsize,
        max_line_width=WIDTH,
        prefix=prefix,
    )
    return "\n".join(line for line in text.splitlines() if line.strip())


def shape_literal(shape: Sequence[int]) -> str:
    """Return a shape as a Python tuple, with underscores between thousands."""
    return f"({', '.join(f'{n:_}' for n in shape)}{',' if len(shape) == 1 else ''})"


class Arrays:
    """Writes arrays in the syntax of one framework.

    Attributes:
        framework: torch, tensorflow, jax or numpy.
        wide: whether JAX allows 64-bit numbers.
        cut: the text after the elements of each array: ``[:n]`` or "".
    """

    def __init__(self, framework: str, *, wide: bool = False, cut: str = "") -> None:
        self.framework, self.cut = framework, cut
        # The dtype of an array of Python floats without a dtype option.
        self._default = "float64" if framework == "numpy" or wide else "float32"
        self.calls = CALLS[framework]

    def dtype(self, name: str) -> str:
        """Return a dtype by its name, ``torch.float16``."""
        return f"{self.calls[3].removeprefix('dtype=')}{name}"

    def __call__(self, name: str, value: Any, grad: bool = False) -> str:
        """Return the line ``name = ...`` that makes an array, a sparse gradient, or None.

        Args:
            name: of the variable.
            value: an array, ``Repeated``, ``SparseGradient`` or None.
            grad: for torch, whether the tensor is a leaf with a gradient.
        """
        if value is None:
            return f"{name} = None"
        if isinstance(value, SparseGradient):
            return self._sparse(name, value)
        if isinstance(value, Repeated) or has_every_number(value):
            return self._recipe(name, value, grad)
        return self._stored(f"{name} = ", value, ["requires_grad=True"] if grad else [])

    def within(self, before: str, value: Array, after: str) -> str:
        """Return an array between two texts, such as ``f(`` and ``)``. The first text is one line."""
        return f"{self._stored(before, value, [])}{after}"

    def _stored(self, before: str, value: Array, options: list[str]) -> str:
        array, zeros, ones, _ = self.calls
        dtype = dtype_name(value)
        if dtype == "bfloat16" and self.framework == "numpy":
            dtype = "float64"  # NumPy has no bfloat16: its exact values
        dtype_option = [] if dtype in (self._default, "int64") else [f"{self.calls[3]}{dtype}"]
        options = dtype_option + options
        constant = self._constant(value)
        if constant is not None and not self.cut:
            shape = ", ".join(map(str, value.shape)) if self.framework == "torch" else shape_literal(value.shape)
            return f"{before}{(ones if constant else zeros)}({', '.join([shape, *options])})"
        opening = f"{before}{array}("
        if self.framework == "tensorflow" and dtype == "bfloat16" and _subnormal(value):
            # tf.constant of a list flushes subnormal bfloat16 numbers to zero.
            opening, options = f"{opening}np.array(", ["tf.bfloat16.as_numpy_dtype)"]
        text = nested(value, dtype, opening)
        last = text.rpartition("\n")[2]
        tail = "".join(f", {option}" for option in options) + ")"
        if "\n" not in text:
            last = opening + text
        if len(last + self.cut + tail) > WIDTH and options:
            indent = " " * (len(opening))
            tail = f",\n{indent}{', '.join(options)})"
        return f"{opening}{text}{self.cut}{tail}"

    def _constant(self, value: Array) -> int | None:
        """Return 0 or 1 if all elements have this value, 0 if the array is empty, else None."""
        if value.ndim == 0:
            return None
        wide = value.astype(np.float64)
        if not wide.size or (not wide.any() and not np.signbit(wide).any()):
            return 0
        return 1 if (wide == 1).all() else None

    def _sparse(self, name: str, value: SparseGradient) -> str:
        rows, values = self("rows", value.indices), self("values", value.values)
        shape = shape_literal(value.dense_shape)
        whole = {
            "torch": f"torch.sparse_coo_tensor(rows[None], values, {shape})",
            "tensorflow": f"tf.IndexedSlices(values, rows, tf.constant({shape}))",
        }[self.framework]
        return f"{rows}\n{values}\n{name} = {whole}"

    def _recipe(self, name: str, value: Any, grad: bool) -> str:
        lines = self._repeated(name, value) if isinstance(value, Repeated) else self._every(name, value)
        return "\n".join(lines) + (".requires_grad_()" if grad else "")

    def _repeated(self, name: str, value: Repeated) -> list[str]:
        if (constant := self._constant(value.block)) is not None:
            dtype = dtype_name(value.block)
            option = [] if dtype == self._default else [f"{self.calls[3]}{dtype}"]
            return [f"{name} = {self.calls[2 if constant else 1]}({', '.join([shape_literal(value.shape), *option])})"]
        shape = shape_literal(value.shape) if len(value.shape) > 1 else f"{value.shape[0]:_}"
        block = f"{name.partition('.')[0]}_block"
        resized = f"np.resize({block}, {shape})"
        cast = dtype_name(value.block) == "bfloat16"
        whole = {
            "torch": f"torch.from_numpy({resized})" + (".bfloat16()" if cast else ""),
            "tensorflow": f"tf.cast({resized}, tf.bfloat16)" if cast else f"tf.constant({resized})",
            "jax": f"jnp.array({resized}, jnp.bfloat16)" if cast else f"jnp.array({resized})",
        }[self.framework]
        return [Arrays("numpy")(block, value.block), f"{name} = {whole}"]

    def _every(self, name: str, value: Array) -> list[str]:
        bits, dtype = "np.arange(2**16, dtype=np.uint16)", dtype_name(value)
        whole = {
            "torch": f"torch.from_numpy({bits}).view(torch.{dtype})",
            "tensorflow": f"tf.constant({bits}.view(tf.{dtype}.as_numpy_dtype))",
            "jax": f"jnp.array({bits}.view(jnp.{dtype}))",
        }[self.framework]
        lines = [f"# Every number of {dtype}, by its bits.", f"{name} = {whole}"]
        if value.size < 1 << 16:
            isnan = {"torch": f"{name}.isnan()", "tensorflow": f"tf.math.is_nan({name})", "jax": f"jnp.isnan({name})"}
            lines.append(f"{name} = {name}[~{isnan[self.framework]}]")
        return lines


def _subnormal(value: Array) -> bool:
    wide = np.abs(value.astype(np.float64))
    return bool(((wide > 0) & (wide < np.finfo(np.float32).tiny)).any())


def has_every_number(value: Array) -> bool:
    """Return True if an array is too long for a literal: it has all numbers of a half format."""
    return bool(value.size > 1 << 15)
