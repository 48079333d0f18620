"""What the vectors do not ask of the reference: types, signs, messages, and values between those of the vectors."""

from __future__ import annotations

import decimal
import math
from decimal import Decimal

import mpmath
import numpy as np
import pytest

import nnconform.reference as ref
from nnconform.reference import batch_norm_bounds, bounds, exact, laws
from nnconform.reference.case import Case
from nnconform.reference.initialization import Law, connections
from nnconform.reference.rounding import FORMATS, is_unsettled, round_number
from nnconform.reference.variants import OPERATIONS


@pytest.mark.parametrize(
    ("kind", "layout"),
    [("conv", "out_in_spatial"), ("transposed_conv", "in_out_spatial"), ("depthwise_conv", "spatial_in_out")],
)
def test_connections_are_counted_in_whole_numbers(kind, layout):
    assert [type(n) for n in connections((4, 4, 3), kind=kind, layout=layout, groups=2)] == [int, int]


def test_the_fan_of_a_grouped_kernel_is_that_of_its_groups():
    for groups, wanted in ((1, 12), (2, 6)):
        assert ref.fan((4, 2, 3), kind="conv", layout="out_in_spatial", groups=groups, mode="fan_out") == wanted


def test_an_unknown_mode_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'fan'.*'fan_in', 'fan_out', 'fan_avg'"):
        ref.fan((3, 3), kind="dense", layout="out_in_spatial", mode="fan")


def case(x_shape, *, dtype="float32", seed=5, **attributes) -> Case:
    stream = np.random.default_rng(seed)
    channels = x_shape[-1]
    shapes = {"x": x_shape, "dy": x_shape, "running_mean": [channels], "running_variance": [channels]}
    inputs = {name: exact.exact(abs(stream.normal(1, 1, shape)).astype(dtype)) for name, shape in shapes.items()}
    usual = {"epsilon": 0.125, "momentum": 0.75, "channel_axis": -1}
    return Case(inputs, dict.fromkeys(inputs, dtype), usual | attributes)


@pytest.fixture
def digits():
    with exact.precision(80):
        yield


@pytest.mark.usefixtures("digits")
def test_an_unbiased_variance_of_one_channel_is_m_over_m_less_one_of_the_biased():
    plain, unbiased = (OPERATIONS["batch_norm_train"](case((5, 1)), unbiased=u) for u in (False, True))
    old = case((5, 1)).inputs["running_variance"] * Decimal("0.75")
    new, other = (made["running_variance"].values - old for made in (plain, unbiased))
    assert abs(other[0] / new[0] - Decimal("1.25")) < Decimal("1e-70")


@pytest.mark.usefixtures("digits")
def test_a_layer_without_channels_gives_nothing():
    made = OPERATIONS["batch_norm_train"](case((3, 0)))
    assert {name: output.values.shape for name, output in made.items()} == {
        **dict.fromkeys(("y", "dx"), (3, 0)),
        **dict.fromkeys(("batch_mean", "batch_variance", "running_mean", "running_variance"), (0,)),
    }


@pytest.mark.usefixtures("digits")
def test_one_step_of_several_is_a_step():
    one = case((4, 2))
    stacked = {name: value[None] for name, value in one.inputs.items() if name in ("x", "dy")}
    several = one._replace(inputs={**one.inputs, **stacked}, attributes={**one.attributes, "steps": 1})
    made, wanted = (OPERATIONS["batch_norm_train"](c) for c in (several, one))
    for name, output in wanted.items():
        assert made[name].dtype == output.dtype
        assert np.array_equal(made[name].values.reshape(output.values.shape), output.values)
        assert np.array_equal(made[name].bound.reshape(output.bound.shape), output.bound)


@pytest.mark.usefixtures("digits")
def test_a_running_mean_is_stored_between_steps():
    first, second = (case((4, 2), seed=seed) for seed in (5, 6))
    below = {"running_mean": exact.exact([-5.0, -7.0])}
    x, dy = (np.stack([c.inputs[name] for c in (first, second)]) for name in ("x", "dy"))
    inputs = {**first.inputs, **below, "x": x, "dy": dy}
    several = first._replace(inputs=inputs, attributes={**first.attributes, "steps": 2})
    old = OPERATIONS["batch_norm_train"](first._replace(inputs={**first.inputs, **below}))["running_mean"]
    p = bounds.working("float32")
    stored = old.bound + Decimal(2) ** -24 * (np.abs(old.values) + old.bound)
    new = batch_norm_bounds.moments(second.inputs["x"], -1, p)
    wanted = batch_norm_bounds.moving(old.values, new.mean, stored, new.d_mean, 0.75, p)
    assert (OPERATIONS["batch_norm_train"](several)["running_mean"].bound == wanted).all()


GROUPED = {"shape": [256, 32, 3, 3], "kind": "conv", "layout": "out_in_spatial", "groups": 4, "dtype": "float32"}


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 288), ("fan_out", 576), ("fan_avg", 432)])
def test_the_law_of_a_grouped_kernel_is_that_of_its_fan(mode, fan):
    law = laws.expected_law("he_uniform", GROUPED | {"mode": mode})
    assert (law.stddev, law.bound) == (math.sqrt(2 / fan), math.sqrt(6 / fan))


def test_the_default_laws_of_others_are_those_of_the_same_connections():
    found = laws.law_dialects("he_uniform", GROUPED | {"mode": "fan_in"}, defaults=True)
    assert found["default-glorot-uniform"] == Law("uniform", math.sqrt(6 / 864) / math.sqrt(3), math.sqrt(6 / 864))
    narrow = 1 / math.sqrt(288)
    assert found["default-uniform-inverse-sqrt-fan"] == Law("uniform", narrow / math.sqrt(3), narrow)


