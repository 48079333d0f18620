"""Mutants of sgd_step."""

from __future__ import annotations

from .mutant import (
    COPIED_HALVES,
    HALVES,
    IT_IS_FLOAT64,
    NO_HALF_DEFAULTS,
    NOTHING_IS_HALF,
    ONLY_FLOAT32_SHAPES,
    ONLY_FLOAT64,
    Mutant,
)

STEP = "(w - w.dtype.type(learning_rate) * g).astype(weight.dtype)"
RATE = "w.dtype.type(learning_rate)"

PLAIN = (
    Mutant("step-up-the-gradient", "sgd_step", "wrong-sign", "(w - w.dtype", "(w + w.dtype"),
    Mutant(
        "step-of-opposite-sign-for-the-weight",
        "sgd_step",
        "wrong-sign",
        STEP,
        "(w.dtype.type(learning_rate) * g - w).astype(weight.dtype)",
    ),
    Mutant("rate-ignored", "sgd_step", "rate-misapplied", f"{RATE} * g", "g"),
    Mutant("rate-twice", "sgd_step", "rate-misapplied", f"{RATE} * g", f"{RATE} * {RATE} * g"),
    Mutant(
        "rate-scales-the-weight-too", "sgd_step", "rate-misapplied", STEP, f"({RATE} * (w - g)).astype(weight.dtype)"
    ),
    Mutant("rate-divides", "sgd_step", "rate-misapplied", f"{RATE} * g", f"g / {RATE}"),
    Mutant("rate-or-default", "sgd_step", "rate-by-truthiness", "type(learning_rate)", "type(learning_rate or 0.01)"),
    Mutant(
        "rate-in-float32",
        "sgd_step",
        "float32-learning-rate",
        RATE,
        "np.float32(learning_rate)",
        unseen=ONLY_FLOAT64,
        dialect="float32-learning-rate",
    ),
    Mutant(
        "rate-in-float16",
        "sgd_step",
        "precision-lost",
        RATE,
        "w.dtype.type(np.float16(learning_rate))",
        unseen={"float16": "each operation may be rounded to float16", "bfloat16": "float16 has more digits"},
    ),
    Mutant(
        "step-in-float32",
        "sgd_step",
        "precision-lost",
        "np.float32) if a.dtype.itemsize == 2 else a",
        "np.float32)",
        unseen=ONLY_FLOAT64,
    ),
    Mutant(
        "weight-decay-left-in",
        "sgd_step",
        "weight-decay-left-in",
        f"{RATE} * g",
        f"{RATE} * (g + w.dtype.type(0.01) * w)",
    ),
    Mutant(
        "weight-decay-beside-the-rate",
        "sgd_step",
        "weight-decay-left-in",
        STEP,
        f"(w * w.dtype.type(0.99) - {RATE} * g).astype(weight.dtype)",
    ),
    Mutant(
        "nesterov-momentum-left-in",
        "sgd_step",
        "momentum-left-in",
        f"{RATE} * g",
        f"{RATE} * (g + w.dtype.type(0.9) * g)",
    ),
    Mutant("dampening-left-in", "sgd_step", "momentum-left-in", f"{RATE} * g", f"{RATE} * (w.dtype.type(0.1) * g)"),
    Mutant(
        "sign-of-the-gradient-alone", "sgd_step", "wrong-sign rate-misapplied", f"{RATE} * g", f"{RATE} * np.sign(g)"
    ),
    Mutant(
        "step-from-the-weight-before-its-own",
        "sgd_step",
        "absent-gradient",
        "zip(weights, gradients, strict=True)",
        "zip([*weights[:1], *weights[:-1]], gradients, strict=True)",
    ),
    Mutant(
        "step-of-the-last-element-forgotten",
        "sgd_step",
        "tail-mishandled",
        STEP,
        f"np.where(np.arange(w.size).reshape(w.shape) == max(2, w.size - 1), weight, {STEP})",
    ),
    Mutant(
        "absent-makes-the-weight-zero",
        "sgd_step",
        "absent-gradient",
        "            return weight\n",
        "            return np.zeros_like(weight)\n",
    ),
    Mutant(
        "absent-decays-the-weight",
        "sgd_step",
        "absent-gradient",
        "            return weight\n",
        "            return (weight * weight.dtype.type(1 - learning_rate)).astype(weight.dtype)\n",
    ),
    Mutant(
        "absent-shifts-the-gradients",
        "sgd_step",
        "absent-gradient",
        "zip(weights, gradients, strict=True)",
        "zip(weights, [g for g in gradients if g is not None], strict=False)",
    ),
    Mutant(
        "nan-skips-the-element", "sgd_step", "nan-swallowed", f"{RATE} * g", f"{RATE} * np.where(np.isnan(g), 0, g)"
    ),
    Mutant(
        "nan-skips-the-step",
        "sgd_step",
        "nan-swallowed",
        f"return {STEP}",
        f"return weight if np.isnan(g).any() else {STEP}",
    ),
    Mutant(
        "infinity-made-finite",
        "sgd_step",
        "infinity-mishandled",
        f"{RATE} * g",
        f"{RATE} * np.clip(g, -1e4, 1e4).astype(w.dtype)",
    ),
    Mutant(
        "weight-in-float32",
        "sgd_step",
        "wrong-dtype",
        STEP,
        STEP.replace(".astype(weight.dtype)", ""),
        unseen=NOTHING_IS_HALF,
    ),
    Mutant(
        "weight-in-float64",
        "sgd_step",
        "wrong-dtype",
        STEP,
        STEP.replace("weight.dtype", "np.float64"),
        unseen=IT_IS_FLOAT64,
    ),
    Mutant(
        "weight-of-a-scalar-becomes-a-vector",
        "sgd_step",
        "wrong-shape",
        f"return {STEP}",
        f"return np.atleast_1d({STEP})",
        unseen=ONLY_FLOAT32_SHAPES,
    ),
    Mutant(
        "step-needs-an-element",
        "sgd_step",
        "wrong-shape",
        f"return {STEP}",
        f"return {STEP} if not np.max(np.abs(g)) == 0 else weight",
        unseen=ONLY_FLOAT32_SHAPES,
    ),
    Mutant(
        "gradient-scaled-in-place",
        "sgd_step",
        "input-changed",
        f"{RATE} * g",
        f"np.multiply(g, {RATE}, out=g)",
        unseen=COPIED_HALVES,
    ),
    Mutant(
        "default-rate-of-0.001",
        "sgd_step",
        "default-learning-rate-0.001",
        '"learning_rate": 0.01',
        '"learning_rate": 0.001',
        unseen=NO_HALF_DEFAULTS,
        dialect="default-learning-rate-0.001",
    ),
    Mutant(
        "default-rate-of-0.1",
        "sgd_step",
        "other-default",
        '"learning_rate": 0.01',
        '"learning_rate": 0.1',
        unseen=NO_HALF_DEFAULTS,
    ),
)


