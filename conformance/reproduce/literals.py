"""Arrays as Python text that gives back the very bits, in the words of each framework."""

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

# How a framework makes an array of a list, of zeros, of ones, and how it names a dtype in these calls.
CALLS = {
    "numpy": ("np.array", "np.zeros", "np.ones", "np."),
    "torch": ("torch.tensor", "torch.zeros", "torch.ones", "dtype=torch."),
    "tensorflow": ("tf.constant", "tf.zeros", "tf.ones", "tf."),
    "jax": ("jnp.array", "jnp.zeros", "jnp.ones", "jnp."),
}


def words(values: Array, dtype: str) -> list[str]:
    """Return each element as a Python literal: the shortest decimal that any way of casting takes back to it.

    Args:
        values: of any shape.
        dtype: the name of the dtype that the literals are cast to.
    """
    flat = values.ravel()
    if dtype == "int64":
        return [str(int(v)) for v in flat]
    with np.errstate(invalid="ignore"):
        wide = flat.astype(np.float64)
    return surviving(format_data(wide, dtype).split(), wide, dtype)


def surviving(texts: Sequence[str], values: Array, dtype: str) -> list[str]:
    """Return decimals as Python literals, but the exact value itself where a cast of the decimal gives another number.

    Python reads a literal as float64, and some casts from there to a half format go by way of float32 and round twice.
    """
    read = np.array([float(text) for text in texts])
    with np.errstate(over="ignore", invalid="ignore"):
        casts = [rounding.round_floats(read, dtype)]
        if dtype != "float64":
            casts.append(read.astype(np.float32).astype(DTYPES[dtype]).astype(np.float64))
    survives = np.all([(cast == values) | np.isnan(values) for cast in casts], axis=0)
    chosen = [text if fine else repr(v) for text, v, fine in zip(texts, values.tolist(), survives, strict=True)]
    return [text if set(text) & set(".en") else f"{text}.0" for text in chosen]


def nested(values: Array, dtype: str, prefix: str = "") -> str:
    """Return the elements as nested lists, wrapped; ``prefix`` is what stands before them on their line."""
    texts = np.array(words(values, dtype), object).reshape(values.shape)
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


def shape_words(shape: Sequence[int]) -> str:
    """Return a shape as a Python tuple; thousands are told apart."""
    return f"({', '.join(f'{n:_}' for n in shape)}{',' if len(shape) == 1 else ''})"


class Arrays:
    """Writes arrays in the words of one framework.

    Attributes:
        framework: torch, tensorflow or jax; or numpy.
        wide: 64-bit numbers are switched on, where that is something to switch (JAX).
        cut: what stands behind the list of every array's elements: ``[:n]``, or nothing.
    """

    def __init__(self, framework: str, *, wide: bool = False, cut: str = "") -> None:
        self.framework, self.cut = framework, cut
        # What an array of Python floats is where no dtype is given.
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
            grad: for torch, the tensor is a leaf that wants its gradient.
        """
        if value is None:
            return f"{name} = None"
        if isinstance(value, SparseGradient):
            return self._sparse(name, value)
        if isinstance(value, Repeated) or every(value):
            return self._recipe(name, value, grad)
        return self._stored(f"{name} = ", value, ["requires_grad=True"] if grad else [])

    def within(self, before: str, value: Array, after: str) -> str:
        """Return an array between two pieces of text, as in ``f(`` and ``)``; the text before is one line."""
        return f"{self._stored(before, value, [])}{after}"

    def _stored(self, before: str, value: Array, options: list[str]) -> str:
        array, zeros, ones, _ = self.calls
        dtype = dtype_name(value)
        if dtype == "bfloat16" and self.framework == "numpy":
            dtype = "float64"  # NumPy has no bfloat16: its exact values
        given = [] if dtype in (self._default, "int64") else [f"{self.calls[3]}{dtype}"]
        options = given + options
        constant = self._constant(value)
        if constant is not None and not self.cut:
            shape = ", ".join(map(str, value.shape)) if self.framework == "torch" else shape_words(value.shape)
            return f"{before}{(ones if constant else zeros)}({', '.join([shape, *options])})"
        opening = f"{before}{array}("
        if self.framework == "tensorflow" and dtype == "bfloat16" and _subnormal(value):
            # Of a list, tf.constant makes bfloat16 numbers without subnormals.
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
        """Return 0 or 1 where that fills the array, or nothing does; else None."""
        if value.ndim == 0:
            return None
        wide = value.astype(np.float64)
        if not wide.size or (not wide.any() and not np.signbit(wide).any()):
            return 0
        return 1 if (wide == 1).all() else None

    def _sparse(self, name: str, value: SparseGradient) -> str:
        rows, values = self("rows", value.indices), self("values", value.values)
        shape = shape_words(value.dense_shape)
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
            given = [] if dtype == self._default else [f"{self.calls[3]}{dtype}"]
            return [f"{name} = {self.calls[2 if constant else 1]}({', '.join([shape_words(value.shape), *given])})"]
        shape = shape_words(value.shape) if len(value.shape) > 1 else f"{value.shape[0]:_}"
        block, made = f"{name.partition('.')[0]}_block", f"np.resize({{}}, {shape})"
        made = made.format(block)
        cast = dtype_name(value.block) == "bfloat16"
        whole = {
            "torch": f"torch.from_numpy({made})" + (".bfloat16()" if cast else ""),
            "tensorflow": f"tf.cast({made}, tf.bfloat16)" if cast else f"tf.constant({made})",
            "jax": f"jnp.array({made}, jnp.bfloat16)" if cast else f"jnp.array({made})",
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


def every(value: Array) -> bool:
    """Say whether an array is too long to be written, and not a repeated block: all numbers of a half format."""
    return bool(value.size > 1 << 15)
