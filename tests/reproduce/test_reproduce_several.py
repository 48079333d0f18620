"""Scripts of vectors that ask for several samples, or for the extremes of one."""

from __future__ import annotations

import re

import pytest

from nnconform.conformance.model.result import Output, Result
from nnconform.conformance.reproduce import script
from nnconform.conformance.reproduce.case import NothingToShow
from nnconform.conformance.reproduce.reported_calls import ReportedCall

HE = "keras.initializers.HeNormal"
KAIMING = "torch.nn.init.kaiming_normal_"
LAYERS, SEEDS = "he_normal/two-layers{}/float32", "he_normal/seeds{}/float32"
SAME = "samples 0 and 1 are the same"


def row(verdict, **output):
    sample = Output(verdict, ratio=1.0, **output)
    return Result("made up", "1", "api", "eager", "he_normal", "", "core", verdict, outputs={"sample": sample})


def text(vector, framework, name, result=None):
    return script.write(vector, ReportedCall(framework, name, "eager", result)).text


@pytest.mark.parametrize("name", [HE, f"{HE}() (no seed)"])
def test_an_initializer_is_made_once_and_called_for_each_kernel(published, name):
    result = row("dialect", dialect="initializer-repeats", problem=SAME)
    program = text(published[LAYERS.format("-last")], "tensorflow", name, result)
    assert program.count(f"{HE}(") == 1 + ("no seed" in name)
    assert "samples = [initializer((512, 128)) for _ in range(2)]" in program
    assert f'assert not np.array_equal(first, second), "sample: {SAME}"' in program
    assert "INIT-15" in program


@pytest.mark.parametrize("initializer", ["HeNormal(seed=n)", "HeNormal()"])
def test_layers_are_given_one_instance(published, initializer):
    program = text(published[LAYERS.format("-last")], "tensorflow", f"keras.layers.Dense (one {initializer})")
    assert "layers = [keras.layers.Dense(128, kernel_initializer=initializer) for _ in range(2)]" in program
    assert ("keras.utils.set_random_seed(8201)" in program) == (initializer == "HeNormal()")


@pytest.mark.parametrize(
    ("vector", "verdict", "output"),
    [
        (SEEDS, "dialect", {"dialect": "untruncated-normal"}),
        (SEEDS, "diverges", {"problem": SAME}),
        (LAYERS, "diverges", {"problem": SAME}),
        (LAYERS, "diverges", {"problem": "dtype float64, wanted float32"}),
    ],
)
def test_what_one_sample_cannot_show_is_refused(published, vector, verdict, output):
    for layout, framework, name in (("", "torch", KAIMING), ("-last", "tensorflow", HE)):
        with pytest.raises(NothingToShow, match=r"several samples|kernels are the same"):
            text(published[vector.format(layout)], framework, name, row(verdict, **output))


@pytest.mark.parametrize("vector", [SEEDS, LAYERS])
def test_what_conforms_is_shown_by_the_law_of_the_first_sample(published, vector):
    program = text(published[vector.format("")], "torch", KAIMING)
    [seed] = re.findall(r"manual_seed\((\d+)\)", program)
    assert int(seed) == published[vector.format("")].attributes["seed"]
    assert "grid = z.reshape((128, 512))" in program


def test_what_several_layers_share_has_no_script_for_one_kernel(published):
    with pytest.raises(NothingToShow, match="shared by several kernels"):
        text(published["he_normal/dense-transposed/float32"], "tensorflow", "keras.layers.Dense (one HeNormal())")


def test_the_extremes_are_taken_of_the_whole_sample(published):
    program = text(published["he_normal/extremes/float32"], "torch", KAIMING)
    assert "sample = torch.empty(5120, 4096)" in program
    assert "got = np.array([sample.double().numpy().min(), sample.double().numpy().max()])" in program
    assert "# The centers of the intervals" in program
