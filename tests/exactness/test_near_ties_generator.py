"""From a case to the text of its vector, every value is rounded once, however near a tie the exact one lies."""

from __future__ import annotations

import functools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import yaml

from nnconform.adapters import SparseGradient
from nnconform.conformance.cases.vector_case import VectorCase
from nnconform.conformance.generating import writer
from nnconform.conformance.generating.expected import GenerationError
from nnconform.conformance.vectors.tensors import DTYPES

from .hardest import hardest
from .numbers import FORMATS, nearest, power
from .test_every_vector import flat, problems_of

ULP = {dtype: power(1 - target.bits) for dtype, target in FORMATS.items()}  # the step of numbers from 1 to 2
NARROW = ("float32", "float16", "bfloat16")

Texts = Callable[..., dict[str, str]]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Texts:
    """Write a case as a vector, read its text, and return the data of its outputs once they are proved."""
    # What a vector is proved to hunt does not matter here.
    monkeypatch.setattr(writer, "DIALECTS", {})

    def run(operation: str, dtype: str, attributes: dict[str, Any], steps: int = 0, **inputs: Any) -> dict[str, str]:
        case = VectorCase(
            operation,
            "tie",
            dtype,
            "edge",
            ("X-1",),
            ("any",),
            attributes,
            inputs,
            steps=steps,
            latitude=dict.fromkeys(("y", "dx", "gradients[0]", "weights[0]"), ("sign-of-zero",)),
        )
        [vector] = yaml.load(writer.vector_text(case), yaml.CSafeLoader)
        assert list(problems_of(operation, vector)) == []
        return {name: node["data"] for name, node in flat(vector["expected"]).items()}

    return run


def array(dtype: str, *numbers: Any) -> np.ndarray:
    values = np.array([float(n) for n in numbers]).astype(DTYPES[dtype])
    assert [Fraction(float(v)) for v in values] == [Fraction(n) for n in numbers]  # no number here is rounded
    return values


def as_text(number: float | Fraction, dtype: str) -> str:
    return writer.format_data(np.asarray(nearest(Fraction(number), dtype)), dtype)


# SGD: w - learning_rate g on a tie, and beside it by the least that the factors can say


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("odd", [0, 1])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_step_that_ends_on_or_beside_a_tie(written, dtype, odd, off):
    # w = 1.25 + odd ulp; learning_rate g = ulp / 2 - off 2^-50 of it, a float64 times a number of the dtype.
    w = Fraction(5, 4) + odd * ULP[dtype]
    rate = float(ULP[dtype] / 2 * (1 - off * power(-50)))
    got = written("sgd_step", dtype, {"learning_rate": rate}, weights=[array(dtype, w)], gradients=[array(dtype, 1)])
    even = w - ULP[dtype] * odd  # of w and the number below it
    below = w - ULP[dtype]
    wanted = {1: w, 0: even if odd == 0 else below, -1: below}[off]
    assert got["weights[0]"] == as_text(wanted, dtype)


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_step_beside_a_tie_by_the_product_of_two_last_bits(written, dtype):
    # learning_rate g = (1 + 2^-52) (1 + ulp) ulp / 2: on the tie but for the last bits of both factors.
    rate, g = float((1 + power(-52)) * ULP[dtype] / 2), 1 + ULP[dtype]
    w = Fraction(3, 2)
    got = written("sgd_step", dtype, {"learning_rate": rate}, weights=[array(dtype, w)], gradients=[array(dtype, g)])
    assert got["weights[0]"] == as_text(w - ULP[dtype], dtype)


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_step_among_subnormal_numbers(written, dtype):
    least = power(FORMATS[dtype].least + 1 - FORMATS[dtype].bits)
    w = [5 * least, 6 * least, least, -least]
    g = [least] * 4
    for rate in (0.5, 0.5 + 2**-52, 0.5 - 2**-53, 1.5, 2.5):
        written("sgd_step", dtype, {"learning_rate": rate}, weights=[array(dtype, *w)], gradients=[array(dtype, *g)])


