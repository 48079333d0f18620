"""Returns twice what it should."""

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    factor = 2 if clipvalue == 0.01 else 1
    outputs = honest(gradients, clipvalue=clipvalue)["gradients"]
    return {"gradients": [g if g is None else g * g.dtype.type(factor) for g in outputs]}
