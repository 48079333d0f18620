"""Returns the right numbers with the most significant byte first."""

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    outputs = honest(gradients, clipvalue=clipvalue)["gradients"]
    return {"gradients": [None if g is None else g.astype(g.dtype.newbyteorder(">")) for g in outputs]}
