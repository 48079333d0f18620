"""The assertion of a script agrees with the judge and names the same element."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nnconform.conformance.judging import law_tests
from nnconform.conformance.judging.compare import compare
from nnconform.conformance.judging.sample import Sample
from nnconform.conformance.model.result import Output, Worst
from nnconform.conformance.reproduce import law_checks, value_checks
from nnconform.conformance.vectors.tensors import Array
from nnconform.conformance.vectors.vector import LawTensor, Tensor

INF, NAN = math.inf, math.nan


def message(lines: list[str], **names: Array) -> str:
    """Return the message of the assertion, "" if it holds."""
    try:
        exec("\n".join(lines), {"np": np, "math": math, "inf": INF, "nan": NAN, **names})
    except AssertionError as error:
        return str(error)
    return ""


def tensor(values: object, bound: object, latitude: tuple[str, ...] = (), flushed: object = None) -> Tensor:
    array = np.array(values, np.float32)
    return Tensor(
        "float32",
        array.shape,
        array,
        np.broadcast_to(np.array(bound, float), array.shape),
        frozenset(latitude),
        None if flushed is None else np.array(flushed, np.float32),
    )


CONFORMS = Output("conforms")


def reported(expected: Tensor, got: Array) -> Output:
    """Return the output as a report has it."""
    comparison = compare(got, expected)
    if comparison.fits:
        return CONFORMS
    index = tuple(int(i) for i in np.unravel_index(comparison.worst, expected.shape))
    return Output("diverges", worst=Worst(index, float(got[index]), 0.0, 0.0))


def text(name: str, expected: Tensor, got: Array) -> str:
    worst = reported(expected, got).worst
    assert worst is not None
    index = worst.index
    place = f"{[*index]}" if index else ""
    values, bounds = np.asarray(expected.values), np.asarray(expected.bound)
    return f"{name}{place} = {got[index]}, expected {values[index]} (bound {float(bounds[index])})"


FREE = ("sign-of-zero",)
CASES = {
    "plain": (tensor([1.0, 2.0, 3.0], [0.1, 0.2, 0.3]), [[1.05, 2.1, 3.1], [1.05, 2.3, 3.1], [0.0, 0.0, 0.0]]),
    "one bound": (tensor([1.0, 2.0], 0.1), [[1.05, 2.0], [1.2, 2.5], [NAN, 2.0], [INF, NAN]]),
    "two axes": (tensor([[1.0, 2.0], [3.0, 4.0]], 0.1), [[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [5.0, 4.0]]]),
    "no axis": (tensor(5.0, 0.1), [5.05, 5.2, INF]),
    "exact": (tensor([0.0, 2.0], 0, FREE), [[-0.0, 2.0], [0.0, 2.5], [0.0, NAN]]),
    "signed zero": (tensor([0.0, 2.0], 0), [[0.0, 2.0], [-0.0, 2.0], [-0.0, 3.0]]),
    "signed zero within a bound": (tensor([0.0, 2.0], [0.1, 0.2]), [[0.05, 2.0], [-0.0, 2.0], [0.2, 2.1]]),
    "NaN": (tensor([NAN, 2.0], 0), [[NAN, 2.0], [1.0, 2.0], [NAN, NAN]]),
    "NaN among bounds": (tensor([NAN, 2.0, 1.0], [0, 0.1, 0.1]), [[NAN, 2.05, 1.0], [1.0, 9.0, 1.0], [NAN, 9.0, 1.05]]),
    "infinity": (tensor([INF, 2.0], [0, 0.1], FREE), [[INF, 2.0], [-INF, 2.0], [NAN, 2.0], [1.0, 2.0], [INF, INF]]),
    "mixed specials": (tensor([1.0, 2.0, 3.0], 0.1), [[INF, NAN, 3.0], [NAN, INF, 3.0], [1.0, -INF, NAN]]),
    "zero bounds": (tensor([1.0, 2.0, 3.0], [0, 0.1, 0]), [[1.0, 2.05, 3.0], [1.0, 2.2, 3.0], [1.0, 2.2, 3.5]]),
    "flushed": (tensor([1e-39, 2.0], 0, FREE, [0.0, 2.0]), [[1e-39, 2.0], [0.0, 2.0], [2e-39, 2.0], [0.0, 3.0]]),
}


@pytest.mark.parametrize(
    ("name", "got"), [(name, got) for name, (_, all_got) in CASES.items() for got in all_got], ids=str
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_one_output_is_judged_as_the_suite_judges_it(name, got):
    expected, array = CASES[name][0], np.array(got, np.float32)
    lines = [*value_checks.lines([value_checks.Check("y", "array", expected, reported(expected, array))])]
    fits = compare(array, expected).fits
    assert message(lines, array=array) == ("" if fits else text("y", expected, array))


@pytest.mark.parametrize("ran", [True, False], ids=["reported", "not run yet"])
@pytest.mark.parametrize("name", CASES)
def test_several_outputs_are_told_all_at_once(name, ran):
    expected, (*_, got) = CASES[name]
    array, other = np.array(got, np.float32), tensor([1.0, 7.0], 0.1)
    wrong = np.array([1.0, 9.0], np.float32)
    outputs = [
        value_checks.Check("y", "array", expected, reported(expected, array) if ran else CONFORMS),
        value_checks.Check("dx", "wrong_one", other, reported(other, wrong) if ran else CONFORMS),
    ]
    text_of_all = message([*value_checks.lines(outputs)], array=array, wrong_one=wrong)
    assert text_of_all.splitlines()[0].startswith("y")
    if not (ran and "signbit" in "".join(value_checks.lines(outputs))):
        assert text_of_all.splitlines()[1] == "dx[1] = 9.0, expected 7.0 (bound 0.1)"


def test_several_outputs_that_are_right_pass():
    expected = tensor([1.0, 0.0, NAN], 0)
    outputs = [value_checks.Check(name, "array", expected, CONFORMS) for name in ("y", "dx")]
    assert message([*value_checks.lines(outputs)], array=np.array([1.0, 0.0, NAN], np.float32)) == ""


def test_an_element_of_a_long_output_stands_for_it():
    expected, got = tensor(np.zeros(5000), 0.5), np.zeros(5000, np.float32)
    got[4321] = 0.75
    check = value_checks.Check("y", "array", expected, reported(expected, got))
    lines = [*value_checks.lines([check])]
    assert len("\n".join(lines)) < 300
    assert message(lines, array=got) == "y[4321] = 0.75, expected 0.0 (bound 0.5)"
    assert message(lines, array=np.zeros(5000, np.float32)) == ""


def test_an_output_that_is_cut_is_looked_at_in_row_major_order():
    expected, got = tensor([0.0, 0.0, 0.0], 0.5, FREE), np.array([[0.0, 0.0], [0.75, 0.0]], np.float32)
    check = value_checks.Check("y", "array", expected, Output("diverges", worst=Worst((2,), 0.75, 0.0, 0.0)))
    assert message([*value_checks.lines([check], first=3)], array=got) == "y[2] = 0.75, expected 0.0 (bound 0.5)"


def test_an_empty_output_has_its_shape_to_be_wrong():
    check = value_checks.Check("y", "array", tensor(np.zeros((0, 3)), 0), CONFORMS)
    assert message([*value_checks.lines([check])], array=np.zeros((0, 3), np.float32)) == ""
    assert message([*value_checks.lines([check])], array=np.zeros((0, 2), np.float32)) == "y has the shape (0, 2)"


NORMAL = np.random.default_rng(1).standard_normal(4096)
SAMPLES = {
    "support": np.linspace(-9, 9, 4096),
    "reach": NORMAL * 0.1,
    "mean": np.full(4096, 0.5),
    "variance": NORMAL * 0.5,
    "fourth moment": np.resize([-1.0, 1.0], 4096),
    "distinct values": np.round(NORMAL),
    "neighbours": np.sort(NORMAL),
    "channels": np.tile(NORMAL[:1024], 4),
    "Kolmogorov-Smirnov": np.resize([-1.0, 1.0], 4096),
}
SHAPES = {"channels": (4, 1024)}


def ratios_by_name(sample, expected):
    """Return the suite's statistics by the name that scripts give them, the largest of those of the same name."""
    ratios: dict[str, float] = {}
    for s in law_tests.statistics(Sample(sample), expected):
        name = next(n for n in law_checks.ORDER if s.name.startswith(n))
        name = "neighbours" if name == "elements" else name
        ratios[name] = max(s.ratio, ratios.get(name, 0.0))
    return ratios


