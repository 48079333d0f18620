"""Mutants of relu."""

from __future__ import annotations

from .mutant import IT_IS_FLOAT64, NOTHING_IS_HALF, Mutant

MAXIMUM = "np.maximum(x, x.dtype.type(0))"
IS_SUBNORMAL = '(np.abs(x) < __import__("ml_dtypes").finfo(x.dtype).smallest_normal)'
SELECTION = "np.where(x > 0, dy, dy.dtype.type(0))"

RELU = (
    Mutant("relu-minimum", "relu", "wrong-branch", MAXIMUM, "np.minimum(x, x.dtype.type(0))"),
    Mutant("relu-absolute-value", "relu", "wrong-branch", MAXIMUM, "np.abs(x)"),
    Mutant("relu-leaks", "relu", "negative-side-leaks", MAXIMUM, "np.where(x > 0, x, (x * 0.01).astype(x.dtype))"),
    Mutant(
        "relu-gradient-leaks",
        "relu",
        "negative-side-leaks",
        SELECTION,
        "np.where(x > 0, dy, (dy * 0.01).astype(dy.dtype))",
    ),
    Mutant(
        "relu-capped-at-6", "relu", "range-lost infinity-mishandled", MAXIMUM, f"np.minimum({MAXIMUM}, x.dtype.type(6))"
    ),
    # The formula (x + |x|) / 2 doubles the largest numbers, and subtracts infinity from infinity.
    Mutant("relu-by-halves", "relu", "range-lost", MAXIMUM, "(x + np.abs(x)) / x.dtype.type(2)"),
    Mutant("relu-infinity-minus-infinity", "relu", "infinity-mishandled", MAXIMUM, "(x + np.abs(x)) / x.dtype.type(2)"),
    Mutant("relu-by-product", "relu", "infinity-mishandled", MAXIMUM, "x * (x > 0).astype(x.dtype)"),
    Mutant(
        "relu-nan-is-zero",
        "relu",
        "nan-becomes-zero",
        MAXIMUM,
        "np.where(x > 0, x, x.dtype.type(0))",
        dialect="nan-becomes-zero",
    ),
    Mutant(
        "relu-nan-is-zero-in-the-tail",
        "relu",
        "nan-becomes-zero",
        MAXIMUM,
        "np.where((x > 0) | np.isnan(x) & (np.arange(x.size).reshape(x.shape) < x.size // 8 * 8), x, x.dtype.type(0))",
        dialect="nan-becomes-zero nan-becomes-zero+position-dependent",
    ),
    Mutant(
        "relu-tail-passes",
        "relu",
        "tail-mishandled",
        MAXIMUM,
        f"np.where(np.arange(x.size).reshape(x.shape) < max(8, x.size // 8 * 8), {MAXIMUM}, x)",
    ),
    Mutant(
        "relu-gradient-of-last-element-passes",
        "relu",
        "tail-mishandled",
        SELECTION,
        "np.where((x > 0) | (np.arange(x.size).reshape(x.shape) == max(16, x.size - 1)), dy, dy.dtype.type(0))",
    ),
    Mutant(
        "relu-subnormal-passes",
        "relu",
        "subnormal-passes",
        MAXIMUM,
        f"np.where({IS_SUBNORMAL}, x, {MAXIMUM})",
        dialect="subnormal-passes",
    ),
    Mutant(
        "relu-subnormal-raised-to-normal",
        "relu",
        "subnormal-lost",
        MAXIMUM,
        f"np.where({IS_SUBNORMAL} & (x > 0), x * x.dtype.type(8), {MAXIMUM})",
    ),
    Mutant(
        "relu-gradient-at-zero-is-one",
        "relu",
        "gradient-one-at-zero",
        "np.where(x > 0, dy",
        "np.where(x >= 0, dy",
        dialect="gradient-one-at-zero",
    ),
    Mutant(
        "relu-gradient-at-zero-is-half",
        "relu",
        "gradient-half-at-zero",
        SELECTION,
        "np.where(x > 0, dy, np.where(x == 0, dy / dy.dtype.type(2), dy.dtype.type(0)))",
        dialect="gradient-half-at-zero",
    ),
    # The sign bit is not the sign: +0 has none.
    Mutant(
        "relu-gradient-by-sign-bit",
        "relu",
        "gradient-one-at-zero",
        "np.where(x > 0, dy",
        "np.where(~np.signbit(x), dy",
        dialect="gradient-one-at-zero",
    ),
    Mutant(
        "relu-gradient-by-product",
        "relu",
        "masked-product-gradient",
        SELECTION,
        "dy * (x > 0).astype(dy.dtype)",
        dialect="masked-product-gradient",
    ),
    Mutant("relu-gradient-by-upstream", "relu", "wrong-branch", "np.where(x > 0, dy", "np.where(dy > 0, dy"),
    Mutant("relu-gradient-of-the-negative-side", "relu", "wrong-branch", "np.where(x > 0, dy", "np.where(x < 0, dy"),
    Mutant(
        "relu-gradient-without-upstream",
        "relu",
        "upstream-ignored",
        SELECTION,
        "np.where(x > 0, dy.dtype.type(1), dy.dtype.type(0))",
    ),
    Mutant(
        "relu-upstream-must-be-finite",
        "relu",
        "upstream-lost",
        "np.where(x > 0, dy",
        "np.where((x > 0) & np.isfinite(dy), dy",
    ),
    Mutant(
        "relu-upstream-nan-is-zero", "relu", "upstream-lost", "np.where(x > 0, dy", "np.where((x > 0) & (dy == dy), dy"
    ),
    Mutant(
        "relu-in-float32",
        "relu",
        "wrong-dtype",
        MAXIMUM,
        "working(np.maximum(x, x.dtype.type(0)))",
        unseen=NOTHING_IS_HALF,
    ),
    Mutant(
        "relu-in-float64",
        "relu",
        "wrong-dtype",
        MAXIMUM,
        f"{MAXIMUM}.astype(np.float64)",
        unseen=IT_IS_FLOAT64,
    ),
    Mutant(
        "relu-gradient-in-float64",
        "relu",
        "wrong-dtype",
        SELECTION,
        f"{SELECTION}.astype(np.float64)",
        unseen=IT_IS_FLOAT64,
    ),
    Mutant(
        "relu-scalar-becomes-a-vector", "relu", "wrong-shape", MAXIMUM, "np.atleast_1d(np.maximum(x, x.dtype.type(0)))"
    ),
    Mutant("relu-flattens", "relu", "wrong-shape", SELECTION, f"{SELECTION}.ravel()"),
    Mutant("relu-in-place", "relu", "input-changed", MAXIMUM, "np.maximum(x, x.dtype.type(0), out=x)"),
    Mutant(
        "relu-all-positive-needs-an-element",
        "relu",
        "empty-refused",
        MAXIMUM,
        "np.maximum(x, x.dtype.type(0)) if x.min() < 0 else +x",
    ),
)

MUTANTS = RELU
