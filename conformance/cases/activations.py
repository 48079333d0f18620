"""Cases of relu and elu: shapes, special values alone, in the body and in the tail, alphas, ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from nnconform.conformance.vectors.tensors import Array, stored
from nnconform.reference.defaults import SPECIFIED
from nnconform.reference.rounding import FORMATS

from .vector_case import DTYPES, FULL, VectorCase, tensor

# One length for all longer arrays: each further shape costs JAX and XLA a compilation.
LENGTH = 37
# Length of an array, places of its special value: vectorized kernels treat an array's tail differently from its body.
PLACES = {"alone": (1, (0,)), "body": (LENGTH, (9,)), "tail": (LENGTH, (LENGTH - 1,))}
SHAPES = {"mixed": [LENGTH], "matrix": [3, 8], "rank-3": [2, 3, 4]}
# Faults that every ordinary case sees.
ORDINARY = "upstream-ignored tail-mishandled wrong-dtype wrong-shape input-changed"
FREE_ZEROS = {"y": ("sign-of-zero",), "dx": ("sign-of-zero",)}


def _case(
    operation: str,
    name: str,
    dtype: str,
    profile: str,
    clauses: str,
    hunts: str,
    x: Array,
    dy: Array,
    *,
    alpha: float | None = None,
    **more: Any,
) -> VectorCase:
    attributes = {} if alpha is None else {"alpha": alpha}
    return VectorCase(
        operation,
        name,
        dtype,
        profile,
        tuple(clauses.split()),
        tuple(hunts.split()),
        attributes,
        {"x": x, "dy": dy},
        latitude=more.pop("latitude", FREE_ZEROS),
        **more,
    )


def placed(key: str, dtype: str, place: str, x: float, dy: float | None = None) -> tuple[Array, Array]:
    """Return x and dy with a special value of each at a place of an otherwise ordinary array."""
    length, positions = PLACES[place]
    values, upstream = tensor(f"{key}-x", [length], dtype), tensor(f"{key}-dy", [length], dtype)
    for position in positions:
        values[position] = stored(x, dtype)
        if dy is not None:
            upstream[position] = stored(dy, dtype)
    return values, upstream


def _smallest(dtype: str) -> float:
    return float(FORMATS[dtype].smallest_normal)


def relu_cases(dtype: str) -> Iterator[VectorCase]:
    """Yield the cases of relu in one dtype."""
    free: dict[str, tuple[str, ...]]

    def case(name: str, profile: str, clauses: str, hunts: str, x: Array, dy: Array, **more: Any) -> VectorCase:
        return _case("relu", name, dtype, profile, clauses, hunts, x, dy, **more)

    for name, shape in SHAPES.items():
        x, dy = tensor(f"relu-{name}-x", shape, dtype), tensor(f"relu-{name}-dy", shape, dtype)
        compiled = name == "mixed"
        hunts = f"wrong-branch negative-side-leaks {ORDINARY}"
        yield case(name, "core", "RELU-1 RELU-2 RELU-6", hunts, x, dy, compiled=compiled)
    for name, sign in {"all-positive": 1, "all-negative": -1}.items():
        x = stored(sign * abs(tensor(f"relu-{name}", [LENGTH], "float64")), dtype)
        dy = tensor(f"relu-{name}-dy", [LENGTH], dtype)
        hunts = "wrong-branch negative-side-leaks tail-mishandled"
        yield case(name, "core", "RELU-1 RELU-2", hunts, x, dy, compiled=True)
    scalar = tensor("relu-scalar", [], dtype)
    yield case("scalar", "edge", "RELU-6", "wrong-shape", scalar, tensor("relu-scalar-dy", [], dtype))
    empty = stored([], dtype)
    yield case("empty", "edge", "RELU-6", "empty-refused", empty, empty)
    for place in PLACES:
        compiled = place != "alone"
        more: dict[str, Any] = {"compiled": compiled}
        zero = "gradient-one-at-zero gradient-half-at-zero"
        for name, value in {"zero": 0.0, "negative-zero": -0.0}.items():
            arrays = placed(f"relu-{name}", dtype, place, value, 1.5)
            yield case(f"{name}-{place}", "edge", "RELU-3 RELU-5 RELU-8", zero, *arrays, **more)
        arrays = placed("relu-nan", dtype, place, math.nan)
        free = {"y": ("sign-of-zero",), "dx": ("any",)}
        yield case(f"nan-{place}", "edge", "RELU-4 RELU-8", "nan-becomes-zero", *arrays, latitude=free, **more)
        for name, value in {"infinity": math.inf, "negative-infinity": -math.inf}.items():
            arrays = placed(f"relu-{name}", dtype, place, value)
            yield case(f"{name}-{place}", "edge", "RELU-4 RELU-8", "infinity-mishandled", *arrays, **more)
        for name, value in {"infinite": math.inf, "nan": math.nan}.items():
            for side, at in {"negative": -1.25, "positive": 1.25}.items():
                arrays = placed(f"relu-{side}-{name}", dtype, place, at, value)
                hunts = "masked-product-gradient" if side == "negative" else "upstream-lost"
                yield case(f"upstream-{name}-at-{side}-{place}", "edge", "RELU-2 RELU-8", hunts, *arrays, **more)
        tiny = _smallest(dtype)
        for name, value in {"subnormal": tiny / 4, "negative-subnormal": -tiny / 4}.items():
            arrays = placed(f"relu-{name}", dtype, place, value)
            free = {"y": ("sign-of-zero", "subnormal-flush"), "dx": ("sign-of-zero", "subnormal-flush")}
            yield case(
                f"{name}-{place}",
                "edge",
                "RELU-7 RELU-8",
                "subnormal-lost subnormal-passes",
                *arrays,
                latitude=free,
                **more,
            )
    largest, tiny = FORMATS[dtype].largest, _smallest(dtype)
    signs = tensor("relu-range-dy", [LENGTH], dtype)
    for name, size in {"largest": largest, "smallest-normal": tiny}.items():
        x = stored([size * (1 if i % 3 else -1) for i in range(LENGTH)], dtype)
        yield case(name, "range", "RELU-1 RELU-2", "range-lost", x, signs)


# Exponents of ten of x near zero, for which exp(x) - 1 loses its digits.
NEAR_ZERO = {"float64": (-1, -16), "float32": (-1, -8), "float16": (-1, -4), "bfloat16": (-1, -8)}


def elu_cases(dtype: str) -> Iterator[VectorCase]:
    """Yield the cases of elu in one dtype."""
    narrower = " precision-lost" if dtype in FULL else " half-precision-arithmetic"

    def case(name: str, profile: str, clauses: str, hunts: str, x: Array, dy: Array, **more: Any) -> VectorCase:
        more.setdefault("alpha", 1.0)
        return _case("elu", name, dtype, profile, clauses, hunts, x, dy, **more)

    for name, shape in SHAPES.items():
        for alpha in (1.0, 0.5, 2.0):
            x, dy = tensor(f"elu-{name}-x", shape, dtype), tensor(f"elu-{name}-dy", shape, dtype)
            compiled = name == "mixed" and alpha == 1.0
            label = name if alpha == 1.0 else f"{name}-alpha-{alpha:g}"
            alphas = "alpha-ignored alpha-on-wrong-side alpha-in-exponent tail-mishandled"
            hunts = f"wrong-branch {ORDINARY}{narrower}" if alpha == 1.0 else alphas
            yield case(label, "core", "ELU-1 ELU-2 ELU-6 ELU-9", hunts, x, dy, alpha=alpha, compiled=compiled)
    x, dy = tensor("elu-alphas-x", [LENGTH], dtype), tensor("elu-alphas-dy", [LENGTH], dtype)
    for alpha in (0.0, -1.0, -0.5):
        raises = ("rejects-negative-alpha-in-place",) if alpha < 0 else ()
        hunts = "alpha-by-truthiness" if alpha == 0 else "alpha-by-truthiness negative-alpha"
        yield case(f"alpha-{alpha:g}", "edge", "ELU-6", hunts, x, dy, alpha=alpha, raises=raises)
    yield from _elu_ranges(case, dtype)
    yield case("scalar", "edge", "ELU-9", "wrong-shape", tensor("elu-s", [], dtype), tensor("elu-sd", [], dtype))
    empty = stored([], dtype)
    yield case("empty", "edge", "ELU-9", "empty-refused", empty, empty)
    for place in PLACES:
        compiled = place != "alone"
        for name, value in {"zero": 0.0, "negative-zero": -0.0}.items():
            arrays = placed(f"elu-{name}", dtype, place, value, 1.5)
            yield case(f"{name}-{place}", "edge", "ELU-3 ELU-5 ELU-11", "slope-at-zero", *arrays, compiled=compiled)
            yield case(f"{name}-{place}-alpha-2", "edge", "ELU-3 ELU-11", "slope-at-zero", *arrays, alpha=2.0)
        for name, value in {"nan": math.nan, "infinity": math.inf, "negative-infinity": -math.inf}.items():
            arrays = placed(f"elu-{name}", dtype, place, value)
            hunts = "nan-swallowed nan-gradient-passes" if name == "nan" else "overflow-in-unused-branch"
            yield case(f"{name}-{place}", "edge", "ELU-4 ELU-11", hunts, *arrays, compiled=compiled)
        for name, value in {"infinite": math.inf, "nan": math.nan}.items():
            arrays = placed(f"elu-upstream-{name}", dtype, place, 1.25, value)
            yield case(
                f"upstream-{name}-{place}",
                "edge",
                "ELU-2 ELU-11",
                "upstream-lost",
                *arrays,
                compiled=compiled,
            )
        # The largest x: its exponential overflows and must not be multiplied by a zero.
        arrays = placed("elu-large", dtype, place, FORMATS[dtype].largest)
        yield case(
            f"largest-{place}",
            "range",
            "ELU-1 ELU-2",
            "overflow-in-unused-branch",
            *arrays,
            compiled=compiled,
        )


def _elu_ranges(case: Any, dtype: str) -> Iterator[VectorCase]:
    first, last = NEAR_ZERO[dtype]
    dy = tensor("elu-range-dy", [LENGTH], dtype)
    for alpha in (1.0, 2.0):
        label = "" if alpha == 1.0 else f"-alpha-{alpha:g}"
        sizes = [10 ** (first + (last - first) * i / (LENGTH - 1)) for i in range(LENGTH)]
        more = {"alpha": alpha, "compiled": alpha == 1.0}
        yield case(
            f"near-zero{label}",
            "range",
            "ELU-1 ELU-7",
            # In float16 the first is not proved to show: in float32, exp(x) - 1 has digits enough.
            "exp-minus-one small-value-lost wrong-branch",
            stored([-float(f"{s:.3g}") for s in sizes], dtype),
            dy,
            **more,
        )
        positive = stored([float(f"{s:.3g}") for s in sizes], dtype)
        yield case(f"near-zero-positive{label}", "range", "ELU-1", "wrong-branch", positive, dy, **more)
        deepest = {"float64": 40.0, "float16": 14.0}.get(dtype, 24.0)
        deep = stored([-1 - deepest * i / (LENGTH - 1) for i in range(LENGTH)], dtype)
        hunts = "gradient-from-output"
        yield case(f"deep-negative{label}", "range", "ELU-2 ELU-8", hunts, deep, dy, **more)
    beyond = stored([-(200.0 + 30 * i) for i in range(LENGTH)], dtype)
    yield case("saturated", "range", "ELU-1 ELU-2 ELU-12", "saturation", beyond, dy, compiled=True)
    tiny = _smallest(dtype)
    for name, sign in {"subnormal": 1, "negative-subnormal": -1}.items():
        free = {"y": ("sign-of-zero", "subnormal-flush"), "dx": ("sign-of-zero",)}
        x = stored([sign * tiny * (1 + i) / 64 for i in range(LENGTH)], dtype)
        yield case(name, "edge", "ELU-12", "subnormal-lost", x, dy, latitude=free)


def cases() -> Iterator[VectorCase]:
    """Yield the cases of relu and elu, including those of their defaults."""
    for dtype in DTYPES:
        yield from relu_cases(dtype)
    for dtype in DTYPES:
        yield from elu_cases(dtype)
    for dtype in ("float32", "float64"):
        x, dy = tensor("elu-default-x", [LENGTH], dtype), tensor("elu-default-dy", [LENGTH], dtype)
        yield _case("elu", "defaults", dtype, "defaults", "ELU-10", "other-default", x, dy, assumed=SPECIFIED["elu"])
        yield _case("relu", "defaults", dtype, "defaults", "RELU-1", "other-default", x, dy)
