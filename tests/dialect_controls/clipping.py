"""Controls of the dialects of clipping and of the SGD step."""

from __future__ import annotations

from mutants.mutant import BESIDE_FLOAT32, HALVES

from .control import Control

LIMIT = "        limit = gradient.dtype.type(clipvalue)\n"
EACH = "[None if g is None else shrink(g, clipnorm, norm([g])) for g in map(dense, gradients)]"
BY_VALUE = "[None if g is None else clip(g) for g in map(dense, gradients)]"
LARGEST = "    largest = np.max("
SHRINK = "    w = working(gradient)\n    if not np.isnan(size)"
STEP = "        return (w - w.dtype.type(learning_rate) * g).astype(weight.dtype)\n"
TOGETHER = "    arrays = [dense(g) for g in gradients]\n"
SCALED_TOGETHER = "[None if a is None else shrink(a, clipnorm, size) for a in arrays]"
# The squares of float16 over- and underflow in float16, those of bfloat16 in float32.
OWN = "    own = flat.astype(arrays[0].dtype) if arrays and arrays[0].dtype == np.float16 else flat\n"
PRODUCTS = "(gradient if gradient.dtype == np.float16 else w) * gradient.dtype.type(limit)"
OVERFLOWS = "np.isinf(np.sum(own * own)) and np.isfinite(flat).all()"
# A norm that overflowed is not the norm of an infinite gradient.
OVERFLOW = ("def norm(arrays):", "class Overflow(float):\n    pass\n\n\ndef norm(arrays):")
EVERY_SCALED = (
    "def dense(gradient):",
    "def values(gradient):\n"
    "    return gradient.values if isinstance(gradient, SparseGradient) else gradient\n\n\n"
    "def rowwise(function, gradient):\n"
    "    if not isinstance(gradient, SparseGradient):\n"
    "        return None if gradient is None else function(gradient)\n"
    "    rows = function(working(gradient.values))\n"
    "    total = dense(SparseGradient(gradient.indices, rows, gradient.dense_shape))\n"
    "    return total.astype(gradient.values.dtype)\n\n\n"
    "def dense(gradient):",
)
ORDINARY = {"sgd_step": "the step is asked with gradients of ordinary sizes alone"}


def _shrinks(condition: str, factor: str) -> tuple[str, str]:
    """Return the change that multiplies a gradient with a factor under a condition."""
    scaled = f"        return (w * w.dtype.type({factor})).astype(gradient.dtype)\n"
    return SHRINK, SHRINK.replace("    if not", f"    if {condition}:\n{scaled}    if not")


def _norm_is(result: str, condition: str) -> tuple[str, str]:
    """Return the change that sets the norm to a result under a condition."""
    return LARGEST, f"{OWN}    if {condition}:\n        return {result}\n{LARGEST}"


def _all_absent(function: str) -> tuple[str, str]:
    """Return the change that lets a function refuse gradients that are all absent."""
    start = f"def {function}(gradients, *, clip{'value' if function == 'clip_by_value' else 'norm'}):\n"
    raised = '    if all(g is None for g in gradients):\n        raise ValueError("nested_tensorlist")\n'
    return start, start + raised


CONTROLS = (
    Control(
        "threshold-zero-is-off",
        [(LIMIT, f"        if clipvalue == 0:\n            return gradient\n{LIMIT}"), _shrinks("limit == 0", "1")],
    ),
    Control(
        "sparse-rows-apart",
        [
            EVERY_SCALED,
            (BY_VALUE, "[rowwise(clip, g) for g in gradients]"),
            (EACH, "[rowwise(lambda v: shrink(v, clipnorm, norm([v])), g) for g in gradients]"),
            (TOGETHER, "    arrays = [values(g) for g in gradients]\n"),
            (SCALED_TOGETHER, "[rowwise(lambda v: shrink(v, clipnorm, size), g) for g in gradients]"),
        ],
        {"sgd_step": "no row is listed twice where a clip comes before the step"},
    ),
    Control("float32-learning-rate", [("w.dtype.type(learning_rate)", "w.dtype.type(np.float32(learning_rate))")]),
    Control("global-norm", [(EACH, 'clip_by_global_norm(gradients, clipnorm=clipnorm)["gradients"]')]),
    Control(
        "clip-denominator-epsilon",
        [_shrinks("True", "np.minimum(w.dtype.type(limit) / (size + w.dtype.type(1e-6)), 1)")],
        {f"sgd_step/{half}": "the step rounds by more than the epsilon changes it" for half in HALVES},
    ),
    Control(
        "norm-overflow-to-zero",
        [OVERFLOW, _norm_is("Overflow(np.inf)", OVERFLOWS), _shrinks("isinstance(size, Overflow)", "0")],
        ORDINARY,
    ),
    Control(
        "norm-overflow-to-nan",
        [OVERFLOW, _norm_is("Overflow(np.inf)", OVERFLOWS), _shrinks("isinstance(size, Overflow)", "np.nan")],
        ORDINARY,
    ),
    Control("norm-underflow", [_norm_is("flat.dtype.type(0)", "not np.any(own * own)")], ORDINARY),
    Control(
        "clip-product-underflow",
        [_shrinks(f"not np.any({PRODUCTS})", "0")],
        ORDINARY,
    ),
    Control("infinite-norm-to-nan", [_shrinks("not np.isfinite(size)", "np.nan")]),
    Control("zero-by-zero-norm", [_shrinks("limit == 0 and size == 0", "np.nan")]),
    Control("infinite-threshold-to-nan", [_shrinks("np.isinf(limit)", "np.nan")]),
    Control(
        "rejects-sparse-gradient",
        [
            (
                "    total = np.zeros(gradient.",
                '    raise ValueError("sparse gradients")\n    total = np.zeros(gradient.',
            )
        ],
    ),
    Control(
        "rejects-all-absent",
        [_all_absent(f"clip_by_{rule}") for rule in ("value", "norm", "global_norm")],
        dict.fromkeys(BESIDE_FLOAT32, "a list without any gradient is asked in float32 alone"),
    ),
    Control(
        "rejects-absent-gradient",
        [("            return weight\n", '            raise TypeError("unsupported operand type: NoneType")\n')],
    ),
    Control("default-learning-rate-0.001", [('{"learning_rate": 0.01}', '{"learning_rate": 0.001}')]),
    Control(
        "blocks-not-stepped",
        [
            (
                STEP,
                STEP.replace("return", "stepped =")
                + "        whole = weight.size // 32 * 32 if weight.dtype.itemsize == 2 else 0\n"
                "        stepped.ravel()[:whole] = weight.ravel()[:whole]\n"
                "        return stepped\n",
            )
        ],
    ),
)
