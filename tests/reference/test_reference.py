"""The reference: small cases by hand, gradients by finite differences, fans by counting connections."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import nnconform.reference as ref
from nnconform.reference import exact
from nnconform.reference.clipping import clipped
from nnconform.reference.initialization import TRUNCATED_DEVIATION, connections

STREAM = np.random.default_rng(7)
X, DY = STREAM.standard_normal((2, 2, 3, 2)), STREAM.standard_normal((2, 2, 3, 2))
GAMMA, BETA, MEAN, VARIANCE = np.array([[1.5, -0.5, 2.0], [0.1, 0.2, 0.3], [1.0, 0.0, -1.0], [0.5, 2.0, 1.0]])
EPSILON, AXIS = 1e-3, 2


def train(x, gamma, beta):
    old = exact.exact(MEAN), exact.exact(VARIANCE)
    return ref.batch_norm_train(x, gamma, beta, *old, epsilon=EPSILON, momentum=0.9, channel_axis=AXIS).y


def evaluate(x, gamma, beta):
    old = exact.exact(MEAN), exact.exact(VARIANCE)
    return ref.batch_norm_eval(x, gamma, beta, *old, epsilon=EPSILON, channel_axis=AXIS)


def slopes(function: Callable[..., exact.Array], arguments: list[exact.Array], which: int) -> exact.Array:
    """Central differences of sum(dy * function) with respect to one argument, exact to 40 digits."""
    step = Decimal("1e-25")
    result = np.empty(arguments[which].shape, object)
    for index in np.ndindex(result.shape):
        ends = []
        for sign in (1, -1):
            moved = [a.copy() for a in arguments]
            moved[which][index] += sign * step
            ends.append(exact.total(exact.exact(DY) * function(*moved))[()])
        result[index] = (ends[0] - ends[1]) / (2 * step)
    return result


def assert_equal_to_30_digits(got: exact.Array, wanted: exact.Array) -> None:
    assert got.shape == wanted.shape
    assert max(abs(d) for d in (got - wanted).ravel()) < Decimal("1e-30")


@pytest.mark.parametrize("which", range(3), ids=["dx", "dgamma", "dbeta"])
def test_training_gradients_are_the_slopes_of_the_value(which):
    with exact.precision(80):
        x, gamma, beta, dy = map(exact.exact, (X, GAMMA, BETA, DY))
        got = ref.batch_norm_train_vjp(x, gamma, dy, epsilon=EPSILON, channel_axis=AXIS)[which]
        assert_equal_to_30_digits(got, slopes(train, [x, gamma, beta], which))


@pytest.mark.parametrize("which", range(3), ids=["dx", "dgamma", "dbeta"])
def test_evaluation_gradients_are_the_slopes_of_the_value(which):
    with exact.precision(80):
        x, gamma, beta, dy, mean, variance = map(exact.exact, (X, GAMMA, BETA, DY, MEAN, VARIANCE))
        got = ref.batch_norm_eval_vjp(x, gamma, mean, variance, dy, epsilon=EPSILON, channel_axis=AXIS)
        assert_equal_to_30_digits(got[which], slopes(evaluate, [x, gamma, beta], which))


@pytest.mark.parametrize("alpha", [1.0, 0.3, 0.0, -2.0])
def test_activation_gradients_are_the_slopes_of_the_value(alpha):
    with exact.precision(80):
        x, dy = exact.exact(X), exact.exact(DY)
        assert_equal_to_30_digits(ref.relu_vjp(x, dy), slopes(ref.relu, [x], 0))
        wanted = slopes(lambda x: ref.elu(x, alpha=alpha), [x], 0)
        assert_equal_to_30_digits(ref.elu_vjp(x, dy, alpha=alpha), wanted)


def test_gradients_at_the_kink_are_those_of_the_left():
    zero, one = np.zeros(1), np.ones(1)
    assert ref.relu_vjp(zero, one) == 0
    assert ref.elu_vjp(zero, one, alpha=0.5) == 0.5


def test_a_relu_that_is_off_stops_infinite_and_nan_gradients():
    got = ref.relu_vjp(np.array([-1.0, 0.0, 1.0]), np.array([math.inf, math.nan, math.inf]))
    np.testing.assert_array_equal(got, [0, 0, math.inf])


def test_activations_of_special_values_are_the_limits():
    x = np.array([-math.inf, math.inf, math.nan])
    np.testing.assert_array_equal(ref.relu(x), [0, math.inf, math.nan])
    np.testing.assert_array_equal(ref.elu(x, alpha=2.0), [-2, math.inf, math.nan])


def test_elu_is_the_line_above_zero_and_the_exponential_below():
    got = ref.elu(np.array([3.0, -math.log(2)]), alpha=4.0)
    np.testing.assert_allclose(got, [3.0, -2.0], rtol=1e-15)


def test_a_training_step_by_hand():
    x = np.array([[1.0, 10.0], [3.0, 10.0]])
    step = ref.batch_norm_train(
        x,
        np.array([2.0, 1.0]),
        np.array([0.0, 5.0]),
        np.array([0.0, 0.0]),
        np.array([1.0, 1.0]),
        epsilon=3.0,
        momentum=0.75,
        channel_axis=1,
    )
    # Channel 0: mean 2, variance 1, y = 2 (x - 2) / sqrt(1 + 3); channel 1 is constant.
    np.testing.assert_array_equal(step.y, [[-1.0, 5.0], [1.0, 5.0]])
    np.testing.assert_array_equal(step.batch_mean, [2.0, 10.0])
    np.testing.assert_array_equal(step.batch_variance, [1.0, 0.0])
    np.testing.assert_array_equal(step.running_mean, [0.5, 2.5])
    np.testing.assert_array_equal(step.running_variance, [1.0, 0.75])


def test_an_evaluation_by_hand():
    got = ref.batch_norm_eval(
        np.array([[5.0]]), None, None, np.array([1.0]), np.array([3.0]), epsilon=1.0, channel_axis=1
    )
    assert got == 2.0


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -4])
def test_each_channel_is_normalized_on_its_own(axis):
    size = X.shape[axis]
    step = ref.batch_norm_train(
        X, None, None, np.zeros(size), np.ones(size), epsilon=0.0, momentum=0.5, channel_axis=axis
    )
    for channel in np.moveaxis(step.y, axis, 0):
        np.testing.assert_allclose([channel.mean(), channel.std()], [0, 1], atol=1e-14)


def test_clipping_by_value_by_hand():
    got = ref.clip_by_value([np.array([-3.0, 0.5, math.nan, math.inf]), None], clipvalue=1.0)
    np.testing.assert_array_equal(got[0], [-1.0, 0.5, math.nan, 1.0])
    assert got[1] is None


def test_clipping_by_norm_takes_each_variable_on_its_own():
    got = ref.clip_by_norm([np.array([3.0, 4.0]), np.array([0.5]), None], clipnorm=1.0)
    np.testing.assert_allclose(got[0], [0.6, 0.8], rtol=1e-15)
    assert got[1] == 0.5
    assert got[2] is None


def test_clipping_by_global_norm_scales_all_variables_alike():
    got = ref.clip_by_global_norm([np.array([3.0]), None, np.array([[4.0]])], clipnorm=1.0)
    np.testing.assert_allclose([got[0][0], got[2][0, 0]], [0.6, 0.8], rtol=1e-15)


@pytest.mark.parametrize("clip", [ref.clip_by_norm, ref.clip_by_global_norm])
@pytest.mark.parametrize("clipnorm", [5.0, 7.0, math.inf])
def test_a_norm_up_to_the_threshold_changes_nothing(clip, clipnorm):
    gradient = np.array([3.0, -4.0])
    np.testing.assert_array_equal(clip([gradient], clipnorm=clipnorm)[0], gradient)


@pytest.mark.parametrize("clip", [ref.clip_by_norm, ref.clip_by_global_norm])
def test_an_infinite_norm_makes_finite_elements_zero_and_infinite_ones_nan(clip):
    got = clip([np.array([1.0, math.inf])], clipnorm=1.0)[0]
    np.testing.assert_array_equal(got, [0.0, math.nan])


def test_the_norm_of_no_gradients_is_zero():
    assert ref.global_norm([None, None]) == 0
    assert ref.clip_by_global_norm([None, None], clipnorm=1.0) == [None, None]


@pytest.mark.parametrize(
    ("clip", "wanted"),
    [
        ({}, [10 - 1.5, 1 - 2.0]),
        ({"clipvalue": 2.0}, [10 - 1.0, 1 - 1.0]),
        ({"clipnorm": 1.0}, [10 - 0.5, 1 - 0.5]),
        ({"global_clipnorm": 1.0}, [10 - 0.3, 1 - 0.4]),
    ],
)
def test_a_step_of_gradient_descent_by_hand(clip, wanted):
    weights, gradients = [np.array([10.0]), np.array([1.0])], [np.array([3.0]), np.array([4.0])]
    got = ref.sgd_step(weights, gradients, learning_rate=0.5, **clip)
    np.testing.assert_allclose(np.concatenate(got), wanted, rtol=1e-15)


def test_a_weight_without_gradient_stays():
    weight = np.array([1.0])
    assert ref.sgd_step([weight], [None], learning_rate=0.5)[0] is weight


def test_two_clips_at_once_are_refused():
    with pytest.raises(ValueError, match="only one of"):
        clipped([np.ones(1)], clipvalue=0.0, clipnorm=0.0)


def results_in(convert: Callable[[object], exact.Array]) -> list[exact.Array]:
    x, dy, gamma, beta, mean, variance = map(convert, (X, DY, GAMMA, BETA, MEAN, VARIANCE))
    step = ref.batch_norm_train(x, gamma, beta, mean, variance, epsilon=EPSILON, momentum=0.9, channel_axis=AXIS)
    return [
        ref.relu(x),
        ref.elu(x, alpha=0.7),
        ref.elu_vjp(x, dy, alpha=0.7),
        *step,
        *ref.batch_norm_train_vjp(x, gamma, dy, epsilon=EPSILON, channel_axis=AXIS),
        ref.batch_norm_eval(x, gamma, beta, mean, variance, epsilon=EPSILON, channel_axis=AXIS),
        *ref.batch_norm_eval_vjp(x, gamma, mean, variance, dy, epsilon=EPSILON, channel_axis=AXIS),
        *ref.clip_by_value([x, dy], clipvalue=0.5),
        *ref.clip_by_norm([x, dy], clipnorm=0.5),
        *ref.clip_by_global_norm([x, dy], clipnorm=0.5),
        *ref.sgd_step([x], [dy], learning_rate=0.1, global_clipnorm=1.0),
    ]


def test_float64_and_decimal_agree_on_every_function():
    with exact.precision(60):
        exactly = [np.asarray(a, np.float64) for a in results_in(exact.exact)]
    for got, wanted in zip(results_in(np.float64), exactly, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-14)


def counted_fans(inputs: int, outputs: int, groups: int, kernel: tuple[int, ...]) -> tuple[int, int]:
    """Count the connections of an output and of an input unit at stride 1, far from the edges."""
    places = list(itertools.product(*(range(4 * k + 1) for k in kernel)))
    middle = tuple(2 * k for k in kernel)

    def connected(i: int, at: tuple[int, ...], o: int, to: tuple[int, ...]) -> bool:
        same_group = i * groups // inputs == o * groups // outputs
        return same_group and all(0 <= a - t < k for a, t, k in zip(at, to, kernel, strict=True))

    into = sum(connected(i, p, 0, middle) for i in range(inputs) for p in places)
    out = sum(connected(0, middle, o, p) for o in range(outputs) for p in places)
    return into, out


KERNELS = [(), (3,), (2, 3), (2, 1, 2)]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("inputs", "outputs", "groups"), [(3, 5, 1), (4, 6, 2), (6, 3, 3)])
def test_fans_of_convolutions_are_the_counted_connections(inputs, outputs, groups, kernel):
    wanted = counted_fans(inputs, outputs, groups, kernel)
    shapes = {
        "out_in_spatial": (outputs, inputs // groups, *kernel),
        "spatial_in_out": (*kernel, inputs // groups, outputs),
    }
    for layout, shape in shapes.items():
        assert connections(shape, kind="conv", layout=layout, groups=groups) == wanted


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("inputs", "outputs", "groups"), [(3, 5, 1), (4, 6, 2), (6, 3, 3)])
def test_fans_of_transposed_convolutions_are_the_counted_connections(inputs, outputs, groups, kernel):
    wanted = counted_fans(inputs, outputs, groups, kernel)
    shapes = {
        "in_out_spatial": (inputs, outputs // groups, *kernel),
        "spatial_out_in": (*kernel, outputs // groups, inputs),
    }
    for layout, shape in shapes.items():
        assert connections(shape, kind="transposed_conv", layout=layout, groups=groups) == wanted


@pytest.mark.parametrize("kernel", KERNELS[1:])
@pytest.mark.parametrize(("channels", "multiplier"), [(4, 1), (3, 2)])
def test_fans_of_depthwise_convolutions_are_the_counted_connections(channels, multiplier, kernel):
    wanted = counted_fans(channels, channels * multiplier, channels, kernel)
    shapes = {
        "out_in_spatial": (channels * multiplier, 1, *kernel),
        "spatial_in_out": (*kernel, channels, multiplier),
    }
    for layout, shape in shapes.items():
        assert connections(shape, kind="depthwise_conv", layout=layout, groups=channels) == wanted


def test_fans_of_dense_kernels_are_inputs_and_outputs():
    assert connections((5, 3), kind="dense", layout="out_in_spatial") == (3, 5)
    assert connections((5, 3), kind="dense", layout="spatial_in_out") == (5, 3)


@pytest.mark.parametrize(("mode", "wanted"), [("fan_in", 3), ("fan_out", 6), ("fan_avg", 4.5)])
def test_the_mode_chooses_the_fan(mode, wanted):
    assert ref.fan((6, 3), kind="dense", layout="out_in_spatial", mode=mode) == wanted


@pytest.mark.parametrize(
    ("shape", "choice", "said"),
    [
        ((3,), {}, "rank 2 or more"),
        ((3, 3), {"kind": "convolution"}, "'convolution'"),
        ((3, 3), {"layout": "hwio"}, "'hwio'"),
        ((3, 3), {"mode": "fan"}, "'fan'"),
    ],
)
def test_a_fan_of_something_else_is_refused(shape, choice, said):
    usual = {"kind": "dense", "layout": "out_in_spatial", "mode": "fan_in"}
    with pytest.raises(ValueError, match=said):
        ref.fan(shape, **(usual | choice))


@pytest.mark.parametrize("fan", [1, 9, 512, 4.5])
def test_both_laws_keep_the_variance_of_a_signal(fan):
    assert math.isclose(fan * ref.he_stddev(fan) ** 2, 2)
    assert math.isclose(ref.he_normal_law(fan).stddev, ref.he_stddev(fan))
    assert math.isclose(ref.he_uniform_law(fan).bound / math.sqrt(3), ref.he_stddev(fan))


def test_the_correction_for_the_cut_is_the_deviation_of_a_cut_normal_law():
    grid = np.linspace(-2, 2, 200_001)
    density = np.exp(-grid * grid / 2)
    assert math.isclose(TRUNCATED_DEVIATION, math.sqrt(np.sum(grid**2 * density) / np.sum(density)), rel_tol=1e-5)
    law = ref.he_normal_law(8)
    assert math.isclose(law.bound / law.stddev, 2 / TRUNCATED_DEVIATION)


@pytest.mark.parametrize("fan", [1, 7, 9, 288, 1296, 4.5, 150528])
def test_the_numbers_of_a_law_are_rounded_once(fan):
    def nearest(got: float, square: Fraction) -> bool:
        """Whether the root of ``square`` lies between the midpoints on both sides of ``got``."""
        below, above = (Fraction(math.nextafter(got, end)) for end in (0, math.inf))
        return ((below + Fraction(got)) / 2) ** 2 < square < ((above + Fraction(got)) / 2) ** 2

    assert nearest(ref.he_stddev(fan), 2 / Fraction(fan))
    assert nearest(ref.he_bound(fan), 6 / Fraction(fan))
    assert nearest(ref.he_normal_law(fan).bound, 8 / Fraction(fan) / Fraction("0.87962566103423978") ** 2)
