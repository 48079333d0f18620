"""Mutants of the laws of he_normal and he_uniform."""

from __future__ import annotations

from .mutant import BESIDE_FLOAT32, HALVES, Mutant

NORMAL = "he_normal"
UNIFORM = "he_uniform"
DEVIATION = "math.sqrt(2 / fan(shape"
LIMIT = "limit = math.sqrt(6 / fan(shape"
REDRAW = (
    "while (outside := np.abs(sample) > 2).any():\n"
    "        sample[outside] = stream.standard_normal(int(outside.sum()))\n"
)
NORMAL_SAMPLE = "(sample * deviation / 0.87962566103423978).astype(dtype)"
UNIFORM_SAMPLE = "np.random.default_rng(seed).uniform(-limit, limit, shape).astype(dtype)"

NORMAL_STREAM = "stream, deviation = np.random.default_rng(seed)"
ONLY_FLOAT32_LAYERS = dict.fromkeys(BESIDE_FLOAT32, "several kernels of one initializer are asked in float32 alone")
ONLY_FLOAT32_EXTREMES = dict.fromkeys(BESIDE_FLOAT32, "the extremes of a long sample are asked in float32 alone")

NORMALS = (
    Mutant("normal-gain-of-1", NORMAL, "gain-forgotten", DEVIATION, "math.sqrt(1 / fan(shape"),
    Mutant("normal-gain-of-leaky-relu", NORMAL, "gain-forgotten", DEVIATION, "math.sqrt(2 / (1 + 0.2**2) / fan(shape"),
    Mutant(
        "normal-gain-off-by-a-hundred-thousandth",
        NORMAL,
        "wrong-deviation",
        NORMAL_SAMPLE,
        NORMAL_SAMPLE.replace("deviation", "1.00001 * deviation"),
        unseen=dict.fromkeys(HALVES, "elements of so few digits allow it"),
    ),
    Mutant("normal-gain-of-tanh", NORMAL, "wrong-gain", DEVIATION, "5 / 3 * math.sqrt(1 / fan(shape"),
    Mutant(
        "normal-deviation-not-rooted",
        NORMAL,
        "deviation-for-variance",
        "stream, deviation = np.random.default_rng(seed), math.sqrt(",
        "stream, deviation = np.random.default_rng(seed), float(",
    ),
    Mutant(
        "cut-not-corrected",
        NORMAL,
        "uncorrected-truncation",
        " / 0.87962566103423978",
        "",
        dialect="uncorrected-truncation",
    ),
    Mutant(
        "cut-corrected-by-the-variance", NORMAL, "wrong-truncation", "0.87962566103423978", "0.87962566103423978**2"
    ),
    Mutant("cut-at-three-deviations", NORMAL, "wrong-truncation", "np.abs(sample) > 2", "np.abs(sample) > 3"),
    Mutant(
        "cut-at-two-and-a-half-deviations-and-corrected",
        NORMAL,
        "wrong-truncation",
        f"{REDRAW}    return",
        f"{REDRAW.replace('> 2', '> 2.5')}    deviation *= 0.87962566103423978 / 0.95460\n    return",
    ),
    Mutant("cut-redrawn-once", NORMAL, "wrong-truncation", "while (outside", "if (outside"),
    Mutant("cut-by-clipping", NORMAL, "wrong-truncation", REDRAW, "sample = np.clip(sample, -2, 2)\n"),
    Mutant("cut-by-zeros", NORMAL, "wrong-truncation", REDRAW, "sample = np.where(np.abs(sample) > 2, 0, sample)\n"),
    Mutant("cut-on-one-side", NORMAL, "wrong-truncation", "np.abs(sample) > 2", "sample > 2"),
    Mutant("not-cut-and-widened", NORMAL, "wrong-truncation", REDRAW, "\n"),
    Mutant(
        "not-cut",
        NORMAL,
        "untruncated-normal",
        f'{REDRAW}    return {{"sample": {NORMAL_SAMPLE}',
        '\n    return {"sample": (sample * deviation).astype(dtype)',
        dialect="untruncated-normal",
    ),
    Mutant(
        "uniform-for-normal",
        NORMAL,
        "wrong-law",
        f"{REDRAW}    return",
        "sample = stream.uniform(-(3**0.5), 3**0.5, shape) * 0.87962566103423978\n    return",
    ),
    Mutant(
        "laplace-for-normal",
        NORMAL,
        "wrong-law",
        f"{REDRAW}    return",
        "sample = np.clip(stream.laplace(0, 0.5**0.5, shape), -2, 2)\n    return",
    ),
    Mutant(
        "normal-mean-shifted",
        NORMAL,
        "shifted-mean",
        NORMAL_SAMPLE,
        "((sample / 0.87962566103423978 + 0.04) * deviation).astype(dtype)",
    ),
    Mutant(
        "normal-of-positive-numbers",
        NORMAL,
        "shifted-mean",
        NORMAL_SAMPLE,
        "np.abs(sample * deviation / 0.87962566103423978).astype(dtype)",
    ),
    Mutant(
        "normal-repeats-a-row",
        NORMAL,
        "dependent-elements",
        "stream.standard_normal(shape)\n",
        "np.array(np.broadcast_to(stream.standard_normal(shape[1:]), shape))\n",
    ),
    Mutant(
        "normal-sample-in-float32",
        NORMAL,
        "wrong-dtype",
        NORMAL_SAMPLE,
        NORMAL_SAMPLE.replace("(dtype)", "(np.float32)"),
        unseen={"float32": "it is float32"},
    ),
    Mutant("normal-seed-ignored", NORMAL, "seed-ignored", NORMAL_STREAM, NORMAL_STREAM.replace("seed", "0")),
    Mutant("normal-not-repeatable", NORMAL, "not-repeatable", NORMAL_STREAM, NORMAL_STREAM.replace("seed", "")),
    Mutant(
        "normal-kernel-repeats",
        NORMAL,
        "initializer-repeats",
        f"{REDRAW}    return",
        f"{REDRAW}    if layers:\n        sample[1:] = sample[0]\n    return",
        unseen=ONLY_FLOAT32_LAYERS,
        dialect="initializer-repeats",
    ),
    Mutant(
        "cut-redrawn-until-few-are-left",
        NORMAL,
        "leaky-truncation",
        "while (outside := np.abs(sample) > 2).any():",
        "while (outside := np.abs(sample) > 2).mean() > 1e-6:",
        unseen=ONLY_FLOAT32_EXTREMES,
    ),
    Mutant(
        "cut-on-the-near-side-of-two-deviations",
        NORMAL,
        "leaky-truncation",
        "np.abs(sample) > 2)",
        "np.abs(sample) > 1.99996)",
        unseen=ONLY_FLOAT32_EXTREMES,
    ),
    Mutant("normal-sample-transposed", NORMAL, "wrong-shape", NORMAL_SAMPLE, f"{NORMAL_SAMPLE}.T"),
    Mutant("normal-sample-flat", NORMAL, "wrong-shape", NORMAL_SAMPLE, f"{NORMAL_SAMPLE}.ravel()"),
)

