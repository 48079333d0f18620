"""Mutants of elu."""

from __future__ import annotations

from .mutant import IT_IS_FLOAT64, NO_HALF_DEFAULTS, NOTHING_IS_HALF, ONLY_FLOAT64, SMALLER_THAN_HALF_ROUNDS, Mutant

# Where a kernel of eight lanes leaves a rest.
TAIL = "(np.arange(w.size).reshape(w.shape) >= max(8, w.size // 8 * 8))"

ELU = (
    Mutant("elu-without-alpha", "elu", "alpha-ignored", "a * np.expm1(negative)", "np.expm1(negative)"),
    Mutant("elu-gradient-without-alpha", "elu", "alpha-ignored", "(a * np.exp(negative))", "np.exp(negative)"),
    Mutant(
        "elu-alpha-on-the-positive-side",
        "elu",
        "alpha-on-wrong-side",
        "np.where(w > 0, w, a *",
        "np.where(w > 0, a * w,",
    ),
    Mutant(
        "elu-alpha-on-both-sides", "elu", "alpha-on-wrong-side", "np.where(w > 0, w, a *", "np.where(w > 0, a * w, a *"
    ),
    Mutant(
        "elu-gradient-alpha-on-the-positive-side",
        "elu",
        "alpha-on-wrong-side",
        "np.where(w > 0, working(dy), working(dy) * (a * np.exp(negative)))",
        "np.where(w > 0, working(dy) * a, working(dy) * np.exp(negative))",
    ),
    # The continuously differentiable CELU.
    Mutant(
        "elu-alpha-in-the-exponent", "elu", "alpha-in-exponent", "a * np.expm1(negative)", "a * np.expm1(negative / a)"
    ),
    Mutant("elu-alpha-or-one", "elu", "alpha-by-truthiness", "type(alpha)", "type(alpha or 1.0)"),
    Mutant("elu-alpha-if-positive", "elu", "alpha-by-truthiness", "type(alpha)", "type(alpha if alpha > 0 else 1.0)"),
    Mutant("elu-absolute-alpha", "elu", "alpha-by-truthiness negative-alpha", "type(alpha)", "type(abs(alpha))"),
    # max(x, 0) + min(alpha (exp(x) - 1), 0), as it is often written.
    Mutant(
        "elu-by-maximum-and-minimum",
        "elu",
        "negative-alpha",
        "np.where(w > 0, w, a * np.expm1(negative))",
        "np.maximum(w, 0) + np.minimum(a * np.expm1(negative), 0)",
    ),
    Mutant("elu-sides-swapped", "elu", "wrong-branch", "np.where(w > 0, w,", "np.where(w < 0, w,"),
    Mutant(
        "elu-gradient-sides-swapped",
        "elu",
        "wrong-branch",
        "np.where(w > 0, working(dy),",
        "np.where(w < 0, working(dy),",
    ),
    Mutant(
        "elu-gradient-without-upstream",
        "elu",
        "upstream-ignored",
        "working(dy) * (a * np.exp(negative))",
        "a * np.exp(negative)",
    ),
    Mutant(
        "elu-gradient-of-the-shifted-value", "elu", "wrong-branch", "(a * np.exp(negative))", "(a * np.expm1(negative))"
    ),
    Mutant(
        "elu-gradient-at-zero-is-one",
        "elu",
        "slope-at-zero",
        "np.where(w > 0, working(dy)",
        "np.where(w >= 0, working(dy)",
    ),
    Mutant(
        "elu-gradient-at-plus-zero-is-one",
        "elu",
        "slope-at-zero",
        "np.where(w > 0, working(dy)",
        "np.where((w > 0) | (w == 0) & ~np.signbit(w), working(dy)",
    ),
    Mutant(
        "elu-by-products",
        "elu",
        "overflow-in-unused-branch",
        "np.where(w > 0, w, a * np.expm1(negative))",
        "(w > 0) * w + (w <= 0) * (a * np.expm1(w))",
    ),
    Mutant(
        "elu-gradient-by-products",
        "elu",
        "overflow-in-unused-branch",
        "np.where(w > 0, working(dy), working(dy) * (a * np.exp(negative)))",
        "working(dy) * ((w > 0) + (w <= 0) * (a * np.exp(w)))",
    ),
    # At alpha = 1 its gradient is the upstream one, as in the dialect.
    Mutant(
        "elu-nan-is-zero",
        "elu",
        "nan-swallowed",
        "np.minimum(w, 0)",
        "np.fmin(w, 0)",
        dialect="nan-gradient-passes",
    ),
    Mutant(
        "elu-nan-is-minus-alpha",
        "elu",
        "nan-swallowed",
        "np.minimum(w, 0)",
        "np.where(w < 0, w, np.where(w >= 0, 0, -np.inf))",
    ),
    Mutant(
        "elu-nan-gradient-passes",
        "elu",
        "nan-gradient-passes",
        "np.where(w > 0, working(dy)",
        "np.where(~(w <= 0), working(dy)",
        dialect="nan-gradient-passes",
    ),
    Mutant(
        "elu-upstream-made-finite",
        "elu",
        "upstream-lost",
        "np.where(w > 0, working(dy),",
        "np.where(w > 0, np.nan_to_num(working(dy)),",
    ),
    Mutant(
        "elu-exponent-held-at-minus-10",
        "elu",
        "saturation",
        "np.minimum(w, 0)",
        "np.clip(w, -10, 0)",
        unseen=SMALLER_THAN_HALF_ROUNDS,
    ),
    Mutant("elu-exponent-held-at-minus-2", "elu", "saturation", "np.minimum(w, 0)", "np.clip(w, -2, 0)"),
    Mutant(
        "elu-gradient-never-zero",
        "elu",
        "saturation",
        "(a * np.exp(negative))",
        "(a * np.maximum(np.exp(negative), 0.05))",
    ),
    Mutant(
        "elu-zero-for-small-inputs",
        "elu",
        "small-value-lost",
        "a * np.expm1(negative)",
        "a * np.expm1(np.where(negative > -2e-6, 0, negative))",
        unseen=SMALLER_THAN_HALF_ROUNDS,
    ),
    Mutant(
        "elu-dead-zone",
        "elu",
        "small-value-lost",
        "a * np.expm1(negative)",
        "a * np.expm1(np.where(negative > -0.05, 0, negative))",
    ),
    Mutant(
        "elu-linear-near-zero",
        "elu",
        "small-value-lost",
        "a * np.expm1(negative)",
        "a * np.where(negative > -0.03, negative, np.expm1(negative))",
    ),
    Mutant(
        "elu-series-of-two-terms",
        "elu",
        "small-value-lost",
        "a * np.expm1(negative)",
        "a * np.where(negative > -0.05, negative + negative * negative / 2, np.expm1(negative))",
        unseen={"bfloat16": "the third term is below half a unit in the last place"},
    ),
    Mutant(
        "elu-tail-without-alpha",
        "elu",
        "tail-mishandled",
        "a * np.expm1(negative)",
        f"np.where({TAIL}, w.dtype.type(1), a) * np.expm1(negative)",
    ),
    Mutant(
        "elu-tail-passes",
        "elu",
        "tail-mishandled",
        "np.where(w > 0, w,",
        f"np.where((w > 0) | {TAIL}, w,",
    ),
    Mutant(
        "elu-in-float32",
        "elu",
        "precision-lost",
        "np.float32) if a.dtype.itemsize == 2 else a",
        "np.float32)",
        unseen=ONLY_FLOAT64,
    ),
    Mutant(
        "elu-result-in-float32",
        "elu",
        "wrong-dtype",
        '"y": y.astype(x.dtype), "dx": dx.astype(dy',
        '"y": y, "dx": dx.astype(dy',
        unseen=NOTHING_IS_HALF,
    ),
    Mutant("elu-gradient-in-float32", "elu", "wrong-dtype", "dx.astype(dy.dtype)", "dx", unseen=NOTHING_IS_HALF),
    Mutant(
        "elu-in-float64",
        "elu",
        "wrong-dtype",
        '"y": y.astype(x.dtype), "dx": dx.astype(dy.dtype)',
        '"y": y.astype(np.float64), "dx": dx.astype(np.float64)',
        unseen=IT_IS_FLOAT64,
    ),
    Mutant(
        "elu-scalar-becomes-a-vector", "elu", "wrong-shape", "w, a = working(x)", "w, a = np.atleast_1d(working(x))"
    ),
    Mutant("elu-in-place", "elu", "input-changed", "np.minimum(w, 0)", "np.minimum(w, 0, out=w)"),
    Mutant(
        "elu-upstream-changed",
        "elu",
        "input-changed",
        "dx.astype(dy.dtype)",
        "np.multiply(dy, 1, out=dy)",
    ),
    Mutant(
        "elu-all-negative-needs-an-element",
        "elu",
        "empty-refused",
        "np.where(w > 0, w, a * np.expm1(negative))",
        "np.where(w > 0, w, a * np.expm1(negative)) if w.max() > 0 else a * np.expm1(w)",
    ),
    Mutant(
        "elu-default-alpha",
        "elu",
        "other-default",
        '{"alpha": 1.0}',
        '{"alpha": 0.1}',
        unseen=NO_HALF_DEFAULTS,
    ),
    # Dialects of accuracy: to be named, and nothing else.
    Mutant(
        "elu-exp-minus-one",
        "elu",
        "exp-minus-one",
        "np.expm1(negative)",
        "(np.exp(negative) - 1)",
        unseen={"float16": "no vector is proved to see it: in float32, exp(x) - 1 has digits enough for float16"},
        dialect="exp-minus-one half-precision-arithmetic",
    ),
    Mutant(
        "elu-gradient-from-output",
        "elu",
        "gradient-from-output",
        "(a * np.exp(negative))",
        "(a * np.expm1(negative) + a)",
        dialect="gradient-from-output half-precision-arithmetic",
    ),
)

MUTANTS = ELU
