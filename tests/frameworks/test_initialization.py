"""The kernels that adapters return are those of real layers, and the draws are what they are made of.

Each framework is asked in a process of its own: its functions are called as the worker calls them.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# For each call: what was asked, the shapes and dtypes, the scale by least squares, and how far the sample is from that
# multiple of the draws in units of half the spacing at its largest element.
ASKED = """
import json, sys
import numpy as np
from nnconform.adapters import Unsupported
from nnconform.adapters.worker import load
from nnconform.conformance.vectors.reading import load as vectors

adapter, told = load(f"nnconform.adapters.{sys.argv[1]}"), []
adapter.setup(1)
for vector in vectors()[0]:
    about = vector.attributes
    plain = vector.operation in ("he_normal", "he_uniform") and not vector.needs and not vector.unjudged
    if not plain or vector.dtype not in ("float32", "float64") or 0 in about["shape"]:
        continue
    for one in adapter.implementations:
        fits = one.operation == vector.operation and one.defaults == ("mode" not in about)
        if not fits or (one.applies and not one.applies(**about)):
            continue
        row = {"vector": vector.id, "implementation": one.name, "defaults": one.defaults, "wanted": about["shape"]}
        try:
            got = one.function(**about)
        except Unsupported as lacking:
            told.append(row | {"lacks": str(lacking)})
            continue
        sample, draws = (np.asarray(got[name], np.float64) for name in ("sample", "draws"))
        scale = (sample * draws).sum() / (draws * draws).sum()
        u = 2.0 ** (-24 if vector.dtype == "float32" else -53)
        off = np.abs(sample - scale * draws).max() / (u * np.abs(sample).max())
        dtypes = [str(got[name].dtype) for name in ("sample", "draws")]
        told.append(row | {"shapes": [sample.shape, draws.shape], "dtypes": dtypes, "scale": scale, "off": off})
print(json.dumps(told))
"""
LAYERS = {
    "torch": ("Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"),
    "tensorflow": ("Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D"),
    "jax": ("linen.Dense", "linen.Conv", "linen.ConvTranspose", "nnx.Linear", "nnx.Conv", "nnx.ConvTranspose"),
}
LAYERS["torch"] += ("Embedding", "EmbeddingBag")
LAYERS["tensorflow"] += ("SeparableConv2D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "Embedding")
LAYERS["jax"] += ("linen.Embed", "nnx.Embed")


@pytest.fixture(scope="module", params=LAYERS)
def asked(request):
    """The framework's name, and every call that gave a kernel or said what it lacks."""
    command = [sys.executable, "-c", ASKED, request.param]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return request.param, json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def kernels(asked):
    """The calls that gave a kernel."""
    return [row for row in asked[1] if "lacks" not in row]


def test_every_kernel_has_the_shape_and_dtype_of_the_vector(kernels):
    for row in kernels:
        assert row["shapes"] == [row["wanted"]] * 2, row
        assert row["dtypes"] == [row["vector"].rpartition("/")[2]] * 2, row


def test_a_kernel_is_a_multiple_of_the_draws_up_to_rounding(kernels):
    for row in kernels:
        # Draws, scale, product, and for a law on [a, b) the difference and the sum, are rounded.
        assert row["scale"] > 0, row
        assert row["off"] <= 4, row


def test_every_layer_is_asked_with_an_initializer_and_with_nothing(asked):
    name, rows = asked
    for layer in LAYERS[name]:
        of_layer = [
            row for row in rows if f".{layer}(" in row["implementation"] + "(" or f".{layer}." in row["implementation"]
        ]
        assert {row["defaults"] for row in of_layer} == {True, False}, layer


def test_what_a_layer_lacks_is_said(asked):
    name, rows = asked
    lacking = {row["lacks"] for row in rows if "lacks" in row}
    assert (
        lacking
        == {
            "torch": {"torch.nn.init has fan_in and fan_out, and no fan_avg"},
            "tensorflow": {"Keras's transposed convolutions have no groups"},
            "jax": {"flax's ConvTranspose has no groups"},
        }[name]
    )


# What an initializer or a layer is called on a dense kernel: told to draw by He's law, or told nothing.
CALLED = [
    ("torch", "torch.nn.init.kaiming_normal_", "he_normal/dense/float32", "untruncated-normal"),
    ("torch", "torch.nn.init.kaiming_uniform_", "he_uniform/dense/float32", "conforms"),
    ("torch", "torch.nn.Linear", "he_uniform/defaults-dense/float32", "default-uniform-inverse-sqrt-fan"),
    ("torch", "torch.nn.Conv2d", "he_uniform/defaults-conv-2d/float32", "default-uniform-inverse-sqrt-fan"),
    ("tensorflow", "keras.initializers.HeNormal", "he_normal/dense-transposed/float32", "conforms"),
    ("tensorflow", "keras.initializers.HeUniform", "he_uniform/dense-transposed/float64", "float32-scale"),
    ("tensorflow", "keras.initializers.HeNormal", "he_normal/two-layers-last/float32", "initializer-repeats"),
    ("jax", "jax.nn.initializers.he_normal", "he_normal/dense-transposed/float32", "conforms"),
    (
        "jax",
        "jax.nn.initializers.he_normal",
        "he_normal/dense-transposed/bfloat16",
        "few-bit-draws+half-precision-scale",
    ),
]


@pytest.fixture(scope="module", params=["torch", "tensorflow", "jax"])
def called(request, found):
    report = found(request.param, vector=[vector for of, _, vector, _ in CALLED if of == request.param])
    return request.param, {
        (row["implementation"], row["vector"]): row["outputs"]["sample"] for row in report["results"] if row["outputs"]
    }


def test_an_initializer_is_called_what_it_is(called):
    framework, outputs = called
    for of, implementation, vector, name in CALLED:
        if of == framework:
            output = outputs[implementation, vector]
            assert output.get("dialect", output["verdict"]) == name


def test_the_factor_of_torchs_default_layers_is_measured(called):
    framework, outputs = called
    if framework == "torch":
        found = outputs["torch.nn.Linear", "he_uniform/defaults-dense/float32"]["measured"]
        assert found["stddev"] / found["expected_stddev"] == pytest.approx(6**-0.5, rel=0.01)
        assert found["implied_fan"] == pytest.approx(6 * found["expected_fan"], rel=1e-5)
