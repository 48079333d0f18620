"""Mutants of batch_norm_eval."""

from __future__ import annotations

from .mutant import NOTHING_IS_HALF, ONLY_FLOAT32_DEFAULTS, ONLY_FLOAT64, Mutant

EVAL = "batch_norm_eval"
GIVEN_ROOT = "r = real(1) / np.sqrt(working(running_variance).astype(w.dtype) + real(epsilon))"
GIVEN_XH = "xh = (w - wide(working(running_mean).astype(w.dtype))) * wide(r)"
GIVEN_OUTPUT = "y, dx = xh * scale + wide(working(beta).astype(w.dtype)), dx * scale"
GIVEN = 'outputs = {"running_mean": running_mean, "running_variance": running_variance}'

EVALUATION = (
    Mutant(
        "batch-mean-in-evaluation",
        EVAL,
        "batch-statistics-in-evaluation",
        GIVEN_XH,
        "xh = (w - np.mean(w, axis=axes, keepdims=True)) * wide(r)",
    ),
    Mutant(
        "batch-variance-in-evaluation",
        EVAL,
        "batch-statistics-in-evaluation",
        GIVEN_ROOT,
        "r = real(1) / np.sqrt(np.var(w, axis=axes) + real(epsilon))",
    ),
    Mutant(
        "batch-differentiated-in-evaluation",
        EVAL,
        "batch-statistics-in-evaluation",
        "y, dx = xh, g * wide(r)",
        "y, dx = xh, (g - np.mean(g, axis=axes, keepdims=True)) * wide(r)",
    ),
    Mutant(
        "running-mean-updated-in-evaluation",
        EVAL,
        "statistics-updated-in-evaluation",
        GIVEN,
        f"{GIVEN}\n    moved = running_mean * 0.99 + 0.01 * np.mean(w, axis=axes)\n"
        '    outputs["running_mean"] = moved.astype(running_mean.dtype)',
    ),
    Mutant(
        "running-variance-updated-in-evaluation",
        EVAL,
        "statistics-updated-in-evaluation",
        GIVEN,
        f'{GIVEN}\n    outputs["running_variance"] = (running_variance * 0.99).astype(running_mean.dtype)',
    ),
    Mutant(
        "running-variance-shown-with-epsilon",
        EVAL,
        "statistics-updated-in-evaluation",
        GIVEN,
        f'{GIVEN}\n    outputs["running_variance"] = (running_variance + running_variance.dtype.type(epsilon))',
    ),
    Mutant(
        "given-epsilon-beside-the-root",
        EVAL,
        "epsilon-outside-root",
        GIVEN_ROOT,
        "r = real(1) / (np.sqrt(working(running_variance).astype(w.dtype)) + real(epsilon))",
    ),
    Mutant(
        "given-epsilon-dropped",
        EVAL,
        "epsilon-ignored",
        GIVEN_ROOT,
        "r = real(1) / np.sqrt(working(running_variance).astype(w.dtype))",
    ),
    Mutant(
        "given-epsilon-dropped-when-small",
        EVAL,
        "epsilon-ignored",
        GIVEN_ROOT,
        "r = real(1) / np.sqrt(working(running_variance).astype(w.dtype) + real(epsilon if epsilon > 1e-4 else 0))",
    ),
    Mutant(
        "given-epsilon-fixed",
        EVAL,
        "epsilon-ignored",
        GIVEN_ROOT,
        "r = real(1) / np.sqrt(working(running_variance).astype(w.dtype) + real(1e-3))",
    ),
    Mutant(
        "given-epsilon-or-default",
        EVAL,
        "epsilon-by-truthiness",
        GIVEN_ROOT,
        "r = real(1) / np.sqrt(working(running_variance).astype(w.dtype) + real(epsilon or 1e-3))",
    ),
    Mutant(
        "given-epsilon-as-a-floor",
        EVAL,
        "epsilon-as-floor",
        GIVEN_ROOT,
        "r = real(1) / np.sqrt(np.maximum(working(running_variance).astype(w.dtype), real(epsilon)))",
    ),
    Mutant(
        "given-deviation-for-variance",
        EVAL,
        "deviation-for-variance",
        GIVEN_ROOT,
        "r = real(1) / (working(running_variance).astype(w.dtype) + real(epsilon))",
    ),
    Mutant("given-mean-not-subtracted", EVAL, "not-centred", GIVEN_XH, "xh = w * wide(r)"),
    Mutant(
        "given-mean-nan-is-zero",
        EVAL,
        "nan-swallowed",
        GIVEN_XH,
        "xh = (w - wide(np.nan_to_num(working(running_mean)).astype(w.dtype))) * wide(r)",
    ),
    Mutant(
        "given-variance-zero-is-one",
        EVAL,
        "statistics-not-used",
        GIVEN_ROOT,
        f"{GIVEN_ROOT}\n    r = np.where(running_variance == 0, real(1), r)",
    ),
    Mutant(
        "given-variance-at-most-1000",
        EVAL,
        "statistics-not-used",
        GIVEN_ROOT,
        GIVEN_ROOT.replace(
            "working(running_variance)", "working(np.minimum(running_variance, running_variance.dtype.type(1000)))"
        ),
    ),
    Mutant(
        "given-gamma-dropped",
        EVAL,
        "gamma-misapplied",
        GIVEN_OUTPUT,
        "y, dx = xh + wide(working(beta).astype(w.dtype)), dx * scale",
    ),
    Mutant(
        "given-gamma-dropped-from-the-gradient",
        EVAL,
        "scale-dropped-from-gradient",
        GIVEN_OUTPUT,
        "y = xh * scale + wide(working(beta).astype(w.dtype))",
    ),
    Mutant(
        "given-r-dropped-from-the-gradient",
        EVAL,
        "scale-dropped-from-gradient",
        "y, dx = xh, g * wide(r)",
        "y, dx = xh, g",
    ),
    Mutant(
        "given-beta-scaled-by-gamma",
        EVAL,
        "beta-misapplied",
        GIVEN_OUTPUT,
        "y, dx = (xh + wide(working(beta).astype(w.dtype))) * scale, dx * scale",
    ),
    Mutant("given-beta-dropped", EVAL, "beta-misapplied", GIVEN_OUTPUT, "y, dx = xh * scale, dx * scale"),
    Mutant(
        "given-gamma-absolute",
        EVAL,
        "gamma-by-truthiness",
        "scale = wide(working(gamma).astype(w.dtype))",
        "scale = wide(np.abs(working(gamma)).astype(w.dtype))",
    ),
    Mutant(
        "given-gamma-zero-is-one",
        EVAL,
        "gamma-by-truthiness",
        "scale = wide(working(gamma).astype(w.dtype))",
        "scale = wide(np.where(gamma == 0, gamma.dtype.type(1), gamma).astype(w.dtype))",
    ),
    Mutant(
        "nan-of-the-input-is-zero",
        EVAL,
        "nan-swallowed",
        GIVEN_XH,
        f"{GIVEN_XH}\n    xh = np.where(np.isnan(w), 0, xh)",
    ),
    Mutant(
        "upstream-infinity-made-finite",
        EVAL,
        "infinity-mishandled nan-swallowed",
        "y, dx = xh, g * wide(r)",
        "y, dx = xh, np.nan_to_num(g) * wide(r)",
    ),
    Mutant(
        "evaluation-in-float32",
        EVAL,
        "precision-lost",
        "np.float32) if a.dtype.itemsize == 2 else a",
        "np.float32)",
        unseen=ONLY_FLOAT64,
    ),
    Mutant(
        "evaluated-output-in-float32",
        EVAL,
        "wrong-dtype",
        '"y": y.astype(x.dtype), "dx": dx.astype(x',
        '"y": y, "dx": dx.astype(x',
        unseen=NOTHING_IS_HALF,
    ),
    Mutant(
        "evaluated-gradient-in-float32",
        EVAL,
        "wrong-dtype",
        '"dx": dx.astype(x.dtype)}',
        '"dx": dx}',
        unseen=NOTHING_IS_HALF,
    ),
    Mutant(
        "evaluated-in-place",
        EVAL,
        "input-changed",
        "y, dx = xh, g * wide(r)",
        "y, dx = xh, np.multiply(dy, 1, out=dy) * wide(r)",
    ),
    Mutant(
        "default-epsilon-of-1e-5-in-evaluation",
        EVAL,
        "default-epsilon-1e-5",
        'batch_norm_eval, {"epsilon": 1e-3}',
        'batch_norm_eval, {"epsilon": 1e-5}',
        unseen=ONLY_FLOAT32_DEFAULTS,
        dialect="default-epsilon-1e-5",
    ),
)

MUTANTS = EVALUATION