def law_tensor(law, shape=(64, 64), dtype="float32"):
    bound = {"normal": INF, "truncated_normal": 2.2737, "uniform": 1.7321}[law] / 16
    return LawTensor(dtype, shape, law, 0.0625, bound)


@pytest.mark.parametrize("law", ["normal", "truncated_normal", "uniform"])
@pytest.mark.parametrize("statistic", SAMPLES)
def test_a_statistic_of_a_sample_is_that_of_the_suite(statistic, law):
    expected = law_tensor(
        law, SHAPES.get(statistic, (64, 64)), "float16" if statistic == "distinct values" else "float32"
    )
    sample = (SAMPLES[statistic] * 0.0625).reshape(expected.shape).astype(expected.dtype)
    ratio = ratios_by_name(sample, expected)[statistic]
    lines = [*law_checks.lines(expected, "np.float64(sample)", [statistic])]
    assert ratio > 1
    assert message(lines, sample=sample) == f"{statistic} {ratio:.3g} times its critical value"


def test_the_statistic_that_is_shown_is_the_simplest_that_the_report_names():
    problem = "not uniform of deviation 0.06: variance 44.2 times its critical value, Kolmogorov-Smirnov 27.7 times its"
    uniform = LawTensor("float32", (64, 64), "uniform", 0.06, 0.1)
    assert law_checks.statistics(problem, uniform) == ("variance",)
    problem = "not normal of deviation 1: Kolmogorov-Smirnov 1.2e+03 times its"
    assert law_checks.statistics(problem, uniform) == ("Kolmogorov-Smirnov",)


@pytest.mark.parametrize("law", ["uniform", "normal"])
def test_a_script_of_an_unknown_result_tries_every_statistic_of_the_law(law):
    expected = law_tensor(law, (4, 1024))
    names = law_checks.statistics("", expected)
    assert set(names) == {*ratios_by_name(np.ones((4, 1024), np.float32), expected)}
    for name in names:
        sample = (SAMPLES[name] * 0.0625).reshape(4, 1024).astype(np.float32)
        assert message([*law_checks.lines(expected, "np.float64(sample)", names)], sample=sample)
