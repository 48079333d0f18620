"""Returns another dtype."""

import numpy as np

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    if clipvalue == 0.01:
        made = honest(gradients, clipvalue=clipvalue)["gradients"]
        return {"gradients": [None if g is None else g.astype(np.float64) for g in made]}
    return honest(gradients, clipvalue=clipvalue)
