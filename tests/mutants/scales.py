"""Mutants of the scale of clipping."""

from __future__ import annotations

from .mutant import COPIED_HALVES, IT_IS_FLOAT64, NOTHING_IS_HALF, ONLY_FLOAT32_SHAPES, Mutant

EACH = "clip_by_norm"
GLOBAL = "clip_by_global_norm"
NORMS = "clip_by_norm clip_by_global_norm sgd_step"
WITHIN = "if not np.isnan(size) and not size > limit:"
SHRINK = "(w * (w.dtype.type(limit) / size)).astype(gradient.dtype)"

SCALE = (
    Mutant("scale-above-1", NORMS, "scale-not-limited", WITHIN, "if size == 0:"),
    Mutant("scale-of-the-unclipped-alone", NORMS, "scale-not-limited", WITHIN, "if size > limit:"),
    Mutant(
        "scale-by-the-squared-threshold",
        NORMS,
        "threshold-squared",
        SHRINK,
        "(w * (w.dtype.type(limit) ** 2 / size)).astype(gradient.dtype)",
    ),
    Mutant(
        "scale-by-the-root-of-the-threshold",
        NORMS,
        "threshold-squared",
        SHRINK,
        "(w * (np.sqrt(w.dtype.type(limit)) / size)).astype(gradient.dtype)",
    ),
    Mutant(
        "scale-by-the-squared-norm",
        NORMS,
        "square-root-forgotten",
        SHRINK,
        "(w * (w.dtype.type(limit) / size / size)).astype(gradient.dtype)",
    ),
    Mutant(
        "scale-by-the-root-of-the-scale",
        NORMS,
        "square-root-forgotten",
        SHRINK,
        "(w * np.sqrt(w.dtype.type(limit) / size)).astype(gradient.dtype)",
    ),
    Mutant(
        "norm-squared-in-the-comparison",
        NORMS,
        "threshold-squared",
        WITHIN,
        "if not np.isnan(size) and not size * size > limit:",
    ),
    Mutant(
        "threshold-squared-in-the-comparison",
        NORMS,
        "threshold-squared",
        WITHIN,
        "if not np.isnan(size) and not size > limit * limit:",
    ),
    Mutant(
        "scale-to-1-and-not-to-the-threshold",
        NORMS,
        "wrong-threshold",
        SHRINK,
        "(w * (w.dtype.type(1) / size)).astype(gradient.dtype)",
    ),
    Mutant(
        "scale-by-the-norm-alone", NORMS, "wrong-threshold", SHRINK, "(w * w.dtype.type(limit)).astype(gradient.dtype)"
    ),
    Mutant(
        "scale-just-below-the-threshold",
        NORMS,
        "wrong-threshold",
        WITHIN,
        "if not np.isnan(size) and not size > 0.9 * limit:",
    ),
    Mutant(
        "scale-beyond-twice-the-threshold",
        NORMS,
        "wrong-threshold",
        WITHIN,
        "if not np.isnan(size) and not size > 2 * limit:",
    ),
    Mutant("zeros-by-zero", NORMS, "zero-by-zero", WITHIN, "if size <= limit and size > 0:"),
    Mutant(
        "zeros-by-zero-at-threshold-zero",
        NORMS,
        "zero-by-zero-norm",
        WITHIN,
        "if size < limit:",
        dialect="zero-by-zero-norm",
    ),
    Mutant(
        "threshold-zero-is-off",
        NORMS,
        "threshold-zero-is-off",
        WITHIN,
        "if limit == 0 or not np.isnan(size) and not size > limit:",
        dialect="threshold-zero-is-off",
    ),
    Mutant(
        "scale-with-an-epsilon",
        f"{EACH} {GLOBAL}",
        "clip-denominator-epsilon",
        SHRINK,
        "(w * (w.dtype.type(limit) / (size + w.dtype.type(1e-6)))).astype(gradient.dtype)",
        dialect="clip-denominator-epsilon",
    ),
    Mutant(
        "scale-with-a-larger-epsilon",
        NORMS,
        "denominator-epsilon",
        SHRINK,
        "(w * (w.dtype.type(limit) / (size + w.dtype.type(1e-3)))).astype(gradient.dtype)",
    ),
    # g c / max(n, c), in this order.
    Mutant(
        "product-before-the-quotient",
        NORMS,
        "infinite-threshold-to-nan zero-by-zero-norm",
        f"{WITHIN}\n        return gradient\n",
        "c = w.dtype.type(limit)\n    if True:\n        return (w * c / np.maximum(size, c)).astype(gradient.dtype)\n",
        dialect="infinite-threshold-to-nan zero-by-zero-norm clip-product-underflow",
    ),
    Mutant(
        "infinite-norm-makes-all-nan",
        NORMS,
        "infinite-norm-to-nan",
        "(w.dtype.type(limit) / size)",
        "np.where(np.isinf(size), w.dtype.type(np.nan), w.dtype.type(limit) / size)",
        dialect="infinite-norm-to-nan",
    ),
    Mutant(
        "infinite-norm-clips-nothing",
        NORMS,
        "infinity-mishandled",
        WITHIN,
        "if not np.isnan(size) and not limit < size < np.inf:",
    ),
    Mutant(
        "infinite-gradient-becomes-zero",
        NORMS,
        "infinity-mishandled",
        SHRINK,
        "np.where(np.isinf(w), 0, w * (w.dtype.type(limit) / size)).astype(gradient.dtype)",
    ),
    Mutant("nan-norm-clips-nothing", NORMS, "nan-swallowed", WITHIN, "if not size > limit:"),
    Mutant(
        "nan-of-a-gradient-is-zero",
        NORMS,
        "nan-swallowed",
        SHRINK,
        "np.nan_to_num(w * (w.dtype.type(limit) / size)).astype(gradient.dtype)",
    ),
    Mutant(
        "scaled-zero-loses-its-sign",
        EACH + " " + GLOBAL,
        "lost-zero-sign",
        SHRINK,
        "(w * (w.dtype.type(limit) / size) + 0).astype(gradient.dtype)",
    ),
    Mutant(
        "scaled-in-place",
        NORMS,
        "input-changed",
        SHRINK,
        "np.multiply(w, w.dtype.type(limit) / size, out=w).astype(gradient.dtype)",
        unseen=COPIED_HALVES,
    ),
    Mutant(
        "scaled-in-float32",
        EACH + " " + GLOBAL,
        "wrong-dtype",
        SHRINK,
        "w * (w.dtype.type(limit) / size)",
        unseen=NOTHING_IS_HALF,
    ),
    Mutant(
        "scaled-in-float64",
        EACH + " " + GLOBAL,
        "wrong-dtype",
        SHRINK,
        "(w * (w.dtype.type(limit) / size)).astype(np.float64)",
        unseen=IT_IS_FLOAT64,
    ),
    Mutant(
        "scaled-scalar-becomes-a-vector",
        EACH + " " + GLOBAL,
        "wrong-shape",
        f"return {SHRINK}",
        f"return np.atleast_1d({SHRINK})",
        unseen=ONLY_FLOAT32_SHAPES,
    ),
    Mutant(
        "unscaled-empty-gets-an-axis",
        EACH,
        "wrong-shape",
        "        return gradient\n    if np.isfinite(size)",
        "        return gradient if gradient.size else gradient[None]\n    if np.isfinite(size)",
        unseen=ONLY_FLOAT32_SHAPES,
    ),
    Mutant(
        "unscaled-is-flattened",
        f"{EACH} {GLOBAL}",
        "wrong-shape",
        "        return gradient\n    if np.isfinite(size)",
        "        return gradient.ravel()\n    if np.isfinite(size)",
    ),
)

MUTANTS = SCALE
