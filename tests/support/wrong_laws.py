"""Right and wrong laws of he_normal and he_uniform, made of the control's samples (the adapter ``numpy``).

Each function takes the attributes of a vector by name and returns a sample. ``NORMAL`` and ``UNIFORM`` have them by the
name that the suite must give them.
"""

from __future__ import annotations

import math

import numpy as np

from nnconform.adapters.numpy import he_normal, he_uniform

# The deviation of a standard normal law that is cut at 2.
CUT_DEVIATION = 0.87962566103423978


def normal(**asked):
    return he_normal(**asked)["sample"]


def uniform(**asked):
    return he_uniform(**asked)["sample"]


def untruncated(*, seed, **asked):
    """The whole normal law, of the deviation of the control's own."""
    sigma = np.max(np.abs(uniform(seed=0, **asked | {"dtype": "float64"}))) / math.sqrt(3)
    # The largest of so many uniform numbers is the end of their interval to 2 in 100,000.
    return np.random.default_rng(seed).normal(0, sigma, asked["shape"]).astype(asked["dtype"])


def scaled(draw, factor, **asked):
    return (draw(**asked | {"dtype": "float64"}) * factor).astype(asked["dtype"])


def leaky(*, seed, **asked):
    """One element in 4,000 comes from the tails that should have been cut off."""
    sample = normal(seed=seed, **asked)
    stream = np.random.default_rng([seed, 1])
    tails = stream.standard_normal(sample.size)
    tails = tails[np.abs(tails) > 2]
    places = stream.choice(sample.size, sample.size // 4000, replace=False)
    sample.flat[places] = (np.max(np.abs(sample)) / 2 * tails[: len(places)]).astype(sample.dtype)
    return sample


def _scaled(draw, factor):
    return lambda **asked: scaled(draw, factor, **asked)


def _wrong_fan(draw):
    return lambda **asked: draw(**asked | {"mode": "fan_out"})


NORMAL = {
    "conforms": normal,
    "untruncated-normal": untruncated,
    "uncorrected-truncation": _scaled(normal, CUT_DEVIATION),
    "leaky-truncation": leaky,
    "uniform-for-normal": uniform,
    "wrong-fan": _wrong_fan(normal),
    "gain-forgotten": _scaled(normal, math.sqrt(0.5)),
    "wrong-gain": _scaled(normal, 5 / 3 / math.sqrt(2)),
    "wrong-deviation": _scaled(normal, 1.03),
    "wrong-deviation ": _scaled(normal, 0.97),
}
UNIFORM = {
    "conforms": uniform,
    "normal-for-uniform": normal,
    "wrong-fan": _wrong_fan(uniform),
    "gain-forgotten": _scaled(uniform, math.sqrt(0.5)),
    "deviation-for-bound": _scaled(uniform, 1 / math.sqrt(3)),
    "wrong-deviation": _scaled(uniform, 1.03),
    "wrong-deviation ": _scaled(uniform, 0.97),
}
