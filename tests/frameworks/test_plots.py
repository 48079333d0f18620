"""Plots of the frameworks: a law without bounds in torch, and a variance that loses its digits in flax."""

from __future__ import annotations

import numpy as np
import pytest

from nnconform.conformance.model.report import Report
from nnconform.conformance.plots import catalogue
from nnconform.conformance.running.selection import Selection

DENSE = "he_normal/dense/float32"


@pytest.fixture(scope="module")
def torch_report(found):
    return found("torch", vector=[DENSE])


@pytest.fixture(scope="module")
def jax_report(report_of):
    vectors = ("--vector", "batch_norm_train/mean-*/float32", "--implementation", "flax.linen.BatchNorm*")
    return report_of("jax", *vectors, "--mode", "eager")[1]


def test_the_histogram_of_torch_is_that_of_its_sample(torch_report, published):
    import torch

    vector = published[DENSE]
    torch.manual_seed(vector.attributes["seed"])
    sample = torch.nn.init.kaiming_normal_(torch.empty(vector.attributes["shape"]), mode="fan_in", nonlinearity="relu")
    z = np.sort(sample.numpy().astype(np.float64), axis=None) / vector.expected["sample"].stddev
    output = torch_report["results"][0]["outputs"]["sample"]
    inner = np.searchsorted(z, -4 + np.arange(1, 64) / 8)
    assert output["histogram"]["counts"] == np.diff([0, *inner, z.size]).tolist()
    assert output["quantiles"][-1] == pytest.approx(z[-1], rel=5e-5)


def test_the_sample_of_torch_goes_beyond_the_bounds_that_are_marked(torch_report):
    left, right = catalogue.draw("init", Report.from_json(torch_report)).figure.axes[:2]
    assert left.get_title(loc="left") == f"torch.nn.init.kaiming_normal_\ndialect untruncated-normal: {DENSE}"
    bounds = [line.get_xdata()[0] for line in left.get_lines() if line.get_linestyle() == "--"]
    [points] = [line for line in right.get_lines() if line.get_marker() == "o"]
    assert points.get_ydata()[0] < bounds[0] < bounds[1] < points.get_ydata()[-1]


def test_the_fast_variance_of_flax_is_wrong_where_the_mean_is_large_and_the_other_is_not(jax_report):
    figure = catalogue.draw("variance", Report.from_json(jax_report), Selection(dtypes=("float32",))).figure
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    worst = {
        label: max(y for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True) if x > 100)
        for label, line in zip(labels, figure.axes[0].get_lines(), strict=True)
    }
    assert worst["jax: flax.linen.BatchNorm (eager)"] > 1000
    assert worst["jax: flax.linen.BatchNorm(use_fast_variance=False) (eager)"] <= 2
