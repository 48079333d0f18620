"""What a worker makes of an adapter's outputs, and what it keeps from one call for the next: nothing."""

from __future__ import annotations

import base64
import io
import json
import re

import ml_dtypes
import numpy as np
import pytest

from nnconform.adapters import Adapter
from nnconform.adapters import numpy as numpy_adapter
from nnconform.adapters.worker import AdapterFault, call, decode, encode, hello, leading, serve

STEPS = {"x": np.ones((3, 2), np.float32), "dy": np.ones((3, 2), np.float32)}


def tensor(array):
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def adapter_of(**functions):
    adapter = Adapter("liar", requires=("numpy",))
    for name, function in functions.items():
        adapter.implements("clip_by_value", name)(function)
    return adapter


def answers(adapter, inputs, attributes, steps=0, lengths=(), first=0, seeds=(), extremes=False):
    """Return the answers of all implementations to one request."""
    request = {
        "id": "v",
        "operation": "clip_by_value",
        "defaults": False,
        "steps": steps,
        "lengths": list(lengths),
        "first": first,
        "seeds": list(seeds),
        "extremes": extremes,
        "attributes": attributes,
        "inputs": inputs,
        "calls": [[implementation.name, "eager"] for implementation in adapter.implementations],
    }
    given = []
    serve(adapter, io.BytesIO(json.dumps(request).encode() + b"\n"), given.append)
    json.dumps(given)
    return given


def in_steps(*outputs):
    """Return what a chain of steps gives whose calls return these outputs, one after the other."""
    rest = iter(outputs)
    [implementation] = adapter_of(liar=lambda **_: next(rest)).implementations
    return call(implementation, STEPS, {}, len(outputs))


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i2", "c8"])
def test_numbers_of_either_byte_order_are_sent_as_the_same_bytes(dtype):
    numbers = np.array([1, 2, 250]).astype(f"<{dtype}")
    assert encode(numbers.astype(f">{dtype}"), "y") == encode(numbers, "y") == tensor(numbers)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(2, "i4,i4"),
        np.zeros(2, "V4"),
        np.rec.array([(1, 2.0)]),
        np.array(["text"]),
        np.array([None]),
        np.zeros(2, "m8[s]"),
    ],
    ids=lambda array: array.dtype.name,
)
def test_arrays_of_no_numbers_are_the_adapters_fault(array):
    with pytest.raises(AdapterFault, match="wanted numbers"):
        encode([array], "gradients")


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "int4"])
def test_the_dtypes_of_ml_dtypes_are_numbers(name):
    array = np.array([1, 0]).astype(getattr(ml_dtypes, name))
    assert encode(array, "y") == tensor(array)


def test_a_list_of_lists_is_the_adapters_fault():
    with pytest.raises(AdapterFault, match=r"output gradients is a list of lists"):
        encode([[np.zeros(1)]], "gradients")


def spoils(name):
    """Return an implementation that changes a list that it is given."""

    def function(**given):
        kept = list(given[name])
        given[name].clear()
        return {"y": np.array(len(kept))}

    return function


@pytest.mark.parametrize(
    ("inputs", "attributes", "name"),
    [({"weights": [tensor(np.ones(1))] * 2}, {}, "weights"), ({}, {"shape": [3, 4]}, "shape")],
)
def test_a_call_has_lists_of_its_own(inputs, attributes, name):
    adapter = adapter_of(first=spoils(name), second=spoils(name))
    assert [answer["outputs"]["y"] for answer in answers(adapter, inputs, attributes)] == [tensor(np.array(2))] * 2


def test_what_an_interface_says_of_its_inputs_changes_them_not():
    adapter = Adapter("liar", requires=("numpy",))
    adapter.implements("clip_by_value", "liar", applies=lambda shape: not shape.clear())(spoils("shape"))
    [answer] = answers(adapter, {}, {"shape": [3, 4]})
    assert answer["outputs"]["y"] == tensor(np.array(2))


def test_every_step_has_lists_of_its_own():
    steps = {name: tensor(array) for name, array in STEPS.items()}
    [answer] = answers(adapter_of(liar=spoils("axes")), steps, {"axes": [0, 1]}, steps=3)
    assert answer["outputs"]["y"] == tensor(np.array([2, 2, 2]))


def test_a_call_that_takes_the_memory_of_an_array_for_its_own_changes_no_other():
    import ctypes

    def spoil(x):
        before = x.copy()
        ctypes.memset(x.ctypes.data, 0, x.nbytes)
        return {"y": before}

    x = tensor(np.arange(1.0, 100.0))
    found = answers(adapter_of(first=spoil, second=spoil), {"x": x}, {})
    assert [answer["outputs"]["y"] for answer in found] == [x, x]


