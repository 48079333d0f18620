"""Writes JSON that is no answer to every file descriptor, the channel among them."""

import contextlib
import os

from nnconform.adapters import Adapter
from nnconform.adapters.numpy import clip_by_value as honest

adapter = Adapter("liar", requires=("numpy",))


@adapter.implements("clip_by_value", "liar")
def clip_by_value(gradients, *, clipvalue):
    if clipvalue == 0.01:
        for descriptor in range(3, 32):
            with contextlib.suppress(OSError):
                os.write(descriptor, b"[1, 2]\n")
    return honest(gradients, clipvalue=clipvalue)
