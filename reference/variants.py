"""Every operation as a vector asks it: exact outputs with their bounds, by name, and as the dialects have them.

A dialect is a keyword or two of these functions (``DIALECTS``), so that the combinations that implementations
have are the union of their keywords. Without a keyword a function gives what the clauses prescribe.
Inputs are exact Decimal arrays, or lists of them with None for an absent gradient; list outputs are named
``gradients[0]``, ``gradients[1]`` and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from . import activations, batch_norm, bounds, clipping, exact
from .exact import Array
from .rounding import FORMATS


class Output(NamedTuple):
    """One output: exact values, the bound b of each before it is stored, and the dtype that it is stored in."""

    values: Array
    bound: Array
    dtype: str


class Case(NamedTuple):
    """What an operation is asked.

    Attributes:
        inputs: exact arrays by name; a sparse gradient is the dense sum that it stands for.
        dtypes: of the inputs, by name.
        attributes: by name.
        rows: the rows of the sparse gradients, one array of indices and one of values, by place in the list.
    """

    inputs: Mapping[str, Any]
    dtypes: Mapping[str, str]
    attributes: Mapping[str, Any]
    rows: Mapping[int, tuple[Array, Array]] = {}


Outputs = dict[str, Output]


def _none(a: Array) -> Array:
    a = np.asarray(a)
    return exact.full(a.shape, 0.0, a)


def relu(
    case: Case,
    *,
    slope_at_zero: float = 0.0,
    masked_product: bool = False,
    nan_is_zero: bool = False,
    subnormal_passes: bool = False,
) -> Outputs:
    """ReLU; the dialects change the slope at 0, multiply dy with a mask, turn NaN into 0, or pass subnormals on.

    ``subnormal_passes``: the comparison takes a subnormal for 0, and x itself is then the result, also below 0.
    """
    x, dy = case.inputs["x"], case.inputs["dy"]
    y, dx = activations.relu(x), activations.relu_vjp(x, dy)
    if slope_at_zero:
        dx = np.where(x == 0, dy * exact.number(slope_at_zero, dy), dx)
    if masked_product:
        dx = np.asarray(dy * np.where(x > 0, exact.full(x.shape, 1.0, x), _none(x)), object)
    if nan_is_zero:
        y = np.where(exact.isnan(x), _none(x), y)
    if subnormal_passes:
        y = np.where(np.abs(x) < FORMATS[case.dtypes["x"]].smallest_normal, x, y)
    return {
        "y": Output(y, _none(y), case.dtypes["x"]),
        "dx": Output(dx, _none(dx), case.dtypes["x"]),
    }


def elu(
    case: Case,
    *,
    exp_minus_one: bool = False,
    from_output: bool = False,
    half: bool = False,
    nan_passes: bool = False,
) -> Outputs:
    """ELU; the accuracy dialects compute exp(x) - 1, or the gradient from y, or round to half throughout.

    ``nan_passes``: the gradient takes the branch x > 0 for a NaN, and is dy.
    """
    x, dy, alpha, dtype = *_pair(case), case.attributes["alpha"], case.dtypes["x"]
    p = bounds.storage(dtype) if half else bounds.working(dtype)
    y, dx = activations.elu(x, alpha=alpha), activations.elu_vjp(x, dy, alpha=alpha)
    if nan_passes:
        dx = np.where(exact.isnan(x), dy, dx)
    d_y = bounds.exp_minus_one(x, alpha, p) if exp_minus_one else bounds.elu(x, y, p)
    d_dx = bounds.gradient_from_output(x, dy, alpha, p) if from_output else bounds.elu_vjp(x, dx, p)
    return {"y": Output(y, d_y, dtype), "dx": Output(dx, d_dx, dtype)}


def _pair(case: Case) -> tuple[Array, Array]:
    return case.inputs["x"], case.inputs["dy"]


def batch_norm_train(
    case: Case,
    *,
    unbiased: bool = False,
    single_pass: bool = False,
    half: bool = False,
    epsilon: float | None = None,
    momentum: float | None = None,
    empty_is_nan: bool = False,
    statistics: str = "",
) -> Outputs:
    """Batch normalization in training, over one step or several.

    Args:
        case: x and dy are stacked on a leading axis when the attributes have ``steps``.
        unbiased: the running variance takes m / (m - 1) of the batch's.
        single_pass: the variance is mean(x^2) - mean(x)^2.
        half: everything is computed in the storage dtype.
        epsilon: instead of the attribute's.
        momentum: likewise.
        empty_is_nan: dgamma of an empty batch is NaN.
        statistics: the dtype of the statistics: ``input`` for that of x, ``float32``, or "" for the parameters'.
    """
    inputs, attributes = case.inputs, case.attributes
    epsilon = attributes["epsilon"] if epsilon is None else epsilon
    momentum = attributes["momentum"] if momentum is None else momentum
    kept, dtype = case.dtypes["running_mean"], case.dtypes["x"]
    noted = {"": kept, "input": dtype, "float32": "float32"}[statistics]
    p = bounds.storage(dtype) if half else bounds.working(dtype)
    running = [_Running(inputs[name], _none(inputs[name])) for name in ("running_mean", "running_variance")]
    several = "steps" in attributes
    made: list[Outputs] = []
    for x, dy in zip(inputs["x"], inputs["dy"], strict=True) if several else [_pair(case)]:
        s = bounds.moments(x, attributes["channel_axis"], p, single_pass=single_pass)
        step = _train_step(case, x, dy, s, epsilon, p, noted, single_pass=single_pass)
        if empty_is_nan and not x.size:
            step["dgamma"] = step["dgamma"]._replace(values=step["dgamma"].values * Decimal("nan"))
        made.append(step)
        m = Decimal(x.size // max(1, x.shape[attributes["channel_axis"]]))
        bessel = m / (m - 1) if unbiased else Decimal(1)
        news = (s.mean, s.d_mean), (s.variance * bessel, s.d_variance * bessel)
        ends = [old.after(new, d_new, momentum, p) for old, (new, d_new) in zip(running, news, strict=True)]
        # Between steps the statistics are stored.
        running = [_Running(end.value, end.error + p.us * exact.absolute(end.value)) for end in ends]
    result = _stacked(made) if several else made[0]
    if "gamma" not in inputs:
        del result["dgamma"], result["dbeta"]
    held = noted if statistics == "float32" else kept
    for name, end in zip(("running_mean", "running_variance"), ends, strict=True):
        result[name] = Output(end.value, end.error, held)
    return result


class _Running(NamedTuple):
    """A running statistic and its bound, shape (C,)."""

    value: Array
    error: Array

    def after(self, new: Array, d_new: Array, momentum: float, p: bounds.Precision) -> _Running:
        """Return it after a step towards ``new``, whose bound is ``d_new``."""
        return _Running(
            batch_norm.moving(self.value, new, momentum),
            bounds.moving(self.value, new, self.error, d_new, momentum, p),
        )


def _train_step(
    case: Case,
    x: Array,
    dy: Array,
    s: bounds.Statistics,
    epsilon: float,
    p: bounds.Precision,
    noted: str,
    *,
    single_pass: bool,
) -> Outputs:
    """Return the outputs of one training step but the running statistics."""
    axis, dtype, kept = case.attributes["channel_axis"], case.dtypes["x"], case.dtypes["running_mean"]
    gamma, beta = _affine(case.inputs, s.mean)
    n = bounds.Normalized.of(x, s, epsilon, axis, p)
    _, wide = batch_norm.channels(x, axis)
    # The running statistics do not enter y (BN-TRAIN-19).
    y = batch_norm.batch_norm_train(
        x, gamma, beta, s.mean, s.variance, epsilon=epsilon, momentum=1.0, channel_axis=axis
    ).y
    g = batch_norm.batch_norm_train_vjp(x, gamma, dy, epsilon=epsilon, channel_axis=axis)
    d = bounds.batch_norm_train_vjp(x, gamma, dy, s, epsilon, axis, p, single_pass=single_pass)
    return {
        "y": Output(y, n.affine(wide(gamma), wide(beta)), dtype),
        "batch_mean": Output(s.mean, s.d_mean, noted),
        "batch_variance": Output(s.variance, s.d_variance, noted),
        "dx": Output(g.dx, d.dx, dtype),
        "dgamma": Output(g.dgamma, d.dgamma, kept),
        "dbeta": Output(g.dbeta, d.dbeta, kept),
    }


def _stacked(steps: Sequence[Outputs]) -> Outputs:
    return {
        name: Output(
            np.stack([step[name].values for step in steps]),
            np.stack([step[name].bound for step in steps]),
            output.dtype,
        )
        for name, output in steps[0].items()
    }


def _affine(inputs: Mapping[str, Any], like: Array) -> tuple[Array, Array]:
    one = exact.full(like.shape, 1.0, like)
    return inputs.get("gamma", one), inputs.get("beta", one - one)


def batch_norm_eval(case: Case, *, half: bool = False, epsilon: float | None = None) -> Outputs:
    """Batch normalization in evaluation; ``half``: computed in the storage dtype; ``epsilon``: another one."""
    inputs, axis = case.inputs, case.attributes["channel_axis"]
    epsilon = case.attributes["epsilon"] if epsilon is None else epsilon
    (x, dy), mean, variance = _pair(case), inputs["running_mean"], inputs["running_variance"]
    gamma, beta = _affine(inputs, mean)
    kept, dtype = case.dtypes["running_mean"], case.dtypes["x"]
    p = bounds.storage(dtype) if half else bounds.working(dtype)
    s = bounds.given(mean, variance, p)
    _, wide = batch_norm.channels(x, axis)
    y = batch_norm.batch_norm_eval(x, gamma, beta, mean, variance, epsilon=epsilon, channel_axis=axis)
    g = batch_norm.batch_norm_eval_vjp(x, gamma, mean, variance, dy, epsilon=epsilon, channel_axis=axis)
    d = bounds.batch_norm_eval_vjp(x, gamma, dy, s, epsilon, axis, p)
    n = bounds.Normalized.of(x, s, epsilon, axis, p)
    result = {
        "y": Output(y, n.affine(wide(gamma), wide(beta)), dtype),
        "running_mean": Output(mean, _none(mean), kept),
        "running_variance": Output(variance, _none(variance), kept),
        "dx": Output(g.dx, d.dx, dtype),
    }
    if "gamma" in inputs:
        result["dgamma"] = Output(g.dgamma, d.dgamma, kept)
        result["dbeta"] = Output(g.dbeta, d.dbeta, kept)
    return result


def clip_by_value(case: Case, *, zero_is_off: bool = False, rows_apart: bool = False) -> Outputs:
    """Clipping by value; ``zero_is_off``: a threshold of 0 does nothing; ``rows_apart``: before rows are added."""
    gradients, limit = case.inputs["gradients"], case.attributes["clipvalue"]
    off = zero_is_off and limit == 0
    parts = _rows(case) if rows_apart else gradients
    values = parts if off else clipping.clip_by_value(parts, clipvalue=limit)
    if rows_apart:
        values = _summed(case, values)
    return _listed("gradients", values, [g if g is None else _none(g) for g in gradients], case)


def _rows(case: Case) -> list[Any]:
    """Return the gradients, the sparse ones as their rows, not added up."""
    return [case.rows[i][1] if i in case.rows else g for i, g in enumerate(case.inputs["gradients"])]


def _summed(case: Case, values: Sequence[Any]) -> list[Any]:
    """Return gradients of which the sparse ones are rows as dense arrays."""
    result = list(values)
    for i, (indices, _) in case.rows.items():
        total = _none(case.inputs["gradients"][i])
        for row, value in zip(indices, values[i], strict=True):
            total[row] = total[row] + value
        result[i] = total
    return result


def _listed(name: str, values: Sequence[Any], errors: Sequence[Any], case: Case) -> Outputs:
    return {
        f"{name}[{i}]": Output(v, e, case.dtypes["gradients"])
        for i, (v, e) in enumerate(zip(values, errors, strict=True))
        if v is not None
    }


class NormRules(NamedTuple):
    """How an implementation clips by norm; the defaults are the clauses'.

    Attributes:
        everywhere: one norm over all variables where the clause wants one a variable.
        denominator: added to the norm in the scale c / (n + denominator), which is then at most 1.
        zero_is_off: a threshold of 0 does nothing.
        overflow: what becomes of the gradients when the sum of squares overflows: "" (as the clause), "zero", "nan".
        underflow: squares that underflow are lost, so that the norm is 0 and nothing is clipped.
        product_underflow: the gradient is multiplied by the threshold first; products that underflow give 0.
        infinite_is_nan: an infinite norm makes every element NaN.
        zero_by_zero: a norm of 0 at a threshold of 0 gives NaN.
        infinite_limit_is_nan: an infinite threshold gives NaN.
        half: everything is computed in the storage dtype.
        rows_apart: the norm of a sparse gradient is that of its rows, before those of one index are added.
    """

    everywhere: bool = False
    denominator: float = 0.0
    zero_is_off: bool = False
    overflow: str = ""
    underflow: bool = False
    product_underflow: bool = False
    infinite_is_nan: bool = False
    zero_by_zero: bool = False
    infinite_limit_is_nan: bool = False
    half: bool = False
    rows_apart: bool = False


def _clip_group(group: Sequence[Any], limit: float, rules: NormRules, dtype: str) -> list[Any]:
    present = [g for g in group if g is not None]
    norm, c = clipping.global_norm(present), Decimal(limit)
    nan = Decimal("nan")
    arithmetic = FORMATS[dtype if rules.half or dtype != "bfloat16" else "float32"]
    squares = [Decimal(0), *(abs(d) for g in present for d in np.asarray(g * g).ravel() if not d.is_nan())]
    finite = bool(exact.isfinite(norm)) if present else False

    def all_times(scale: Decimal) -> list[Any]:
        return [g if g is None else np.asarray(g * scale, object) for g in group]

    if not present or (rules.zero_is_off and limit == 0):
        return list(group)
    if rules.overflow and finite and sum(squares) > Decimal(arithmetic.largest):
        return all_times(Decimal(0) if rules.overflow == "zero" else nan)
    if rules.underflow and finite and norm != 0 and _underflows(present, dtype):
        return list(group)
    largest = max((d for g in present for d in exact.absolute(g).ravel() if d.is_finite()), default=Decimal(0))
    if rules.product_underflow and largest > 0 and largest * c < arithmetic.smallest_normal * arithmetic.unit:
        return all_times(Decimal(0))
    if rules.infinite_is_nan and bool(exact.isnan(norm) | ~exact.isfinite(norm)):
        return all_times(nan)
    if (rules.zero_by_zero and limit == 0 and norm == 0) or (rules.infinite_limit_is_nan and c.is_infinite()):
        return all_times(nan)
    if rules.denominator and finite:
        scale = c / (norm[()] + Decimal(rules.denominator))
        return list(group) if scale >= 1 else all_times(scale)
    return [g if g is None else clipping.scaled(g, norm, limit) for g in group]


def _clip_norms(case: Case, limit: float, rules: NormRules, *, one_norm: bool) -> tuple[list[Any], list[Any]]:
    gradients, dtype = _rows(case) if rules.rows_apart else case.inputs["gradients"], case.dtypes["gradients"]
    p = bounds.storage(dtype) if rules.half else bounds.working(dtype)
    together = one_norm or rules.everywhere
    groups = [list(gradients)] if together else [[g] for g in gradients]
    values = [v for group in groups for v in _clip_group(group, limit, rules, dtype)]
    if rules.rows_apart:
        values, gradients = _summed(case, values), case.inputs["gradients"]
    bound = bounds.clip_by_global_norm if together else bounds.clip_by_norm
    return values, bound(gradients, values, limit, p)


def clip_by_norm(case: Case, **rules: Any) -> Outputs:
    """Clipping every variable by its own norm; ``rules`` are those of ``NormRules``."""
    made = _clip_norms(case, case.attributes["clipnorm"], NormRules(**rules), one_norm=False)
    return _listed("gradients", *made, case)


def clip_by_global_norm(case: Case, **rules: Any) -> Outputs:
    """Clipping all variables by their common norm, which is an output too."""
    made = _clip_norms(case, case.attributes["clipnorm"], NormRules(**rules), one_norm=True)
    gradients = _rows(case) if rules.get("rows_apart") else case.inputs["gradients"]
    dtype = case.dtypes["gradients"]
    p = bounds.storage(dtype) if rules.get("half") else bounds.working(dtype)
    absent = all(g is None for g in gradients)
    norm = exact.exact(0.0) if absent else clipping.global_norm(gradients)
    error = np.asarray(exact.absolute(norm) * bounds.norm_roundings(gradients, p), object)
    if rules.get("overflow") and bool(exact.isfinite(norm)) and _overflows(gradients, dtype):
        norm = np.asarray(Decimal("inf"), object)
    if rules.get("underflow") and _underflows(gradients, dtype):
        norm = np.asarray(norm - norm, object)
    return _listed("gradients", *made, case) | {"global_norm": Output(norm, error, dtype)}


def _overflows(gradients: Sequence[Any], dtype: str) -> bool:
    total = sum(exact.total(g * g)[()] for g in gradients if g is not None)
    return bool(total > Decimal(FORMATS["float32" if dtype == "bfloat16" else dtype].largest))


def _underflows(gradients: Sequence[Any], dtype: str) -> bool:
    """Say whether every square is below half of the smallest number of the arithmetic."""
    arithmetic = FORMATS["float32" if dtype == "bfloat16" else dtype]
    sizes = [exact.absolute(g * g).max() for g in gradients if g is not None and g.size and exact.isfinite(g).all()]
    return bool(sizes) and max(sizes) < arithmetic.smallest_normal * arithmetic.unit


def sgd_step(case: Case, *, learning_rate: float | None = None, float32_rate: bool = False, **rules: Any) -> Outputs:
    """One SGD step on clipped gradients.

    Args:
        case: what is asked.
        learning_rate: instead of the attribute's.
        float32_rate: the learning rate is kept in float32.
        rules: those of ``NormRules``.
    """
    attributes, weights = case.attributes, list(case.inputs["weights"])
    rate = attributes["learning_rate"] if learning_rate is None else learning_rate
    rate = float(np.float32(rate)) if float32_rate else rate
    clips = {k: v for k, v in attributes.items() if k in ("clipvalue", "clipnorm", "global_clipnorm")}
    kind, limit = next(iter(clips.items()), ("", 0.0))
    gradients = case.inputs["gradients"]
    used, errors = list(gradients), [None if g is None else _none(g) for g in gradients]
    if kind == "clipvalue" and not (rules.get("zero_is_off") and limit == 0):
        used = clipping.clipped(gradients, **clips)
    elif kind in ("clipnorm", "global_clipnorm"):
        used, errors = _clip_norms(case, limit, NormRules(**rules), one_norm=kind == "global_clipnorm")
    dtype = case.dtypes["weights"]
    bound = bounds.sgd_step(weights, used, errors, learning_rate=rate, dtype=dtype)
    values = clipping.sgd_step(weights, used, learning_rate=rate)
    return {f"weights[{i}]": Output(v, e, dtype) for i, (v, e) in enumerate(zip(values, bound, strict=True))}


OPERATIONS: Mapping[str, Callable[..., Outputs]] = {
    "relu": relu,
    "elu": elu,
    "batch_norm_train": batch_norm_train,
    "batch_norm_eval": batch_norm_eval,
    "clip_by_value": clip_by_value,
    "clip_by_norm": clip_by_norm,
    "clip_by_global_norm": clip_by_global_norm,
    "sgd_step": sgd_step,
}
