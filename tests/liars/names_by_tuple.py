"""Names an output by a tuple."""

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    outputs = honest(gradients, clipvalue=clipvalue)
    return {("gradients", 0): outputs["gradients"]} if clipvalue == 0.01 else outputs