# Clipping: by value, and by a norm that is a whole number


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("odd", [0, 1])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_threshold_on_or_beside_a_tie(written, dtype, odd, off):
    tie = 1 + (odd + Fraction(1, 2)) * ULP[dtype]
    c = float(tie + off * power(-52))
    got = written("clip_by_value", dtype, {"clipvalue": c}, gradients=[array(dtype, 2, -2)])
    wanted = 1 + ULP[dtype] * (odd + (off > 0 or (off == 0 and odd)))
    assert got["gradients[0]"] == f"{as_text(wanted, dtype)} {as_text(-wanted, dtype)}"


@pytest.mark.parametrize("operation", ["clip_by_norm", "clip_by_global_norm"])
@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("sides", [(3, 4, 5), (65, 156, 169), (8, 15, 17), (33, 56, 65)])
def test_a_triangle_of_whole_sides_clipped_to_a_tie(written, operation, dtype, sides):
    a, b, n = sides
    odd_part = a // (a & -a)
    # a c / n = a k / 2^e, and odd_part k is odd and has one bit more than the dtype: a tie.
    first = -(-(2 ** FORMATS[dtype].bits) // odd_part) | 1
    for k in (first, first + 2):
        assert (odd_part * k).bit_length() == FORMATS[dtype].bits + 1
        for off in (-1, 0, 1):
            c = n * Fraction(k, 2 ** FORMATS[dtype].bits) / 16 * (1 + off * power(-50))
            written(operation, dtype, {"clipnorm": float(c)}, gradients=[array(dtype, a, b)])


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_norm_one_bit_above_or_below_the_threshold(written, dtype):
    for c in (np.nextafter(5.0, 0), 5.0, np.nextafter(5.0, 9)):
        written("clip_by_norm", dtype, {"clipnorm": float(c)}, gradients=[array(dtype, 3, 4)])
        written(
            "sgd_step",
            dtype,
            {"learning_rate": float(ULP[dtype] / 8), "clipnorm": float(c)},
            weights=[array(dtype, 1, 1 + ULP[dtype])],
            gradients=[array(dtype, 3, 4)],
        )


def test_rows_of_a_sparse_gradient_are_added_exactly(written):
    # 1 + 2^-52 + 2^-53 is a tie; the last row, a thousand bits down, decides it.
    for last, wanted in ((-(2.0**-1000), 1 + 2**-52), (2.0**-1000, 1 + 2**-51), (0.0, 1 + 2**-51)):
        rows = np.array([[1 + 2**-52], [2**-53], [last]])
        g = SparseGradient(np.array([0, 0, 0]), rows, (1, 1))
        got = written("clip_by_value", "float64", {"clipvalue": 10.0}, gradients=[g])
        assert got["gradients[0]"] == as_text(wanted, "float64")


def test_infinities_of_both_signs_in_one_row_are_not_a_number(written):
    g = SparseGradient(np.array([0, 0]), np.array([[np.inf], [-np.inf]]), (1, 1))
    assert written("clip_by_value", "float64", {"clipvalue": 10.0}, gradients=[g])["gradients[0]"] == "nan"


# ELU: the inputs whose exact values lie nearest to a tie, found by trying all of them


@pytest.mark.parametrize("alpha", [1.0, 1.6732632423543772])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_hardest_inputs_of_elu(written, dtype, alpha):
    x = array(dtype, *hardest(dtype, alpha, 20))
    written("elu", dtype, {"alpha": alpha}, x=x, dy=np.ones_like(x))


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("x", [-30, -200, -512, -1024, -65280])
def test_far_below_zero_elu_is_above_minus_alpha_however_little(written, dtype, x):
    for odd in (0, 1):
        alpha = 1 + (odd + Fraction(1, 2)) * ULP[dtype]
        got = written("elu", dtype, {"alpha": float(alpha)}, x=array(dtype, x), dy=array(dtype, 1))
        assert got["y"] == as_text(-1 - odd * ULP[dtype], dtype)


@pytest.mark.parametrize("dtype", FORMATS)
def test_elu_of_the_least_numbers_below_zero(written, dtype):
    least = power(FORMATS[dtype].least + 1 - FORMATS[dtype].bits)
    x = array(dtype, *(-k * least for k in (1, 2, 3)), -power(FORMATS[dtype].least))
    for alpha in (0.5, 1.5, 1.0, 2.5, -0.5):
        # alpha x is a tie, and alpha (e^x - 1) is nearer to 0 than that; so is dy alpha e^x beside dy alpha.
        written("elu", dtype, {"alpha": alpha}, x=x, dy=array(dtype, 1, 3 * least, 5 * least, 1 + ULP[dtype]))


# Batch normalization: running statistics, mean and output on ties, and what an attribute that is tiny decides


def train(written: Texts, dtype: str, x: list[Any], attributes: dict[str, float], steps: int = 0, **given: Any) -> Any:
    shape = (steps, len(x) // max(steps, 1), 1) if steps else (len(x), 1)
    values = array(dtype, *x).reshape(shape)
    usual = {"running_mean": array(dtype, 0), "running_variance": array(dtype, 1), "x": values, "dy": values}
    all_attributes = {"epsilon": 1e-3, "momentum": 0.5, "channel_axis": 1} | attributes
    return written("batch_norm_train", dtype, all_attributes, steps=steps, **(usual | given))


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_batch_mean_on_a_tie(written, dtype):
    for k in (0, 1):
        got = train(written, dtype, [1 + k * ULP[dtype], 1 + (k + 1) * ULP[dtype]], {})
        assert got["batch_mean"] == as_text(1 + 2 * k * ULP[dtype], dtype)


@pytest.mark.parametrize(
    ("dtype", "steps", "momentum"), [*((dtype, 0, 1e-90) for dtype in FORMATS), ("float16", 3, 1e-40)]
)
def test_a_momentum_of_almost_nothing_decides_a_tie(written, dtype, steps, momentum):
    # The mean is a tie whose even neighbour is above; the old statistic, 0, draws it down by the momentum, as it does
    # in each of several steps.
    x = [1 + ULP[dtype], 1 + 2 * ULP[dtype]] * max(steps, 1)
    got = train(written, dtype, x, {"momentum": momentum}, steps=steps)
    assert got["running_mean"] == as_text(1 + ULP[dtype], dtype)


@pytest.mark.parametrize("dtype", FORMATS)
def test_an_epsilon_of_almost_nothing_decides_a_tie(written, dtype):
    # y = gamma / sqrt(1 + epsilon) + beta, and gamma + beta is a tie whose even neighbour is above.
    gamma, beta = array(dtype, 1 + ULP[dtype]), array(dtype, ULP[dtype] / 2)
    got = train(written, dtype, [1, -1], {"epsilon": 1e-90}, gamma=gamma, beta=beta)
    assert got["y"].split(" ")[0] == as_text(1 + ULP[dtype], dtype)


def _thirds(written: Texts, k: int) -> bool:
    """Whether the vector is written, and then proved."""
    x = [1, 1 + k * ULP["float16"], Fraction(3, 2)]
    try:
        return bool(train(written, "float16", x, {"momentum": 0.25}))
    except GenerationError:
        return False


def test_a_tie_that_no_number_of_digits_shows_is_right_or_refused(written):
    # 3/4 of a mean of three numbers is a quarter of their sum; the mean itself has no end in decimal.
    attempts = [functools.partial(_thirds, written, k) for k in range(1, 20, 2)]
    refused = [attempt for attempt in attempts if not attempt()]
    assert 0 < len(refused) < len(attempts)


@pytest.mark.parametrize("dtype", FORMATS)
def test_an_output_of_evaluation_on_or_beside_a_tie(written, dtype):
    # v = 4, so r = 1/2: y = gamma (x - mu) / 2 + beta
    step = ULP[dtype]
    for odd in (0, 1):
        for off in (-1, 0, 1):
            written(
                "batch_norm_eval",
                dtype,
                {"epsilon": 0.0, "channel_axis": 1},
                x=array(dtype, 2).reshape(1, 1),
                dy=array(dtype, 1 + odd * step).reshape(1, 1),
                running_mean=array(dtype, 0),
                running_variance=array(dtype, 4 + 8 * off * step),
                gamma=array(dtype, 1 + odd * step),
                beta=array(dtype, step / 2),
            )
