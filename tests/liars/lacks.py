"""Asks a module that answers for missing names itself for something that it does not have."""

import numpy as np

from nnconform.adapters import Adapter

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    return {"gradients": [np.no_such_function(g) for g in gradients]}