def test_the_default_laws_of_embeddings_do_not_hang_on_the_number_of_rows():
    for rows in (10, 512):
        about = {"shape": [rows, 64], "kind": "embedding", "layout": "spatial_in_out", "groups": 1}
        found = laws.law_dialects("he_normal", about | {"mode": "fan_in", "dtype": "float32"}, defaults=True)
        assert found["default-standard-normal"] == Law("normal", 1.0, math.inf)
        assert found["default-uniform-0.05"] == Law("uniform", 0.05 / math.sqrt(3), 0.05)
        assert found["default-normal-by-features"] == Law("normal", 0.125, math.inf)


def test_a_default_law_by_the_fan_of_the_shape_is_told_only_where_it_is_another_one():
    about = {"shape": [64, 16, 3, 3], "kind": "transposed_conv", "layout": "in_out_spatial", "groups": 1}
    found = laws.law_dialects("he_uniform", about | {"mode": "fan_in", "dtype": "float32"}, defaults=True)
    assert found["default-uniform-inverse-sqrt-fan"].bound == 1 / math.sqrt(64 * 9)
    assert found["shape-only-fan+default-uniform-inverse-sqrt-fan"].bound == 1 / math.sqrt(16 * 9)
    # Glorot's law is the same when the fans are swapped.
    assert "shape-only-fan+default-glorot-uniform" not in found


def test_what_is_not_finite_counts_as_one_digit():
    for values in ([math.inf, math.nan], [math.nan], []):
        assert exact.digits(exact.exact(values)) == 1


def test_exponents_have_no_limit():
    with exact.precision(30):
        great, small = exact.exp(exact.exact([1e8, -1e8]))
    assert (great.adjusted(), small.adjusted()) == (43429448, -43429449)


@pytest.mark.parametrize("digits", [30, 31, 60])
def test_the_expm1_of_a_number_far_below_zero_is_above_minus_one_by_what_is_kept(digits):
    with exact.precision(digits):
        # All but 25 digits, but no less than half of them.
        wanted = Decimal(10) ** -(35 if digits == 60 else 15)
        assert exact.expm1(exact.exact([-1000.0]))[0] + 1 == wanted


def test_expm1_is_right_to_its_last_digit():
    stream = np.random.default_rng(2)
    values = np.concatenate(
        [stream.standard_normal(300) * 10.0 ** stream.integers(-6, 2, 300), stream.uniform(-10, -1, 300)]
    )
    with exact.precision(20):
        found = exact.expm1(exact.exact(values))
    with mpmath.workdps(60):
        for x, got in zip(values, found, strict=True):
            assert Decimal(mpmath.nstr(mpmath.expm1(mpmath.mpf(x)), 20, strip_zeros=False)) == got, x


@pytest.mark.parametrize(("zero", "sign"), [("0E+500", 1), ("-0E+500", -1), ("0E-500", 1), ("-0E-500", -1), ("0", 1)])
def test_a_zero_is_zero_whatever_its_exponent(zero, sign):
    found = round_number(Decimal(zero), FORMATS["float32"])
    assert (found, math.copysign(1, found)) == (0, sign)


def test_the_expm1_of_minus_infinity_is_minus_one_itself():
    with exact.precision(30):
        assert exact.expm1(exact.exact([-math.inf]))[0] == -1


def test_the_arithmetic_owes_nothing_to_the_default_context(monkeypatch):
    monkeypatch.setattr(decimal.DefaultContext, "rounding", decimal.ROUND_DOWN)
    with exact.precision(2):
        assert +Decimal("0.128") == Decimal("0.13")


@pytest.mark.parametrize("convert", [exact.exact, np.float64], ids=["Decimal", "float64"])
def test_of_equal_numbers_the_one_that_is_kept_is_known_by_its_sign(convert):
    one, other = (convert([value]) for value in (0.0, -0.0))
    for choose in (exact.maximum, exact.minimum):
        assert [exact.signbit(choose(one, other))[0], exact.signbit(choose(other, one))[0]] == [True, False]
    # An element at a limit is inside.
    assert [exact.signbit(exact.clip(a, b, b))[0] for a, b in ((one, other), (other, one))] == [False, True]


TIE = 1 + Decimal(2) ** -24
LONG = decimal.Context(prec=100)


@pytest.mark.parametrize(
    ("value", "digits", "wanted"),
    [
        (TIE, 10, False),  # on the tie
        (LONG.multiply(TIE, 1 + Decimal("0.49e-20")), 20, True),
        (LONG.multiply(TIE, 1 - Decimal("0.49e-20")), 20, True),
        (LONG.multiply(TIE, 1 + Decimal("0.51e-20")), 20, False),
        (LONG.multiply(TIE, 1 - Decimal("0.51e-20")), 20, False),
        (Decimal(10**7), 7, False),  # half a step is half of 10^-7 of it
        (Decimal(2**24), 7, False),
        (Decimal(2**24 - 1), 7, True),
        (Decimal("0.3"), 2, False),  # too short to have been rounded
        (Decimal("0.30"), 2, True),
        (Decimal("inf"), 1, False),
        (Decimal("nan"), 0, False),
    ],
)
def test_only_beside_a_tie_a_value_is_unsettled(value, digits, wanted):
    assert is_unsettled(value, FORMATS["float32"], digits) == wanted


@pytest.mark.parametrize(("power", "adjusted", "wanted"), [(1332, 400, True), (1333, 401, False), (1500, 451, False)])
def test_beyond_ten_to_the_401_nothing_is_looked_at(power, adjusted, wanted):
    with exact.precision(600):
        value = TIE * Decimal(2) ** power * (1 + Decimal("1e-21"))
    assert value.adjusted() == adjusted
    assert is_unsettled(value, FORMATS["float32"], 20) == wanted
