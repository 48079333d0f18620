"""Mutants of the running statistics of batch_norm_train, and of its dtypes, shapes and special values."""

from __future__ import annotations

from .mutant import COPIED_HALVES, HALVES, IT_IS_FLOAT64, NOTHING_IS_HALF, ONLY_FLOAT32_DEFAULTS, ONLY_FLOAT64, Mutant

BOTH = "batch_norm_train batch_norm_eval"
TRAIN = "batch_norm_train"
NO_EMPTY_HALF = dict.fromkeys(HALVES, "an empty batch is asked in float32 and float64 alone")
VARIANCE = "variance = add(centred * centred, axes) / m"
ROOT = "r = real(1) / np.sqrt(variance + real(epsilon))"
OLD_AND_NEW = "working(old) * kept + new * (real(1) - kept)"

RUNNING = (
    Mutant("momentum-swapped", TRAIN, "momentum-swapped", OLD_AND_NEW, "new * kept + working(old) * (real(1) - kept)"),
    Mutant(
        "momentum-swapped-for-the-variance",
        TRAIN,
        "momentum-swapped",
        "moved(running_variance, variance)",
        "moved(variance.astype(running_variance.dtype), working(running_variance))",
    ),
    Mutant(
        "momentum-swapped-for-the-mean",
        TRAIN,
        "momentum-swapped",
        "moved(running_mean, mean)",
        "moved(mean.astype(running_mean.dtype), working(running_mean))",
    ),
    Mutant("momentum-fixed", TRAIN, "momentum-ignored", "kept = real(momentum)", "kept = real(0.9)"),
    Mutant(
        "momentum-or-default", TRAIN, "momentum-by-truthiness", "kept = real(momentum)", "kept = real(momentum or 0.99)"
    ),
    Mutant(
        "momentum-twice", TRAIN, "momentum-ignored", OLD_AND_NEW, "working(old) * kept * kept + new * (real(1) - kept)"
    ),
    Mutant("new-value-unweighted", TRAIN, "momentum-ignored", OLD_AND_NEW, "working(old) * kept + new"),
    Mutant("running-mean-not-updated", TRAIN, "statistics-not-updated", "moved(running_mean, mean)", "running_mean"),
    Mutant(
        "running-variance-not-updated",
        TRAIN,
        "statistics-not-updated",
        "moved(running_variance, variance)",
        "running_variance",
    ),
    Mutant(
        "running-statistics-from-each-other",
        TRAIN,
        "statistics-crossed",
        '"running_mean": moved(running_mean, mean),\n        "running_variance": moved(running_variance, variance),',
        '"running_mean": moved(running_mean, variance),\n        "running_variance": moved(running_variance, mean),',
    ),
    Mutant(
        "running-variance-from-the-mean",
        TRAIN,
        "statistics-crossed",
        "moved(running_variance, variance)",
        "moved(running_variance, mean * mean)",
    ),
    Mutant(
        "running-mean-shown-as-the-batch-mean",
        TRAIN,
        "statistics-crossed",
        '"batch_mean": mean.astype(running_mean.dtype)',
        '"batch_mean": moved(running_mean, mean)',
    ),
    Mutant(
        "batch-variance-kept-as-running",
        TRAIN,
        "momentum-ignored",
        "moved(running_variance, variance)",
        "variance.astype(running_variance.dtype)",
    ),
    Mutant(
        "output-by-running-variance",
        TRAIN,
        "running-statistics-in-training",
        ROOT,
        ROOT.replace("variance", "working(running_variance).astype(w.dtype)"),
    ),
    Mutant(
        "output-by-running-mean",
        TRAIN,
        "running-statistics-in-training",
        "xh = centred * wide(r)",
        "xh = (w - wide(working(running_mean).astype(w.dtype))) * wide(r)",
    ),
    Mutant(
        "default-momentum-of-0.999",
        TRAIN,
        "other-default",
        '"momentum": 0.99',
        '"momentum": 0.999',
        unseen=ONLY_FLOAT32_DEFAULTS,
    ),
    Mutant(
        "default-momentum-of-0.9",
        TRAIN,
        "default-momentum-0.9",
        '"momentum": 0.99',
        '"momentum": 0.9',
        unseen=ONLY_FLOAT32_DEFAULTS,
        dialect="default-momentum-0.9",
    ),
    Mutant(
        "default-epsilon-of-1e-5",
        TRAIN,
        "default-epsilon-1e-5",
        '{"epsilon": 1e-3, "momentum"',
        '{"epsilon": 1e-5, "momentum"',
        unseen=ONLY_FLOAT32_DEFAULTS,
        dialect="default-epsilon-1e-5",
    ),
)