UNIFORMS = (
    Mutant("uniform-gain-of-1", UNIFORM, "gain-forgotten", LIMIT, "limit = math.sqrt(3 / fan(shape"),
    Mutant("uniform-gain-of-torch-layers", UNIFORM, "gain-forgotten", LIMIT, "limit = math.sqrt(1 / fan(shape"),
    Mutant(
        "uniform-gain-off-by-a-hundred-thousandth",
        UNIFORM,
        "wrong-deviation",
        LIMIT,
        LIMIT.replace("math", "0.99999 * math"),
        unseen=dict.fromkeys(HALVES, "elements of so few digits allow it"),
    ),
    Mutant("uniform-end-at-the-deviation", UNIFORM, "deviation-for-bound", LIMIT, "limit = math.sqrt(2 / fan(shape"),
    Mutant("uniform-end-not-rooted", UNIFORM, "deviation-for-variance", "limit = math.sqrt(6", "limit = float(6"),
    Mutant("uniform-from-0", UNIFORM, "shifted-mean", "uniform(-limit, limit, shape)", "uniform(0, limit, shape)"),
    Mutant(
        "uniform-mean-shifted",
        UNIFORM,
        "shifted-mean",
        "uniform(-limit, limit, shape)",
        "uniform(-limit * 0.96, limit, shape)",
    ),
    Mutant(
        "uniform-width-halved",
        UNIFORM,
        "deviation-for-bound",
        "uniform(-limit, limit, shape)",
        "uniform(-limit / 2, limit / 2, shape)",
    ),
    Mutant(
        "normal-for-uniform", UNIFORM, "wrong-law", "uniform(-limit, limit, shape)", "normal(0, limit / 3**0.5, shape)"
    ),
    Mutant(
        "triangular-for-uniform",
        UNIFORM,
        "wrong-law",
        "uniform(-limit, limit, shape)",
        "triangular(-limit, 0, limit, shape)",
    ),
    Mutant(
        "uniform-of-few-values",
        UNIFORM,
        "wrong-law",
        UNIFORM_SAMPLE,
        "(np.random.default_rng(seed).integers(-16, 17, shape) * limit / 16).astype(dtype)",
    ),
    Mutant(
        "uniform-repeats-a-row",
        UNIFORM,
        "dependent-elements",
        UNIFORM_SAMPLE,
        "np.array(np.broadcast_to(np.random.default_rng(seed).uniform(-limit, limit, shape[1:]), shape)).astype(dtype)",
    ),
    Mutant(
        "uniform-sample-in-float32",
        UNIFORM,
        "wrong-dtype",
        UNIFORM_SAMPLE,
        UNIFORM_SAMPLE.replace("(dtype)", "(np.float32)"),
        unseen={"float32": "it is float32"},
    ),
    Mutant("uniform-seed-ignored", UNIFORM, "seed-ignored", UNIFORM_SAMPLE, UNIFORM_SAMPLE.replace("seed", "0")),
    Mutant("uniform-not-repeatable", UNIFORM, "not-repeatable", UNIFORM_SAMPLE, UNIFORM_SAMPLE.replace("seed", "")),
    Mutant(
        "uniform-kernel-repeats",
        UNIFORM,
        "initializer-repeats",
        UNIFORM_SAMPLE,
        "np.array(np.broadcast_to(np.random.default_rng(seed).uniform(-limit, limit, shape[1:] if layers else shape), "
        "shape)).astype(dtype)",
        unseen=ONLY_FLOAT32_LAYERS,
        dialect="initializer-repeats",
    ),
    Mutant(
        "uniform-end-off-by-eight-in-a-million",
        UNIFORM,
        "leaky-truncation",
        LIMIT,
        LIMIT.replace("math", "(1 - 8e-6) * math"),
        unseen=ONLY_FLOAT32_EXTREMES,
    ),
    Mutant(
        "uniform-leaks-one-in-a-million",
        UNIFORM,
        "leaky-truncation",
        f'return {{"sample": {UNIFORM_SAMPLE}, "draws": draws}}',
        "sample = np.random.default_rng(seed).uniform(-limit, limit, shape)\n"
        "    sample.flat[500_000::1_000_000] = 1.01 * limit\n"
        '    return {"sample": sample.astype(dtype)}',
        unseen=ONLY_FLOAT32_EXTREMES,
    ),
    Mutant("uniform-sample-transposed", UNIFORM, "wrong-shape", UNIFORM_SAMPLE, f"{UNIFORM_SAMPLE}.T"),
)

MUTANTS = NORMALS + UNIFORMS
