"""He initialization in each framework: the initializers called directly, and the kernels of real layers.

Each module adds its implementations of he_normal and he_uniform to the adapter of its framework. Besides ``sample``
they return ``draws`` where the framework has a plain sampler for it: the standard draws of the same generator, in the
same shape and dtype, of which the sample is a multiple up to rounding.
"""

import math

# The initializers, called directly, can be asked for several kernels and for a sample of 84 MB; layers need not be.
DIRECT = ("layers", "extremes")
# Of a sample of so many elements only the extremes are asked for (FORMAT-21), and the draws would take as long again.
LONG = 2**24


def with_draws(sample, shape, draw):
    """Return the outputs of a call: the sample and, unless it is long, the draws of ``draw``."""
    return {"sample": sample} | ({"draws": draw()} if math.prod(shape) < LONG else {})
