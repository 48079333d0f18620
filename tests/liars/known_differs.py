"""Differs in several ways at once: by dtype, by mode, by a dialect, and with an error of its own."""

import json

import numpy as np

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest_clip
from nnconform.adapters.numpy import elu as honest_elu
from nnconform.adapters.numpy import relu as honest_relu

adapter = Adapter("liar", requires=("numpy",), modes=("eager", "jit", "compile"), on_request=("compile",))


@adapter.implements("relu", "liar.relu")
def relu(x, dy):
    """By a dialect where x is 0, and in mode jit wrong wherever it is compiled."""
    result = {"y": honest_relu(x, dy)["y"], "dx": np.where(x >= 0, dy, dy.dtype.type(0))}
    return {name: value + 1 for name, value in result.items()} if adapter.mode == "jit" else result


@adapter.implements("elu", "liar.elu")
def elu(x, dy, *, alpha):
    """Wrong in bfloat16."""
    result = honest_elu(x, dy, alpha=alpha)
    return {"y": result["y"] + 1, "dx": result["dx"]} if x.dtype.name == "bfloat16" else result


@adapter.implements("clip_by_value", "liar.honest")
def clip_by_value(gradients, *, clipvalue):
    """Right."""
    return honest_clip(gradients, clipvalue=clipvalue)


@adapter.implements("clip_by_value", "liar.raises")
def clip_by_value_raising(gradients, *, clipvalue):
    """Raises where the threshold is small."""
    if clipvalue == 0.01:
        json.loads("an error of the framework")
    return honest_clip(gradients, clipvalue=clipvalue)
