"""Controls of the dialects of ReLU and ELU."""

from __future__ import annotations

from mutants.mutant import HALVES

from .control import Control

Y = '"y": np.maximum(x, x.dtype.type(0))'
DX = "np.where(x > 0, dy, dy.dtype.type(0))"
# ml_dtypes knows bfloat16 too.
TINY = ("import numpy as np\n", "import ml_dtypes\nimport numpy as np\n")
SELECTED = "dx = np.where(w > 0, working(dy),"
Y_EXACT = "np.where(w > 0, w, a * np.expm1(negative))"
# One bit less is inside the bound.
LAST_APART = (
    "    last = np.arange(w.size).reshape(w.shape) == w.size - 1\n"
    "    y = np.where(last & (w < 0) & (y < -0.1 * np.abs(a)), np.nextafter(y, y.dtype.type(0)), y)\n"
)

CONTROLS = (
    Control("gradient-one-at-zero", [(DX, DX.replace("x > 0", "x >= 0"))]),
    Control(
        "gradient-half-at-zero",
        [(DX, "np.where(x > 0, dy, np.where(x == 0, dy * dy.dtype.type(0.5), dy.dtype.type(0)))")],
    ),
    Control("masked-product-gradient", [(DX, "dy * (x > 0).astype(dy.dtype)")]),
    Control("nan-becomes-zero", [(Y, '"y": np.where(x > 0, x, x.dtype.type(0))')]),
    Control(
        "subnormal-passes",
        [TINY, (Y, f'"y": np.where(np.abs(x) < ml_dtypes.finfo(x.dtype).smallest_normal, x, {Y.partition(": ")[2]})')],
    ),
    Control("nan-gradient-passes", [(SELECTED, SELECTED.replace("w > 0", "(w > 0) | np.isnan(w)"))]),
    Control("exp-minus-one", [("a * np.expm1(negative)", "a * (np.exp(negative) - 1)")]),
    Control("gradient-from-output", [("(a * np.exp(negative))", "(y + a)")]),
    Control(
        "position-dependent",
        [(f"    y = {Y_EXACT}\n", f"    y = {Y_EXACT}\n{LAST_APART}")],
        {
            **dict.fromkeys(HALVES, "what differs in float32 is rounded away"),
            **dict.fromkeys(("relu", "clip_by_value"), "no result is rounded, so another one is wrong"),
        },
    ),
    Control(
        "rejects-negative-alpha-in-place",
        [(f"    y = {Y_EXACT}", f'    if a < 0:\n        raise ValueError("negative slope")\n    y = {Y_EXACT}')],
    ),
)
