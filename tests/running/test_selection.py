"""Which calls a run makes on a vector: what a worker says of its modes decides, and what the user asks for."""

from __future__ import annotations

import pytest

from nnconform.conformance.model.calls import Hello, Served
from nnconform.conformance.running.selection import Selection, calls_for

EVERYTHING = Selection()


SERVED = Served("elu", "mine.elu", ("eager", "jit"))


def hello(**more):
    return Hello("mine", modes=("eager", "jit"), **{"implementations": (SERVED,), **more})


def modes(vector, said, selection=EVERYTHING):
    return [call.mode for call in calls_for(vector, said, (), selection)]


@pytest.mark.parametrize(("said", "wanted"), [({}, ["eager"]), ({"compiles_shapes": True}, [])])
def test_many_lengths_are_run_in_the_plain_mode_but_where_it_compiles_each_shape(published, said, wanted):
    assert modes(published["elu/lengths/float32"], hello(**said)) == wanted


@pytest.mark.parametrize("glob", ["elu/lengths/float32", "elu/len*"])
def test_a_worker_that_compiles_each_shape_is_asked_for_many_lengths_where_the_vector_is_named(published, glob):
    named = Selection(vectors=(glob,))
    assert modes(published["elu/lengths/float32"], hello(compiles_shapes=True), named) == ["eager"]


def test_another_filter_does_not_name_the_vector(published):
    others = Selection(operations=("elu",), dtypes=("float32",))
    assert modes(published["elu/lengths/float32"], hello(compiles_shapes=True), others) == []


@pytest.mark.parametrize("vector", ["elu/few-lengths/float32", "elu/every-number/float16"])
def test_what_compiled_modes_run_a_worker_that_compiles_each_shape_runs_in_all(published, vector):
    assert modes(published[vector], hello(compiles_shapes=True)) == ["eager", "jit"]


def test_other_vectors_are_run_by_a_worker_that_compiles_each_shape(published):
    plain = next(v for v in published.values() if v.operation == "elu" and not (v.lengths or v.compiled))
    assert modes(plain, hello(compiles_shapes=True)) == modes(plain, hello())


@pytest.mark.parametrize("name", ["seeds", "extremes", "layers"])
def test_what_not_all_can_be_asked_is_put_to_those_that_say_that_they_take_it(published, name):
    vector = next(v for v in published.values() if v.needs == {name})
    served = (
        Served(vector.operation, "old", ("eager",)),
        Served(vector.operation, "able", ("eager",), takes=frozenset({name})),
        Served(vector.operation, "not", ("eager",)),
    )
    said = hello(implementations=served)
    assert [call.implementation for call in calls_for(vector, said, (), EVERYTHING)] == ["able"]
    plain = next(v for v in published.values() if v.operation == vector.operation and not v.needs)
    assert len(calls_for(plain, said, (), EVERYTHING)) == 3
