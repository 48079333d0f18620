"""Mutants of the outputs of batch_norm_train: axes, variances, epsilon, gamma and beta."""

from __future__ import annotations

from .mutant import NOTHING_IS_HALF, Mutant

BOTH = "batch_norm_train batch_norm_eval"
TRAIN = "batch_norm_train"
AXIS = "kept = channel_axis % x.ndim"
COUNT = "m = real(w.size // max(1, w.shape[channel_axis]))"
VARIANCE = "variance = add(centred * centred, axes) / m"
ROOT = "r = real(1) / np.sqrt(variance + real(epsilon))"
SCALE = "scale = working(gamma if gamma is not None else np.ones_like(mean)).astype(w.dtype)"
BETA = "y = y + wide(working(beta).astype(w.dtype))"

AXES = (
    Mutant(
        "half-precision-throughout",
        "elu batch_norm_train batch_norm_eval clip_by_norm clip_by_global_norm",
        "half-precision-arithmetic",
        "return a.astype(np.float32) if a.dtype.itemsize == 2 else a",
        "return a",
        unseen=NOTHING_IS_HALF,
        # On a vector or two a narrower dialect of accuracy happens to fit as well.
        dialect="half-precision-arithmetic single-pass-variance gradient-from-output "
        "gradient-from-output+half-precision-arithmetic",
    ),
    Mutant("channels-always-last", BOTH, "wrong-axis", AXIS, "kept = x.ndim - 1"),
    Mutant("channels-always-second", BOTH, "wrong-axis", AXIS, "kept = 1"),
    Mutant("channels-always-first", BOTH, "wrong-axis", AXIS, "kept = 0"),
    Mutant("channel-axis-without-its-sign", BOTH, "wrong-axis", AXIS, "kept = abs(channel_axis)"),
    Mutant("rank-4-is-channels-first", BOTH, "wrong-axis", AXIS, "kept = 1 if x.ndim == 4 else channel_axis % x.ndim"),
    Mutant(
        "statistics-over-the-first-axis",
        TRAIN,
        "wrong-axis",
        "mean = add(w, axes) / m\n    centred = w - wide(mean)",
        "mean = add(w, axes) / m\n    centred = w - np.mean(w, axis=0 if channel_axis % x.ndim else 1, keepdims=True)",
    ),
    Mutant("count-of-the-batch-alone", TRAIN, "wrong-count", COUNT, "m = real(w.shape[0])"),
    Mutant("count-of-all-elements", TRAIN, "wrong-count", COUNT, "m = real(w.size)"),
    Mutant("count-of-all-but-the-first-axis", TRAIN, "wrong-count", COUNT, "m = real(w.size // max(1, w.shape[0]))"),
)

VARIANCES = (
    Mutant(
        "variance-by-m-minus-1",
        TRAIN,
        "unbiased-variance",
        VARIANCE,
        "variance = add(centred * centred, axes) / (m - 1)",
        dialect="unbiased-running-variance",
    ),
    Mutant(
        "output-by-unbiased-variance",
        TRAIN,
        "unbiased-variance",
        ROOT,
        "r = real(1) / np.sqrt(variance * m / (m - 1) + real(epsilon))",
    ),
    Mutant(
        "batch-variance-unbiased",
        TRAIN,
        "unbiased-variance",
        '"batch_variance": variance.',
        '"batch_variance": (variance * m / (m - 1)).',
    ),
    Mutant(
        "running-variance-unbiased",
        TRAIN,
        "unbiased-running-variance",
        "moved(running_variance, variance)",
        "moved(running_variance, variance * m / (m - 1))",
        dialect="unbiased-running-variance",
    ),
    Mutant(
        "running-variance-by-m-plus-1",
        TRAIN,
        "wrong-count",
        "moved(running_variance, variance)",
        "moved(running_variance, variance * m / (m + 1))",
    ),
    Mutant(
        "running-deviation",
        TRAIN,
        "deviation-for-variance",
        "moved(running_variance, variance)",
        "moved(running_variance, np.sqrt(variance))",
    ),
    Mutant(
        "running-reciprocal-deviation",
        TRAIN,
        "deviation-for-variance",
        "moved(running_variance, variance)",
        "moved(running_variance, r)",
    ),
    Mutant(
        "batch-deviation",
        TRAIN,
        "deviation-for-variance",
        '"batch_variance": variance.',
        '"batch_variance": np.sqrt(variance).',
    ),
    Mutant(
        "root-forgotten-in-training", TRAIN, "deviation-for-variance", ROOT, "r = real(1) / (variance + real(epsilon))"
    ),
    Mutant("second-moment-for-variance", TRAIN, "not-centred", VARIANCE, "variance = add(w * w, axes) / m"),
    Mutant(
        "running-second-moment",
        TRAIN,
        "not-centred",
        "moved(running_variance, variance)",
        "moved(running_variance, variance + mean * mean)",
    ),
    Mutant("output-not-centred", TRAIN, "not-centred", "xh = centred * wide(r)", "xh = w * wide(r)"),
    Mutant(
        "mean-absolute-deviation",
        TRAIN,
        "deviation-for-variance",
        VARIANCE,
        "variance = (add(np.abs(centred), axes) / m) ** 2",
    ),
    Mutant(
        "variance-in-one-pass",
        TRAIN,
        "single-pass-variance",
        VARIANCE,
        "variance = np.maximum(add(w * w, axes) / m - mean * mean, 0)",
        dialect="single-pass-variance",
    ),
)

