"""Empties the list that it is given; another implementation, which comes after it, does not."""

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    outputs = honest(gradients, clipvalue=clipvalue)
    gradients.clear()
    return outputs


adapter.implements("clip_by_value", "honest")(honest)
