"""The dialects: which keyword of ``variants`` each is, where it applies, and which combinations exist.

What a dialect means for a user, its source and its remedy stand in spec/dialects.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .bounds import HALF

NORMS = ("clip_by_norm", "clip_by_global_norm", "sgd_step")


@dataclass(frozen=True)
class Dialect:
    """A named way to differ from a clause.

    Attributes:
        operations: where it can occur.
        keywords: what ``variants`` is given to compute it.
        accuracy: it keeps the exact value and widens the bound; else it prescribes another value.
        dtypes: the only dtypes in which it can be seen; all of them when empty.
        defaults_only: it is a default number that differs, seen where the user sets nothing.
    """

    operations: tuple[str, ...]
    keywords: dict[str, Any]
    accuracy: bool = False
    dtypes: tuple[str, ...] = ()
    defaults_only: bool = False


DIALECTS: dict[str, Dialect] = {
    "gradient-one-at-zero": Dialect(("relu",), {"slope_at_zero": 1.0}),
    "gradient-half-at-zero": Dialect(("relu",), {"slope_at_zero": 0.5}),
    "masked-product-gradient": Dialect(("relu",), {"masked_product": True}),
    "nan-becomes-zero": Dialect(("relu",), {"nan_is_zero": True}),
    "subnormal-passes": Dialect(("relu",), {"subnormal_passes": True}),
    "nan-gradient-passes": Dialect(("elu",), {"nan_passes": True}),
    "exp-minus-one": Dialect(("elu",), {"exp_minus_one": True}, accuracy=True),
    "gradient-from-output": Dialect(("elu",), {"from_output": True}, accuracy=True),
    "half-precision-arithmetic": Dialect(
        ("elu", "batch_norm_train", "batch_norm_eval", "clip_by_norm", "clip_by_global_norm"),
        {"half": True},
        accuracy=True,
        dtypes=HALF,
    ),
    "sequential-accumulation": Dialect(
        ("batch_norm_train", "batch_norm_eval", *NORMS), {"sequential": True}, accuracy=True
    ),
    "unbiased-running-variance": Dialect(("batch_norm_train",), {"unbiased": True}),
    "nan-for-empty-batch": Dialect(("batch_norm_train",), {"empty_is_nan": True}),
    "reciprocal-cube-overflow": Dialect(("batch_norm_train",), {"cube_overflow": True}, dtypes=("float16",)),
    "statistics-in-input-dtype": Dialect(("batch_norm_train",), {"statistics": "input"}, dtypes=HALF),
    "statistics-in-float32": Dialect(("batch_norm_train",), {"statistics": "float32"}, dtypes=HALF),
    "single-pass-variance": Dialect(("batch_norm_train",), {"single_pass": True}, accuracy=True),
    "default-epsilon-1e-5": Dialect(("batch_norm_train", "batch_norm_eval"), {"epsilon": 1e-5}, defaults_only=True),
    "default-momentum-0.9": Dialect(("batch_norm_train",), {"momentum": 0.9}, defaults_only=True),
    "default-momentum-0": Dialect(("batch_norm_train",), {"momentum": 0.0}, defaults_only=True),
    "default-learning-rate-0.001": Dialect(("sgd_step",), {"learning_rate": 0.001}, defaults_only=True),
    "float32-learning-rate": Dialect(("sgd_step",), {"float32_rate": True}, dtypes=("float64",)),
    "blocks-not-stepped": Dialect(("sgd_step",), {"blocks_stay": True}, dtypes=HALF),
    "sparse-rows-apart": Dialect(("clip_by_value", *NORMS), {"rows_apart": True}),
    "threshold-zero-is-off": Dialect(("clip_by_value", *NORMS), {"zero_is_off": True}),
    "global-norm": Dialect(("clip_by_norm", "sgd_step"), {"everywhere": True}),
    "clip-denominator-epsilon": Dialect(NORMS, {"denominator": 1e-6}),
    "norm-overflow-to-zero": Dialect(NORMS, {"overflow": "zero"}),
    "norm-overflow-to-nan": Dialect(NORMS, {"overflow": "nan"}),
    "norm-underflow": Dialect(NORMS, {"underflow": True}),
    "clip-product-underflow": Dialect(NORMS, {"product_underflow": True}),
    "infinite-norm-to-nan": Dialect(NORMS, {"infinite_is_nan": True}),
    "zero-by-zero-norm": Dialect(NORMS, {"zero_by_zero": True}),
    "infinite-threshold-to-nan": Dialect(NORMS, {"infinite_limit_is_nan": True}),
}

# What implementations were found to combine.
COMBINATIONS: tuple[tuple[str, ...], ...] = (
    ("unbiased-running-variance", "single-pass-variance"),
    ("unbiased-running-variance", "half-precision-arithmetic"),
    ("single-pass-variance", "half-precision-arithmetic"),
    ("default-epsilon-1e-5", "single-pass-variance"),
    ("default-momentum-0.9", "unbiased-running-variance"),
    ("default-momentum-0", "unbiased-running-variance"),
    ("single-pass-variance", "sequential-accumulation"),
    ("exp-minus-one", "half-precision-arithmetic"),
    ("gradient-from-output", "half-precision-arithmetic"),
    ("global-norm", "clip-denominator-epsilon"),
    ("global-norm", "infinite-norm-to-nan"),
    ("clip-denominator-epsilon", "sequential-accumulation"),
    ("global-norm", "half-precision-arithmetic"),
    ("global-norm", "clip-denominator-epsilon", "half-precision-arithmetic"),
    ("statistics-in-input-dtype", "half-precision-arithmetic"),
    ("statistics-in-float32", "half-precision-arithmetic"),
    ("statistics-in-float32", "single-pass-variance"),
    ("sparse-rows-apart", "half-precision-arithmetic"),
    ("nan-gradient-passes", "gradient-from-output"),
    ("nan-gradient-passes", "half-precision-arithmetic"),
    ("nan-gradient-passes", "gradient-from-output", "half-precision-arithmetic"),
    ("default-learning-rate-0.001", "float32-learning-rate"),
)


@dataclass(frozen=True)
class Variant:
    """A dialect or a combination that may be tried on an operation: its name, keywords and nature."""

    name: str
    parts: tuple[str, ...]
    keywords: dict[str, Any]
    accuracy: bool


def variants_of(operation: str, *, dtype: str, defaults: bool) -> Iterator[Variant]:
    """Yield the dialects of an operation, and the combinations of them, for a dtype and kind of vector.

    Args:
        operation: its name.
        dtype: of the vector.
        defaults: whether the vector leaves the attributes out.
    """
    for parts in (*((name,) for name in DIALECTS), *COMBINATIONS):
        dialects = [DIALECTS[part] for part in parts]
        if not all(operation in d.operations for d in dialects):
            continue
        if any(d.dtypes and dtype not in d.dtypes for d in dialects):
            continue
        if any(d.defaults_only and not defaults for d in dialects):
            continue
        keywords = {k: v for d in dialects for k, v in d.keywords.items()}
        yield Variant("+".join(parts), parts, keywords, any(d.accuracy for d in dialects))