def test_an_output_without_a_text_for_its_name_is_a_fault_and_the_worker_goes_on():
    adapter = adapter_of(liar=lambda: {("y", 0): np.zeros(1)}, honest=lambda: {"y": np.zeros(1)})
    assert [answer["status"] for answer in answers(adapter, {}, {})] == ["fault", "value"]


def test_steps_are_stacked_and_of_the_running_statistics_the_last_is_kept():
    outputs = in_steps(*({"y": np.full(2, n), "running_mean": np.full(2, n)} for n in range(3)))
    assert outputs["y"].tolist() == [[0, 0], [1, 1], [2, 2]]
    assert outputs["running_mean"].tolist() == [2, 2]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"z": np.zeros(2)}, r"\['z'\] in step 1, \['y'\] before"),
        ({}, r"\[\] in step 1"),
        ({"y": np.zeros(3)}, r"y is \(2,\) of float64, \(3,\) of float64 from step to step"),
        ({"y": [0.0, 0.0]}, r"y\[0\] is float; wanted a NumPy array"),
        ({"y": [np.zeros(2)]}, "y of a step is list"),
        ({"y": np.zeros(2, "i4,i4")}, "wanted numbers"),
        ({"y": None}, "y is NoneType"),
    ],
)
def test_steps_that_return_other_outputs_are_the_adapters_fault(second, said):
    with pytest.raises(AdapterFault, match=said):
        in_steps({"y": np.zeros(2)}, second)


def test_an_error_of_the_framework_in_a_step_is_its_error():
    def fails(**_):
        return {"y": np.stack([np.zeros(2), np.zeros(3)])}

    steps = {name: tensor(array) for name, array in STEPS.items()}
    [answer] = answers(adapter_of(liar=fails), steps, {}, steps=3)
    assert answer["status"] == "raised"


# Many lengths, long tensors and what is cut


def given(**arrays):
    return {name: tensor(array) for name, array in arrays.items()}


def test_each_length_is_a_call_on_the_first_elements_and_outputs_are_joined_in_order():
    seen = []

    def function(x, dy):
        seen.append((x.tolist(), dy.tolist()))
        return {"y": x + 10 * len(x)}

    x = np.arange(3, dtype=np.float32)
    [answer] = answers(adapter_of(liar=function), given(x=x, dy=-x), {}, lengths=[2, 1, 3])
    assert seen == [([0, 1], [0, -1]), ([0], [0]), ([0, 1, 2], [0, -1, -2])]
    assert answer["outputs"]["y"] == tensor(np.float32([20, 21, 10, 30, 31, 32]))


def test_the_entries_of_a_list_are_cut_and_joined_one_by_one():
    lists = {"gradients": [tensor(np.array([1.0, 2.0])), tensor(np.array([3.0, 4.0]))]}
    [answer] = answers(adapter_of(liar=lambda gradients: {"gradients": gradients}), lists, {}, lengths=[1, 2])
    assert answer["outputs"]["gradients"] == [tensor(np.array([1.0, 1.0, 2.0])), tensor(np.array([3.0, 3.0, 4.0]))]


def test_an_entry_without_a_value_for_some_length_has_none():
    function = lambda x: {"gradients": [x, x if len(x) > 1 else None]}  # noqa: E731
    [answer] = answers(adapter_of(liar=function), given(x=np.ones(2)), {}, lengths=[1, 2])
    assert answer["outputs"]["gradients"] == [tensor(np.ones(3)), None]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"z": np.zeros(2)}, r"\['z'\] for length 2, \['y'\] before"),
        ({}, r"\[\] for length 2"),
        ({"y": [np.zeros(2)]}, "y has another number of entries from length to length"),
        ({"y": None}, "y is NoneType"),
    ],
)
def test_lengths_that_return_other_outputs_are_the_adapters_fault(second, said):
    rest = iter([{"y": np.zeros(1)}, second])
    [answer] = answers(adapter_of(liar=lambda x: next(rest)), given(x=np.ones(2)), {}, lengths=[1, 2])
    assert answer["status"] == "fault"
    assert re.search(said, answer["reason"])


def test_lists_of_another_number_of_entries_are_the_adapters_fault():
    def function(x):
        return {"gradients": [x] * len(x)}

    [answer] = answers(adapter_of(liar=function), given(x=np.ones(2)), {}, lengths=[1, 2])
    assert answer["status"] == "fault"


def test_an_output_of_more_elements_than_the_first_is_cut_on_one_axis_and_another_is_whole():
    function = lambda x: {"y": x, "gradients": [x.T, None], "batch_mean": x[0]}  # noqa: E731
    [answer] = answers(adapter_of(liar=function), given(x=np.arange(6.0).reshape(3, 2)), {}, first=3)
    assert answer["outputs"] == {
        "y": tensor(np.array([0.0, 1.0, 2.0])),
        "gradients": [tensor(np.array([0.0, 2.0, 4.0])), None],
        "batch_mean": tensor(np.array([0.0, 1.0])),
    }
    assert leading(np.zeros((2, 2)), 4).shape == (2, 2)


