"""The simulations are the algorithms that they name, in the arithmetic of NumPy and ml_dtypes scalars.

These round each operation to their own format: float16 and bfloat16 by way of float32, which has more than twice
their digits, so that no operation of this list is rounded twice to another number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import mpmath
import numpy as np
import pytest

from nnconform.reference import activations, exact
from nnconform.reference.case import Case
from nnconform.reference.simulation import SIMULATIONS, rounder

SCALARS: dict[str, Callable[[Any], Any]] = {
    "float64": np.float64,
    "float32": np.float32,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
}
STREAM = np.random.default_rng(3)


def numbers(shape: Sequence[int], dtype: str, *, about: float = 0.0) -> np.ndarray:
    """Numbers of a dtype, as float64."""
    return np.asarray(STREAM.normal(about, 1.0, shape).astype(SCALARS[dtype]), np.float64)


def asked(inputs: dict[str, Any], dtypes: dict[str, str], **attributes: Any) -> Case:
    def exactly(value: Any) -> Any:
        return [None if v is None else exact.exact(v) for v in value] if isinstance(value, list) else exact.exact(value)

    return Case({name: exactly(value) for name, value in inputs.items()}, dtypes, attributes)


def simulated(operation: str, case: Case, *, half: bool = False, **keywords: Any) -> dict[str, np.ndarray]:
    with exact.precision(80):
        return SIMULATIONS[operation](case, **keywords, **({"half": True} if half else {}))


def total(values: Sequence[Any], fl: Callable[[Any], Any]) -> Any:
    """The sum from the first to the last, rounded each time."""
    found = fl(0)
    for value in values:
        found = fl(found + value)
    return found


@pytest.mark.parametrize("dtype", SCALARS)
def test_rounding_to_a_dtype_is_what_the_dtype_does(dtype):
    values = np.concatenate([STREAM.normal(0, 1, 1000), 2.0 ** STREAM.integers(-8, 8, 1000) * (1 + 2.0**-9)])
    np.testing.assert_array_equal(rounder(dtype)(values), values.astype(SCALARS[dtype]).astype(np.float64))


def arithmetic(dtype: str, *, half: bool) -> str:
    return "float32" if dtype in ("float16", "bfloat16") and not half else dtype


HALVES = [("float64", False), ("float32", False), ("float16", False), ("float16", True), ("bfloat16", True)]
each_arithmetic = pytest.mark.parametrize(("dtype", "half"), HALVES)


@each_arithmetic
@pytest.mark.parametrize("keywords", [{}, {"exp_minus_one": True}, {"from_output": True}], ids=str)
def test_elu_is_simulated_operation_by_operation(dtype, half, keywords):
    fl, store, alpha = SCALARS[arithmetic(dtype, half=half)], SCALARS[dtype], 1.5
    x, dy = numbers([40], dtype), numbers([40], dtype)
    x[:2] = 0.0, -0.0
    found = simulated("elu", asked({"x": x, "dy": dy}, {"x": dtype}, alpha=alpha), half=half, **keywords)
    for i, (v, up) in enumerate(zip(x, dy, strict=True)):
        power = fl(float(mpmath.exp(mpmath.mpf(min(v, 0)))))
        small = fl(power - fl(1)) if keywords.get("exp_minus_one") else fl(float(mpmath.expm1(mpmath.mpf(min(v, 0)))))
        y = fl(fl(alpha) * small)
        slope = fl(y + fl(alpha)) if keywords.get("from_output") else fl(fl(alpha) * power)
        assert found["y"][i] == float(store(v if v > 0 else y))
        assert found["dx"][i] == float(store(up if v > 0 else fl(fl(up) * slope)))


def test_half_precision_is_rounded_to_float32_before_it_is_stored():
    # dy times the slope is just below a tie of float16; in float32 it is on the tie, and goes to the even number above.
    dy, alpha = 1.0009765625, 1.002439022064209
    found = simulated("elu", asked({"x": np.zeros(1), "dy": np.array([dy])}, {"x": "float16"}, alpha=alpha))
    assert np.float16(dy * alpha) < found["dx"][0] == np.float16(np.float32(dy * alpha))


def test_minus_zero_is_zero_below_the_kink_as_in_the_reference():
    zeros = np.array([0.0, -0.0])
    found = simulated("elu", asked({"x": zeros, "dy": zeros}, {"x": "float32"}, alpha=1.0))
    np.testing.assert_array_equal(np.signbit(found["y"]), exact.signbit(activations.elu(exact.exact(zeros), alpha=1.0)))


def test_the_sums_of_an_empty_batch_are_zero_for_every_channel():
    inputs = batch("float32", "float32", affine=True) | {"x": np.zeros((0, 2)), "dy": np.zeros((0, 2))}
    case = asked(inputs, {"x": "float32", "running_mean": "float32"}, epsilon=0.1, channel_axis=1)
    found = simulated("batch_norm_eval", case)
    assert found["dgamma"].tolist() == found["dbeta"].tolist() == [0.0, 0.0]


def test_elu_of_another_alpha_is_simulated_with_that_alpha():
    x, dy = numbers([4], "float32", about=-2), numbers([4], "float32")
    one, two = (simulated("elu", asked({"x": x, "dy": dy}, {"x": "float32"}, alpha=a)) for a in (1.0, 2.0))
    np.testing.assert_array_equal(two["y"], np.where(x > 0, x, 2 * one["y"]))


def batch(dtype: str, kept: str, *, affine: bool, about: float = 0.0) -> dict[str, Any]:
    inputs = {
        "x": numbers([7, 2], dtype, about=about),
        "dy": numbers([7, 2], dtype),
        "running_mean": numbers([2], kept),
        "running_variance": abs(numbers([2], kept)),
    }
    return inputs | ({"gamma": numbers([2], kept), "beta": numbers([2], kept)} if affine else {})


def layer(c: int, inputs: dict[str, Any], fl: Callable[[Any], Any]) -> tuple[Any, ...]:
    x, dy = ([fl(v) for v in inputs[name][:, c]] for name in ("x", "dy"))
    gamma, beta = (fl(inputs[name][c]) if name in inputs else fl(one) for name, one in (("gamma", 1), ("beta", 0)))
    return x, dy, gamma, beta


def evaluated(inputs: dict[str, Any], c: int, fl: Callable[[Any], Any], epsilon: float) -> dict[str, Any]:
    x, dy, gamma, beta = layer(c, inputs, fl)
    mean, variance = fl(inputs["running_mean"][c]), fl(inputs["running_variance"][c])
    r = fl(fl(1) / fl(np.sqrt(fl(variance + fl(epsilon)))))
    xh = [fl(fl(v - mean) * r) for v in x]
    return {
        "y": [fl(fl(h * gamma) + beta) for h in xh],
        "dx": [fl(d * fl(gamma * r)) for d in dy],
        "dgamma": total([fl(d * h) for d, h in zip(dy, xh, strict=True)], fl),
        "dbeta": total(dy, fl),
    }


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_evaluation_is_simulated_operation_by_operation(dtype, affine):
    inputs = batch(dtype, dtype, affine=affine)
    case = asked(inputs, {"x": dtype, "running_mean": dtype}, epsilon=0.1, channel_axis=1)
    for keywords, epsilon in (({}, 0.1), ({"epsilon": 0.25}, 0.25)):
        found = simulated("batch_norm_eval", case, half=True, **keywords)
        for c in range(2):
            wanted = evaluated(inputs, c, SCALARS[dtype], epsilon)
            np.testing.assert_array_equal(found["y"][:, c], np.array(wanted["y"], float))
            np.testing.assert_array_equal(found["dx"][:, c], np.array(wanted["dx"], float))
            assert [found[name][c] for name in ("dgamma", "dbeta")] == [wanted["dgamma"], wanted["dbeta"]]


def trained(
    inputs: dict[str, Any],
    c: int,
    fl: Callable[[Any], Any],
    *,
    epsilon: float,
    momentum: float,
    single_pass: bool = False,
    unbiased: bool = False,
) -> dict[str, Any]:
    x, dy, gamma, beta = layer(c, inputs, fl)
    m = fl(len(x))
    mean = fl(total(x, fl) / m)
    centred = [fl(v - mean) for v in x]
    if single_pass:
        variance = max(fl(fl(total([fl(v * v) for v in x], fl) / m) - fl(mean * mean)), fl(0))
    else:
        variance = fl(total([fl(v * v) for v in centred], fl) / m)
    r = fl(fl(1) / fl(np.sqrt(fl(variance + fl(epsilon)))))
    xh = [fl(v * r) for v in centred]
    products = [fl(d * h) for d, h in zip(dy, xh, strict=True)]
    h, gb = fl(total(products, fl) / m), fl(total(dy, fl) / m)
    spread = fl(float(variance) * len(x) / (len(x) - 1)) if unbiased else variance
    new = {"running_mean": mean, "running_variance": spread}
    rest = fl(1 - momentum)
    return {
        "y": [fl(fl(v * gamma) + beta) for v in xh],
        "batch_mean": mean,
        "batch_variance": variance,
        **{name: fl(fl(inputs[name][c] * momentum) + fl(value * rest)) for name, value in new.items()},
        "dx": [fl(fl(gamma * r) * fl(fl(d - gb) - fl(v * h))) for d, v in zip(dy, xh, strict=True)],
        "dgamma": total(products, fl),
        "dbeta": total(dy, fl),
    }


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize(
    "keywords",
    [{}, {"single_pass": True}, {"unbiased": True}, {"epsilon": 0.25}, {"momentum": 0.5}],
    ids=str,
)
@pytest.mark.parametrize(
    ("dtype", "kept", "half"),
    [
        ("float64", "float64", False),
        ("float32", "float32", False),
        ("float16", "float32", False),
        ("bfloat16", "bfloat16", False),
        ("float16", "float16", True),
        ("bfloat16", "bfloat16", True),
    ],
)
def test_training_is_simulated_operation_by_operation(dtype, kept, half, keywords, affine):
    inputs = batch(dtype, kept, affine=affine)
    case = asked(inputs, {"x": dtype, "running_mean": kept}, epsilon=0.1, momentum=0.9, channel_axis=1)
    found = simulated("batch_norm_train", case, half=half, **keywords)
    for c in range(2):
        choices = {"epsilon": 0.1, "momentum": 0.9} | keywords
        wanted = trained(inputs, c, SCALARS[arithmetic(dtype, half=half)], **choices)
        for name, value in wanted.items():
            store = SCALARS[dtype if name in ("y", "dx") else kept]
            np.testing.assert_array_equal(found[name].T[c].T, np.asarray(value, float).astype(store).astype(float))


# In float32 the product of NEARLY and ABOVE is TIE, half-way from 1 to ABOVE in float16; in truth it is a little more.
ABOVE, TIE = 1 + 2.0**-10, 1 + 2.0**-11
NEARLY = float(next(g for g in np.float32(TIE / ABOVE) + np.arange(-4, 9) * np.float32(2.0**-24) if g * ABOVE > TIE))
assert np.float32(NEARLY * ABOVE) == TIE


def test_training_in_half_precision_is_rounded_to_float32_before_it_is_stored():
    # Channels of mean 0 and variance 1; y, dx and the running mean are a little above a tie of float16, and in float32
    # on it, from which they go to the even number below.
    above, tie, gamma, little = ABOVE, TIE, NEARLY, 2.0**-30
    inputs = {
        "x": np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, above]] * 2),
        "dy": np.array([[1.0, above, 1.0]] * 2 + [[-1.0, -above, 1.0]] * 2),
        "gamma": np.array([tie, gamma, 1.0]),
        "beta": np.array([little, 0.0, 0.0]),
        "running_mean": np.ones(3),
        "running_variance": np.ones(3),
    }

    def made(kept: str) -> dict[str, np.ndarray]:
        dtypes = {"x": "float16", "running_mean": kept}
        case = asked(inputs, dtypes, epsilon=0.0, momentum=little, channel_axis=1)
        return simulated("batch_norm_train", case)

    assert made("float32")["y"][0, 0] == made("float32")["dx"][0, 1] == made("float16")["running_mean"][2] == 1.0


def test_the_unbiased_variance_is_rounded_before_it_moves_the_running_one():
    for _ in range(20):
        inputs = batch("float32", "float32", affine=False)
        case = asked(inputs, {"x": "float32", "running_mean": "float32"}, epsilon=0.1, momentum=0.9, channel_axis=1)
        found = simulated("batch_norm_train", case, unbiased=True)
        for c in range(2):
            wanted = trained(inputs, c, np.float32, epsilon=0.1, momentum=0.9, unbiased=True)
            assert found["running_variance"][c] == wanted["running_variance"]


def test_evaluation_is_simulated_in_float32_unless_half_precision_is_asked_for():
    for _ in range(40):
        inputs = batch("float16", "float32", affine=True)
        case = asked(inputs, {"x": "float16", "running_mean": "float32"}, epsilon=0.1, channel_axis=1)
        found, half = simulated("batch_norm_eval", case), simulated("batch_norm_eval", case, half=True)
        for c in range(2):
            assert found["dgamma"][c] == evaluated(inputs, c, np.float32, 0.1)["dgamma"]
        assert (found["y"] != half["y"]).any()


def test_a_single_pass_variance_below_zero_is_clamped():
    inputs = batch("float32", "float32", affine=False)
    inputs["x"] = np.array([[1000.1, 0.1]] * 7, np.float32).astype(float)
    case = asked(inputs, {"x": "float32", "running_mean": "float32"}, epsilon=0.1, momentum=0.75, channel_axis=1)
    for c, variance in enumerate(simulated("batch_norm_train", case, single_pass=True)["batch_variance"]):
        wanted = trained(inputs, c, np.float32, epsilon=0.1, momentum=0.75, single_pass=True)
        assert variance == wanted["batch_variance"]
        assert variance >= 0


def test_the_channels_are_where_the_axis_says():
    inputs = batch("float32", "float32", affine=True)
    kinds = {"x": "float32", "running_mean": "float32"}
    last = asked(inputs, kinds, epsilon=0.1, momentum=0.75, channel_axis=-1)
    turned = inputs | {name: inputs[name].T.reshape(2, 7, 1) for name in ("x", "dy")}
    first = asked(turned, kinds, epsilon=0.1, momentum=0.75, channel_axis=0)
    for operation in ("batch_norm_train", "batch_norm_eval"):
        found, other = simulated(operation, last), simulated(operation, first)
        np.testing.assert_array_equal(found["dx"].T, other["dx"].reshape(2, 7))
        np.testing.assert_array_equal(found["dgamma"], other["dgamma"])


@each_arithmetic
@pytest.mark.parametrize("keywords", [{}, {"denominator": 0.125}], ids=str)
@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("clipnorm", [0.75, 100.0])
def test_clipping_by_norm_is_simulated_operation_by_operation(dtype, half, keywords, together, clipnorm):
    fl, store = SCALARS[arithmetic(dtype, half=half)], SCALARS[dtype]
    gradients = [numbers([5], dtype), None, numbers([2, 2], dtype)]
    operation = "clip_by_global_norm" if together else "clip_by_norm"
    case = asked({"gradients": gradients}, {"gradients": dtype}, clipnorm=clipnorm)
    found = simulated(operation, case, half=half, **keywords)
    present = [g for g in gradients if g is not None]
    for i, g in enumerate(gradients):
        if g is not None:
            squares = [total([fl(fl(v) * fl(v)) for v in a.ravel()], fl) for a in (present if together else [g])]
            norm = fl(np.sqrt(total(squares, fl)))
            scale = min(fl(fl(clipnorm) / fl(norm + fl(keywords.get("denominator", 0)))), fl(1))
            wanted = [float(store(fl(fl(v) * scale))) for v in g.ravel()]
            assert found[f"gradients[{i}]"].ravel().tolist() == wanted
            assert found.get("global_norm", norm) == float(norm)
    assert found.keys() == {"gradients[0]", "gradients[2]"} | ({"global_norm"} if together else set())


def test_a_clipped_gradient_in_half_precision_is_rounded_to_float32_before_it_is_stored():
    case = asked({"gradients": [np.array([ABOVE])]}, {"gradients": "float16"}, clipnorm=NEARLY * ABOVE)
    assert simulated("clip_by_norm", case)["gradients[0]"] == 1.0


def test_the_denominator_of_the_scale_is_rounded_before_the_quotient():
    for _ in range(40):
        g, clipnorm = numbers([5], "float32"), 0.75
        case = asked({"gradients": [g]}, {"gradients": "float32"}, clipnorm=clipnorm)
        norm = np.sqrt(total([np.float32(v) * np.float32(v) for v in g], np.float32))
        scale = min(np.float32(clipnorm) / (norm + np.float32(0.125)), np.float32(1))
        found = simulated("clip_by_norm", case, denominator=0.125)["gradients[0]"]
        assert found.tolist() == [float(np.float32(v) * scale) for v in g]


def test_one_norm_for_all_variables_is_simulated_where_each_has_its_own():
    gradients = [np.array([3.0]), np.array([4.0])]
    case = asked({"gradients": gradients}, {"gradients": "float32"}, clipnorm=2.5)
    found = simulated("clip_by_norm", case, everywhere=True)
    assert [float(found[f"gradients[{i}]"][0]) for i in range(2)] == [1.5, 2.0]
    assert math.isclose(float(found["global_norm"]), 5.0)
