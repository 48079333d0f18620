"""Mutants of clip_by_value, and of sparse gradients in all that clips."""

from __future__ import annotations

from .mutant import IT_IS_FLOAT64, NOTHING_IS_HALF, ONLY_FLOAT64, Mutant

VALUE = "clip_by_value"
NORMS = "clip_by_norm clip_by_global_norm sgd_step"
ALL = f"{VALUE} {NORMS}"
LIMIT = "limit = gradient.dtype.type(clipvalue)"
CLIP = "np.where(gradient > limit, limit, np.where(gradient < -limit, -limit, gradient))"
SUM = "np.add.at(total, gradient.indices, working(gradient.values))"

BY_VALUE = (
    Mutant("clip-above-alone", VALUE, "wrong-threshold", CLIP, "np.where(gradient > limit, limit, gradient)"),
    Mutant("clip-below-alone", VALUE, "wrong-threshold", CLIP, "np.where(gradient < -limit, -limit, gradient)"),
    Mutant(
        "clip-between-0-and-the-threshold",
        VALUE,
        "wrong-threshold",
        "gradient < -limit, -limit",
        "gradient < 0, gradient * 0",
    ),
    Mutant("clip-to-zero", VALUE, "wrong-threshold", CLIP, "np.where(np.abs(gradient) > limit, limit * 0, gradient)"),
    Mutant("clip-to-the-wrong-side", VALUE, "wrong-threshold", "gradient < -limit, -limit", "gradient < -limit, limit"),
    Mutant("clip-at-half-the-threshold", VALUE, "wrong-threshold", LIMIT, "limit = gradient.dtype.type(clipvalue / 2)"),
    Mutant(
        "clip-at-the-squared-threshold", VALUE, "threshold-squared", LIMIT, "limit = gradient.dtype.type(clipvalue**2)"
    ),
    Mutant(
        "clip-scales-the-largest-to-the-threshold",
        VALUE,
        "norm-order",
        CLIP,
        "(gradient * min(1, limit / np.max(np.abs(gradient), initial=0))).astype(gradient.dtype)",
    ),
    Mutant(
        "clip-of-the-last-element-forgotten",
        VALUE,
        "tail-mishandled",
        CLIP,
        f"np.where(np.arange(gradient.size).reshape(gradient.shape) == 4, gradient, {CLIP})",
    ),
    Mutant(
        "clip-loses-the-sign-of-zero",
        VALUE,
        "lost-zero-sign",
        "-limit, gradient))",
        "-limit, gradient + gradient.dtype.type(0)))",
    ),
    Mutant(
        "clip-by-absolute-value",
        VALUE,
        "lost-zero-sign",
        CLIP,
        "(np.sign(gradient) * np.minimum(np.abs(gradient), limit)).astype(gradient.dtype)",
        unseen={"bfloat16": "there sign() keeps the sign of a zero"},
    ),
    Mutant("clip-swallows-nan", VALUE, "nan-swallowed", CLIP, "np.fmax(np.fmin(gradient, limit), -limit)"),
    Mutant(
        "clip-replaces-nan-by-zero", VALUE, "nan-swallowed", CLIP, f"np.where(np.isnan(gradient), limit * 0, {CLIP})"
    ),
    Mutant(
        "clip-by-zero-is-off",
        VALUE,
        "threshold-zero-is-off",
        LIMIT,
        "limit = gradient.dtype.type(clipvalue or np.inf)",
        dialect="threshold-zero-is-off",
    ),
    Mutant(
        "clip-threshold-made-finite",
        VALUE,
        "infinite-threshold",
        LIMIT,
        "limit = gradient.dtype.type(min(clipvalue, 65504.0))",
    ),
    Mutant(
        "clip-infinity-passes", VALUE, "infinity-mishandled", CLIP, f"np.where(np.isinf(gradient), gradient, {CLIP})"
    ),
    Mutant(
        "clip-infinity-becomes-nan",
        VALUE,
        "infinity-mishandled",
        CLIP,
        f"np.where(np.isinf(gradient), gradient - gradient, {CLIP})",
    ),
    Mutant(
        "clip-threshold-in-float32",
        VALUE,
        "precision-lost",
        LIMIT,
        "limit = np.float32(clipvalue).astype(gradient.dtype)",
        unseen=ONLY_FLOAT64,
    ),
    Mutant(
        "clip-threshold-in-half",
        VALUE,
        "precision-lost",
        LIMIT,
        "limit = np.float16(clipvalue).astype(gradient.dtype)",
        unseen={"float16": "it is float16", "bfloat16": "it is narrower than float16"},
    ),
    Mutant(
        "clip-in-float32",
        VALUE,
        "wrong-dtype",
        "clip(g) for g in map(dense, gradients)]}",
        "working(clip(g)) for g in map(dense, gradients)]}",
        unseen=NOTHING_IS_HALF,
    ),
    Mutant(
        "clip-in-float64",
        VALUE,
        "wrong-dtype",
        "clip(g) for g in map(dense, gradients)]}",
        "clip(g).astype(np.float64) for g in map(dense, gradients)]}",
        unseen=IT_IS_FLOAT64,
    ),
    Mutant("clip-flattens", VALUE, "wrong-shape", f"return {CLIP}", f"return {CLIP}.ravel()"),
    Mutant("clip-scalar-becomes-a-vector", VALUE, "wrong-shape", f"return {CLIP}", f"return np.atleast_1d({CLIP})"),
    Mutant(
        "clip-needs-an-element",
        VALUE,
        "wrong-shape",
        f"return {CLIP}",
        f"return gradient if np.max(np.abs(gradient)) <= limit else {CLIP}",
    ),
    Mutant("clip-in-place", VALUE, "input-changed", CLIP, "np.clip(gradient, -limit, limit, out=gradient)"),
    Mutant(
        "clip-absent-is-zero",
        VALUE,
        "absent-gradient",
        "None if g is None else clip(g)",
        "np.zeros(1, np.float32) if g is None else clip(g)",
    ),
    Mutant(
        "clip-absent-is-left-out",
        VALUE,
        "absent-gradient",
        "[None if g is None else clip(g) for g in map(dense, gradients)]",
        "[clip(g) for g in map(dense, gradients) if g is not None]",
    ),
)

SPARSE = (
    Mutant("sparse-rows-assigned", ALL, "sparse-not-summed", SUM, "total[gradient.indices] = working(gradient.values)"),
    # Repeated indices are added once: NumPy reads all before it writes.
    Mutant(
        "sparse-rows-added-once", ALL, "sparse-not-summed", SUM, "total[gradient.indices] += working(gradient.values)"
    ),
    Mutant(
        "sparse-repeated-rows-averaged",
        ALL,
        "sparse-not-summed",
        SUM,
        f"{SUM}\n    times = np.bincount(gradient.indices, minlength=len(total))\n"
        "    total /= np.maximum(times, 1)[:, None].astype(total.dtype)",
    ),
    Mutant(
        "sparse-rows-in-sorted-order",
        ALL,
        "sparse-misplaced",
        SUM,
        "np.add.at(total, np.sort(gradient.indices), working(gradient.values))",
    ),
    Mutant(
        "sparse-is-refused",
        ALL,
        "sparse-refused",
        f"    {SUM}\n",
        "    raise TypeError('sparse gradients')\n",
        dialect="rejects-sparse-gradient",
    ),
)

MUTANTS = BY_VALUE + SPARSE
