"""Writing a tensor and reading it again loses nothing, and no shorter decimal would do (FORMAT-6)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from nnconform.conformance.cases.vector_case import VectorCase
from nnconform.conformance.generating import writer
from nnconform.conformance.vectors.reading import parse_file
from nnconform.conformance.vectors.tensors import DTYPES, format_data, parse_data

from .numbers import FORMATS, nearest, number_of, power

RANDOM = 200_000
UNSIGNED = {"float64": np.uint64, "float32": np.uint32, "float16": np.uint16, "bfloat16": np.uint16}
HALVES = ("float16", "bfloat16")


def patterns(dtype: str) -> np.ndarray:
    """All bit patterns of a half format; of the others a random sample, and those where formats change their step."""
    unsigned: Any = UNSIGNED[dtype]
    if unsigned is np.uint16:
        return np.arange(2**16, dtype=np.uint16).view(DTYPES[dtype])
    width, digits = np.dtype(unsigned).itemsize * 8, FORMATS[dtype].bits - 1
    drawn = np.random.default_rng(20_240_501).integers(0, 2**width, RANDOM, dtype=unsigned, endpoint=False)
    # Every power of two with both neighbours, every bit of the subnormals, the largest and the infinities beside it.
    powers = np.arange(2 ** (width - 1 - digits), dtype=unsigned) << unsigned(digits)
    bits = unsigned(1) << np.arange(digits, dtype=unsigned)
    edges = np.concatenate([powers - unsigned(1), powers, powers + unsigned(1), bits, bits + unsigned(1)])
    negative = edges | (unsigned(1) << unsigned(width - 1))
    return np.concatenate([drawn, edges, negative]).view(DTYPES[dtype])


def finite(values: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # to look at a signalling NaN signals
        return values[np.isfinite(values)]


def same_bits(got: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where two arrays hold the same number, bit for bit, or both a NaN."""
    with np.errstate(invalid="ignore"):
        both_nan = np.isnan(got) & np.isnan(wanted)
    return both_nan | (got.view(UNSIGNED[got.dtype.name]) == wanted.view(UNSIGNED[wanted.dtype.name]))


@pytest.mark.parametrize("dtype", FORMATS)
def test_what_is_written_reads_back_bit_for_bit(dtype):
    wanted = patterns(dtype)
    with np.errstate(invalid="ignore"):
        got = parse_data(format_data(wanted, dtype), dtype, wanted.shape, "all")
    assert got.dtype == wanted.dtype
    assert wanted.view(UNSIGNED[dtype])[~same_bits(got, wanted)].tolist() == []


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_text_names_the_number_also_by_exact_arithmetic(dtype):
    values = finite(patterns(dtype)[:: 7 if dtype in HALVES else 97])
    words = format_data(values, dtype).split(" ")
    wrong = [(w, float(v)) for w, v in zip(words, values, strict=True) if number_of(w, dtype) != float(v)]
    assert wrong == []


def significant(word: str) -> tuple[int, int]:
    """How many digits a decimal has, without the zeros at its ends, and the exponent of the last of them."""
    mantissa, _, exponent = word.lstrip("-").partition("e")
    whole, _, part = mantissa.partition(".")
    digits = (whole + part).lstrip("0")
    return len(digits.rstrip("0")), int(exponent or 0) - len(part) + len(digits) - len(digits.rstrip("0"))


def shorter(value: float, digits: int, dtype: str) -> list[Fraction]:
    """The decimals of ``digits`` digits next to ``value`` that would give it back."""
    exact = abs(Fraction(value))
    place = math.floor(math.log10(exact)) + 1 - digits
    unit = Fraction(10) ** place
    candidates = [(exact // unit + step) * unit for step in (0, 1)]
    return [c for c in candidates if nearest(c, dtype) == abs(value)]


@pytest.mark.parametrize("dtype", FORMATS)
def test_no_shorter_decimal_gives_the_number_back(dtype):
    values = np.abs(finite(patterns(dtype)).astype(np.float64))
    values = values[values > 0]
    values = values[: len(values) // 2 : 3] if dtype in HALVES else np.concatenate([values[:3000], values[RANDOM::5]])
    words = format_data(values, dtype).split(" ")
    counts = [significant(word)[0] for word in words]
    wrong = [
        (word, [float(s) for s in found])
        for word, value, count in zip(words, values.tolist(), counts, strict=True)
        if count > 1 and (found := shorter(value, count - 1, dtype))
    ]
    assert wrong == []


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_whole_file_carries_every_number_unchanged(dtype):
    # Numbers that clipping by value returns as they are: through the inputs and through the expected values.
    values = finite(patterns(dtype)[:: 16 if dtype in HALVES else 512])
    largest = (2 - power(1 - FORMATS[dtype].bits)) * power(FORMATS[dtype].greatest)
    attributes, inputs = {"clipvalue": float(largest)}, {"gradients": [values]}
    hunts = ("ignores-clipvalue",)
    case = VectorCase("clip_by_value", "carried", dtype, "edge", ("CLIP-VALUE-4",), hunts, attributes, inputs)
    text = writer.file_text("clip_by_value", [writer.vector_text(case)])
    [vector] = parse_file(text.encode(), "a file")
    for got in (vector.inputs["gradients"][0], vector.expected["gradients[0]"].values):
        assert same_bits(got, values).all()
