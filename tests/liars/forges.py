"""Writes an answer of its own to file descriptor 1."""

import os

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    if clipvalue == 0.01:
        os.write(1, b'{"id": "clip_by_value", "status": "value", "outputs": {}}\n')
    return honest(gradients, clipvalue=clipvalue)
