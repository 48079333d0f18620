"""The table of defaults agrees with the signatures of the frameworks, which it does not use.

Each framework is asked twice: by a run of the vectors of `defaults`, and by `inspect` in another process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from nnconform.conformance.explain import defaults
from nnconform.conformance.explain.defaults import LAYERS
from nnconform.conformance.model.report import Report

# Each prints the numbers of its signatures, and the variance of its layers' kernels times the fan.
TORCH = """
import inspect, json, torch

def default(function, name):
    return inspect.signature(function).parameters[name].default

def numbers(function):
    return {"epsilon": default(function, "eps"), "momentum": 1 - default(function, "momentum")}

torch.manual_seed(1)
draws = {
    "torch.nn.Linear": torch.nn.Linear(512, 256).weight.var().item() * 512,
    "torch.nn.Conv1d": torch.nn.Conv1d(64, 256, 9).weight.var().item() * 64 * 9,
    "torch.nn.Conv2d": torch.nn.Conv2d(64, 256, 3).weight.var().item() * 64 * 9,
    "torch.nn.Conv3d": torch.nn.Conv3d(32, 64, (3, 5, 5)).weight.var().item() * 32 * 75,
}
transposed = {
    "torch.nn.ConvTranspose1d": torch.nn.ConvTranspose1d(64, 256, 9).weight.var().item() * 256 * 9,
    "torch.nn.ConvTranspose2d": torch.nn.ConvTranspose2d(64, 256, 3).weight.var().item() * 256 * 9,
}
embeddings = {
    "torch.nn.Embedding": torch.nn.Embedding(2000, 100).weight.var().item(),
    "torch.nn.EmbeddingBag": torch.nn.EmbeddingBag(2000, 100).weight.var().item(),
}
print(json.dumps({
    "batch_norm_train": {
        "torch.nn.functional.batch_norm": numbers(torch.nn.functional.batch_norm),
        "torch.nn.BatchNorm1d": numbers(torch.nn.BatchNorm1d),
        "torch.nn.BatchNorm2d": numbers(torch.nn.BatchNorm2d),
    },
    "elu": {
        "torch.nn.functional.elu": {"alpha": default(torch.nn.functional.elu, "alpha")},
        "torch.nn.ELU": {"alpha": default(torch.nn.ELU, "alpha")},
    },
    "sgd_step": {"torch.optim.SGD": {"learning_rate": default(torch.optim.SGD, "lr")}},
    "he_normal": {"torch.nn.init.kaiming_normal_": {"mode": default(torch.nn.init.kaiming_normal_, "mode")}},
    "he_uniform": {"torch.nn.init.kaiming_uniform_": {"mode": default(torch.nn.init.kaiming_uniform_, "mode")}},
    "layers": draws,
    "transposed kernels": {"fan_in*": transposed},
    "embeddings": {"none": embeddings},
}))
"""
TENSORFLOW = """
import inspect, json, keras, tensorflow as tf

def default(function, name):
    return inspect.signature(function).parameters[name].default

def law(initializer):
    return {key: getattr(initializer, key) for key in ("distribution", "scale", "mode")}

fused, layer = tf.compat.v1.nn.fused_batch_norm, keras.layers.BatchNormalization
embedding = keras.layers.Embedding(9, 9).embeddings_initializer
print(json.dumps({
    "batch_norm_train": {
        "tf.compat.v1.nn.fused_batch_norm": {
            "epsilon": default(fused, "epsilon"), "momentum": 1 - default(fused, "exponential_avg_factor")
        },
        "keras.layers.BatchNormalization": {
            "epsilon": default(layer, "epsilon"), "momentum": default(layer, "momentum")
        },
    },
    "elu": {
        "keras.activations.elu": {"alpha": default(keras.activations.elu, "alpha")},
        "keras.layers.ELU": {"alpha": default(keras.layers.ELU, "alpha")},
    },
    "sgd_step": {"keras.optimizers.SGD": {"learning_rate": default(keras.optimizers.SGD, "learning_rate")}},
    "he_normal": {"keras.initializers.HeNormal": law(keras.initializers.HeNormal())},
    "he_uniform": {"keras.initializers.HeUniform": law(keras.initializers.HeUniform())},
    "kernels": {
        "keras.layers.Dense": law(keras.layers.Dense(3).kernel_initializer),
        "keras.layers.Conv2D": law(keras.layers.Conv2D(3, 3).kernel_initializer),
        "keras.layers.SeparableConv2D.pointwise_kernel": law(keras.layers.SeparableConv2D(3, 3).pointwise_initializer),
    },
    "embeddings": {"none": {"keras.layers.Embedding": embedding.maxval**2 / 3}},
}))
"""
JAX = """
import inspect, json, flax.linen, flax.nnx, jax, jax.numpy as jnp, optax

def default(function, name):
    return inspect.signature(function).parameters[name].default

def numbers(function):
    return {"epsilon": default(function, "epsilon"), "momentum": default(function, "momentum")}

def kernel(layer, *shape):
    return layer.init(jax.random.key(1), jnp.ones(shape))["params"]["kernel"]