VALUES = (
    Mutant(
        "nan-left-out-of-sums",
        TRAIN,
        "nan-swallowed",
        "np.sum(rows, axis=-1, dtype=a.dtype)",
        "np.nansum(rows, axis=-1, dtype=a.dtype)",
    ),
    Mutant(
        "nan-in-the-output-is-zero",
        TRAIN,
        "nan-swallowed",
        "xh = centred * wide(r)",
        "xh = np.nan_to_num(centred * wide(r))",
    ),
    # A matrix product adds 0 times the other channels, and 0 times NaN is NaN.
    Mutant(
        "channels-scaled-by-a-matrix-product",
        TRAIN,
        "nan-spread",
        "xh = centred * wide(r)",
        "xh = np.moveaxis(np.moveaxis(centred, channel_axis, -1) @ np.diag(r), -1, channel_axis)",
    ),
    Mutant(
        "variance-capped",
        TRAIN,
        "range-lost",
        VARIANCE,
        f"{VARIANCE}\n    variance = np.minimum(variance, real(1e6))",
        unseen={"float16": "a variance of 1e6 is near the end of its range"},
    ),
    Mutant(
        "tiny-deviations-lost",
        TRAIN,
        "range-lost",
        VARIANCE,
        f"{VARIANCE}\n    mean = np.where(np.abs(mean) < 1e-8, 0, mean).astype(w.dtype)",
        unseen={"float16": "a mean of 1e-8 is below its smallest number"},
    ),
    Mutant(
        "training-in-float32",
        TRAIN,
        "precision-lost",
        "np.float32) if a.dtype.itemsize == 2 else a",
        "np.float32)",
        unseen=ONLY_FLOAT64,
    ),
    Mutant(
        "sums-in-float32",
        BOTH,
        "precision-lost",
        "np.sum(rows, axis=-1, dtype=a.dtype)",
        "np.sum(rows, axis=-1, dtype=np.float32).astype(a.dtype)",
        unseen=ONLY_FLOAT64,
    ),
    Mutant("output-in-float32", TRAIN, "wrong-dtype", '"y": y.astype(x.dtype),\n', '"y": y,\n', unseen=NOTHING_IS_HALF),
    Mutant(
        "output-in-float64",
        TRAIN,
        "wrong-dtype",
        '"y": y.astype(x.dtype),\n',
        '"y": y.astype(np.float64),\n',
        unseen=IT_IS_FLOAT64,
    ),
    Mutant(
        "statistics-shaped-to-broadcast",
        TRAIN,
        "wrong-shape",
        '"batch_mean": mean.astype',
        '"batch_mean": wide(mean).astype',
    ),
    Mutant(
        "running-statistics-shaped-to-broadcast",
        TRAIN,
        "wrong-shape",
        "moved(running_mean, mean)",
        "wide(moved(running_mean, mean))",
    ),
    Mutant(
        "centred-in-place",
        TRAIN,
        "input-changed",
        "centred = w - wide(mean)",
        "centred = np.subtract(w, wide(mean), out=w)",
        unseen=COPIED_HALVES,
    ),
    Mutant(
        "upstream-changed-in-training",
        TRAIN,
        "input-changed",
        '"dx": dx.astype(x.dtype),\n',
        '"dx": np.multiply(dy, dx.astype(x.dtype), out=dy),\n',
    ),
    Mutant(
        "running-statistics-in-the-dtype-of-x",
        TRAIN,
        "statistics-in-input-dtype",
        ".astype(old.dtype)",
        ".astype(x.dtype)",
        unseen=NOTHING_IS_HALF,
        # Of several steps, the batch's statistics follow in the dtype of the running ones.
        dialect="statistics-in-input-dtype half-precision-arithmetic",
    ),
    Mutant(
        "running-statistics-in-float32",
        TRAIN,
        "statistics-in-float32",
        ".astype(old.dtype)",
        "",
        unseen=NOTHING_IS_HALF,
        dialect="statistics-in-float32",
    ),
    Mutant(
        "mean-needs-an-element",
        TRAIN,
        "empty-refused",
        "mean = add(w, axes) / m",
        "mean = add(w, axes) / m if np.max(np.abs(w)) >= 0 else add(w, axes) / m",
        unseen=NO_EMPTY_HALF,
    ),
    Mutant(
        "sums-as-means-times-the-count",
        TRAIN,
        "nan-for-empty-batch",
        '    if gamma is not None:\n        outputs["dgamma"] = add(g * xh, axes)',
        '    if gamma is not None:\n        outputs["dgamma"] = (m * (add(g * xh, axes) / m))',
        unseen=NO_EMPTY_HALF,
        dialect="nan-for-empty-batch",
    ),
)

MUTANTS = RUNNING + VALUES
