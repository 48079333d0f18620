"""Controls of the dialects of batch normalization, and of those of working precision."""

from __future__ import annotations

from mutants.mutant import HALVES, ONLY_FLOAT32_DEFAULTS

from .control import Control

START = (
    "    axes, wide = channels(x, channel_axis)\n    w, g = working(x), working(dy)\n    real = w.dtype.type\n    m ="
)
TRAIN_DEFAULTS = '{"epsilon": 1e-3, "momentum": 0.99}'
EVAL_DEFAULTS = '{"epsilon": 1e-3})'
NOTED = [
    (f'"batch_{name}": {name}.astype(running_mean.dtype)', f'"batch_{name}": {name}.astype(HOW)')
    for name in ("mean", "variance")
]
DX = "    dx = wide(scale * r) * (g - wide(gb) - xh * wide(h))\n"
CUBE = (
    "    if x.dtype == np.float16:\n"
    "        d = -np.inf * scale * add(g * centred, axes)\n"
    "        dx = np.where(wide(r.astype(np.float64) ** 3 > 65504), w * wide(d) - wide(mean * d), dx)\n"
)
# In training, not in evaluation.
PARAMETERS = """{}
        outputs["dbeta"] = add(g, axes).astype(gamma.dtype)
    return outputs
"""
DGAMMA = 'outputs["dgamma"] = {}.astype(gamma.dtype)'
# The dtype of an array, float32 for half precision.
WIDE = "np.result_type(np.float32, {}.dtype)"


def _noted(expression: str) -> list[tuple[str, str]]:
    return [(old, new.replace("HOW", expression)) for old, new in NOTED]


def _rejects(condition: str, message: str) -> list[tuple[str, str]]:
    return [(START, f'    if {condition}:\n        raise ValueError("{message}")\n{START}')]


CONTROLS = (
    Control(
        "half-precision-arithmetic",
        [
            ("return a.astype(np.float32) if a.dtype.itemsize == 2 else a", "return a"),
            ("import numpy as np\n", "import ml_dtypes\nimport numpy as np\n"),
            ("np.finfo(w.dtype).max", "ml_dtypes.finfo(w.dtype).max"),
        ],
    ),
    Control(
        "unbiased-running-variance",
        [
            (
                '"running_variance": moved(running_variance, variance)',
                '"running_variance": moved(running_variance, variance * (m / (m - real(1))))',
            )
        ],
    ),
    Control(
        "nan-for-empty-batch",
        [
            (
                PARAMETERS.format(DGAMMA.format("add(g * xh, axes)")),
                PARAMETERS.format(DGAMMA.format("(add(g * xh, axes) + 0 / m)")),
            )
        ],
        dict.fromkeys(HALVES, "an empty batch is asked in float32 and float64 alone"),
    ),
    Control("reciprocal-cube-overflow", [(DX, f"{DX}{CUBE}")]),
    Control("statistics-in-input-dtype", _noted("x.dtype")),
    Control(
        "statistics-in-float32",
        [*_noted(WIDE.format("w")), (".astype(old.dtype)", f".astype({WIDE.format('old')})")],
    ),
    Control(
        "single-pass-variance",
        [
            (
                "variance = add(centred * centred, axes) / m",
                "variance = np.maximum(add(w * w, axes) / m - mean * mean, real(0))",
            )
        ],
    ),
    Control(
        "sequential-accumulation",
        [
            ("return np.sum(rows, axis=-1, dtype=a.dtype)", "return in_order(rows)"),
            ("np.sum(scaled * scaled, dtype=flat.dtype)", "in_order(scaled * scaled)"),
            (
                "def add(a, axes):",
                "def in_order(a):\n"
                "    if not a.shape[-1]:\n"
                "        return np.zeros(a.shape[:-1], a.dtype)\n"
                "    return np.add.accumulate(a, axis=-1, dtype=a.dtype)[..., -1]\n\n\n"
                "def add(a, axes):",
            ),
        ],
        {
            **dict.fromkeys(HALVES, "no sum of more than 4096 elements is asked in half precision"),
            **dict.fromkeys(("batch_norm_eval", "sgd_step"), "no sum of more than 4096 elements is asked of it"),
            "batch_norm_train/float64": "a million elements are asked of the clips alone",
        },
    ),
    Control(
        "default-epsilon-1e-5",
        [
            (TRAIN_DEFAULTS, TRAIN_DEFAULTS.replace("1e-3", "1e-5")),
            (EVAL_DEFAULTS, EVAL_DEFAULTS.replace("1e-3", "1e-5")),
        ],
        ONLY_FLOAT32_DEFAULTS,
    ),
    Control("default-momentum-0.9", [('"momentum": 0.99}', '"momentum": 0.9}')], ONLY_FLOAT32_DEFAULTS),
    Control("default-momentum-0", [('"momentum": 0.99}', '"momentum": 0.0}')], ONLY_FLOAT32_DEFAULTS),
    Control(
        "rejects-single-element",
        _rejects("x.size < 2 * x.shape[channel_axis]", "more than 1 value per channel"),
        {"float16": "a channel of one element is asked in bfloat16, float32 and float64"},
    ),
    Control("rejects-zero-epsilon", _rejects("epsilon == 0", "eps must be positive")),
)
