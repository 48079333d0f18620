"""Mutants of the gradients of batch_norm_train, and of those of gamma and beta in both operations."""

from __future__ import annotations

from .mutant import IT_IS_FLOAT64, Mutant

BOTH = "batch_norm_train batch_norm_eval"
TRAIN = "batch_norm_train"
DX = "dx = wide(scale * r) * (g - wide(gb) - xh * wide(h))"
DGAMMA = 'outputs["dgamma"] = add(g * xh, axes)'
DBETA = 'outputs["dbeta"] = add(g, axes)'

INPUT = (
    Mutant("mean-taken-as-constant", TRAIN, "mean-not-differentiated", DX, "dx = wide(scale * r) * (g - xh * wide(h))"),
    Mutant(
        "variance-taken-as-constant", TRAIN, "variance-not-differentiated", DX, "dx = wide(scale * r) * (g - wide(gb))"
    ),
    Mutant("gradient-as-in-evaluation", TRAIN, "mean-not-differentiated", DX, "dx = wide(scale * r) * g"),
    Mutant(
        "gradient-without-r",
        TRAIN,
        "scale-dropped-from-gradient",
        DX,
        "dx = wide(scale) * (g - wide(gb) - xh * wide(h))",
    ),
    Mutant(
        "gradient-without-gamma",
        TRAIN,
        "scale-dropped-from-gradient",
        DX,
        "dx = wide(r) * (g - wide(gb) - xh * wide(h))",
    ),
    Mutant(
        "gradient-without-gamma-in-the-means",
        TRAIN,
        "scale-dropped-from-gradient",
        DX,
        "dx = wide(r) * (g * wide(scale) - wide(gb) - xh * wide(h))",
    ),
    Mutant(
        "gradient-term-by-the-uncentred-input",
        TRAIN,
        "not-centred",
        DX,
        "dx = wide(scale * r) * (g - wide(gb) - w * wide(r * h))",
    ),
    Mutant(
        "gradient-term-without-r",
        TRAIN,
        "variance-not-differentiated",
        DX,
        "dx = wide(scale * r) * (g - wide(gb) - centred * wide(h))",
    ),
    Mutant(
        "gradient-terms-added",
        TRAIN,
        "variance-not-differentiated",
        DX,
        "dx = wide(scale * r) * (g - wide(gb) + xh * wide(h))",
    ),
    Mutant("gradient-terms-not-averaged", TRAIN, "wrong-count", "add(g * xh, axes) / m\n", "add(g * xh, axes)\n"),
    Mutant(
        "gradient-term-by-m-minus-1", TRAIN, "wrong-count", "add(g * xh, axes) / m\n", "add(g * xh, axes) / (m - 1)\n"
    ),
    Mutant("upstream-ignored-in-training", TRAIN, "upstream-ignored", DX, "dx = wide(scale * r) * (1 - xh * wide(h))"),
)

PARAMETERS = (
    Mutant(
        "dgamma-by-the-uncentred-input",
        BOTH,
        "not-centred",
        DGAMMA,
        'outputs["dgamma"] = add(g * w * wide(r), axes)',
        count=2,
    ),
    Mutant(
        "dgamma-without-r",
        BOTH,
        "scale-dropped-from-gradient",
        DGAMMA,
        'outputs["dgamma"] = (add(g * xh, axes) / r)',
        count=2,
    ),
    Mutant("dgamma-by-the-output", BOTH, "gamma-misapplied", DGAMMA, 'outputs["dgamma"] = add(g * y, axes)', count=2),
    Mutant("dgamma-averaged", BOTH, "mean-for-sum", DGAMMA, 'outputs["dgamma"] = np.mean(g * xh, axis=axes)', count=2),
    Mutant(
        "dgamma-averaged-over-the-batch",
        BOTH,
        "mean-for-sum",
        DGAMMA,
        'outputs["dgamma"] = (add(g * xh, axes) / w.dtype.type(max(1, len(x))))',
        count=2,
    ),
    Mutant("dbeta-averaged", BOTH, "mean-for-sum", DBETA, 'outputs["dbeta"] = np.mean(g, axis=axes)', count=2),
    Mutant(
        "dbeta-scaled-by-gamma",
        BOTH,
        "beta-misapplied",
        DBETA,
        'outputs["dbeta"] = add(g * wide(working(gamma).astype(w.dtype)), axes)',
        count=2,
    ),
    Mutant(
        "dgamma-and-dbeta-swapped",
        BOTH,
        "gradients-swapped",
        f"{DGAMMA}.astype(gamma.dtype)\n        {DBETA}",
        'outputs["dbeta"] = add(g * xh, axes).astype(gamma.dtype)\n        outputs["dgamma"] = add(g, axes)',
        count=2,
    ),
    Mutant(
        "dgamma-in-float64",
        BOTH,
        "wrong-dtype",
        f"{DGAMMA}.astype(gamma.dtype)",
        f"{DGAMMA}.astype(np.float64)",
        count=2,
        unseen=IT_IS_FLOAT64,
    ),
    Mutant(
        "dbeta-shaped-to-broadcast",
        BOTH,
        "wrong-shape",
        f"{DBETA}.astype(gamma.dtype)",
        f"{DBETA}.astype(gamma.dtype)[None]",
        count=2,
    ),
    Mutant(
        "upstream-nan-left-out", BOTH, "nan-swallowed", DBETA, 'outputs["dbeta"] = np.nansum(g, axis=axes)', count=2
    ),
    Mutant(
        "upstream-sums-by-a-matrix-product",
        BOTH,
        "nan-spread",
        DBETA,
        'outputs["dbeta"] = np.diag(np.ones(len(gamma), w.dtype)) @ add(g, axes)',
        count=2,
    ),
)

MUTANTS = INPUT + PARAMETERS
