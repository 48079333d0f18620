"""Every dialect: its kind, the operations that it occurs in, and the place that computes it.

spec/dialects.yaml describes the same dialects to users: summary, source, consequence and remedy. ``HOMES`` names the
place that computes each kind. The name of a combination is that of its parts, joined by ``+``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .bounds import HALF

Kind = Literal["semantic", "accuracy", "law", "error", "position"]

# The object below the package that computes the dialects of each kind.
HOMES: Mapping[Kind, str] = {
    # Keyword arguments of each operation's function: another value, or the exact value with a wider bound.
    "semantic": "reference.variants.OPERATIONS",
    "accuracy": "reference.variants.OPERATIONS",
    # Another law of a random sample, by the dialect's name.
    "law": "reference.laws.law_dialects",
    # An exception instead of a value; the registry holds the pattern of its message.
    "error": "reference.dialects.DIALECTS",
    # A value that depends on an element's position: it shows in the outputs alone, and no vector prescribes it.
    "position": "conformance.judging.position_dependence.dependence",
}

NORMS = ("clip_by_norm", "clip_by_global_norm", "sgd_step")
CLIPS = ("clip_by_value", "clip_by_norm", "clip_by_global_norm")
INITIALIZERS = ("he_normal", "he_uniform")


@dataclass(frozen=True)
class Dialect:
    """A named way to differ from a clause.

    Attributes:
        kind: semantic (another value), accuracy (the exact value with a wider bound), law (another law of a random
            sample), error (an exception) or position (equal elements with unequal results).
        operations: the names of the operations in which it can occur.
        keywords: the arguments of ``variants`` that compute it; none unless the kind is semantic or accuracy.
        pattern: a regular expression for the exception's message; "" unless the kind is error.
        dtypes: the only dtypes in which it can be seen; all of them when empty.
        defaults_only: it is a default number that differs, seen where the user sets nothing.
    """

    kind: Kind
    operations: tuple[str, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)
    pattern: str = ""
    dtypes: tuple[str, ...] = ()
    defaults_only: bool = False

    @property
    def accuracy(self) -> bool:
        """True if it keeps the exact value and widens the bound."""
        return self.kind == "accuracy"

    @property
    def home(self) -> str:
        """The dotted name, below the package, of the object that computes it."""
        return HOMES[self.kind]


DIALECTS: dict[str, Dialect] = {
    "gradient-one-at-zero": Dialect("semantic", ("relu",), {"slope_at_zero": 1.0}),
    "gradient-half-at-zero": Dialect("semantic", ("relu",), {"slope_at_zero": 0.5}),
    "masked-product-gradient": Dialect("semantic", ("relu",), {"masked_product": True}),
    "nan-becomes-zero": Dialect("semantic", ("relu",), {"nan_is_zero": True}),
    "subnormal-passes": Dialect("semantic", ("relu",), {"subnormal_passes": True}),
    "nan-gradient-passes": Dialect("semantic", ("elu",), {"nan_passes": True}),
    "exp-minus-one": Dialect("accuracy", ("elu",), {"exp_minus_one": True}),
    "gradient-from-output": Dialect("accuracy", ("elu",), {"from_output": True}),
    "half-precision-arithmetic": Dialect(
        "accuracy",
        ("elu", "batch_norm_train", "batch_norm_eval", "clip_by_norm", "clip_by_global_norm"),
        {"half": True},
        dtypes=HALF,
    ),
    "sequential-accumulation": Dialect(
        "accuracy", ("batch_norm_train", "batch_norm_eval", *NORMS), {"sequential": True}
    ),
    "unbiased-running-variance": Dialect("semantic", ("batch_norm_train",), {"unbiased": True}),
    "nan-for-empty-batch": Dialect("semantic", ("batch_norm_train",), {"empty_is_nan": True}),
    "reciprocal-cube-overflow": Dialect(
        "semantic", ("batch_norm_train",), {"cube_overflow": True}, dtypes=("float16",)
    ),
    "statistics-in-input-dtype": Dialect("semantic", ("batch_norm_train",), {"statistics": "input"}, dtypes=HALF),
    "statistics-in-float32": Dialect("semantic", ("batch_norm_train",), {"statistics": "float32"}, dtypes=HALF),
    "single-pass-variance": Dialect("accuracy", ("batch_norm_train",), {"single_pass": True}),
    "default-epsilon-1e-5": Dialect(
        "semantic", ("batch_norm_train", "batch_norm_eval"), {"epsilon": 1e-5}, defaults_only=True
    ),
    "default-momentum-0.9": Dialect("semantic", ("batch_norm_train",), {"momentum": 0.9}, defaults_only=True),
    "default-momentum-0": Dialect("semantic", ("batch_norm_train",), {"momentum": 0.0}, defaults_only=True),
    "default-learning-rate-0.001": Dialect("semantic", ("sgd_step",), {"learning_rate": 0.001}, defaults_only=True),
    "float32-learning-rate": Dialect("semantic", ("sgd_step",), {"float32_rate": True}, dtypes=("float64",)),
    "blocks-not-stepped": Dialect("semantic", ("sgd_step",), {"blocks_stay": True}, dtypes=HALF),
    "sparse-rows-apart": Dialect("semantic", ("clip_by_value", *NORMS), {"rows_apart": True}),
    "threshold-zero-is-off": Dialect("semantic", ("clip_by_value", *NORMS), {"zero_is_off": True}),
    "global-norm": Dialect("semantic", ("clip_by_norm", "sgd_step"), {"everywhere": True}),
    "clip-denominator-epsilon": Dialect("semantic", NORMS, {"denominator": 1e-6}),
    "norm-overflow-to-zero": Dialect("semantic", NORMS, {"overflow": "zero"}),
    "norm-overflow-to-nan": Dialect("semantic", NORMS, {"overflow": "nan"}),
    "norm-underflow": Dialect("semantic", NORMS, {"underflow": True}),
    "clip-product-underflow": Dialect("semantic", NORMS, {"product_underflow": True}),
    "infinite-norm-to-nan": Dialect("semantic", NORMS, {"infinite_is_nan": True}),
    "zero-by-zero-norm": Dialect("semantic", NORMS, {"zero_by_zero": True}),
    "infinite-threshold-to-nan": Dialect("semantic", NORMS, {"infinite_limit_is_nan": True}),
    "untruncated-normal": Dialect("law", ("he_normal",)),
    "uncorrected-truncation": Dialect("law", ("he_normal",)),
    "shape-only-fan": Dialect("law", INITIALIZERS),
    "few-bit-draws": Dialect("law", INITIALIZERS, dtypes=HALF),
    "half-precision-scale": Dialect("law", INITIALIZERS, dtypes=HALF),
    "float32-scale": Dialect("law", INITIALIZERS, dtypes=("float64",)),
    "initializer-repeats": Dialect("law", INITIALIZERS),
    "default-uniform-inverse-sqrt-fan": Dialect("law", INITIALIZERS, defaults_only=True),
    "default-glorot-uniform": Dialect("law", INITIALIZERS, defaults_only=True),
    "default-lecun-normal": Dialect("law", INITIALIZERS, defaults_only=True),
    "default-standard-normal": Dialect("law", INITIALIZERS, defaults_only=True),
    "default-uniform-0.05": Dialect("law", INITIALIZERS, defaults_only=True),
    "default-normal-by-features": Dialect("law", INITIALIZERS, defaults_only=True),
    "rejects-negative-alpha-in-place": Dialect("error", ("elu",), pattern="negative slope"),
    "rejects-single-element": Dialect("error", ("batch_norm_train",), pattern="more than 1 value per channel"),
    "rejects-zero-epsilon": Dialect("error", ("batch_norm_train",), pattern="eps must be positive"),
    "rejects-sparse-gradient": Dialect("error", (*CLIPS, "sgd_step"), pattern="Sparse|sparse gradients"),
    "rejects-all-absent": Dialect("error", CLIPS, pattern="nested_tensorlist"),
    "rejects-absent-gradient": Dialect("error", ("sgd_step",), pattern="unsupported operand type.*NoneType"),
    "rejects-no-outputs": Dialect("error", INITIALIZERS, pattern="ZeroDivisionError|expected a positive integer"),
    "position-dependent": Dialect("position", ("relu", "elu", "clip_by_value")),
}

# Combinations that implementations have.
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
    """A dialect, or a combination of dialects, that an operation can have: its name, parts, keywords and kind."""

    name: str
    parts: tuple[str, ...]
    keywords: dict[str, Any]
    accuracy: bool


def variants_of(operation: str, *, dtype: str, defaults: bool) -> Iterator[Variant]:
    """Yield the dialects of an operation, and the combinations of them, for a dtype and kind of vector.

    Args:
        operation: its name.
        dtype: of the vector.
        defaults: the vector leaves the attributes out.
    """
    computed = ((name,) for name, dialect in DIALECTS.items() if dialect.keywords)
    for parts in (*computed, *COMBINATIONS):
        dialects = [DIALECTS[part] for part in parts]
        if not all(operation in d.operations for d in dialects):
            continue
        if any(d.dtypes and dtype not in d.dtypes for d in dialects):
            continue
        if any(d.defaults_only and not defaults for d in dialects):
            continue
        keywords = {k: v for d in dialects for k, v in d.keywords.items()}
        yield Variant("+".join(parts), parts, keywords, any(d.accuracy for d in dialects))