EPSILONS = (
    Mutant(
        "epsilon-beside-the-root",
        TRAIN,
        "epsilon-outside-root",
        ROOT,
        "r = real(1) / (np.sqrt(variance) + real(epsilon))",
    ),
    Mutant(
        "epsilon-beside-the-quotient",
        TRAIN,
        "epsilon-outside-root",
        ROOT,
        "r = real(1) / np.sqrt(variance) + real(epsilon)",
    ),
    Mutant("epsilon-dropped", TRAIN, "epsilon-ignored", ROOT, "r = real(1) / np.sqrt(variance)"),
    Mutant(
        "epsilon-dropped-when-small",
        TRAIN,
        "epsilon-ignored",
        ROOT,
        "r = real(1) / np.sqrt(variance + real(epsilon if epsilon > 1e-4 else 0))",
    ),
    Mutant(
        "epsilon-at-least-1e-4",
        TRAIN,
        "epsilon-ignored",
        ROOT,
        "r = real(1) / np.sqrt(variance + real(max(epsilon, 1e-4)))",
    ),
    Mutant("epsilon-fixed", TRAIN, "epsilon-ignored", ROOT, "r = real(1) / np.sqrt(variance + real(1e-3))"),
    Mutant("epsilon-squared", TRAIN, "epsilon-ignored", ROOT, "r = real(1) / np.sqrt(variance + real(epsilon) ** 2)"),
    Mutant(
        "epsilon-or-default",
        TRAIN,
        "epsilon-by-truthiness",
        ROOT,
        "r = real(1) / np.sqrt(variance + real(epsilon or 1e-3))",
    ),
    Mutant(
        "epsilon-as-a-floor",
        TRAIN,
        "epsilon-as-floor",
        ROOT,
        "r = real(1) / np.sqrt(np.maximum(variance, real(epsilon)))",
    ),
    Mutant(
        "epsilon-in-the-statistics",
        TRAIN,
        "epsilon-in-statistics",
        ROOT,
        "variance = variance + real(epsilon)\n    r = real(1) / np.sqrt(variance)",
    ),
    Mutant(
        "epsilon-in-the-running-variance",
        TRAIN,
        "epsilon-in-statistics",
        "moved(running_variance, variance)",
        "moved(running_variance, variance + real(epsilon))",
    ),
    Mutant(
        "constant-channel-without-scale",
        TRAIN,
        "division-by-zero",
        ROOT,
        "r = np.where(variance > 0, real(1) / np.sqrt(variance + real(epsilon)), 0)",
    ),
)

AFFINE = (
    Mutant("gamma-dropped", TRAIN, "gamma-misapplied", "y = xh * wide(scale)", "y = xh"),
    Mutant("gamma-divides", TRAIN, "gamma-misapplied", "y = xh * wide(scale)", "y = xh / wide(scale)"),
    Mutant(
        "gamma-plus-one",
        TRAIN,
        "gamma-misapplied",
        "y = xh * wide(scale)",
        "y = xh * (wide(scale) + (gamma is not None))",
    ),
    Mutant(
        "beta-scaled-by-gamma", TRAIN, "beta-misapplied", BETA, "y = y + wide(scale * working(beta).astype(w.dtype))"
    ),
    Mutant("beta-dropped", TRAIN, "beta-misapplied", BETA, "y = y + 0"),
    Mutant("beta-subtracted", TRAIN, "beta-misapplied", BETA, "y = y - wide(working(beta).astype(w.dtype))"),
    Mutant(
        "gamma-zero-is-one",
        TRAIN,
        "gamma-by-truthiness",
        SCALE,
        f"{SCALE}\n    scale = np.where(scale == 0, real(1), scale)",
    ),
    Mutant("gamma-absolute", TRAIN, "gamma-by-truthiness", SCALE, f"{SCALE}\n    scale = np.abs(scale)"),
    Mutant("gamma-absent-is-zero", TRAIN, "affine-assumed", "else np.ones_like(mean)", "else np.zeros_like(mean)"),
)

MUTANTS = AXES + VARIANCES + EPSILONS + AFFINE