def test_a_tensor_with_fewer_elements_than_its_shape_repeats_them_and_cannot_be_written_to():
    x = decode(tensor(np.array([1.0, 2.0, 3.0])) | {"shape": [3, 2]})
    assert x.tolist() == [[1, 2], [3, 1], [2, 3]]
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 0


def test_a_long_tensor_is_whole_for_the_call_and_short_in_the_answer():
    long = tensor(np.float32([1, 2])) | {"shape": [100_000]}
    function = lambda x: {"y": x, "batch_mean": np.sum(x, dtype=np.float64)}  # noqa: E731
    [answer] = answers(adapter_of(liar=function), {"x": long}, {}, first=2)
    assert answer["outputs"] == {"y": tensor(np.float32([1, 2])), "batch_mean": tensor(np.array(150_000.0))}


# Several seeds, and extremes


def test_each_seed_is_a_call_and_outputs_are_stacked_in_order():
    function = lambda shape, seed: {"sample": np.full(shape, seed, np.float32)}  # noqa: E731
    [answer] = answers(adapter_of(liar=function), {}, {"shape": [2], "seed": 7}, seeds=[7, 7, 8])
    assert answer["outputs"]["sample"] == tensor(np.float32([[7, 7], [7, 7], [8, 8]]))


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"z": np.zeros(2)}, r"\['z'\] for seed 8, \['sample'\] before"),
        ({"sample": np.zeros(3)}, r"sample is \(2,\) of float64, \(3,\) of float64 from seed to seed"),
        ({"sample": [np.zeros(2)]}, "sample of a seed is list"),
    ],
)
def test_seeds_that_give_other_outputs_are_the_adapters_fault(second, said):
    rest = iter([{"sample": np.zeros(2)}, second])
    [answer] = answers(adapter_of(liar=lambda seed: next(rest)), {}, {"seed": 7}, seeds=[7, 8])
    assert answer["status"] == "fault"
    assert re.search(said, answer["reason"])


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", ml_dtypes.bfloat16])
def test_extremes_are_the_smallest_and_the_largest_element_in_the_dtype_of_the_output(dtype):
    outputs = {"sample": np.array([[0, 3], [-2, 1]]).astype(dtype), "gradients": [np.ones(3), None]}
    [answer] = answers(adapter_of(liar=lambda: outputs), {}, {}, extremes=True)
    assert answer["outputs"]["sample"] == tensor(np.array([-2, 3]).astype(dtype))
    assert answer["outputs"]["gradients"] == [tensor(np.ones(2)), None]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", ml_dtypes.bfloat16])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_nan_anywhere_is_both_extremes(dtype, place):
    sample = np.array([1, np.inf, -np.inf]).astype(dtype)
    sample[place] = np.nan
    [answer] = answers(adapter_of(liar=lambda: {"sample": sample}), {}, {}, extremes=True)
    assert np.isnan(decode(answer["outputs"]["sample"]).astype(float)).tolist() == [True, True]


def test_an_output_without_elements_has_no_extremes_and_stays():
    empty = np.zeros((0, 2), np.float32)
    [answer] = answers(adapter_of(liar=lambda: {"sample": empty}), {}, {}, extremes=True)
    assert answer["outputs"]["sample"] == tensor(empty)


def test_what_is_no_array_has_no_extremes_and_is_the_adapters_fault():
    [answer] = answers(adapter_of(liar=lambda: {"sample": "1 2"}), {}, {}, extremes=True)
    assert answer["status"] == "fault"


def test_a_worker_says_that_random_samples_take_seeds_and_what_else_their_adapter_says():
    adapter = Adapter("mine", requires=("numpy",))
    adapter.implements("he_normal", "plain")(dict)
    adapter.implements("he_normal", "more", takes=("layers", "extremes"))(dict)
    adapter.implements("elu", "none")(dict)
    said = {i["name"]: i["takes"] for i in hello(adapter, 1)["implementations"]}
    assert said == {"plain": ["seeds"], "more": ["seeds", "layers", "extremes"], "none": []}


def test_an_error_in_what_the_adapters_share_is_no_error_of_the_framework():
    broken = adapter_of(shared=lambda: numpy_adapter.fan((2, 2), "dense", "out_in_spatial", 1, "no such mode"))
    [answer] = answers(broken, {}, {})
    assert (answer["status"], "KeyError" in answer["reason"]) == ("fault", True)
