"""Mutants of the norm of clipping, and of its scope."""

from __future__ import annotations

from .mutant import BESIDE_FLOAT32, NOTHING_IS_HALF, ONLY_FLOAT64, Mutant

EACH = "clip_by_norm"
GLOBAL = "clip_by_global_norm"
NORMS = "clip_by_norm clip_by_global_norm sgd_step"
ALL_ABSENT = dict.fromkeys(
    BESIDE_FLOAT32, "a list without gradients is asked in float32 alone: nothing says of which dtype its norm is"
)
ROOT = "(np.sqrt(np.sum(scaled * scaled, dtype=flat.dtype)) / half[0]) / half[1]"
FLAT = "flat = np.concatenate([working(a).ravel() for a in arrays]) if arrays else np.zeros(0, np.float32)"

NORM = (
    Mutant(
        "norm-of-order-1", NORMS, "norm-order", ROOT, "(np.sum(np.abs(scaled), dtype=flat.dtype) / half[0]) / half[1]"
    ),
    Mutant("norm-of-order-infinity", NORMS, "norm-order", ROOT, "largest"),
    Mutant(
        "norm-of-order-3",
        NORMS,
        "norm-order",
        ROOT,
        "(np.cbrt(np.sum(np.abs(scaled) ** 3, dtype=flat.dtype)) / half[0]) / half[1]",
    ),
    Mutant(
        "norm-as-root-mean-square",
        NORMS,
        "norm-order",
        ROOT,
        "(np.sqrt(np.mean(scaled * scaled, dtype=flat.dtype)) / half[0]) / half[1]",
    ),
    Mutant(
        "norm-squared",
        NORMS,
        "square-root-forgotten",
        ROOT,
        "np.sum(scaled * scaled, dtype=flat.dtype) / half[0] / half[1] / half[0] / half[1]",
    ),
    Mutant("norm-root-twice", NORMS, "square-root-forgotten", f"return {ROOT}", f"return np.sqrt({ROOT})"),
    Mutant(
        "norm-without-the-last-element",
        NORMS,
        "tail-mishandled",
        FLAT,
        f"{FLAT}\n    flat = flat[: max(4, flat.size - 1)]",
    ),
    Mutant(
        "norm-of-the-last-element-alone-in-the-tail",
        NORMS,
        "tail-mishandled",
        FLAT,
        f"{FLAT}\n    flat = np.concatenate([flat[: flat.size // 4 * 4], flat[flat.size // 4 * 4 :][-1:]])",
    ),
    Mutant(
        "norm-in-float32",
        NORMS,
        "precision-lost",
        FLAT,
        "flat = np.concatenate([a.ravel().astype(np.float32) for a in arrays]) if arrays else np.zeros(0, np.float32)",
        unseen=ONLY_FLOAT64,
    ),
    Mutant(
        "norm-without-scaling",
        "clip_by_norm clip_by_global_norm",
        "norm-overflow-to-zero norm-underflow",
        ROOT,
        "np.sqrt(np.sum(flat * flat, dtype=flat.dtype))",
        unseen={"float16": "its squares are in the range of float32"},
        dialect="norm-overflow-to-zero norm-underflow",
    ),
    Mutant(
        "norm-of-the-first-variable",
        GLOBAL + " sgd_step",
        "norm-order",
        "for a in arrays]) if arrays",
        "for a in arrays[:1]]) if arrays",
    ),
    Mutant(
        "norm-as-a-sum-of-norms",
        GLOBAL + " sgd_step",
        "norm-order",
        "size = norm(present)",
        "size = sum([norm([a]) for a in present], start=norm([]))",
    ),
    Mutant(
        "norm-as-the-largest-norm",
        GLOBAL + " sgd_step",
        "norm-order",
        "size = norm(present)",
        "size = max([norm([a]) for a in present], default=norm([]))",
    ),
    Mutant(
        "norm-averaged-over-variables",
        GLOBAL + " sgd_step",
        "norm-order",
        "size = norm(present)",
        "size = norm(present) / norm([]).dtype.type(max(1, len(present)))",
    ),
)

SCOPE = (
    Mutant("each-by-the-norm-of-the-first", EACH, "norm-order", "norm([g])", "norm([dense(gradients[0])])"),
    Mutant("each-by-the-norm-of-the-last", EACH, "norm-order", "norm([g])", "norm([dense(gradients[-1])])"),
    Mutant(
        "each-by-the-norm-of-all",
        EACH,
        "global-norm",
        "norm([g])",
        "norm([h for h in map(dense, gradients) if h is not None])",
        dialect="global-norm",
    ),
    Mutant(
        "all-by-their-own-norms", GLOBAL, "norm-order", "shrink(a, clipnorm, size)", "shrink(a, clipnorm, norm([a]))"
    ),
    Mutant(
        "each-absent-is-zero",
        EACH,
        "absent-gradient",
        "None if g is None else shrink",
        "np.zeros(1, np.float32) if g is None else shrink",
    ),
    Mutant(
        "all-absent-is-zero",
        GLOBAL,
        "absent-gradient",
        "None if a is None else shrink",
        "np.zeros(1, np.float32) if a is None else shrink",
    ),
    Mutant(
        "each-absent-is-left-out",
        EACH,
        "absent-gradient",
        'for g in map(dense, gradients)]}\n\n\n@adapter.implements("clip_by_global',
        'for g in map(dense, gradients) if g is not None]}\n\n\n@adapter.implements("clip_by_global',
    ),
    Mutant("all-absent-is-left-out", GLOBAL, "absent-gradient", "size) for a in arrays],", "size) for a in present],"),
    Mutant(
        "all-absent-are-refused",
        GLOBAL,
        "absent-gradient",
        "size = norm(present)",
        "size = norm(present) if present[0] is not None else None",
        unseen=ALL_ABSENT,
    ),
    Mutant(
        "norm-shown-after-clipping",
        GLOBAL,
        "norm-after-clipping",
        "np.asarray(size)",
        "np.minimum(size, size.dtype.type(clipnorm))",
    ),
    Mutant("norm-shown-squared", GLOBAL, "square-root-forgotten", "np.asarray(size)", "np.asarray(size * size)"),
    Mutant("norm-shown-as-a-vector", GLOBAL, "wrong-shape", "np.asarray(size)", "np.atleast_1d(size)"),
    Mutant(
        "norm-shown-in-float32",
        GLOBAL,
        "wrong-dtype",
        "np.asarray(size).astype(present[0].dtype if present else np.float32)",
        "np.asarray(size)",
        unseen=NOTHING_IS_HALF,
    ),
    Mutant(
        "scale-shown-as-the-norm",
        GLOBAL,
        "norm-after-clipping",
        "np.asarray(size)",
        "np.asarray(size.dtype.type(clipnorm) / size)",
    ),
)

MUTANTS = NORM + SCOPE
