"""Returns nothing."""

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    if clipvalue == 0.01:
        return None
    return honest(gradients, clipvalue=clipvalue)