swapped = flax.linen.ConvTranspose(256, (3, 3), transpose_kernel=True)
embedding = flax.linen.Embed(2000, 100).init(jax.random.key(1), jnp.zeros(1, int))["params"]["embedding"]
embedding_nnx = flax.nnx.Embed(2000, 100, rngs=flax.nnx.Rngs(1)).embedding[...]

assert default(optax.sgd, "learning_rate") is inspect.Parameter.empty
print(json.dumps({
    "batch_norm_train": {
        "flax.linen.BatchNorm": numbers(flax.linen.BatchNorm),
        "flax.nnx.BatchNorm": numbers(flax.nnx.BatchNorm.__init__),
        "jax.nn.standardize": {"epsilon": default(jax.nn.standardize, "epsilon")},
    },
    "elu": {"jax.nn.elu": {"alpha": default(jax.nn.elu, "alpha")}},
    "layers": {
        "flax.linen.Dense": float(kernel(flax.linen.Dense(256), 1, 512).var()) * 512,
        "flax.linen.Conv": float(kernel(flax.linen.Conv(256, (3, 3)), 1, 4, 4, 64).var()) * 64 * 9,
        "flax.nnx.Linear": float(flax.nnx.Linear(512, 256, rngs=flax.nnx.Rngs(1)).kernel[...].var()) * 512,
        "flax.nnx.Conv": float(flax.nnx.Conv(64, 256, (3, 3), rngs=flax.nnx.Rngs(1)).kernel[...].var()) * 64 * 9,
    },
    "transposed kernels": {
        "fan_in": {
            "flax.linen.ConvTranspose": float(
                kernel(flax.linen.ConvTranspose(256, (3, 3)), 1, 4, 4, 64).var()
            ) * 64 * 9,
        },
        "fan_in*": {
            "flax.linen.ConvTranspose(transpose_kernel=True)": float(kernel(swapped, 1, 4, 4, 64).var()) * 256 * 9,
        },
    },
    "embeddings": {
        "fan_out": {
            "flax.linen.Embed": float(embedding.var()) * 100,
            "flax.nnx.Embed": float(embedding_nnx.var()) * 100,
        },
    },
}))
"""
ASKED = {"torch": TORCH, "tensorflow": TENSORFLOW, "jax": JAX}


@pytest.fixture(scope="module", params=ASKED)
def both(request, found):
    """Return the table's values by operation and hyperparameter, and the framework's own."""
    report = found(request.param, profile=["defaults"], mode=["eager"])
    code = textwrap.dedent(ASKED[request.param])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    table = {(row.operation, row.name): row.values for row in defaults.table(Report.from_json(report))}
    return table, json.loads(done.stdout.splitlines()[-1])


def test_every_number_is_that_of_the_signature(both):
    table, signatures = both
    for operation in ("elu", "batch_norm_train", "sgd_step"):
        for implementation, numbers in signatures.get(operation, {}).items():
            for name, value in numbers.items():
                assert float(table[operation, name][implementation]) == pytest.approx(value, rel=1e-12), implementation


def test_evaluation_has_the_epsilon_of_training(both):
    table, _ = both
    training = table["batch_norm_train", "epsilon"]
    for implementation, value in table["batch_norm_eval", "epsilon"].items():
        assert value == training.get(implementation, value)


def test_every_law_of_an_initializer_is_the_one_that_it_has(both):
    table, signatures = both
    for operation in ("he_normal", "he_uniform"):
        for implementation, law in signatures.get(operation, {}).items():
            for part, value in law.items():
                # An initializer is given a shape alone.
                read = "*" if part == "mode" else ""
                assert table[operation, part][implementation] == str(value).removesuffix(".0") + read


def test_the_kernels_of_layers_have_the_law_of_their_initializers(both):
    table, signatures = both
    for implementation, law in signatures.get("kernels", {}).items():
        for part, value in law.items():
            assert table[LAYERS, part][implementation] == str(value).removesuffix(".0")


def scale(text):
    numerator, _, denominator = text.partition("/")
    return float(numerator) / float(denominator or 1)


def test_the_scale_of_a_layer_is_the_variance_of_its_kernel_times_the_fan(both):
    table, signatures = both
    sections = {LAYERS: {"fan_in": signatures.get("layers", {})}}
    sections |= {name: signatures.get(name, {}) for name in ("transposed kernels", "embeddings")}
    for section, modes in sections.items():
        for mode, products in modes.items():
            for implementation, product in products.items():
                assert table[section, "mode"][implementation] == mode
                # Of 131,072 numbers and more: four standard errors of their variance, of a normal law, are 1.6 %.
                assert product == pytest.approx(scale(table[section, "scale"][implementation]), rel=0.016)


def test_the_factor_over_the_deviation_of_he_is_that_of_the_kernel(both):
    table, signatures = both
    for implementation, product in signatures.get("layers", {}).items():
        assert float(table[LAYERS, "of He's"][implementation]) == pytest.approx((product / 2) ** 0.5, rel=0.01)


def test_required_parameters_have_no_default(both):
    table, _ = both
    assert not any(name.startswith("optax.") for found in table.values() for name in found)
