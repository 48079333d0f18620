"""Prints on standard error without end."""

import os

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    while clipvalue == 0.01:
        os.write(2, b"noise " * 1_000_000)
    return honest(gradients, clipvalue=clipvalue)
