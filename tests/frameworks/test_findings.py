"""What is known of the real frameworks is what the suite finds; each needs its framework installed.

Vectors are few and small: starting a framework takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Outputs = list[dict[str, Any]]
# Return what was found of one output of an implementation in a mode, on all vectors that were run.
Find = Callable[..., Outputs]


def finding(report: Any) -> Find:
    def find(implementation: str, output: str, mode: str = "eager") -> Outputs:
        found = [
            value
            for row in report["results"]
            if (row["implementation"], row["mode"]) == (implementation, mode)
            for name, value in row["outputs"].items()
            if name.partition("[")[0] == output
        ]
        assert found, f"{implementation} ({mode}) gave no {output}"
        return found

    return find


@pytest.fixture(scope="module")
def torch(found) -> Find:
    vectors = ["batch_norm_train/rank-4-channels-first/*", "clip_by_global_norm/one-variable-tiny-threshold/*"]
    names = ["torch.nn.BatchNorm2d", "*.clip_grad_norm_"]
    return finding(found("torch", vector=vectors, dtype=["float32"], implementation=names, mode=["eager"]))


@pytest.fixture(scope="module")
def tensorflow(found) -> Find:
    vectors = ["elu/near-zero/*", "sgd_step/clipnorm-1-two-variables/*"]
    names = ["tf.nn.elu", "keras.optimizers.SGD"]
    return finding(found("tensorflow", vector=vectors, dtype=["float32"], implementation=names))


@pytest.fixture(scope="module")
def flax(found) -> Find:
    vectors = ["batch_norm_train/mean-1000-deviations/float32"]
    return finding(found("jax", vector=vectors, implementation=["flax.nnx.BatchNorm*"], mode=["eager"]))


def dialects(outputs: Outputs) -> set[str]:
    return {output.get("dialect", output["verdict"]) for output in outputs}


def test_torch_moves_the_running_variance_towards_the_unbiased_one(torch):
    assert dialects(torch("torch.nn.BatchNorm2d", "running_variance")) == {"unbiased-running-variance"}


def test_torch_normalizes_with_the_biased_variance(torch):
    assert dialects(torch("torch.nn.BatchNorm2d", "y")) == {"conforms"}


def test_torch_adds_an_epsilon_to_the_norm_that_it_clips_by(torch):
    found = torch("torch.nn.utils.clip_grad_norm_", "gradients")
    assert dialects(found) == {"clip-denominator-epsilon"}


def test_tensorflow_computes_elu_near_zero_by_a_subtraction(tensorflow):
    assert dialects(tensorflow("tf.nn.elu", "y")) == {"exp-minus-one"}


def test_tensorflow_under_xla_computes_elu_near_zero_accurately(tensorflow):
    assert dialects(tensorflow("tf.nn.elu", "y", "xla")) == {"conforms"}


def test_keras_clips_each_variable_by_its_own_norm(tensorflow):
    assert dialects(tensorflow("keras.optimizers.SGD", "weights")) == {"conforms"}


def test_flax_computes_the_variance_in_one_pass_unless_told_otherwise(flax):
    assert dialects(flax("flax.nnx.BatchNorm", "running_variance")) == {"single-pass-variance"}


def test_flax_conforms_without_the_fast_variance(flax):
    careful = "flax.nnx.BatchNorm(use_fast_variance=False)"
    assert dialects(flax(careful, "running_variance") + flax(careful, "y")) == {"conforms"}