def _clipped(name: str, operation: str, attribute: str) -> tuple[Mutant, ...]:
    call = f"gradients = {operation}(gradients, {attribute}={name})"
    condition = f"if {name} is not None:"
    label = name.replace("_", "-")
    return (
        Mutant(
            f"step-clipped-by-{label}",
            "sgd_step",
            "clip-after-step",
            call,
            call.replace(f"={name}", f"={name} / learning_rate"),
        ),
        Mutant(
            f"{label}-scaled-by-the-rate",
            "sgd_step",
            "clip-after-step",
            call,
            call.replace(f"={name}", f"={name} * learning_rate"),
        ),
        Mutant(f"{label}-ignored", "sgd_step", "clip-ignored", condition, "if False:"),
        Mutant(
            f"weights-clipped-by-{label}",
            "sgd_step",
            "clip-after-step",
            call,
            call.replace("gradients = ", "weights = ").replace("(gradients,", "(weights,"),
        ),
        Mutant(
            f"{label}-zero-is-off",
            "sgd_step",
            "threshold-zero-is-off",
            condition,
            f"if {name}:",
            dialect="threshold-zero-is-off",
        ),
        Mutant(
            f"{label}-twice-the-threshold",
            "sgd_step",
            "wrong-threshold",
            call,
            call.replace(f"={name}", f"=2 * {name}"),
        ),
    )


CLIPPED = (
    Mutant(
        "step-with-an-epsilon-in-the-scale",
        "sgd_step",
        "clip-denominator-epsilon",
        "(w.dtype.type(limit) / size)",
        "(w.dtype.type(limit) / (size + w.dtype.type(1e-6)))",
        unseen=dict.fromkeys(HALVES, "the step rounds by more"),
        dialect="clip-denominator-epsilon",
    ),
    *_clipped("clipvalue", "clip_by_value", "clipvalue"),
    *_clipped("clipnorm", "clip_by_norm", "clipnorm"),
    *_clipped("global_clipnorm", "clip_by_global_norm", "clipnorm"),
    Mutant(
        "clipnorm-taken-globally",
        "sgd_step",
        "global-norm",
        "gradients = clip_by_norm(",
        "gradients = clip_by_global_norm(",
        dialect="global-norm",
    ),
    Mutant(
        "global-clipnorm-taken-for-each",
        "sgd_step",
        "norm-order",
        "gradients = clip_by_global_norm(",
        "gradients = clip_by_norm(",
    ),
    Mutant(
        "clipvalue-taken-as-a-norm",
        "sgd_step",
        "norm-order",
        "gradients = clip_by_value(gradients, clipvalue=",
        "gradients = clip_by_norm(gradients, clipnorm=",
    ),
    Mutant(
        "clipnorm-taken-as-a-value",
        "sgd_step",
        "norm-order",
        "gradients = clip_by_norm(gradients, clipnorm=",
        "gradients = clip_by_value(gradients, clipvalue=",
    ),
)

MUTANTS = PLAIN + CLIPPED
