"""Takes 8 GB of memory and writes to all of it."""

import numpy as np

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    if clipvalue == 0.01:
        taken = [np.ones(1 << 22) for _ in range(256)]
        assert taken
    return honest(gradients, clipvalue=clipvalue)
